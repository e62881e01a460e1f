"""Sends the outbox: takes one mail at a time, renders it, gives it to the mail server, notes what became of it.

The server is spoken to outside any transaction. A mail is never lost: it is given back or stays held and is due again
when the holding ends. It goes out twice only when the process dies between the server's acceptance and our note of it,
and then with the same Message-ID (product.md, Mail).
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import time
from dataclasses import asdict
from email.utils import formataddr
from enum import Enum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers

from daicho.domain.mailbox.commands import Claim, claim_next, mail_refused, mail_sent
from daicho.interfaces.mail.render import Rendered, render, sender_name

logger = logging.getLogger("daicho.mail")

LONGEST_RUN = 60  # seconds; then the job gives its lease back and is soon called again


class Outcome(Enum):
    TAKEN = "taken"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Line:
    """One connection to the mail server, opened when first needed and kept for the mails of a run."""

    def __init__(self) -> None:
        self.backend: Any = None

    def send(self, message: EmailMultiAlternatives) -> None:
        """Returns when the server has taken the message; raises what smtplib or the socket raised."""
        if self.backend is not None and not self._alive():
            self.close()
        if self.backend is None:
            self.backend = mailers.create_connection("default")
            self.backend.open()
        self.backend.send_messages([message])

    def _alive(self) -> bool:
        """Whether the server still listens: many hang up after so many mails or seconds."""
        server = getattr(self.backend, "connection", None)
        try:
            return server is None or server.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def close(self) -> None:
        backend, self.backend = self.backend, None
        if backend is not None:
            try:
                backend.close()
            except (OSError, smtplib.SMTPException):
                logger.info("mail server hung up")


def send_due(limit: int = 100) -> int:
    """Send up to `limit` mails that are due; returns how many the server took.

    Ends early when the server cannot be reached, so that one outage does not cost every mail an attempt.
    """
    sent = 0
    started = time.monotonic()
    line = Line()
    try:
        for _ in range(limit):
            claim = claim_next(domain=settings.SITE.hostname)
            if claim is None:
                break
            outcome = _deliver(line, claim)
            sent += outcome is Outcome.TAKEN
            if outcome is Outcome.UNREACHABLE or time.monotonic() - started > LONGEST_RUN:
                break
    finally:
        line.close()
    return sent


def _deliver(line: Line, claim: Claim) -> Outcome:
    try:
        rendered = render(
            claim.template,
            claim.context,
            to=claim.to,
            to_name=claim.to_name,
            language=claim.language,
            time_zone=claim.time_zone,
        )
        message = compose(claim, rendered)
        message.message()  # a name or subject that makes no header is found here
    except Exception as error:  # whatever a text does wrong must not stop the mails behind it
        logger.exception("mail could not be rendered", extra={"mail": claim.uid, "template": claim.template})
        mail_refused(claim, f"{type(error).__name__}: {error}", for_good=True)
        return Outcome.REFUSED
    try:
        line.send(message)
    except (smtplib.SMTPException, OSError) as error:
        line.close()
        for_good, unreachable = judge(error)
        logger.warning("mail not taken", extra={"mail": claim.uid, "error": describe(error)})
        mail_refused(claim, describe(error), for_good=for_good, unreachable=unreachable)
        return Outcome.UNREACHABLE if unreachable else Outcome.REFUSED
    mail_sent(claim, rendered=asdict(rendered) if settings.DEMO else None)
    return Outcome.TAKEN


def compose(claim: Claim, rendered: Rendered) -> EmailMultiAlternatives:
    """The message: text first, HTML as its twin, one Message-ID for all attempts, no automatic answers wanted."""
    name = " ".join(claim.to_name.split())
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=formataddr((sender_name(), settings.DEFAULT_FROM_EMAIL)),
        to=[formataddr((name, claim.to)) if name else claim.to],
        headers={
            "Message-ID": claim.message_id,
            "Auto-Submitted": "auto-generated",  # RFC 3834
            "Content-Language": claim.language,
        },
    )
    if settings.SUPPORT_MAIL:
        message.reply_to = [settings.SUPPORT_MAIL]
    message.attach_alternative(rendered.html, "text/html")
    return message


def judge(error: Exception) -> tuple[bool, bool]:
    """(refused for good, server cannot be reached). For good: it answered 5xx to this recipient or text (RFC 5321 4.2.1).

    A wrong password or sender is our own setting: the mail waits until it is corrected.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values()), False
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500, False
    if isinstance(error, smtplib.SMTPSenderRefused):
        return False, error.smtp_code == 421
    return False, True


def describe(error: Exception) -> str:
    """What the operator reads about a refused mail."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_text(reply)}" for code, reply in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error}"
    return f"{type(error).__name__}: {error}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
