"""What an actor reads of alerts and of his own notifications."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import Scope, ensure_may, ensure_operator, ensure_signed_in, scope_of
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.alerts.coverage import Shortage, Spare, UsedBy, shortages
from daicho.domain.alerts.kinds import KINDS, readable
from daicho.domain.alerts.models import DEFAULT_DAYS, URGENCY, Alert, ExtraAddress, NotificationSetting
from daicho.domain.mailbox.models import Mail
from daicho.domain.mailbox.queries import troubled_mails
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

ORDER = ("urgency", "action_due_at", "-since", "uid")


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Conditions on the list; empty ones do not count. `hidden`: the hidden ones instead of the others."""

    severity: str = ""
    kind: str = ""
    text: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An open alert as its reader sees it. Figures of a shortage are those of now, not of its beginning."""

    uid: str
    kind: str
    severity: str
    source: str
    virtual_account_uid: str
    virtual_account: str
    data: Mapping[str, Any]
    due: dt.datetime | None
    since: dt.datetime
    hidden_until: dt.datetime | None
    hidden_by: str
    may_answer: bool
    missing: int = 0
    used_by: list[UsedBy] = field(default_factory=list)
    users: int = 0
    spares: list[Spare] = field(default_factory=list)


def list_alerts(
    actor: Actor,
    account: SmartAccount,
    virtual_account: VirtualAccount | None = None,
    *,
    wanted: AlertFilter = AlertFilter(),
    cursor: str | None = None,
    size: int = 50,
    count: bool = True,
) -> Page[Any]:
    """One page of open alerts, the most urgent first; rows are AlertRow."""
    scope = ensure_may(actor, Permission.ALERTS_VIEW, account, virtual_account)
    alerts = _narrow(_open(scope, account, virtual_account), wanted).select_related("virtual_account")
    page = keyset_page(alerts.annotate(urgency=URGENCY), ORDER, cursor=cursor, size=size, count=count)
    return Page(_rows(scope, page.rows), page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def _narrow(alerts: QuerySet[Alert], wanted: AlertFilter) -> QuerySet[Alert]:
    alerts = alerts.filter(hidden_until__gt=now()) if wanted.hidden else alerts.filter(_shown())
    if wanted.severity:
        alerts = alerts.filter(severity=wanted.severity)
    if wanted.kind:
        alerts = alerts.filter(kind=wanted.kind)
    if wanted.text:
        text = clean(wanted.text)
        fields = ("sku", "name", "name_ja", "number", "device", "serial", "who", "email")
        found = Q(virtual_account__name_key__contains=name_key(text))
        for name in fields:
            found |= Q(**{f"data__{name}__icontains": text})
        alerts = alerts.filter(found)
    return alerts


def get_alert(actor: Actor, account: SmartAccount, uid: str) -> AlertRow:
    """One open alert, hidden or not, or NotFound."""
    scope = ensure_may(actor, Permission.ALERTS_VIEW, account)
    alert = _open(scope, account, None).filter(uid=uid).select_related("virtual_account").first()
    if alert is None:
        raise NotFound
    return _rows(scope, [alert])[0]


def open_major_count(actor: Actor, account: SmartAccount) -> int:
    """What the bell shows: major alerts that the actor may read and that nobody hid."""
    scope = scope_of(actor, account)
    return _open(scope, account, None).annotate(urgency=URGENCY).filter(_shown(), urgency=1).count()


def counts_by_virtual_account(actor: Actor, account: SmartAccount) -> dict[int, int]:
    """Open alerts by virtual account (id), for selectors and lists of virtual accounts."""
    alerts = _open(scope_of(actor, account), account, None).filter(_shown(), virtual_account__isnull=False)
    return dict(alerts.values_list("virtual_account").annotate(Count("pk")).order_by())


def _shown() -> Q:
    return Q(hidden_until=None) | Q(hidden_until__lte=now())


def _open(scope: Scope, account: SmartAccount, virtual_account: VirtualAccount | None) -> QuerySet[Alert]:
    """Unresolved alerts of the kinds and places that a scope reads."""
    allowed = Q(pk__in=[])
    everywhere: list[str] = []
    parts: dict[frozenset[int], list[str]] = {}
    for kind, ids in readable(scope).items():
        if ids is None:
            everywhere.append(kind)
        else:
            parts.setdefault(ids, []).append(kind)
    if everywhere:
        allowed |= Q(kind__in=everywhere)
    for ids, kinds in parts.items():
        allowed |= Q(kind__in=kinds, virtual_account__in=ids)
    alerts = Alert.objects.filter(allowed, account=account, resolved_at=None)
    return alerts if virtual_account is None else alerts.filter(virtual_account=virtual_account)


def _rows(scope: Scope, alerts: Sequence[Alert]) -> list[AlertRow]:
    visible = scope.virtual_account_ids(Permission.LICENSES_VIEW)
    short = shortages([alert.source for alert in alerts if alert.kind == "insufficient_licenses"], visible)
    return [_row(scope, alert, short.get(alert.source), visible) for alert in alerts]


def _row(scope: Scope, alert: Alert, shortage: Shortage | None, visible: set[int] | None) -> AlertRow:
    place = alert.virtual_account
    return AlertRow(
        uid=alert.uid,
        kind=alert.kind,
        severity=alert.severity,
        source=alert.source,
        virtual_account_uid=place.uid if place else "",
        virtual_account=place.name if place else "",
        data=alert.data,
        due=alert.action_due_at,
        since=alert.since,
        hidden_until=alert.hidden_until if alert.hidden_until and alert.hidden_until > now() else None,
        hidden_by=alert.hidden_by_name,
        may_answer=scope.allows(KINDS[alert.kind].answer, alert.virtual_account_id),
        missing=shortage.pool.short if shortage else 0,
        used_by=shortage.used_by if shortage else [],
        users=shortage.users if shortage else 0,
        spares=shortage.spares_in(visible) if shortage else [],
    )


@dataclass(frozen=True, slots=True)
class Notifications:
    """How a person hears of an account."""

    at_once: bool = True
    daily_summary: bool = True
    days: tuple[int, ...] = DEFAULT_DAYS
    muted_kinds: tuple[str, ...] = ()


def my_notifications(actor: Actor, account: SmartAccount) -> Notifications:
    """The actor's own settings for an account; the usual ones where he never chose."""
    ensure_may(actor, Permission.ACCOUNT_VIEW, account)
    user = ensure_signed_in(actor)
    found = NotificationSetting.objects.filter(user=user, account=account).first()
    if found is None:
        return Notifications()
    return Notifications(found.at_once, found.daily_summary, tuple(found.days), tuple(found.muted_kinds))


def kinds_for(actor: Actor, account: SmartAccount) -> list[str]:
    """The kinds of alerts that the actor ever reads in an account, in the order of the table."""
    allowed = readable(scope_of(actor, account))
    return [code for code in KINDS if code in allowed]


def list_extra_addresses(actor: Actor, account: SmartAccount) -> list[ExtraAddress]:
    """The further addresses of an account, for who manages its settings."""
    ensure_may(actor, Permission.SETTINGS_MANAGE, account)
    return list(ExtraAddress.objects.filter(account=account).order_by("email"))


def list_troubled_mails(actor: Actor, limit: int = 200) -> list[Mail]:
    """Mails that failed or wait for another attempt, for the operator."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    return troubled_mails(limit)
