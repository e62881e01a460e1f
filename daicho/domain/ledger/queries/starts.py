"""What has not started yet: when the next of it counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Sum

from daicho.domain.ledger.models import Holding, Place, Pool


@dataclass(frozen=True, slots=True)
class NextStart:
    """So many licenses of a pool begin to count at this instant, before all others that wait there."""

    at: dt.datetime
    quantity: int


def next_starts(pools: Iterable[Pool]) -> dict[int, NextStart]:
    """By pool id, for those of these pools (the caller may see them) in which something has not started: one query."""
    waiting = {(pool.virtual_account_id, pool.tag_id): pool.pk for pool in pools if pool.pending}
    if not waiting:
        return {}
    pending = Holding.objects.filter(
        place__kind=Place.Kind.PENDING, place__virtual_account__in={va for va, _tag in waiting},
        lot__tag__in={tag for _va, tag in waiting}, quantity__gt=0,
    )  # fmt: skip
    rows = pending.values_list(F("place__virtual_account_id"), F("lot__tag_id"), F("lot__start_at")).annotate(
        n=Sum("quantity")
    )
    found: dict[int, NextStart] = {}
    for va, tag, at, quantity in rows.order_by("lot__start_at"):
        if (va, tag) in waiting:
            found.setdefault(waiting[va, tag], NextStart(at, quantity))
    return found
