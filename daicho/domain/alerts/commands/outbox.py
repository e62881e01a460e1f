"""What the operator does with mails that the server did not take. The outbox itself lies below the door and the log."""

from __future__ import annotations

from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.mailbox.models import Mail


@command(permission=OperatorPermission.SUPPORT, events=("mail.retried",))
def retry_mail(actor: Actor, *, uid: str) -> Mail:
    """Send a failed mail again, or a waiting one now; its attempts count anew.

    NotFound for a mail that was sent or that a sender holds at this moment.
    """
    ensure_operator(actor, OperatorPermission.SUPPORT)
    stuck = Q(state=Mail.State.FAILED) | Q(state=Mail.State.WAITING, held_until=None)
    mail = (
        Mail.objects.select_for_update()
        .filter(stuck | Q(state=Mail.State.WAITING, held_until__lte=now()), uid=uid)
        .first()
    )
    if mail is None:
        raise NotFound
    before = {"state": mail.state, "attempts": mail.attempts, "error": mail.last_error}
    mail.state, mail.attempts, mail.next_attempt_at = Mail.State.WAITING, 0, now()
    mail.save(update_fields=["state", "attempts", "next_attempt_at"])
    record(actor, "mail.retried", subject=mail.to, subject_uid=mail.uid, before=before, after={"state": mail.state})
    return mail


@command(permission=OperatorPermission.SUPPORT, events=("mail.retried",))
def retry_failed_mails(actor: Actor) -> int:
    """Send all failed mails again; returns how many."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    failed = Mail.objects.filter(state=Mail.State.FAILED)
    count = failed.update(state=Mail.State.WAITING, attempts=0, next_attempt_at=now())
    if count:
        record(
            actor,
            "mail.retried",
            before={"state": Mail.State.FAILED},
            after={"state": Mail.State.WAITING, "count": count},
        )
    return count
