"""Use over time, read back from the books: today's figure, minus what changed since."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.db.models.functions import TruncDate

from daicho.core.clock import start_of_day, today
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Place, Posting, UseChange
from daicho.domain.ledger.queries.explain import formula_of
from daicho.domain.ledger.queries.sight import Sight

OWNED = (Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)


@dataclass(frozen=True, slots=True)
class UsePoint:
    """At the end of a day in the account's zone (today: now)."""

    day: dt.date
    purchased: int
    in_use: int

    @property
    def difference(self) -> int:
        return self.purchased - self.in_use


def use_over_time(sight: Sight, tag: LicenseTag, *, days: int = 365, step: int = 7) -> list[UsePoint]:
    """A license in the page's scope over the last `days`, one point every `step` days, oldest first, today last."""
    zone = sight.account.time_zone
    end = today(zone)
    first = end - dt.timedelta(days=days)
    since = start_of_day(first, zone)
    pools = sight.pools().filter(tag=tag)
    used: dict[dt.date, int] = defaultdict(int)
    bought: dict[dt.date, int] = defaultdict(int)

    changes = UseChange.objects.filter(account=sight.account, tag=tag, at__gte=since)
    for path, figure, sign in (("pool_after", "counted_after", 1), ("pool_before", "counted_before", -1)):
        rows = changes.filter(**{f"{path}__in": pools.values("pk")})
        for day, total in _per_day(rows, "at", figure, zone):
            used[day] += sign * total
    postings = Posting.objects.filter(account=sight.account, lot__tag=tag, entry__at__gte=since)
    for path, sign in (("target", 1), ("source", -1)):
        moved = postings.filter(sight.condition(f"{path}__virtual_account"), **{f"{path}__kind__in": OWNED})
        for day, total in _per_day(moved, "entry__at", "quantity", zone):
            bought[day] += sign * total

    now = formula_of(pools)
    return list(_walk_back(first, end, step, now.purchased, now.in_use, bought, used))


def _per_day(rows: object, at: str, figure: str, zone: str) -> Iterator[tuple[dt.date, int]]:
    counted = rows.annotate(day=TruncDate(at, tzinfo=ZoneInfo(zone)))  # type: ignore[attr-defined]
    yield from counted.values("day").annotate(total=Sum(figure)).values_list("day", "total").order_by("day")


def _walk_back(
    first: dt.date,
    end: dt.date,
    step: int,
    purchased: int,
    in_use: int,
    bought: dict[dt.date, int],
    used: dict[dt.date, int],
) -> Iterator[UsePoint]:
    points: list[UsePoint] = []
    day = end
    while day >= first:
        if (end - day).days % step == 0:
            points.append(UsePoint(day, purchased, in_use))
        purchased -= bought.get(day, 0)
        in_use -= used.get(day, 0)
        day -= dt.timedelta(days=1)
    yield from reversed(points)
