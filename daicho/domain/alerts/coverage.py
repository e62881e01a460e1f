"""What stands behind an alert of insufficient licenses: by how many, who uses them, and what would cover it (S2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

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


def shortages(pool_uids: Collection[str]) -> dict[str, Shortage]:
    """The pools among these that are short now, by uid, in four queries."""
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
    spares = _spares(pools)
    return {
        shortage.pool.uid: Shortage(shortage.pool, shortage.used_by, counts.get(number, 0), spares[number])
        for number, shortage in found.items()
    }


def _spares(pools: list[Pool]) -> dict[int, list[Spare]]:
    """Pools of the same account with something free, of the same tag or a better tier of its ladder."""
    ladders = {pool.tag.ladder_id for pool in pools if pool.tag.ladder_id}
    better: dict[int, set[int]] = defaultdict(set)
    tags = list(LicenseTag.objects.filter(ladder__in=ladders)) if ladders else []
    for pool in pools:
        better[pool.tag_id] = {pool.tag_id} | {
            tag.pk for tag in tags if tag.ladder_id == pool.tag.ladder_id and (tag.rank or 0) < (pool.tag.rank or 0)
        }
    wanted = Q(account__in={pool.account_id for pool in pools}, tag__in=set().union(*better.values()))
    free = list(
        Pool.objects.filter(wanted, balance__gt=0, virtual_account__deleted_at=None).select_related(
            "tag", "virtual_account"
        )
    )
    return {
        pool.pk: [
            Spare(other.virtual_account_id, other.virtual_account.name, other.uid, other.tag.sku, other.balance)
            for other in free
            if other.account_id == pool.account_id
            and other.virtual_account_id != pool.virtual_account_id
            and other.tag_id in better[pool.tag_id]
        ]
        for pool in pools
    }
