"""What is left when a lot ends: the balance of a pool just after an instant, by the lots and uses known now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum

from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Holding, Lot, Place, Pool
from daicho.domain.ledger.rules import Tier, balance, cover
from daicho.domain.tenancy.models import SmartAccount

type Moment = tuple[int, int, dt.datetime]


@dataclass(frozen=True, slots=True)
class Batch:
    """So many licenses on hand or not yet started, of lots with one start and one end."""

    pending: bool
    usage: bool
    start_at: dt.datetime
    end_at: dt.datetime | None
    quantity: int

    def change_until(self, at: dt.datetime) -> int:
        """What this batch adds to on_hand from now until just after `at`."""
        live_then = self.start_at <= at and (self.end_at is None or self.end_at > at)
        return self.quantity * (int(live_then) - int(not self.pending))


def balances_after(account: SmartAccount, moments: Iterable[Moment]) -> dict[Moment, int]:
    """The balance of (virtual account id, tag id) just after each instant, if uses stay as they are.

    Whole ladders are settled anew, since what ends above or below changes who lends. Reserved licenses are left as they
    are. The caller may see every virtual account given.
    """
    wanted = set(moments)
    if not wanted:
        return {}
    ladders = _ladders({tag for _va, tag, _at in wanted})
    places = {va for va, _tag, _at in wanted}
    tags = {rung for rungs in ladders.values() for rung in rungs}
    pools = {
        (pool.virtual_account_id, pool.tag_id): pool
        for pool in Pool.objects.filter(account=account, virtual_account__in=places, tag__in=tags)
    }
    batches = _batches(account, places, tags, max(at for _va, _tag, at in wanted))
    found: dict[Moment, int] = {}
    for va, tag, at in wanted:
        rungs = [rung for rung in ladders[tag] if (va, rung) in pools]
        tiers = [_tier(pools[va, rung], batches[va, rung], at) for rung in rungs]
        for rung, tier, covered in zip(rungs, tiers, cover(tiers), strict=True):
            if rung == tag:
                found[va, tag, at] = balance(tier.on_hand, tier.in_use, covered)
    return found


def _ladders(tags: set[int]) -> dict[int, list[int]]:
    """For each tag all tags of its ladder, best first; itself alone where it is in none."""
    rows = LicenseTag.objects.filter(Q(pk__in=tags) | Q(ladder__tags__in=tags)).distinct()
    ranked = sorted(rows.values_list("pk", "ladder_id", "rank"), key=lambda row: row[2] or 0)
    by_ladder: dict[int, list[int]] = defaultdict(list)
    for number, ladder, _rank in ranked:
        if ladder is not None:
            by_ladder[ladder].append(number)
    return {
        number: by_ladder[ladder] if ladder is not None else [number]
        for number, ladder, _rank in ranked
        if number in tags
    }


def _batches(
    account: SmartAccount, places: set[int], tags: set[int], until: dt.datetime
) -> dict[tuple[int, int], list[Batch]]:
    """What starts or ends there until an instant, read by its end from the earliest that still lies on hand."""
    found: dict[tuple[int, int], list[Batch]] = defaultdict(list)
    ends = Pool.objects.filter(account=account, next_end_at__isnull=False).order_by("next_end_at")
    earliest = ends.values_list("next_end_at", flat=True).first()
    ending = Q(place__in=_lying(places, Place.Kind.ON_HAND), lot__end_at__gte=earliest, lot__end_at__lte=until)
    starting = Q(place__in=_lying(places, Place.Kind.PENDING), lot__start_at__lte=until)
    for part in [ending, starting] if earliest is not None else [starting]:
        lots = Holding.objects.filter(part, account=account, lot__account=account, lot__tag__in=tags, quantity__gt=0)
        rows = lots.values_list(
            "place__virtual_account_id", "lot__tag_id", "place__kind", "lot__billing", "lot__start_at", "lot__end_at"
        ).annotate(total=Sum("quantity"))
        for va, tag, kind, billing, start_at, end_at, quantity in rows.order_by():
            batch = Batch(kind == Place.Kind.PENDING, billing == Lot.Billing.USAGE, start_at, end_at, quantity)
            found[va, tag].append(batch)
    return found


def _lying(places: set[int], kind: str) -> list[int]:
    return list(Place.objects.filter(virtual_account__in=places, kind=kind).values_list("pk", flat=True))


def _tier(pool: Pool, batches: list[Batch], at: dt.datetime) -> Tier:
    return Tier(
        on_hand=pool.on_hand + sum(batch.change_until(at) for batch in batches),
        in_use=pool.in_use,
        usage_on_hand=pool.usage_on_hand + sum(batch.change_until(at) for batch in batches if batch.usage),
    )
