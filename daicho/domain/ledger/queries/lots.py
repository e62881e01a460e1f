"""Where the lots of a license lie, and which lots the account has."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast

from daicho.core.clock import day_of, last_day, now, today
from daicho.core.paging import COUNT_LIMIT, Page, count_up_to, keyset_page
from daicho.core.text import name_key
from daicho.domain.ledger.models import Holding, Lot, Place
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.states import ENDING_DAYS, horizon, lot_state, state_at
from daicho.domain.ledger.queries.words import count_meant, meanings

ORDERS: dict[str, tuple[str, ...]] = {
    "end": ("lot__end_at", "lot__uid", "place__virtual_account__uid", "place__kind", "place__holder__unit__uid"),
    "start": ("lot__start_at", "lot__uid", "place__virtual_account__uid", "place__kind", "place__holder__unit__uid"),
}
RUNNING = ("not_started", "ending", "in_force", "reserved", "fulfilled")
CHUNK = 5_000
KINDS = tuple(Lot.Kind.values)


@dataclass(frozen=True, slots=True)
class LotRow:
    """So many of a lot at a place. `start_on`, `end_on`: first and last day in the account's zone; `days_left`: 0 today,
    None without end."""

    holding: Holding
    state: str
    start_on: dt.date
    end_on: dt.date | None
    days_left: int | None

    @property
    def lot(self) -> Lot:
        return self.holding.lot

    @property
    def place(self) -> Place:
        return self.holding.place

    @property
    def quantity(self) -> int:
        return self.holding.quantity


@dataclass(frozen=True, slots=True)
class LotCriteria:
    """What the reader asks for; empty means any. `state`: a code of `lot_state`; `movable`: on hand or not yet started."""

    tag_uid: str = ""
    sku: str = ""
    state: str = ""
    kinds: tuple[str, ...] = ()
    text: str = ""
    movable: bool = False
    with_ended: bool = True


def _holdings(sight: Sight, criteria: LotCriteria) -> QuerySet[Holding]:
    """All that match."""
    found = _matching(sight, criteria)
    for meaning in meanings(sight, criteria.text):
        found = meaning.narrow(found)
    return found


def _matching(sight: Sight, criteria: LotCriteria) -> QuerySet[Holding]:
    """What matches, before the typed words."""
    found = Holding.objects.filter(
        sight.condition("place__virtual_account"), account=sight.account, lot__account=sight.account,
        place__virtual_account__isnull=False, quantity__gt=0,
    )  # fmt: skip
    if criteria.tag_uid:
        found = found.filter(lot__tag__uid=criteria.tag_uid)
    if criteria.sku:
        found = found.filter(lot__tag__sku_key=name_key(criteria.sku))
    if criteria.kinds:
        found = found.filter(lot__kind__in=criteria.kinds)
    if criteria.movable:
        found = found.filter(place__kind__in=(Place.Kind.ON_HAND, Place.Kind.PENDING))
    if not criteria.with_ended:
        found = found.exclude(place__kind=Place.Kind.ENDED)
    match criteria.state:
        case "ended":
            found = found.filter(place__kind=Place.Kind.ENDED)
        case "not_started":
            found = found.filter(place__kind=Place.Kind.PENDING)
        case "ending":
            found = found.filter(place__kind=Place.Kind.ON_HAND, lot__end_at__lte=horizon(), lot__end_at__gt=now())
        case "in_force":
            found = found.filter(place__kind=Place.Kind.ON_HAND)
        case "reserved" | "fulfilled":
            found = found.filter(place__kind=criteria.state)
    return found.select_related("lot", "lot__tag", "place", "place__virtual_account", "place__holder__unit")


def list_lots(
    sight: Sight,
    criteria: LotCriteria,
    *,
    sort: str = "end",
    descending: bool = False,
    cursor: str | None = None,
    size: int = 25,
    ending_days: int = ENDING_DAYS,
    count: bool = True,
) -> Page[LotRow]:
    """One page of lots where they lie; those that end soonest first, those without end last."""
    order = ORDERS.get(sort, ORDERS["end"])
    if descending:
        order = tuple(f"-{name}" for name in order)
    unnamed, meant = _matching(sight, criteria), meanings(sight, criteria.text)
    found = unnamed
    for meaning in meant:
        found = meaning.narrow(found)
    # What has not ended ends later than now, however many ended ones the index holds before it.
    floor = now() if criteria.state in RUNNING and order[0].endswith("end_at") else None
    page = keyset_page(found, order, cursor=cursor, size=size, floor=floor)
    rows = [lot_row(sight, holding, ending_days) for holding in page.rows]
    if not count:
        return Page(rows, page.next_cursor, page.previous_cursor)
    total = count_meant(unnamed, meant) if meant else count_up_to(unnamed.select_related(None))
    return Page(rows, page.next_cursor, page.previous_cursor, min(total, COUNT_LIMIT), total <= COUNT_LIMIT)


class LotCells(NamedTuple):
    """What a large file tells of a lot where it lies, without building models."""

    uid: str
    sku: str
    name: str
    name_ja: str
    virtual_account: str
    state: str
    kind: str
    quantity: int
    start_at: dt.datetime
    end_at: dt.datetime | None
    order_number: str


def every_lot(
    sight: Sight, criteria: LotCriteria, *, sort: str = "end", descending: bool = False
) -> Iterator[LotCells]:
    """All lots that match, in the order of `list_lots` and as they are at one moment, read some thousands at a time."""
    order = [
        F(name).desc(nulls_first=True) if descending else F(name).asc(nulls_last=True)
        for name in ORDERS.get(sort, ORDERS["end"])
    ]
    # Instants come as text: a million lots share some thousands, and making each of them once is much faster.
    rows = _holdings(sight, criteria).select_related(None).order_by(*order).values_list(
        "lot__uid", "lot__tag__sku", "lot__tag__name", "lot__tag__name_ja", "place__virtual_account__name", "place__kind",
        "lot__kind", "quantity", Cast("lot__start_at", TextField()), Cast("lot__end_at", TextField()), "lot__order_number",
    )  # fmt: skip
    at, until = now(), horizon()
    instant = functools.lru_cache(20_000)(_instant)
    state = functools.lru_cache(20_000)(lambda kind, end: state_at(kind, instant(end) if end else None, at, until))
    for uid, sku, name, name_ja, place, where, kind, quantity, start, end, number in rows.iterator(chunk_size=CHUNK):
        yield LotCells(
            uid, sku, name, name_ja, place, state(where, end), kind, quantity, instant(start), instant(end) if end else None,
            number,
        )  # fmt: skip


def _instant(text: str) -> dt.datetime:
    """An instant as either database writes it; SQLite leaves out that it is UTC."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def lot_row(sight: Sight, holding: Holding, ending_days: int = ENDING_DAYS) -> LotRow:
    zone, lot = sight.account.time_zone, holding.lot
    end_on = last_day(lot.end_at, zone) if lot.end_at is not None else None
    state = lot_state(lot, holding.place.kind, ending_days)
    days = (end_on - today(zone)).days if end_on is not None else None
    return LotRow(holding, state, day_of(lot.start_at, zone), end_on, days)


def movable_lots(sight: Sight, pool_ids: list[int], *, limit: int = 500) -> list[Holding]:
    """The lots on hand or not yet started of these visible pools, soonest end first: what a person may choose by hand."""
    pools = sight.pools().filter(pk__in=pool_ids).values_list("virtual_account_id", "tag_id")
    wanted = Q(pk__in=[])
    for virtual_account_id, tag_id in pools:
        wanted |= Q(place__virtual_account_id=virtual_account_id, lot__tag_id=tag_id)
    found = _holdings(sight, LotCriteria(movable=True)).filter(wanted)
    return list(found.order_by("lot__end_at", "lot__uid")[:limit])
