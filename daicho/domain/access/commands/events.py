"""Take the event log out of the house, with the seal that proves it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError
from daicho.domain.access.policy import ensure_may, ensure_operator
from daicho.domain.access.queries_events import EventFilter, EventSight, look_at_all_events, look_at_events
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.audit.record import record
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

FORMATS = ("csv", "xlsx", "json")


@command(permission=Permission.EVENTS_VIEW, events=("log.exported",))
def export_events(
    actor: Actor,
    *,
    account: SmartAccount,
    wanted: EventFilter,
    file_format: str,
    virtual_account: VirtualAccount | None = None,
) -> EventSight:
    """Note that somebody takes the lines of the log that he may see out of the house, and hand him their query."""
    ensure_may(actor, Permission.EVENTS_VIEW, account, virtual_account)
    _known(file_format)
    record(
        actor, "log.exported", account=account, virtual_account=virtual_account, after=_conditions(wanted, file_format)
    )
    return look_at_events(actor, account, virtual_account)


@command(permission=OperatorPermission.SUPPORT, events=("log.exported",))
def export_all_events(actor: Actor, *, wanted: EventFilter, file_format: str) -> EventSight:
    """Note that the operator takes the lines of the whole installation out of the house, and hand him their query."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    _known(file_format)
    record(actor, "log.exported", after=_conditions(wanted, file_format))
    return look_at_all_events(actor)


def _known(file_format: str) -> None:
    if file_format not in FORMATS:
        raise BusinessError("unknown_format", 422, _("Choose CSV, XLSX or JSON."))


def _conditions(wanted: EventFilter, file_format: str) -> dict[str, str]:
    given = {
        "text": wanted.text,
        "who": wanted.who,
        "kind": wanted.kind,
        "subject": wanted.subject_uid,
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
    }
    return {"format": file_format} | {name: value for name, value in given.items() if value}
