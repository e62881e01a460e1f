"""A statement of what counts in a virtual account between two days, like a bank's: opening, in, out, ended, closing.

What counts is `purchased`: on hand, reserved and fulfilled. A lot comes in when it arrives or starts there, goes out when
it leaves, and ends; what moves among those places makes no line. Nothing is kept for it: the closing of today is in the
pools, and every earlier figure follows from the postings since.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from django.db.models import BigIntegerField, Case, CharField, F, Q, QuerySet, Sum, Value, When

from daicho.core.clock import end_of_day, start_of_day
from daicho.core.paging import SIZES, Page, beyond, cursor_at, peek
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Place, Pool, Posting
from daicho.domain.ledger.queries.errors import period_reversed
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import VirtualAccount

COUNTED = (Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)
STARTED, ENDED = "started", "ended"
KEY = ("at", "entry_uid", "sku_key", "way", "other_kind", "other_uid")
CHUNK = 2_000
ALL = Q()
EARLIEST, LATEST = dt.date(1970, 1, 2), dt.date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in the account's time zone, both included. Raises `period_reversed`."""

    since: dt.date
    until: dt.date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise period_reversed()

    def instants(self, zone: str) -> tuple[dt.datetime, dt.datetime]:
        """The first instant of the period, and the first one after it."""
        since, until = (max(EARLIEST, min(day, LATEST)) for day in (self.since, self.until))
        return start_of_day(since, zone), end_of_day(until, zone)


@dataclass(frozen=True, slots=True)
class Balance:
    """One license in a period: opening + received − taken − ended = closing. What starts counts as received."""

    tag: LicenseTag
    opening: int
    received: int
    taken: int
    ended: int

    @property
    def closing(self) -> int:
        return self.opening + self.received - self.taken - self.ended


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one act did to one license here. `act`: the kind of the entry, or `started` or `ended`.

    The other side is a virtual account in sight, a place outside of all or here that does not count (`other_kind`), or
    hidden. `total`: what counts of the license after this line.
    """

    at: dt.datetime
    entry_uid: str
    act: str
    actor_name: str
    memo: str
    tag: LicenseTag
    other: VirtualAccount | None
    other_kind: str
    hidden: bool
    received: int
    taken: int
    ended: int
    total: int


def find_balances(sight: Sight, period: Period, *, tag_uid: str = "") -> list[Balance]:
    """Each license that counted or moved in the period, by SKU."""
    since, until = period.instants(sight.account.time_zone)
    within, ends = Q(entry__at__lt=until), Q(target__kind=Place.Kind.ENDED)
    none = Value(0, output_field=BigIntegerField())
    pools = Pool.objects.filter(sight.condition(), account=sight.account)
    if tag_uid:
        pools = pools.filter(tag__uid=tag_uid)
    parts: list[Any] = [
        pools.values(of=F("tag_id")).annotate(net=Sum("purchased"), received=none, taken=none, ended=none).order_by()
    ]
    for into in (True, False):
        moves = _moves(sight, since, into=into, tag_uid=tag_uid).values(of=F("lot__tag_id"))
        made: Any
        if into:
            made = moves.annotate(
                net=-Sum("quantity"), received=Sum("quantity", filter=within, default=0), taken=none, ended=none
            )
        else:
            made = moves.annotate(
                net=Sum("quantity"),
                received=none,
                taken=Sum("quantity", filter=within & ~ends, default=0),
                ended=Sum("quantity", filter=within & ends, default=0),
            )
        parts.append(made.order_by())
    # One statement, so that the pools and the postings are those of one moment.
    figures: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in parts[0].union(*parts[1:], all=True):
        sums = figures[row["of"]]
        for number, name in enumerate(("net", "received", "taken", "ended")):
            sums[number] += int(row[name] or 0)
    tags = LicenseTag.objects.in_bulk(of for of, sums in figures.items() if any(sums))
    return sorted(
        (Balance(tag, *map(int, figures[pk])) for pk, tag in tags.items()), key=lambda balance: balance.tag.sku_key
    )


def list_statement(
    sight: Sight,
    period: Period,
    balances: Iterable[Balance],
    *,
    tag_uid: str = "",
    cursor: str | None = None,
    size: int = 25,
) -> Page[StatementLine]:
    """One page of lines, the earliest first; `balances` are those of the same period. Raises `bad_cursor`."""
    size = max(1, min(size, SIZES[-1]))
    forward, at = peek(cursor, len(KEY))
    start = beyond(KEY, at, forward=forward) if at else ALL
    order = KEY if forward else tuple(f"-{name}" for name in KEY)
    found = list(_lines(sight, period, tag_uid, start).order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if not forward:
        found.reverse()
    totals = {balance.tag.pk: balance.opening for balance in balances}
    if found and at and (more or forward):
        _add(totals, sight, period, tag_uid, beyond(KEY, _key(found[0]), forward=False))
    has_next, has_previous = (more, bool(at)) if forward else (True, more)
    return Page(
        list(_told(sight, found, totals)),
        cursor_at(_key(found[-1])) if found and has_next else None,
        cursor_at(_key(found[0]), forward=False) if found and has_previous else None,
    )


def every_line(
    sight: Sight, period: Period, balances: Iterable[Balance], *, tag_uid: str = ""
) -> Iterator[StatementLine]:
    """All lines of the period, the earliest first, read some thousands at a time."""
    totals = {balance.tag.pk: balance.opening for balance in balances}
    rows = _lines(sight, period, tag_uid).order_by(*KEY)
    for part in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
        yield from _told(sight, part, totals)


def _moves(sight: Sight, since: dt.datetime, *, into: bool, tag_uid: str = "") -> QuerySet[Posting]:
    """Postings that bring lots into (or out of) the places that count in scope, since an instant."""
    here, there = ("target", "source") if into else ("source", "target")
    stays = Q(**{f"{there}__kind__in": COUNTED}) & sight.condition(f"{there}__virtual_account")
    moves = Posting.objects.filter(
        sight.condition(f"{here}__virtual_account"),
        ~stays,
        account=sight.account, entry__account=sight.account, entry__at__gte=since, **{f"{here}__kind__in": COUNTED},
    )  # fmt: skip
    return moves.filter(lot__tag__uid=tag_uid) if tag_uid else moves


def _keyed(sight: Sight, period: Period, into: bool, tag_uid: str, start: Q) -> QuerySet[Posting]:
    """Moves of the period with what orders them. All that is hidden is one other side, so that nobody counts it."""
    since, until = period.instants(sight.account.time_zone)
    there = "source" if into else "target"
    place = f"{there}__virtual_account"
    inside, another = sight.condition(place), Q(**{f"{place}__isnull": False})
    elsewhere = [When(another & ~inside, then=Value(""))] if inside else []
    unseen = [] if sight.visible is None else [When(~Q(**{f"{place}__in": sight.visible}), then=Value(""))]
    text = CharField()
    return (
        _moves(sight, since, into=into, tag_uid=tag_uid)
        .filter(entry__at__lt=until)
        .annotate(
            at=F("entry__at"), entry_uid=F("entry__uid"), sku_key=F("lot__tag__sku_key"),
            way=Value("in" if into else "out", output_field=text),
            other_kind=Case(*elsewhere, default=F(f"{there}__kind"), output_field=text),
            other_uid=Case(When(~another, then=Value("")), *unseen, default=F(f"{place}__uid"), output_field=text),
        )
        .filter(start)
    )  # fmt: skip


def _lines(sight: Sight, period: Period, tag_uid: str = "", start: Q = ALL) -> QuerySet[Any, dict[str, Any]]:
    """One row per act, license, way and other side."""
    described = {
        "of": F("lot__tag_id"), "kind": F("entry__kind"), "actor": F("entry__actor_name"), "memo": F("entry__memo"),
    }  # fmt: skip
    received, taken = (
        _keyed(sight, period, into, tag_uid, start).values(*KEY, **described).annotate(moved=Sum("quantity")).order_by()
        for into in (True, False)
    )
    lines: QuerySet[Any, dict[str, Any]] = received.union(taken, all=True)
    return lines


def _add(totals: dict[int, int], sight: Sight, period: Period, tag_uid: str, start: Q) -> None:
    """Add what the lines that match moved, by license."""
    for into, sign in ((True, 1), (False, -1)):
        moves = _keyed(sight, period, into, tag_uid, start).order_by()
        for of, moved in moves.values_list("lot__tag_id").annotate(moved=Sum("quantity")):
            totals[of] = totals.get(of, 0) + sign * moved


def _key(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in KEY]


def _told(sight: Sight, rows: Sequence[dict[str, Any]], totals: dict[int, int]) -> Iterator[StatementLine]:
    tags = LicenseTag.objects.in_bulk({row["of"] for row in rows})
    wanted = {row["other_uid"] for row in rows} - {""}
    others = {va.uid: va for va in VirtualAccount.objects.filter(account=sight.account, uid__in=wanted)}
    for row in rows:
        moved, into, kind = row["moved"], row["way"] == "in", row["other_kind"]
        ends = not into and kind == Place.Kind.ENDED
        starts = into and kind == Place.Kind.PENDING
        totals[row["of"]] = totals.get(row["of"], 0) + (moved if into else -moved)
        yield StatementLine(
            row["at"], row["entry_uid"],
            ENDED if ends else STARTED if starts and row["kind"] == "time" else row["kind"],
            row["actor"], row["memo"], tags[row["of"]], others.get(row["other_uid"]), kind,
            hidden=not kind and not row["other_uid"],
            received=moved if into else 0,
            taken=moved if not into and not ends else 0,
            ended=moved if ends else 0,
            total=totals[row["of"]],
        )  # fmt: skip
