"""Why a number is what it is: the parts of the balance, and who lends to whom in a ladder (ledger.md, Figures)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.queries.sight import Sight


@dataclass(frozen=True, slots=True)
class Formula:
    """purchased − reserved − fulfilled = on_hand; on_hand − in_use − lent + borrowed + metered = balance."""

    purchased: int = 0
    reserved: int = 0
    fulfilled: int = 0
    on_hand: int = 0
    in_use: int = 0
    lent: int = 0
    borrowed: int = 0
    metered: int = 0
    pending: int = 0
    usage_on_hand: int = 0
    balance: int = 0

    @property
    def available(self) -> int:
        return max(0, self.balance)

    @property
    def short(self) -> int:
        return max(0, -self.balance)


@dataclass(frozen=True, slots=True)
class Loan:
    """A better tier covers so many uses of a lesser one."""

    lender: Pool
    borrower: Pool
    quantity: int


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier of the ladder in one virtual account; no pool: it has none of that license."""

    tag: LicenseTag
    pool: Pool | None


@dataclass(frozen=True, slots=True)
class Substitution:
    """The ladder of a license in one virtual account, best tier first, and the loans in it."""

    rungs: list[Rung]
    loans: list[Loan]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A license in the page's scope: its pools, the sum of them, the state of the whole, its ladder (one scope only)."""

    tag: LicenseTag
    pools: list[Pool]
    formula: Formula
    short: int
    spare: int
    substitution: Substitution | None
    elsewhere: list[Pool]


def formula_of(pools: Iterable[Pool]) -> Formula:
    """The sums over some pools of one license."""
    names = [name for name in Formula.__slots__ if name != "balance"]
    found = list(pools)
    figures = {name: sum(getattr(pool, name) for pool in found) for name in (*names, "balance")}
    return Formula(**figures)


def loans(pools: list[Pool]) -> list[Loan]:
    """Who lends how many to whom among the pools of one ladder in one virtual account.

    From the top, each short tier borrows from the nearest better tier that lends: read back from the pools' sums, which
    the ledger wrote by the same rule.
    """
    tiers = sorted(pools, key=lambda pool: pool.tag.rank or 0)
    left = {pool.pk: pool.lent for pool in tiers}
    found: list[Loan] = []
    for place, borrower in enumerate(tiers):
        wanted = borrower.borrowed
        for lender in reversed(tiers[:place]):
            quantity = min(wanted, left[lender.pk])
            if quantity > 0:
                found.append(Loan(lender, borrower, quantity))
                left[lender.pk] -= quantity
                wanted -= quantity
    return found


def substitution(tag: LicenseTag, virtual_account_id: int) -> Substitution | None:
    """The ladder of a license in a virtual account that the caller may see; None for a license without a ladder."""
    if tag.ladder_id is None:
        return None
    tags = list(LicenseTag.objects.filter(ladder_id=tag.ladder_id).order_by("rank"))
    pools = Pool.objects.filter(virtual_account_id=virtual_account_id, tag__in=tags).select_related("tag")
    by_tag = {pool.tag_id: pool for pool in pools}
    return Substitution([Rung(one, by_tag.get(one.pk)) for one in tags], loans(list(by_tag.values())))


def explain(sight: Sight, tag: LicenseTag, *, limit: int = 500) -> Explanation:
    """A license in the page's scope. `pools`: the shortest first, `limit` at most (the sums then cover those alone)."""
    pools = list(
        sight.pools()
        .filter(tag=tag, virtual_account__deleted_at=None)
        .order_by("balance", "virtual_account__name_key")[:limit]
    )
    elsewhere: list[Pool] = []
    if not sight.is_wide:
        others = Pool.objects.filter(
            account=sight.account, tag=tag, balance__gt=0, virtual_account__in=sight.all_virtual_accounts().values("pk")
        ).exclude(virtual_account=sight.only)
        elsewhere = list(others.select_related("virtual_account", "tag").order_by("-balance", "uid")[:5])
    ladder = substitution(tag, pools[0].virtual_account_id) if len(pools) == 1 else None
    return Explanation(
        tag=tag,
        pools=pools,
        formula=formula_of(pools),
        short=sum(pool.short for pool in pools),
        spare=sum(pool.available for pool in pools),
        substitution=ladder,
        elsewhere=elsewhere,
    )
