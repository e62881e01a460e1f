"""The state of a pool and of a lot, as lists show it: the worst first (design.md §3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from daicho.core.clock import now
from daicho.domain.ledger.models import Holding, Lot, Place, Pool, UseChange

ENDING_DAYS = 90
IDLE_DAYS = 90

SHORT, ENDED, ENDING, NOT_STARTED, IN_COMPLIANCE = "short", "ended", "ending", "not_started", "in_compliance"

NOTHING_LEFT = Q(on_hand=0, reserved=0, fulfilled=0, pending=0, in_use=0)


def horizon(days: int = ENDING_DAYS) -> dt.datetime:
    """Whatever ends until this instant is ending."""
    return now() + dt.timedelta(days=days)


def some(rows: QuerySet[Any]) -> GreaterThan:
    """Like Exists, but asked row by row, after all cheaper conditions, and only until the page is full.

    PostgreSQL joins an Exists to all rows of the account at once; here that took minutes.
    """
    return GreaterThan(Coalesce(Subquery(rows.order_by().values("pk")[:1]), 0), 0)


def has_ended_lots() -> GreaterThan:
    """A pool in which something ended."""
    return some(
        Holding.objects.filter(
            place__virtual_account=OuterRef("virtual_account"),
            place__kind=Place.Kind.ENDED,
            lot__tag=OuterRef("tag"),
            quantity__gt=0,
        )
    )


def is_idle(days: int = IDLE_DAYS) -> Q:
    """Spare, there for `days` at least, and no use began or ended in that time."""
    since = now() - dt.timedelta(days=days)
    there = Holding.objects.filter(
        place__virtual_account=OuterRef("virtual_account"),
        place__kind=Place.Kind.ON_HAND,
        lot__tag=OuterRef("tag"),
        lot__start_at__lte=since,
        lot__created_at__lte=since,
        quantity__gt=0,
    )
    began = UseChange.objects.filter(pool_after=OuterRef("pk"), at__gt=since)
    ended = UseChange.objects.filter(pool_before=OuterRef("pk"), at__gt=since)
    return Q(balance__gt=0) & Q(some(there)) & ~Q(some(began)) & ~Q(some(ended))


def in_state(state: str, ending_days: int = ENDING_DAYS) -> Q:
    """Pools that lists show in this state."""
    ending = Q(next_end_at__lte=horizon(ending_days))
    owned = Q(on_hand__gt=0) | Q(reserved__gt=0) | Q(fulfilled__gt=0)
    match state:
        case "short":
            return Q(balance__lt=0)
        case "ended":
            return NOTHING_LEFT & Q(has_ended_lots())
        case "ending":
            return Q(balance__gte=0) & owned & ending
        case "not_started":
            return Q(balance__gte=0, pending__gt=0) & ~owned
        case "in_compliance":
            return Q(balance__gte=0) & (owned | Q(in_use__gt=0)) & (~ending | Q(next_end_at=None))
    return Q(pk__in=[])


def state_of(pool: Pool, ending_days: int = ENDING_DAYS) -> str:
    """The worst state that holds of a pool."""
    if pool.balance < 0:
        return SHORT
    if pool.purchased == 0 and pool.in_use == 0:
        return NOT_STARTED if pool.pending else ENDED
    if pool.purchased and pool.next_end_at is not None and pool.next_end_at <= horizon(ending_days):
        return ENDING
    return IN_COMPLIANCE


def lot_state(lot: Lot, place_kind: str, ending_days: int = ENDING_DAYS) -> str:
    """A lot where it lies: not_started, in_force, ending, ended, reserved, fulfilled."""
    return state_at(place_kind, lot.end_at, now(), horizon(ending_days))


def state_at(place_kind: str, end_at: dt.datetime | None, at: dt.datetime, until: dt.datetime) -> str:
    """The state of a lot at an instant; what ends by `until` is ending."""
    if place_kind == Place.Kind.ENDED or (end_at is not None and end_at <= at):
        return ENDED
    if place_kind in (Place.Kind.RESERVED, Place.Kind.FULFILLED):
        return place_kind
    if place_kind == Place.Kind.PENDING:
        return NOT_STARTED
    if end_at is not None and end_at <= until:
        return ENDING
    return "in_force"
