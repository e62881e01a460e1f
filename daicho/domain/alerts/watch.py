"""Alerts follow the facts: within 60 s each condition that begins opens one, each that is over resolves it.

Set-based, with a number of queries that does not depend on how much there is; running it twice or in two processes at
once opens nothing twice (a constraint: one open alert per kind and source) and mails nothing twice (`mailed_at`).
"""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, DateTimeField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from daicho.core.clock import FOREVER, now
from daicho.domain.alerts import at_once, summary
from daicho.domain.alerts.kinds import KINDS, AlertKind
from daicho.domain.alerts.models import Alert

LONGEST_STEP = 5_000
"""Alerts of one kind opened in one run; the next run, seconds later, goes on."""


def run() -> dict[str, int]:
    """Bring alerts up to date and post the mails that this causes; returns how many were opened, resolved, mailed."""
    opened = resolved = 0
    for kind in KINDS.values():
        resolved += resolve_gone(kind)
        opened += open_new(kind)
    return {"opened": opened, "resolved": resolved, "mailed": at_once.mail_new(), "summaries": summary.mail_due()}


def resolve_gone(kind: AlertKind) -> int:
    """Resolve the open alerts of a kind whose condition holds no more."""
    gone = _open(kind).exclude(
        Exists(
            _facts(kind).filter(
                fact_source=OuterRef("source"), place_key=OuterRef("place_key"), due_key=OuterRef("due_key")
            )
        )
    )
    ids = list(gone.values_list("pk", flat=True)[:LONGEST_STEP])
    return Alert.objects.filter(pk__in=ids, resolved_at=None).update(resolved_at=now()) if ids else 0


def open_new(kind: AlertKind) -> int:
    """Open an alert for each fact of a kind that has none."""
    known = _open(kind).filter(
        source=OuterRef("fact_source"), place_key=OuterRef("place_key"), due_key=OuterRef("due_key")
    )
    new = list(
        _facts(kind)
        .exclude(Exists(known))
        .values_list("fact_source", "fact_account", "fact_place", "fact_due")[:LONGEST_STEP]
    )
    if not new:
        return 0
    told = kind.facts().tell([source for source, *_ in new])
    alerts = [
        Alert(
            account_id=account,
            virtual_account_id=place,
            kind=kind.code,
            severity=kind.severity,
            source=source,
            data=told[source],
            action_due_at=due,
        )
        for source, account, place, due in new
        if source in told
    ]
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    return len(alerts)


def _facts(kind: AlertKind) -> QuerySet[Any]:
    return _keyed(kind.facts().rows.order_by(), "fact_place", "fact_due")


def _open(kind: AlertKind) -> QuerySet[Any]:
    return _keyed(Alert.objects.filter(kind=kind.code, resolved_at=None), "virtual_account_id", "action_due_at")


def _keyed(rows: QuerySet[Any], place: str, due: str) -> QuerySet[Any]:
    """Comparable where NULL is not: no virtual account is 0, no due date is for ever."""
    keyed: QuerySet[Any] = rows.annotate(
        place_key=Coalesce(F(place), Value(0), output_field=BigIntegerField()),
        due_key=Coalesce(F(due), Value(FOREVER), output_field=DateTimeField()),
    )
    return keyed
