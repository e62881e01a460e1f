"""Put a mail into the outbox, in the transaction of the act that causes it; and what the sender does with it.

What the sender does are acts of the machinery: no permission, no line in the event log. Each is one conditional
UPDATE, so any number of senders may run: whoever changed exactly one row has the mail.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from daicho.core.clock import now
from daicho.domain.mailbox.models import Mail
from daicho.domain.mailbox.rules import LONGEST_SENDING, pause_after, pause_while_unreachable


def post_mail(
    template: str,
    *,
    to: str,
    to_name: str = "",
    language: str = "ja",
    time_zone: str = "Asia/Tokyo",
    once: str | None = None,
    **context: Any,
) -> Mail:
    """Queue one mail. `template` names a pair of texts in interfaces/mail; `context` holds plain JSON values.

    `once`: a key that is mailed only once; a second call returns the first mail.
    """
    fields = {"template": template, "to": to, "to_name": to_name, "language": language, "time_zone": time_zone}
    if once is None:
        return Mail.objects.create(**fields, context=context)
    return Mail.objects.get_or_create(once=once, defaults=fields | {"context": context})[0]


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this sender holds until `held_until`. `attempt`: 1 for the first."""

    uid: str
    to: str
    to_name: str
    language: str
    time_zone: str
    template: str
    context: dict[str, Any]
    attempt: int
    held_until: dt.datetime
    created_at: dt.datetime
    message_id: str


def claim_next(*, domain: str) -> Claim | None:
    """Take the mail that is due longest, None when none is. Its Message-ID stays the same for all attempts."""
    while True:
        instant = now()
        due = Mail.objects.filter(state=Mail.State.WAITING, next_attempt_at__lte=instant)
        mail = due.order_by("next_attempt_at", "pk").first()
        if mail is None:
            return None
        message_id = mail.message_id or f"<{mail.uid}@{domain}>"
        held_until = instant + LONGEST_SENDING
        taken = due.filter(pk=mail.pk, attempts=mail.attempts, next_attempt_at=mail.next_attempt_at).update(
            attempts=F("attempts") + 1, next_attempt_at=held_until, held_until=held_until, message_id=message_id
        )
        if taken == 1:
            return Claim(
                mail.uid, mail.to, mail.to_name, mail.language, mail.time_zone, mail.template, mail.context,
                mail.attempts + 1, held_until, mail.created_at, message_id,
            )  # fmt: skip


def mail_sent(claim: Claim, *, rendered: dict[str, str] | None = None) -> None:
    """The server took the mail: its context, which may hold a link's secret, is emptied."""
    _held(claim).update(
        state=Mail.State.SENT, sent_at=now(), context={}, last_error="", rendered=rendered, held_until=None
    )


def mail_refused(claim: Claim, error: str, *, for_good: bool = False, unreachable: bool = False) -> None:
    """The mail was not taken: try again after a growing pause, or give it to the operator when all are used up.

    While the server cannot be reached at all the mail is tried every ten minutes at least, for five days.
    """
    if for_good:
        pause = None
    elif unreachable:
        pause = pause_while_unreachable(claim.attempt, now() - claim.created_at)
    else:
        pause = pause_after(claim.attempt)
    if pause is None:
        _held(claim).update(state=Mail.State.FAILED, last_error=error[:500], held_until=None)
    else:
        _held(claim).update(next_attempt_at=now() + pause, last_error=error[:500], held_until=None)


def _held(claim: Claim) -> QuerySet[Mail]:
    return Mail.objects.filter(uid=claim.uid, state=Mail.State.WAITING, held_until=claim.held_until)
