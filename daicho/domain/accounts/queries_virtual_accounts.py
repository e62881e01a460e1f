"""The tree of virtual accounts with what lies in it, and totals per branch (S6, S26)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.paging import COUNT_LIMIT
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_may, live_grants, scope_of, visible_virtual_accounts
from daicho.domain.access.queries_tree import in_order
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices.models import Device
from daicho.domain.ledger.models import Pool, TransferRequest
from daicho.domain.orders.models import OrderLine
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount, VirtualAccountTag
from daicho.domain.tenancy.rules import PATH_SEPARATOR

HELD = Q(pending__gt=0) | Q(on_hand__gt=0) | Q(reserved__gt=0) | Q(fulfilled__gt=0) | Q(in_use__gt=0)
WAITING = (OrderLine.State.WAITING_OPERATOR, OrderLine.State.WAITING_AGREEMENT, OrderLine.State.UNASSIGNED)


@dataclass(frozen=True, slots=True)
class Inside:
    """What keeps a virtual account from being empty. `licenses`: kinds with lots or uses; ended lots do not count."""

    licenses: int
    devices: int
    orders: int
    children: int

    @property
    def is_empty(self) -> bool:
        return not (self.licenses or self.devices or self.orders or self.children)


def what_is_inside(place: VirtualAccount, *, lock: bool = False) -> Inside:
    """What lies in a virtual account now; with `lock` (in a transaction) nothing can come or go until it ends."""
    pools = Pool.objects.filter(virtual_account=place)
    if lock:
        list(pools.select_for_update().order_by("tag_id").values_list("pk", flat=True))
    waiting_moves = TransferRequest.objects.filter(source=place, state=TransferRequest.State.OPEN)
    return Inside(
        licenses=pools.filter(HELD).count(),
        devices=Device.objects.filter(unit__virtual_account=place, removed_at=None).count(),
        orders=OrderLine.objects.filter(virtual_account=place, state__in=WAITING).count() + waiting_moves.count(),
        children=VirtualAccount.objects.filter(parent=place, deleted_at=None).count(),
    )


@dataclass(slots=True)
class Node:
    """A virtual account in the tree. Figures are its own; `branch_…` include everything below it.

    None where the actor may not see that kind of thing.
    """

    uid: str
    name: str
    path: list[str]
    depth: int
    is_default: bool
    visibility: str
    description: str
    tags: list[str]
    pk: int
    parent_uid: str | None = None
    kinds: int | None = None
    short: int | None = None
    devices: int | None = None
    users: int | None = None
    branch_size: int = 1
    branch_short: int | None = None
    branch_devices: int | None = None
    branch_users: int | None = None


def list_tree(actor: Actor, account: SmartAccount, *, text: str = "", tag: str = "") -> list[Node]:
    """The visible tree, parents first, with figures; a search keeps the ancestors of what it found.

    Who sees a child but not its parent sees it at the top, and no path that he may not see. At most 10,000.
    """
    scope = ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_VIEW, account)
    rows = list(_in_levels(actor, account))
    nodes = _nodes(in_order(rows), {row.pk: row for row in rows}, _tags(account))
    paths = {row.pk: _numbers(row.path) for row in rows}
    for figure, count, view in FIGURES:
        _count(nodes, paths, scope.virtual_account_ids(view), figure, count(account, None))
    for node in nodes:
        node.branch_size = 0
    by_number = {node.pk: node for node in nodes}
    for node in nodes:
        for number in paths[node.pk]:
            if number in by_number:
                by_number[number].branch_size += 1
    return _found(nodes, paths, name_key(text), name_key(tag))


def tree_page(
    actor: Actor, account: SmartAccount, *, text: str = "", tag: str = "", start: int = 0, size: int = 100
) -> tuple[list[Node], int]:
    """So many lines of `list_tree` from the start-th on, without the sums of branches, and how many lines there are.

    Only what these lines show is counted.
    """
    scope = ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_VIEW, account)
    if text or tag:
        rows = list(_in_levels(actor, account))
        found = _nodes(in_order(rows), {row.pk: row for row in rows}, _tags(account))
        found = _found(found, {row.pk: _numbers(row.path) for row in rows}, name_key(text), name_key(tag))
        nodes, total = found[start : start + size], len(found)
    else:
        lines = list(in_order(_in_levels(actor, account).only("pk", "path")))
        shown = lines[start : start + size]
        visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
        known = visible.in_bulk({number for row, _depth in shown for number in _numbers(row.path)})
        here = [(known[row.pk], depth) for row, depth in shown if row.pk in known]
        nodes, total = _nodes(here, known, _tags(account, known)), len(lines)
    within = {node.pk for node in nodes}
    for figure, count, view in FIGURES:
        counts, seen = count(account, within), scope.virtual_account_ids(view)
        for node in nodes:
            if seen is None or node.pk in seen:
                setattr(node, figure, counts[node.pk])
    return nodes, total


def _in_levels(actor: Actor, account: SmartAccount) -> QuerySet[VirtualAccount]:
    visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    return visible.order_by("depth", "name_key")[:COUNT_LIMIT]


def _tags(account: SmartAccount, within: Collection[int] | None = None) -> dict[int, list[str]]:
    labels = VirtualAccountTag.objects.filter(virtual_account__account=account)
    if within is not None:
        labels = labels.filter(virtual_account__in=within)
    tags: dict[int, list[str]] = defaultdict(list)
    for number, name in labels.order_by("name_key").values_list("virtual_account_id", "name"):
        tags[number].append(name)
    return tags


def _nodes(
    lines: Iterable[tuple[VirtualAccount, int]], known: Mapping[int, VirtualAccount], tags: dict[int, list[str]]
) -> list[Node]:
    """The lines as they are shown, without figures; `known`: themselves and what the actor sees above them."""
    nodes = []
    for row, depth in lines:
        above = [known[number] for number in _numbers(row.path)[:-1] if number in known]
        nodes.append(
            Node(
                uid=row.uid, name=row.name, path=[one.name for one in above], depth=depth,
                is_default=row.is_default, visibility=row.visibility, description=row.description,
                tags=tags[row.pk], pk=row.pk, parent_uid=above[-1].uid if above else None,
            )
        )  # fmt: skip
    return nodes


def list_tags(actor: Actor, account: SmartAccount) -> list[str]:
    """The tags of visible virtual accounts, each once whatever its case, by name."""
    visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    rows = VirtualAccountTag.objects.filter(virtual_account__in=visible).order_by("name_key", "name")
    return list(dict(rows.values_list("name_key", "name")).values())


def _found(nodes: list[Node], paths: dict[int, list[int]], text: str, tag: str) -> list[Node]:
    if not text and not tag:
        return nodes
    kept: set[int] = set()
    for node in nodes:
        words = (node.name, node.description, *node.tags)
        if (not text or any(text in name_key(word) for word in words)) and (
            not tag or tag in {name_key(one) for one in node.tags}
        ):
            kept.update(paths[node.pk])
    return [node for node in nodes if node.pk in kept]


def _numbers(path: str) -> list[int]:
    return [int(number) for number in path.split("/") if number]


def _count(
    nodes: list[Node],
    paths: dict[int, list[int]],
    visible: set[int] | None,
    figure: str,
    counts: Counter[int],
) -> None:
    """Set a figure and its sum per branch, where the actor may see it; sums only over what he may see."""
    branch: Counter[int] = Counter()
    for node in nodes:
        if visible is None or node.pk in visible:
            setattr(node, figure, counts[node.pk])
            for number in paths[node.pk]:
                branch[number] += counts[node.pk]
    if figure != "kinds":
        for node in nodes:
            if visible is None or node.pk in visible:
                setattr(node, f"branch_{figure}", branch[node.pk])


def _kinds(account: SmartAccount, within: Collection[int] | None) -> Counter[int]:
    return _counted(Pool.objects.filter(HELD, account=account), "virtual_account_id", within, Count("pk"))


def _short(account: SmartAccount, within: Collection[int] | None) -> Counter[int]:
    short = Pool.objects.filter(account=account, balance__lt=0)
    return _counted(short, "virtual_account_id", within, Count("pk"))


def _devices(account: SmartAccount, within: Collection[int] | None) -> Counter[int]:
    living = Device.objects.filter(account=account, removed_at=None)
    return _counted(living, "unit__virtual_account_id", within, Count("pk"))


def _users(account: SmartAccount, within: Collection[int] | None) -> Counter[int]:
    grants = live_grants().filter(account=account, user__isnull=False, virtual_account__isnull=False)
    return _counted(grants, "virtual_account_id", within, Count("user_id", distinct=True))


def _counted(rows: QuerySet[Any], place: str, within: Collection[int] | None, count: Count) -> Counter[int]:
    """Rows by virtual account: of all, or of these only."""
    if within is not None:
        rows = rows.filter(**{f"{place.removesuffix('_id')}__in": within})
    return Counter(dict(rows.order_by().values_list(place).annotate(n=count)))


# What is told of a virtual account, how it is counted, and the permission to see it.
FIGURES = (
    ("short", _short, Permission.LICENSES_VIEW),
    ("kinds", _kinds, Permission.LICENSES_VIEW),
    ("devices", _devices, Permission.DEVICES_VIEW),
    ("users", _users, Permission.USERS_VIEW),
)


@dataclass(slots=True)
class BranchLine:
    """One kind of license, summed over a virtual account and everything below it."""

    tag: LicenseTag
    purchased: int
    in_use: int
    reserved: int
    balance: int
    pending: int


@dataclass(slots=True)
class Detail:
    """One virtual account with what the actor may see of it. `parent` None: at the top, or not visible."""

    place: VirtualAccount
    parent: VirtualAccount | None
    path: list[VirtualAccount]
    tags: list[str]
    children: list[VirtualAccount] = field(default_factory=list)
    inside: Inside | None = None
    branch_size: int = 1
    branch_lines: list[BranchLine] | None = None


def get_detail(actor: Actor, account: SmartAccount, uid: str) -> Detail:
    """One virtual account: path, tags, children, and the totals of its branch for who may see all of it."""
    place = VirtualAccount.objects.filter(account=account, uid=uid, deleted_at=None).first()
    if place is None:
        raise NotFound
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_VIEW, account, place)
    visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    above = visible.filter(pk__in=_numbers(place.path)[:-1]).order_by("depth")
    path = list(above)
    branch = VirtualAccount.objects.filter(account=account, path__startswith=place.path, deleted_at=None)
    sees_all = scope_of(actor, account).allows(Permission.LICENSES_VIEW)
    return Detail(
        place=place,
        parent=next((one for one in path if one.pk == place.parent_id), None),
        path=path,
        tags=list(place.tags.order_by("name_key").values_list("name", flat=True)),
        children=list(visible.filter(parent=place).order_by("name_key")),
        inside=what_is_inside(place) if sees_all else None,
        branch_size=branch.count() if sees_all else 1,
        branch_lines=branch_totals(place) if sees_all else None,
    )


def branch_totals(place: VirtualAccount) -> list[BranchLine]:
    """Per kind of license the sums over a virtual account and everything below it."""
    sums = (
        Pool.objects.filter(HELD, account_id=place.account_id, virtual_account__path__startswith=place.path)
        .values("tag")
        .annotate(
            purchased_sum=Sum("purchased"), in_use_sum=Sum("in_use"), reserved_sum=Sum(F("reserved") + F("fulfilled")),
            balance_sum=Sum("balance"), pending_sum=Sum("pending"),
        )
    )  # fmt: skip
    tags = LicenseTag.objects.in_bulk([row["tag"] for row in sums])
    lines = [
        BranchLine(
            tags[row["tag"]],
            row["purchased_sum"],
            row["in_use_sum"],
            row["reserved_sum"],
            row["balance_sum"],
            row["pending_sum"],
        )
        for row in sums
    ]
    return sorted(lines, key=lambda line: line.tag.sku)


def shown_path(node: Node) -> str:
    """The visible path and the name in one line."""
    return PATH_SEPARATOR.join([*node.path, node.name])


def possible_parents(
    actor: Actor, account: SmartAccount, place: VirtualAccount | None
) -> list[tuple[VirtualAccount, int]]:
    """Where a virtual account (None: a new one) can be placed: not below itself; with depth, parents first."""
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account, standing=False)
    found = VirtualAccount.objects.filter(account=account, deleted_at=None).order_by("depth", "name_key")
    if place is not None:
        found = found.exclude(path__startswith=place.path)
    return list(in_order(found))


def possible_targets(actor: Actor, account: SmartAccount, place: VirtualAccount) -> list[tuple[VirtualAccount, int]]:
    """Where everything in a virtual account could be moved to."""
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account, standing=False)
    found = VirtualAccount.objects.filter(account=account, deleted_at=None).exclude(pk=place.pk)
    return list(in_order(found.order_by("depth", "name_key")))
