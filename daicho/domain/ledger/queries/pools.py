"""The license table: every pool in sight, filtered, sorted, paged and summed (S1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum

from daicho.core.paging import COUNT_LIMIT, Page, keyset_page, peek, place_of
from daicho.core.text import clean, name_key
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Holding, Place, Pool
from daicho.domain.ledger.queries.sight import Sight, tags_named
from daicho.domain.ledger.queries.states import ENDING_DAYS, NOTHING_LEFT, has_ended_lots, in_state, is_idle, some
from daicho.domain.tenancy.models import VirtualAccount, VirtualAccountTag

ORDERS: dict[str, tuple[str, ...]] = {
    "license": ("tag__sku_key", "virtual_account__name_key", "uid"),
    "virtual_account": ("virtual_account__name_key", "tag__sku_key", "uid"),
    "balance": ("balance", "uid"),
    "purchased": ("purchased", "uid"),
    "in_use": ("in_use", "uid"),
    "reserved": ("reserved", "uid"),
    "next_end": ("next_end_at", "uid"),
}
# How many licenses or virtual accounts are tried first when a large account is sorted by their names.
WINDOWS = {"license": (2, 20), "virtual_account": (10, 200)}
FEW = 500
SIFT, SIFTS = 200, 30
SUMS = ("purchased", "in_use", "reserved", "fulfilled", "balance", "lent", "borrowed", "pending")
LIVE_PLACES = (Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)


@dataclass(frozen=True, slots=True)
class PoolCriteria:
    """What the reader asks for; empty means any. `kind`: of a lot that lies there; `va_tag`: a label of virtual accounts;
    `pending`: with licenses that have not started."""

    text: str = ""
    state: str = ""
    kind: str = ""
    va_tag: str = ""
    family: str = ""
    enforcement: str = ""
    spare: bool = False
    idle: bool = False
    pending: bool = False
    tag_uid: str = ""
    sku: str = ""
    uids: tuple[str, ...] = ()
    ending_days: int = ENDING_DAYS


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """Sums over all that is filtered; None of them when there are more than 10,000 pools (`is_exact` False)."""

    count: int | None
    is_exact: bool
    sums: dict[str, int]


@dataclass(frozen=True, slots=True)
class BranchTotal:
    """A virtual account with the sums of its own pools and of the whole branch below it (S26)."""

    virtual_account: VirtualAccount
    own: dict[str, int]
    branch: dict[str, int]


def find_pools(sight: Sight, criteria: PoolCriteria, *, with_empty: bool = False) -> QuerySet[Pool]:
    """The visible pools that match. A pool in which nothing is left is shown only when something ended there; in large
    accounts only when ended ones are asked for."""
    found = sight.pools()
    for word in clean(criteria.text).split():
        found = found.filter(_named(sight, word))
    if criteria.uids:
        found = found.filter(uid__in=criteria.uids)
    elif criteria.state:
        found = found.filter(in_state(criteria.state, criteria.ending_days))
    elif not with_empty:
        found = found.filter(~NOTHING_LEFT if sight.is_large else ~NOTHING_LEFT | Q(has_ended_lots()))
    if criteria.tag_uid:
        found = found.filter(tag__in=_ids_of(LicenseTag.objects.filter(uid=criteria.tag_uid)))
    if criteria.sku:
        found = found.filter(tag__in=_ids_of(LicenseTag.objects.filter(sku_key=name_key(criteria.sku))))
    if criteria.kind:
        found = found.filter(_holds_kind(criteria.kind))
    if criteria.va_tag:
        labels = VirtualAccountTag.objects.filter(
            virtual_account__account=sight.account, name_key=name_key(criteria.va_tag)
        )
        found = found.filter(virtual_account__in=labels.values("virtual_account"))
    if criteria.family:
        found = found.filter(tag__family=criteria.family)
    if criteria.enforcement:
        found = found.filter(tag__enforcement=criteria.enforcement)
    if criteria.spare:
        found = found.filter(balance__gt=0)
    if criteria.pending:
        found = found.filter(pending__gt=0)
    if criteria.idle:
        found = found.filter(is_idle())
    return found


def _named(sight: Sight, word: str) -> Q:
    """One typed word meets SKU, name in either language, or the virtual account's name (NFKC, case folded)."""
    virtual_accounts = sight.all_virtual_accounts().filter(name_key__contains=name_key(word))
    return Q(tag__in=list(tags_named(word))) | Q(virtual_account__in=_ids_of(virtual_accounts))


def _ids_of(rows: QuerySet[Any]) -> list[int] | QuerySet[Any, int]:
    """Ids as values where they are few, so that the database sees how selective they are; else as a subquery."""
    ids = list(rows.order_by().values_list("pk", flat=True)[: FEW + 1])
    return ids if len(ids) <= FEW else rows.order_by().values_list("pk", flat=True)


def _holds_kind(kind: str) -> Q:
    return Q(
        some(
            Holding.objects.filter(
                place__virtual_account=OuterRef("virtual_account"),
                place__kind__in=LIVE_PLACES,
                lot__tag=OuterRef("tag"),
                lot__kind=kind,
                quantity__gt=0,
            )
        )
    )


def list_pools(
    sight: Sight,
    criteria: PoolCriteria,
    *,
    sort: str = "license",
    descending: bool = False,
    cursor: str | None = None,
    size: int = 25,
) -> Page[Pool]:
    """One page of pools with tag and virtual account. `sort`: a key of ORDERS. Not counted: see `pool_totals`."""
    key = sort if sort in ORDERS else "license"
    order = tuple(f"-{name}" for name in ORDERS[key]) if descending else ORDERS[key]
    if sight.is_large and needs_lots(criteria):
        return _sifted(sight, criteria, key, order, cursor, size)
    return _ordered(sight, find_pools(sight, criteria), key, order, cursor, size)


def _ordered(
    sight: Sight, found: QuerySet[Pool], key: str, order: tuple[str, ...], cursor: str | None, size: int
) -> Page[Pool]:
    for near in _near(sight, key, cursor, order[0].startswith("-"), len(order)):
        page = keyset_page(found.filter(near), order, cursor=cursor, size=size)
        forward, _values = peek(cursor, len(order))
        if len(page.rows) == size and (page.next_cursor if forward else page.previous_cursor):
            return page
    return keyset_page(found, order, cursor=cursor, size=size)


def needs_lots(criteria: PoolCriteria) -> bool:
    """Whether only the lots and uses themselves tell if a pool matches."""
    return bool(criteria.idle or criteria.kind or criteria.state == "ended")


def _sifted(
    sight: Sight, criteria: PoolCriteria, key: str, order: tuple[str, ...], cursor: str | None, size: int
) -> Page[Pool]:
    """A page of a large account, for what only the lots tell: pools in their order by the cheap conditions, sifted 200
    at a time until the page is full or 6,000 have been looked into; then a shorter page, and the next one goes on."""
    cheap = find_pools(sight, replace(criteria, idle=False, kind="", state=""), with_empty=criteria.state == "ended")
    if criteria.state == "ended":
        cheap = cheap.filter(NOTHING_LEFT)
    if criteria.idle:
        cheap = cheap.filter(balance__gt=0)
    forward, values = peek(cursor, len(order))
    kept: list[Pool] = []
    at: str | None = cursor
    for _turn in range(SIFTS):
        part = _ordered(sight, cheap, key, order, at, SIFT)
        rows = part.rows if forward else part.rows[::-1]
        matching = find_pools(sight, criteria).filter(pk__in=[pool.pk for pool in rows])
        ids = set(matching.order_by().values_list("pk", flat=True))
        kept += [pool for pool in rows if pool.pk in ids]
        at = part.next_cursor if forward else part.previous_cursor
        if len(kept) > size or at is None:
            break
    if len(kept) > size:
        kept = kept[:size]
        at = place_of(kept[-1], order, backwards=not forward)
    if forward:
        return Page(kept, at, place_of(kept[0], order, backwards=True) if values and kept else None)
    kept.reverse()
    return Page(kept, place_of(kept[-1], order) if kept else None, at)


def _near(sight: Sight, key: str, cursor: str | None, descending: bool, fields: int) -> Iterator[Q]:
    """In a large account: the first licenses (or virtual accounts) from the cursor on, which usually fill the page.

    Sorting by their names would else read every pool of the account.
    """
    if key not in WINDOWS or not sight.is_large:
        return
    forward, values = peek(cursor, fields)
    rising = forward != descending
    names: QuerySet[Any]
    if key == "license":
        field, path = "sku_key", "tag__in"
        names = LicenseTag.objects.filter(Exists(Pool.objects.filter(account=sight.account, tag=OuterRef("pk"))))
    else:
        field, path = "name_key", "virtual_account__in"
        names = sight.virtual_accounts()
    if values:
        names = names.filter(**{f"{field}__{'gte' if rising else 'lte'}": values[0]})
    ordered = names.order_by(field if rising else f"-{field}").values_list("pk", flat=True)
    for most in WINDOWS[key]:
        yield Q(**{path: list(ordered[:most])})


def pool_totals(sight: Sight, criteria: PoolCriteria) -> PoolTotals:
    """Count and sums of all pools that match, read to 10,001 rows at most.

    Not counted in large accounts: what only the lots themselves tell (idle, ended, the kinds that lie there).
    """
    if sight.is_large and needs_lots(criteria):
        return PoolTotals(None, False, {})
    return _totals(find_pools(sight, criteria))


def _totals(pools: QuerySet[Pool]) -> PoolTotals:
    first = pools.order_by().values("pk", *SUMS)[: COUNT_LIMIT + 1]
    found = first.aggregate(count=Count("pk"), **{name: Sum(name) for name in SUMS})
    count = found.pop("count")
    if count > COUNT_LIMIT:
        return PoolTotals(COUNT_LIMIT, False, {})
    return PoolTotals(count, True, {name: found[name] or 0 for name in SUMS})


def spare_pools(sight: Sight, criteria: PoolCriteria) -> QuerySet[Pool]:
    """The pools that match, of which something is spare and may be moved by this reader."""
    found = find_pools(sight, criteria).filter(balance__gt=0)
    return found if sight.manages is None else found.filter(virtual_account__in=sight.manages)


def spare_totals(sight: Sight, criteria: PoolCriteria) -> PoolTotals:
    """Count and sums of what `spare_pools` gives, read to 10,001 rows at most."""
    return _totals(spare_pools(sight, criteria))


def branch_totals(sight: Sight, criteria: PoolCriteria | None = None, *, limit: int = 2_000) -> list[BranchTotal]:
    """Sums per virtual account and per branch, in tree order; only for who sees the whole account (S26), else empty.

    Nothing is left out up to `limit` virtual accounts; beyond it only the upper levels that fit are shown.
    """
    if not sight.sees_all:
        return []
    nodes = list(sight.virtual_accounts().order_by("depth", "name_key")[:limit])
    pools = (find_pools(sight, criteria) if criteria else sight.pools()).order_by()
    named = {f"sum_{name}": Sum(name) for name in SUMS}
    sums: QuerySet[Pool, Any] = pools.values("virtual_account_id").annotate(**named)
    figures = {row["virtual_account_id"]: {name: row[f"sum_{name}"] or 0 for name in SUMS} for row in sums}
    paths = dict(sight.virtual_accounts().values_list("pk", "path"))
    branch: dict[int, dict[str, int]] = {}
    for number, own in figures.items():
        for above in _ids(paths.get(number, ""), number):
            total = branch.setdefault(above, dict.fromkeys(SUMS, 0))
            for name, value in own.items():
                total[name] += value
    zero = dict.fromkeys(SUMS, 0)
    return [BranchTotal(va, figures.get(va.pk, zero), branch.get(va.pk, zero)) for va in in_tree_order(nodes)]


def _ids(path: str, own: int) -> list[int]:
    return [int(part) for part in path.split("/") if part] or [own]


def in_tree_order(nodes: list[VirtualAccount]) -> list[VirtualAccount]:
    """Parents before children, siblings by name. A node whose parent is not among them stands at the top."""
    known = {node.pk for node in nodes}
    children: dict[int | None, list[VirtualAccount]] = {}
    for node in sorted(nodes, key=lambda n: n.name_key):
        parent = node.parent_id if node.parent_id in known else None
        children.setdefault(parent, []).append(node)
    ordered: list[VirtualAccount] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        node = waiting.pop()
        ordered.append(node)
        waiting.extend(reversed(children.get(node.pk, [])))
    return ordered


def families(sight: Sight) -> list[str]:
    """The families of the licenses in sight, by name."""
    here = Exists(sight.pools().order_by().filter(tag=OuterRef("pk")))
    found = LicenseTag.objects.filter(here).exclude(family="").order_by("family").values_list("family", flat=True)
    return list(found.distinct())


def va_tags(sight: Sight) -> list[str]:
    """The labels of the virtual accounts in sight, by name."""
    labels = VirtualAccountTag.objects.filter(virtual_account__in=sight.virtual_accounts().values("pk"))
    return list(labels.order_by("name_key").values_list("name", flat=True).distinct()[:200])


def spare_elsewhere(sight: Sight, pools: list[Pool], *, limit: int = 3) -> dict[int, list[Pool]]:
    """For each short pool (by id): up to `limit` visible pools of its tag with something spare, the most first."""
    tags = {pool.tag_id for pool in pools}
    if not tags:
        return {}
    spare = Pool.objects.filter(
        account=sight.account, tag=OuterRef("pk"), balance__gt=0, virtual_account__deleted_at=None
    )
    if sight.visible is not None:
        spare = spare.filter(virtual_account__in=sight.visible)
    first = spare.order_by("-balance", "uid").values("pk")
    # One more than asked for, since a pool is none of its own. Each is read from the index on the balances of its tag.
    most = {f"spare_{turn}": Subquery(first[turn : turn + 1]) for turn in range(limit + 1)}
    found = LicenseTag.objects.filter(pk__in=tags).order_by().annotate(**most).values_list("pk", *most)
    ids = {tag: [number for number in numbers if number is not None] for tag, *numbers in found}
    known = Pool.objects.select_related("tag", "virtual_account").in_bulk(
        [n for of_tag in ids.values() for n in of_tag]
    )
    return {
        pool.pk: [known[number] for number in ids.get(pool.tag_id, []) if number != pool.pk][:limit] for pool in pools
    }


def shortest_of(sight: Sight, pool: Pool) -> Pool | None:
    """The pool of the same license elsewhere that lacks most, of those to which the actor may move licenses."""
    others = Pool.objects.filter(
        account=sight.account, tag=pool.tag_id, balance__lt=0, virtual_account__deleted_at=None
    )
    if sight.manages is not None:
        others = others.filter(virtual_account__in=sight.manages)
    found = others.exclude(pk=pool.pk).select_related("virtual_account", "tag")
    return found.order_by("balance", "uid").first()


def search_licenses(sight: Sight, text: str, limit: int = 5) -> tuple[list[LicenseTag], bool]:
    """The first licenses in scope whose SKU or name holds all typed words, and whether there are more."""
    words = clean(text).split()
    found = LicenseTag.objects.filter(pk__in=sight.pools().order_by().values("tag"))
    for word in words:
        found = found.filter(pk__in=tags_named(word))
    tags = list(found.order_by("sku_key")[: limit + 1]) if words else []
    return tags[:limit], len(tags) > limit


def every_pool(sight: Sight, criteria: PoolCriteria) -> Iterator[Pool]:
    """All pools that match, by license and virtual account, read page by page."""
    cursor = None
    while True:
        page = list_pools(sight, criteria, cursor=cursor, size=200)
        yield from page.rows
        cursor = page.next_cursor
        if cursor is None:
            return
