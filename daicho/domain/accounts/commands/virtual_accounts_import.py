"""The tree of virtual accounts from a CSV of the organization (S26), all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.text import name_key
from daicho.domain.access.errors import RowErrors
from daicho.domain.access.giving import lock_account
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.virtual_account_file import FileRow, TreePlan, read_tree_file
from daicho.domain.audit.record import record
from daicho.domain.ledger.sql import set_rows
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount, VirtualAccountTag


@dataclass(frozen=True, slots=True)
class Imported:
    """How many virtual accounts a file made, moved, changed and left alone."""

    created: int
    moved: int
    changed: int
    unchanged: int


@command(permission=Permission.VIRTUAL_ACCOUNTS_MANAGE, events=("virtual_account.imported",))
def import_virtual_accounts(actor: Actor, *, account: SmartAccount, content: bytes) -> Imported:
    """The tree follows a file of the organization: new ones are made, moved ones nested anew, none is deleted.

    Licenses, devices and rights stay where they are. Raises `rows_invalid` (row, column, code, text) and what
    `read_tree_file` raises.
    """
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account)
    lock_account(account)
    plan = read_tree_file(actor, account, content)
    if plan.errors:
        raise RowErrors(plan.errors)
    done = Imported(len(plan.create), len(plan.move), len(plan.change), plan.unchanged)
    if not (plan.create or plan.move or plan.change):
        return done
    _create(account, plan.create)
    _change(plan)
    _nest(account, plan)
    record(
        actor,
        "virtual_account.imported",
        account=account,
        after={
            "created": [row.name for row in plan.create],
            "moved": [row.name for row, _place in plan.move],
            "changed": [row.name for row, _place in plan.change],
        },
    )
    return done


def _create(account: SmartAccount, rows: list[FileRow]) -> None:
    """Make the new ones; `_nest` puts them where they belong."""
    made = VirtualAccount.objects.bulk_create(
        VirtualAccount(
            account=account,
            name=row.name,
            name_key=row.key,
            description=row.description,
            visibility=row.visibility or VirtualAccount.Visibility.PRIVATE,
        )
        for row in rows
    )
    for place, row in zip(made, rows, strict=True):
        _write_tags(place, row.tags or [])


def _change(plan: TreePlan) -> None:
    for row, place in plan.change:
        place.name = row.name
        place.description = row.description or place.description
        place.visibility = row.visibility or place.visibility
        place.save(update_fields=["name", "description", "visibility"])
        if row.tags is not None:
            place.tags.all().delete()
            _write_tags(place, row.tags)


def _write_tags(place: VirtualAccount, tags: list[str]) -> None:
    if tags:
        VirtualAccountTag.objects.bulk_create(
            VirtualAccountTag(virtual_account=place, name=tag, name_key=name_key(tag)) for tag in tags
        )


def _nest(account: SmartAccount, plan: TreePlan) -> None:
    """Give every virtual account its parent as the file says, then write all paths and depths anew."""
    places = {place.name_key: place for place in VirtualAccount.objects.filter(account=account, deleted_at=None)}
    for row in [*plan.create, *(row for row, _place in plan.move)]:
        places[row.key].parent = places[row.parent_key] if row.parent_key else None
    by_number = {place.pk: place for place in places.values()}

    def numbers(place: VirtualAccount) -> list[int]:
        above = by_number.get(place.parent_id or 0)
        return [*(numbers(above) if above is not None else []), place.pk]

    changed = []
    for place in places.values():
        line = numbers(place)
        path = f"/{'/'.join(map(str, line))}/"
        if path != place.path:
            place.path, place.depth = path, len(line)
            changed.append(place)
    rows = [(place.pk, place.parent_id, place.path, place.depth) for place in changed]
    set_rows(VirtualAccount, ["parent", "path", "depth"], rows)
