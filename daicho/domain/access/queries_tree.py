"""The tree of virtual accounts as an actor may see it (S6, S26)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.text import name_key
from daicho.domain.access.policy import visible_virtual_accounts
from daicho.domain.access.rules import Permission
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


def tree(actor: Actor, account: SmartAccount, *, limit: int | None = None) -> list[tuple[VirtualAccount, int]]:
    """Visible virtual accounts and their depth below the visible root (0), parents first, siblings by name.

    Who sees a child but not its parent sees the child at the top. With a limit, the upper levels come first.
    """
    found = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW).order_by("depth", "name_key")
    return list(in_order(found if limit is None else found[:limit]))


def has_more_virtual_accounts(actor: Actor, account: SmartAccount, than: int) -> bool:
    """Whether the actor sees more virtual accounts than so many; they are not sorted for it."""
    visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    return len(visible.order_by().values_list("pk")[: than + 1]) > than


def in_order(virtual_accounts: Iterable[VirtualAccount]) -> Iterator[tuple[VirtualAccount, int]]:
    """These virtual accounts as a tree, depth first, in the given order among siblings."""
    rows = list(virtual_accounts)
    present = {row.pk for row in rows}
    children: dict[int | None, list[VirtualAccount]] = defaultdict(list)
    for row in rows:
        above = [int(number) for number in row.path.split("/") if number]
        children[next((number for number in reversed(above[:-1]) if number in present), None)].append(row)

    def walk(parent: int | None, depth: int) -> Iterator[tuple[VirtualAccount, int]]:
        for row in children[parent]:
            yield row, depth
            yield from walk(row.pk, depth + 1)

    return walk(None, 0)


def search_virtual_accounts(actor: Actor, account: SmartAccount, text: str, *, limit: int = 20) -> list[VirtualAccount]:
    """Visible virtual accounts whose name holds all typed words (NFKC, case folded), by name."""
    found = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    for word in name_key(text).split():
        found = found.filter(name_key__contains=word)
    return list(found.order_by("name_key")[:limit])


def virtual_account_named(actor: Actor, account: SmartAccount, name: str) -> VirtualAccount:
    """The visible virtual account with this name, whatever its case and width; else NotFound."""
    visible = visible_virtual_accounts(actor, account, Permission.VIRTUAL_ACCOUNTS_VIEW)
    found = visible.filter(name_key=name_key(name)).first()
    if found is None:
        raise NotFound
    return found
