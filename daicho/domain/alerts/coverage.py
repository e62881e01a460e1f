"""What stands behind an alert of insufficient licenses: by how many, who uses them, and what would cover it (S2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from daicho.core.db import is_postgres
from daicho.core.statements import ask, chunks
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Pool, Use

SHOWN_USERS = 3
SHOWN_SPARES = 3


@dataclass(frozen=True, slots=True)
class UsedBy:
    """A device and how many of the license it uses; `name` is empty for a unit without a device record."""

    name: str
    device_uid: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Spare:
    """Licenses free elsewhere in the account; `sku` differs from the short one's when a better tier would cover it."""

    virtual_account_id: int
    virtual_account: str
    pool_uid: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """One short pool as it stands now."""

    pool: Pool
    used_by: list[UsedBy] = field(default_factory=list)
    users: int = 0
    spares: list[Spare] = field(default_factory=list)

    def spares_in(self, visible: Collection[int] | None) -> list[Spare]:
        """The largest spares in the virtual accounts that a reader sees (None: all)."""
        seen = [spare for spare in self.spares if visible is None or spare.virtual_account_id in visible]
        return sorted(seen, key=lambda spare: -spare.quantity)[:SHOWN_SPARES]


def shortages(
    pool_uids: Collection[str], visible: Collection[int] | None = None, most: int = SHOWN_SPARES
) -> dict[str, Shortage]:
    """The pools among these that are short now, by uid, in a few queries.

    `most` spares of each tag, from the virtual accounts `visible` (ids; None: all).
    """
    pools = list(Pool.objects.filter(uid__in=pool_uids, balance__lt=0).select_related("tag", "virtual_account"))
    if not pools:
        return {}
    found = {pool.pk: Shortage(pool, spares=[]) for pool in pools}
    first = Window(RowNumber(), partition_by=F("pool"), order_by=[F("counted").desc(), F("pk").asc()])
    uses = Use.objects.filter(pool__in=found, counted__gt=0)
    for use in (
        uses.annotate(place=first).filter(place__lte=SHOWN_USERS).select_related("unit__device").order_by("place")
    ):
        device = getattr(use.unit, "device", None)
        name, uid = (device.name, device.uid) if device else ("", "")
        found[use.pool_id].used_by.append(UsedBy(name, uid, use.counted))
    counts = dict(uses.values_list("pool").annotate(Count("pk")).order_by())
    spares = _spares(pools, visible, most)
    return {
        shortage.pool.uid: Shortage(shortage.pool, shortage.used_by, counts.get(number, 0), spares[number])
        for number, shortage in found.items()
    }


def _spares(pools: list[Pool], visible: Collection[int] | None, most: int) -> dict[int, list[Spare]]:
    """Pools of the same account with something free, of the same tag or a better tier of its ladder: the largest.

    At most `most` of each tag besides the short one's own; `visible`: virtual accounts to look in, None for all.
    """
    ladders = {pool.tag.ladder_id for pool in pools if pool.tag.ladder_id}
    better: dict[int, set[int]] = defaultdict(set)
    tags = list(LicenseTag.objects.filter(ladder__in=ladders)) if ladders else []
    for pool in pools:
        better[pool.tag_id] = {pool.tag_id} | {
            tag.pk for tag in tags if tag.ladder_id == pool.tag.ladder_id and (tag.rank or 0) < (pool.tag.rank or 0)
        }
    wanted = {(pool.account_id, tag) for pool in pools for tag in better[pool.tag_id]}
    free = _largest(sorted(wanted), visible, most + 1)
    return {
        pool.pk: [
            Spare(other.virtual_account_id, other.virtual_account.name, other.uid, other.tag.sku, other.balance)
            for tag in sorted(better[pool.tag_id])
            for other in free.get((pool.account_id, tag), [])
            if other.virtual_account_id != pool.virtual_account_id
        ]
        for pool in pools
    }


def _largest(
    wanted: Sequence[tuple[int, int]], visible: Collection[int] | None, most: int
) -> dict[tuple[int, int], list[Pool]]:
    """The pools with most to spare of each (account, tag), read from the end of the index over their balances."""
    found: dict[tuple[int, int], list[Pool]] = defaultdict(list)
    narrow = (
        "" if visible is None else f"AND q.virtual_account_id IN ({', '.join(map(str, sorted(visible))) or 'NULL'})"
    )
    first = f"""SELECT q.id FROM ledger_pool q WHERE q.account_id = w.column1 AND q.tag_id = w.column2 AND q.balance > 0
        {narrow} ORDER BY q.balance DESC LIMIT {most}"""  # noqa: S608  numbers only
    for part in chunks(wanted, 400):
        rows = f"WITH w AS (VALUES {', '.join(['(%s, %s)'] * len(part))})"
        if is_postgres():
            statement = f"{rows} SELECT p.id FROM w CROSS JOIN LATERAL ({first}) p"  # noqa: S608
        else:
            statement = f"{rows} SELECT p.id FROM w JOIN ledger_pool p ON p.id IN ({first})"  # noqa: S608
        numbers = [number for (number,) in ask(statement, [value for pair in part for value in pair])]
        pools = Pool.objects.filter(pk__in=numbers, virtual_account__deleted_at=None)
        for pool in pools.select_related("tag", "virtual_account").order_by("-balance", "uid"):
            found[pool.account_id, pool.tag_id].append(pool)
    return found
