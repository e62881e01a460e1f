"""What is left when a lot ends: the balance of a pool just after an instant, by the lots and uses known now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum

from daicho.core.statements import among, as_table, ask, chunks, read_columns
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
    return forecast(account, moments)[1]


def forecast(account: SmartAccount, moments: Iterable[Moment]) -> tuple[dict[tuple[int, int], Pool], dict[Moment, int]]:
    """The pools of (virtual account id, tag id) as they are now, those of whole ladders, and `balances_after`."""
    wanted = set(moments)
    if not wanted:
        return {}, {}
    ladders = _ladders({tag for _va, tag, _at in wanted})
    pools = _pools(account, {(va, rung) for va, tag, _at in wanted for rung in ladders[tag]})
    batches = _batches(account, list(pools.values()), max(at for _va, _tag, at in wanted))
    found: dict[Moment, int] = {}
    for va, tag, at in wanted:
        rungs = [rung for rung in ladders[tag] if (va, rung) in pools]
        tiers = [_tier(pools[va, rung], batches[va, rung], at) for rung in rungs]
        for rung, tier, covered in zip(rungs, tiers, cover(tiers), strict=True):
            if rung == tag:
                found[va, tag, at] = balance(tier.on_hand, tier.in_use, covered)
    return pools, found


def _ladders(tags: set[int]) -> dict[int, list[int]]:
    """For each tag all tags of its ladder, best first; itself alone where it is in none."""
    named, parameters = among("id", tags)
    table = LicenseTag._meta.db_table
    above = f"ladder_id IN (SELECT ladder_id FROM {table} WHERE {named})"  # noqa: S608
    statement = f"SELECT id, ladder_id, rank FROM {table} WHERE {named} OR {above}"  # noqa: S608
    ranked = sorted(ask(statement, [*parameters, *parameters]), key=lambda row: row[2] or 0)
    by_ladder: dict[int, list[int]] = defaultdict(list)
    for number, ladder, _rank in ranked:
        if ladder is not None:
            by_ladder[ladder].append(number)
    return {
        number: by_ladder[ladder] if ladder is not None else [number]
        for number, ladder, _rank in ranked
        if number in tags
    }


def _pools(account: SmartAccount, pairs: set[tuple[int, int]]) -> dict[tuple[int, int], Pool]:
    columns, read = read_columns(Pool, "p")
    found: dict[tuple[int, int], Pool] = {}
    for part in chunks(sorted(pairs)):
        values, parameters = as_table(["bigint", "bigint"], part)
        rows = ask(
            f"SELECT {columns} FROM {values} JOIN {Pool._meta.db_table} p"  # noqa: S608
            " ON p.virtual_account_id = v.column1 AND p.tag_id = v.column2 WHERE p.account_id = %s",
            [*parameters, account.pk],
        )
        for row in rows:
            pool = read(list(row))
            found[pool.virtual_account_id, pool.tag_id] = pool
    return found


def _batches(account: SmartAccount, pools: list[Pool], until: dt.datetime) -> dict[tuple[int, int], list[Batch]]:
    """What starts or ends there until an instant, read by its end from the earliest that still lies on hand.

    The pools tell where that can be.
    """
    found: dict[tuple[int, int], list[Batch]] = defaultdict(list)
    ending = [pool for pool in pools if pool.on_hand and pool.next_end_at is not None and pool.next_end_at <= until]
    starting = [pool for pool in pools if pool.pending]
    parts: list[tuple[list[Pool], Q]] = []
    if ending:
        earliest = min(pool.next_end_at for pool in ending if pool.next_end_at is not None)
        lying = Q(place__in=_lying(ending, Place.Kind.ON_HAND))
        parts.append((ending, lying & Q(lot__end_at__gte=earliest, lot__end_at__lte=until)))
    if starting:
        lying = Q(place__in=_lying(starting, Place.Kind.PENDING))
        parts.append((starting, lying & Q(lot__start_at__lte=until)))
    for where, condition in parts:
        tags = {pool.tag_id for pool in where}
        lots = Holding.objects.filter(
            condition, account=account, lot__account=account, lot__tag__in=tags, quantity__gt=0
        )
        rows = lots.values_list(
            "place__virtual_account_id", "lot__tag_id", "place__kind", "lot__billing", "lot__start_at", "lot__end_at"
        ).annotate(total=Sum("quantity"))
        for va, tag, kind, billing, start_at, end_at, quantity in rows.order_by():
            batch = Batch(kind == Place.Kind.PENDING, billing == Lot.Billing.USAGE, start_at, end_at, quantity)
            found[va, tag].append(batch)
    return found


def _lying(pools: list[Pool], kind: str) -> list[int]:
    here, parameters = among("virtual_account_id", {pool.virtual_account_id for pool in pools})
    statement = f"SELECT id FROM {Place._meta.db_table} WHERE {here} AND kind = %s"  # noqa: S608
    return [number for (number,) in ask(statement, [*parameters, kind])]


def _tier(pool: Pool, batches: list[Batch], at: dt.datetime) -> Tier:
    return Tier(
        on_hand=pool.on_hand + sum(batch.change_until(at) for batch in batches),
        in_use=pool.in_use,
        usage_on_hand=pool.usage_on_hand + sum(batch.change_until(at) for batch in batches if batch.usage),
    )
