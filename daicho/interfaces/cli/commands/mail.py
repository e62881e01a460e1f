"""`daicho mail`: how the outbox stands, what failed and why, and sending it again."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("mail", help=_("the outbox of mails"))
    acts = parser.add_subparsers(metavar="act", required=True)
    listing = acts.add_parser("list", help=_("mails that failed or wait for another attempt"))
    add_json(listing)
    listing.set_defaults(run=show)
    retry = acts.add_parser("retry", help=_("send failed mails again"))
    retry.add_argument("uid", nargs="?", help=_("one mail; without it all that failed"))
    add_json(retry)
    retry.set_defaults(run=send_again)


def show(arguments: argparse.Namespace) -> int:
    from daicho.domain.alerts.queries import list_troubled_mails
    from daicho.domain.mailbox.queries import outbox

    box = outbox()
    mails = list_troubled_mails(console_actor())
    numbers = {"waiting": box.waiting, "retrying": box.retrying, "failed": box.failed, "sent": box.sent_today}
    lines = [
        _("waiting %(waiting)d, of these retrying %(retrying)d, failed %(failed)d, sent in 24 hours %(sent)d") % numbers
    ]
    lines += [
        f"{mail.uid}  {mail.state}  {mail.to}  {mail.template}  {mail.attempts}  {mail.last_error}" for mail in mails
    ]
    data = {
        "outbox": numbers,
        "mails": [
            {
                "uid": mail.uid,
                "state": mail.state,
                "to": mail.to,
                "template": mail.template,
                "attempts": mail.attempts,
                "next_attempt_at": mail.next_attempt_at,
                "error": mail.last_error,
            }
            for mail in mails
        ],
    }
    return answer(arguments, data, "\n".join(lines))


def send_again(arguments: argparse.Namespace) -> int:
    from daicho.domain.alerts.commands.outbox import retry_failed_mails, retry_mail

    if arguments.uid:
        retry_mail(console_actor(), uid=arguments.uid)
        count = 1
    else:
        count = retry_failed_mails(console_actor())
    text = ngettext("%(count)s mail is sent again.", "%(count)s mails are sent again.", count) % {"count": count}
    return answer(arguments, {"count": count}, text)
