"""Put an alert aside for a while, and take it back."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import end_of_day, now, today
from daicho.core.commands import command
from daicho.core.errors import NotFound, invalid
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.alerts.kinds import KINDS, readable
from daicho.domain.alerts.models import Alert
from daicho.domain.audit.record import record
from daicho.domain.tenancy.models import SmartAccount

LONGEST_DAYS = 365
USUAL_DAYS = 30


@command(permission=Permission.ALERTS_VIEW, events=("alert.hidden",))
def hide_alert(actor: Actor, *, account: SmartAccount, uid: str, until: dt.date | None = None) -> Alert:
    """Hide an alert from the lists and the bell to the end of a day (default: 30 days from now).

    Raises `bad_date` (until: tomorrow … 365 days). Whoever answers the kind of alert may hide it.
    """
    alert = _answerable(actor, account, uid)
    day = today(account.time_zone)
    last = until or day + dt.timedelta(days=USUAL_DAYS)
    if not day < last <= day + dt.timedelta(days=LONGEST_DAYS):
        raise invalid("until", "bad_date", _("Choose a day between tomorrow and a year from now."))
    before = alert.hidden_until
    alert.hidden_until = end_of_day(last, account.time_zone)
    alert.hidden_by_name = actor.name[:100]
    alert.save(update_fields=["hidden_until", "hidden_by_name"])
    _record(actor, "alert.hidden", alert, before, last)
    return alert


@command(permission=Permission.ALERTS_VIEW, events=("alert.shown",))
def show_alert(actor: Actor, *, account: SmartAccount, uid: str) -> Alert:
    """Show a hidden alert again; does nothing to one that is shown."""
    alert = _answerable(actor, account, uid)
    before = alert.hidden_until
    if before is None or before <= now():
        return alert
    alert.hidden_until = None
    alert.hidden_by_name = ""
    alert.save(update_fields=["hidden_until", "hidden_by_name"])
    _record(actor, "alert.shown", alert, before, None)
    return alert


def _answerable(actor: Actor, account: SmartAccount, uid: str) -> Alert:
    """The open alert under a lock, if the actor reads its kind there; Forbidden when he may only read it."""
    scope = ensure_may(actor, Permission.ALERTS_VIEW, account)
    alerts = Alert.objects.select_for_update(of=("self",)).select_related("virtual_account")
    alert = alerts.filter(account=account, uid=uid, resolved_at=None).first()
    if alert is None or alert.kind not in KINDS:
        raise NotFound
    seen = readable(scope).get(alert.kind, frozenset())
    if seen is not None and alert.virtual_account_id not in seen:
        raise NotFound
    ensure_may(actor, KINDS[alert.kind].answer, account, alert.virtual_account, standing=False)
    return alert


def _record(actor: Actor, event: str, alert: Alert, before: dt.datetime | None, until: dt.date | None) -> None:
    subject = alert.data.get("sku") or alert.data.get("number") or alert.data.get("device") or ""
    record(
        actor,
        event,
        account=alert.account,
        virtual_account=alert.virtual_account,
        subject=subject,
        subject_uid=alert.uid,
        before={"kind": alert.kind, "hidden_until": before.isoformat() if before else None},
        after={"kind": alert.kind, "hidden_until": until.isoformat() if until else None},
    )
