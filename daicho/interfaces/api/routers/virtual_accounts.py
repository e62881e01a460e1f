"""Virtual accounts: the tree, its making and changing, its import, moving everything (S6, S26)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.domain.access.policy import find_account, find_virtual_account
from daicho.domain.accounts.commands.virtual_accounts import (
    create_virtual_account,
    delete_virtual_account,
    edit_virtual_account,
    nest_virtual_account,
    set_default_virtual_account,
)
from daicho.domain.accounts.commands.virtual_accounts_import import import_virtual_accounts
from daicho.domain.accounts.commands.virtual_accounts_move import empty_virtual_account, preview_emptying
from daicho.domain.accounts.queries_virtual_accounts import Node, get_detail, list_tree
from daicho.domain.accounts.virtual_account_file import read_tree_file
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Named, RowErrorOut, Text, Told, Uid

router = Router(tags=["Virtual accounts"])

Visibility = Literal["public", "private"]


class NodeOut(Told):
    """A virtual account in the tree. `path` are the names above it, as far as the caller may see them.

    Figures are null where the caller may not see that kind of thing; `branch_…` include everything below.
    """

    uid: str
    name: str
    path: list[str]
    parent: str | None
    is_default: bool
    visibility: Visibility
    description: str
    tags: list[str]
    kinds: int | None
    short: int | None
    devices: int | None
    users: int | None
    branch_size: int
    branch_short: int | None
    branch_devices: int | None
    branch_users: int | None


class BranchLineOut(Told):
    """One kind of license, summed over a virtual account and everything below it."""

    sku: str
    purchased: int
    in_use: int
    reserved: int
    balance: int


class DetailOut(Told):
    """One virtual account. `branch_licenses` is null for who may not see the whole account."""

    uid: str
    name: str
    path: list[str]
    parent: Named | None
    children: list[Named]
    is_default: bool
    visibility: Visibility
    description: str
    tags: list[str]
    branch_size: int
    branch_licenses: list[BranchLineOut] | None


class PlaceIn(Schema):
    name: Text = Field(min_length=1, max_length=200)
    parent: Uid | None = None
    description: Text = Field("", max_length=500)
    tags: list[Annotated[Text, Field(max_length=50)]] = Field([], max_length=20)
    visibility: Visibility = "private"


class PlaceChange(Schema):
    """What is given changes; what is left out stays. `parent` null moves it to the top."""

    name: Text | None = Field(None, min_length=1, max_length=200)
    parent: Uid | None = None
    description: Text | None = Field(None, max_length=500)
    tags: list[Annotated[Text, Field(max_length=50)]] | None = Field(None, max_length=20)
    visibility: Visibility | None = None
    is_default: Literal[True] | None = None


class EmptyIn(Schema):
    """Where everything goes."""

    target: Uid
    memo: Text = Field("", max_length=500)


class EmptyingEffectOut(Told):
    """What the move does to one license in one virtual account; `missing`: how many lack where that refuses it."""

    virtual_account: str
    sku: str
    before: int
    after: int
    missing: int


class EmptyOut(Told):
    """What moving everything does, or would do (`entry` null)."""

    entry: str | None
    devices: int
    effects: list[EmptyingEffectOut]


class TreeImportOut(Told):
    """What a file did, or would do (`written` false)."""

    created: int
    moved: int
    changed: int
    unchanged: int
    written: bool
    errors: list[RowErrorOut]


def node_out(node: Node) -> dict[str, Any]:
    fields = (
        "uid", "name", "path", "is_default", "visibility", "description", "tags", "kinds", "short", "devices", "users",
        "branch_size", "branch_short", "branch_devices", "branch_users",
    )  # fmt: skip
    return {name: getattr(node, name) for name in fields} | {"parent": node.parent_uid}


def detail_out(request: HttpRequest, account: Any, uid: str) -> dict[str, Any]:
    found = get_detail(actor_of(request), account, uid)
    place = found.place
    return {
        "uid": place.uid,
        "name": place.name,
        "path": [one.name for one in found.path],
        "parent": found.parent,
        "children": found.children,
        "is_default": place.is_default,
        "visibility": place.visibility,
        "description": place.description,
        "tags": found.tags,
        "branch_size": found.branch_size,
        "branch_licenses": None
        if found.branch_lines is None
        else [
            {
                "sku": line.tag.sku, "purchased": line.purchased, "in_use": line.in_use, "reserved": line.reserved,
                "balance": line.balance,
            }
            for line in found.branch_lines
        ],
    }  # fmt: skip


@router.get(
    "/accounts/{identifier}/virtual-accounts",
    response={200: list[NodeOut], **PROBLEMS},
    operation_id="listVirtualAccounts",
)
def tree(
    request: HttpRequest,
    identifier: str,
    text: Annotated[Text, Field(max_length=200)] = "",
    tag: Annotated[Text, Field(max_length=50)] = "",
) -> Any:
    """The tree as far as the caller may see it, parents first; a search keeps the ancestors of what it found."""
    actor = actor_of(request)
    return [node_out(node) for node in list_tree(actor, find_account(actor, identifier), text=text, tag=tag)]


@router.post(
    "/accounts/{identifier}/virtual-accounts",
    response={201: DetailOut, **PROBLEMS},
    operation_id="createVirtualAccount",
)
def create(request: HttpRequest, identifier: str, body: PlaceIn) -> Any:
    """Make a virtual account; private unless said otherwise."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    parent = find_virtual_account(actor, account, body.parent) if body.parent else None
    made = create_virtual_account(
        actor, account=account, name=body.name, parent=parent, description=body.description, tags=body.tags,
        visibility=body.visibility,
    )  # fmt: skip
    return Status(201, detail_out(request, account, made.uid))


@router.get(
    "/accounts/{identifier}/virtual-accounts/{uid}",
    response={200: DetailOut, **PROBLEMS},
    operation_id="getVirtualAccount",
)
def detail(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One virtual account."""
    return detail_out(request, find_account(actor_of(request), identifier), uid)


@router.patch(
    "/accounts/{identifier}/virtual-accounts/{uid}",
    response={200: DetailOut, **PROBLEMS},
    operation_id="changeVirtualAccount",
)
def change(request: HttpRequest, identifier: str, uid: str, body: PlaceChange) -> Any:
    """Rename, describe, tag, show, nest a virtual account or make it the default, all or nothing."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    found = get_detail(actor, account, uid)
    place, given = found.place, body.model_fields_set
    edit_virtual_account(
        actor,
        account=account,
        virtual_account=place,
        name=place.name if body.name is None else body.name,
        description=place.description if body.description is None else body.description,
        tags=found.tags if body.tags is None else body.tags,
        visibility=place.visibility if body.visibility is None else body.visibility,
    )
    if "parent" in given:
        parent = find_virtual_account(actor, account, body.parent) if body.parent else None
        nest_virtual_account(actor, account=account, virtual_account=place, parent=parent)
    if body.is_default:
        set_default_virtual_account(actor, account=account, virtual_account=place)
    return detail_out(request, account, uid)


@router.delete(
    "/accounts/{identifier}/virtual-accounts/{uid}",
    response={204: None, **PROBLEMS},
    operation_id="deleteVirtualAccount",
)
def delete(
    request: HttpRequest, identifier: str, uid: str, typed_name: Annotated[Text, Field(max_length=200)] = ""
) -> Any:
    """Delete an empty virtual account for good; its name must be sent, because this cannot be undone."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    place = find_virtual_account(actor, account, uid)
    delete_virtual_account(actor, account=account, virtual_account=place, typed_name=typed_name)
    return Status(204, None)


@router.post(
    "/accounts/{identifier}/virtual-accounts/{uid}/move-everything",
    response={200: EmptyOut, **PROBLEMS},
    operation_id="emptyVirtualAccount",
)
def move_everything(request: HttpRequest, identifier: str, uid: str, body: EmptyIn, dry_run: bool = False) -> Any:
    """Move all licenses and devices of a virtual account to another one in a single act."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    place = find_virtual_account(actor, account, uid)
    target = find_virtual_account(actor, account, body.target)
    plan = preview_emptying(actor, account=account, virtual_account=place, target=target)
    entry = None
    if not dry_run:
        request_id = request_id_of(request)
        entry = empty_virtual_account(
            actor, account=account, virtual_account=place, target=target, request_id=request_id, memo=body.memo
        ).uid
    effects = [
        {
            "virtual_account": effect.virtual_account.uid, "sku": effect.tag.sku, "before": effect.before,
            "after": effect.after, "missing": effect.missing,
        }
        for effect in plan.effects
    ]  # fmt: skip
    return {"entry": entry, "devices": plan.inside.devices, "effects": effects}


@router.post(
    "/accounts/{identifier}/virtual-account-imports",
    response={200: TreeImportOut, **PROBLEMS},
    operation_id="importVirtualAccounts",
)
def import_tree(request: HttpRequest, identifier: str, file: File[UploadedFile], dry_run: bool = False) -> Any:
    """The tree from a CSV or XLSX file of the organization, all rows or none; columns: name, parent, description, tags, visibility."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    content = file.read()
    if dry_run:
        plan = read_tree_file(actor, account, content)
        counts = (len(plan.create), len(plan.move), len(plan.change), plan.unchanged)
        errors = plan.errors
    else:
        done = import_virtual_accounts(actor, account=account, content=content)
        counts, errors = (done.created, done.moved, done.changed, done.unchanged), []
    created, moved, changed, unchanged = counts
    return {
        "created": created, "moved": moved, "changed": changed, "unchanged": unchanged, "written": not dry_run,
        "errors": errors,
    }  # fmt: skip
