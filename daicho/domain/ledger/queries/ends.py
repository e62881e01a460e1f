"""What ends, what has ended, and what breaks then (S2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import Count, DateTimeField, DurationField, ExpressionWrapper, F, QuerySet, Sum, Value
from django.db.models.functions import TruncMonth

from daicho.core.clock import now, start_of_day, today
from daicho.core.paging import COUNT_LIMIT, Page, count_up_to, keyset_page
from daicho.domain.ledger.models import Holding, Lot, Place, Pool
from daicho.domain.ledger.queries.forecast import Moment, forecast
from daicho.domain.ledger.queries.lots import LotRow, lot_row
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.words import count_meant, meanings
from daicho.domain.tenancy.models import VirtualAccount

ORDER = ("lot__end_at", "lot__uid", "place__virtual_account__uid", "place__kind", "place__holder__unit__uid")
LIVE = (Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)
# An end is the first instant of the next day: a lot that ends on the last day of a month belongs to that month.
LAST_INSTANT = ExpressionWrapper(
    F("lot__end_at") - Value(dt.timedelta(seconds=1), output_field=DurationField()), output_field=DateTimeField()
)
MOST = 20_000
DAYS = (7, 30, 60, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class EndCriteria:
    """What the reader asks for. `ended`: what is over since `days`, else what ends within `days`."""

    days: int = 90
    ended: bool = False
    text: str = ""
    kind: str = ""
    in_use_only: bool = False


@dataclass(frozen=True, slots=True)
class EndRow:
    """A lot that ends or has ended at a place; `balance_after`: of its pool just after that instant, by what is known now."""

    row: LotRow
    pool: Pool | None
    balance_after: int | None

    @property
    def virtual_account(self) -> VirtualAccount:
        """Where it lies; what ends always lies in one."""
        return cast(VirtualAccount, self.row.place.virtual_account)

    @property
    def in_use(self) -> int:
        return self.pool.in_use if self.pool else 0

    @property
    def short_after(self) -> int:
        return max(0, -self.balance_after) if self.balance_after is not None else 0


@dataclass(frozen=True, slots=True)
class EndMonth:
    """How many licenses of how many lots end in a month of the account's zone."""

    month: dt.date
    lots: int
    quantity: int


@dataclass(frozen=True, slots=True)
class EndSummary:
    """How much ends; `is_exact` False: at least so much."""

    lots: int
    quantity: int
    is_exact: bool


def _ending(sight: Sight, criteria: EndCriteria) -> QuerySet[Holding]:
    at = now()
    span = dt.timedelta(days=criteria.days)
    found = Holding.objects.filter(
        sight.condition("place__virtual_account"), account=sight.account, place__virtual_account__isnull=False,
        lot__account=sight.account, quantity__gt=0,
    )  # fmt: skip
    if criteria.ended:
        # What lies in `ended` is over: said here too, or an index on the ends is read from the farthest end.
        found = found.filter(place__kind=Place.Kind.ENDED, lot__end_at__gt=at - span, lot__end_at__lte=at)
    else:
        found = found.filter(place__kind__in=LIVE, lot__end_at__gt=at, lot__end_at__lte=at + span)
    if criteria.kind:
        found = found.filter(lot__kind=criteria.kind)
    return found.select_related("lot", "lot__tag", "place", "place__virtual_account", "place__holder__unit")


def list_ends(
    sight: Sight, criteria: EndCriteria, *, cursor: str | None = None, size: int = 25, count: bool = True
) -> Page[EndRow]:
    """One page: the next to end first; of the ended ones the last to end first."""
    order = tuple(f"-{name}" for name in ORDER) if criteria.ended else ORDER
    unnamed, meant = _ending(sight, criteria), meanings(sight, criteria.text)
    found = unnamed
    for meaning in meant:
        found = meaning.narrow(found)
    page = keyset_page(found, order, cursor=cursor, size=size)
    moments = [_moment(holding) for holding in page.rows]
    pools, after = forecast(sight.account, moments)
    rows = [
        EndRow(lot_row(sight, holding, criteria.days), pools.get(moment[:2]), after.get(moment))
        for holding, moment in zip(page.rows, moments, strict=True)
    ]
    if not count:
        return Page(rows, page.next_cursor, page.previous_cursor)
    total = count_meant(unnamed, meant) if meant else count_up_to(unnamed.select_related(None))
    return Page(rows, page.next_cursor, page.previous_cursor, min(total, COUNT_LIMIT), total <= COUNT_LIMIT)


def _moment(holding: Holding) -> Moment:
    """Whose balance changes, and when: what `_ending` finds lies in a virtual account and has an end."""
    return cast(Moment, (holding.place.virtual_account_id, holding.lot.tag_id, holding.lot.end_at))


def end_summary(sight: Sight, days: int = 90) -> EndSummary:
    """How many lots end within `days`, and how many licenses in them; the first 10,000 to end are read where they lie."""
    ending = _ending(sight, EndCriteria(days=days)).select_related(None)
    first = ending.order_by("lot__end_at").values("lot", "quantity")[: COUNT_LIMIT + 1]
    sums = first.aggregate(rows=Count("lot"), lots=Count("lot", distinct=True), quantity=Sum("quantity"))
    return EndSummary(sums["lots"], sums["quantity"] or 0, sums["rows"] <= COUNT_LIMIT)


def ends_by_month(sight: Sight, months: int = 12) -> list[EndMonth]:
    """What ends in this month (from now on) and the following ones, months without an end included.

    Empty where more than 20,000 lots end in that time: the list of ends tells them.
    """
    zone = ZoneInfo(sight.account.time_zone)
    first = today(sight.account.time_zone).replace(day=1)
    names = [_month_after(first, number) for number in range(months + 1)]
    until = start_of_day(names.pop(), sight.account.time_zone)
    ending = Lot.objects.filter(account=sight.account, end_at__gt=now(), end_at__lte=until)
    if ending[: MOST + 1].count() > MOST:
        return []
    live = Holding.objects.filter(
        sight.condition("place__virtual_account"), account=sight.account, place__kind__in=LIVE, quantity__gt=0,
        lot__account=sight.account, lot__end_at__gt=now(), lot__end_at__lte=until,
    )  # fmt: skip
    rows = live.annotate(month=TruncMonth(LAST_INSTANT, tzinfo=zone)).values("month")
    found = {
        row["month"].date().replace(day=1): (row["lots"], row["quantity"])
        for row in rows.annotate(lots=Count("lot", distinct=True), quantity=Sum("quantity")).order_by("month")
    }
    return [EndMonth(month, *found.get(month, (0, 0))) for month in names]


def _month_after(first: dt.date, number: int) -> dt.date:
    years, month = divmod(first.month - 1 + number, 12)
    return dt.date(first.year + years, month + 1, 1)
