"""Virtual accounts mirror the organization (S6, S18, S26): made, named, nested, tagged; licenses are never touched.

Every change of the tree locks the account's row, so that two moves at once can make no circle. What could name another
virtual account (a parent, the former default) is logged on the account, not on the one that changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Substr

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.core.text import name_key, tidy
from daicho.domain.access.commands.invitations import close_invitations
from daicho.domain.access.giving import close_grant, lock_account
from daicho.domain.access.models import Grant, Invitation
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.errors_virtual_accounts import (
    TOO_LONG,
    DefaultStays,
    NameNotTyped,
    NestedInItself,
    NotEmpty,
    TooDeep,
    VirtualAccountNameTaken,
)
from daicho.domain.accounts.queries_virtual_accounts import what_is_inside
from daicho.domain.audit.record import record
from daicho.domain.devices.commands.tokens import revoke_tokens_of
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount, VirtualAccountTag
from daicho.domain.tenancy.rules import DESCRIPTION_LENGTH, MAX_DEPTH, clean_name, clean_tags

MANAGE = Permission.VIRTUAL_ACCOUNTS_MANAGE


@command(permission=MANAGE, events=("virtual_account.created",))
def create_virtual_account(
    actor: Actor,
    *,
    account: SmartAccount,
    name: str,
    parent: VirtualAccount | None = None,
    description: str = "",
    tags: Sequence[str] = (),
    visibility: str = VirtualAccount.Visibility.PRIVATE,
) -> VirtualAccount:
    """A virtual account is made for a department, a place or a partner; private unless chosen otherwise.

    Names are unique in the account whatever their case and width. Raises `invalid_input` with name, description or
    tags, `name_taken`, `too_deep`.
    """
    ensure_may(actor, MANAGE, account)
    lock_account(account)
    name, tags = _checked(name, description, tags)
    parent = _living(account, parent)
    _ensure_free(account, name)
    if parent is not None and parent.depth >= MAX_DEPTH:
        raise TooDeep
    made = VirtualAccount.objects.create(
        account=account,
        name=name,
        name_key=name_key(name),
        description=tidy(description),
        parent=parent,
        depth=parent.depth + 1 if parent is not None else 1,
        visibility=VirtualAccount.Visibility(visibility),
    )
    made.path = f"{parent.path if parent is not None else '/'}{made.pk}/"
    made.save(update_fields=["path"])
    _write_tags(made, tags)
    record(
        actor, "virtual_account.created", account=account, virtual_account=made, subject=name, subject_uid=made.uid,
        after={"visibility": made.visibility, "tags": list(tags)},
    )  # fmt: skip
    return made


@command(
    permission=MANAGE,
    events=(
        "virtual_account.renamed",
        "virtual_account.described",
        "virtual_account.tagged",
        "virtual_account.visibility_set",
    ),
)
def edit_virtual_account(
    actor: Actor,
    *,
    account: SmartAccount,
    virtual_account: VirtualAccount,
    name: str,
    description: str,
    tags: Sequence[str],
    visibility: str,
) -> VirtualAccount:
    """A virtual account gets another name, description, tags or visibility; licenses, devices and rights stay.

    Public: partners find it when they order; private: they need its exact name. Raises `invalid_input`, `name_taken`.
    """
    place = _lock(actor, account, virtual_account)
    name, tags = _checked(name, description, tags)
    description, shown = tidy(description), VirtualAccount.Visibility(visibility)
    _ensure_free(account, name, but=place)
    old_tags = sorted(place.tags.values_list("name", flat=True))
    changes = (
        ("virtual_account.renamed", {"name": place.name}, {"name": name}),
        ("virtual_account.described", {"description": place.description}, {"description": description}),
        ("virtual_account.visibility_set", {"visibility": place.visibility}, {"visibility": shown.value}),
        ("virtual_account.tagged", {"tags": old_tags}, {"tags": sorted(tags)}),
    )
    place.name, place.name_key, place.description, place.visibility = name, name_key(name), description, shown
    place.save(update_fields=["name", "name_key", "description", "visibility"])
    if sorted(tags) != old_tags:
        place.tags.all().delete()
        _write_tags(place, tags)
    for kind, before, after in changes:
        if before != after:
            record(
                actor, kind, account=account, virtual_account=place, subject=name, subject_uid=place.uid,
                before=before, after=after,
            )  # fmt: skip
    return place


@command(permission=MANAGE, events=("virtual_account.nested",))
def nest_virtual_account(
    actor: Actor, *, account: SmartAccount, virtual_account: VirtualAccount, parent: VirtualAccount | None
) -> VirtualAccount:
    """A virtual account moves with its whole branch below another one, or to the top; nothing inside changes.

    Nesting carries no right. Raises `nested_in_itself`, `too_deep`.
    """
    place = _lock(actor, account, virtual_account)
    parent = _living(account, parent)
    if parent is not None and parent.path.startswith(place.path):
        raise NestedInItself
    if place.parent_id == (parent.pk if parent is not None else None):
        return place
    before = place.parent.name if place.parent is not None else None
    move_branch(place, parent)
    record(
        actor, "virtual_account.nested", account=account, subject=place.name, subject_uid=place.uid,
        before={"parent": before}, after={"parent": parent.name if parent is not None else None},
    )  # fmt: skip
    return place


def move_branch(place: VirtualAccount, parent: VirtualAccount | None) -> None:
    """Write parent, path and depth of a branch whose account is locked. Raises `too_deep`."""
    old_path = place.path
    new_path = f"{parent.path if parent is not None else '/'}{place.pk}/"
    deeper = (parent.depth + 1 if parent is not None else 1) - place.depth
    branch = VirtualAccount.objects.filter(account_id=place.account_id, path__startswith=old_path)
    deepest = branch.filter(deleted_at=None).aggregate(deepest=Max("depth"))["deepest"] or place.depth
    if deepest + deeper > MAX_DEPTH:
        raise TooDeep
    place.parent = parent
    place.save(update_fields=["parent"])
    branch.update(path=Concat(Value(new_path), Substr("path", len(old_path) + 1)), depth=F("depth") + deeper)
    place.refresh_from_db(fields=["path", "depth"])


@command(permission=MANAGE, events=("virtual_account.default_set",))
def set_default_virtual_account(
    actor: Actor, *, account: SmartAccount, virtual_account: VirtualAccount
) -> VirtualAccount:
    """Forms preselect another virtual account from now on; there is always exactly one default."""
    place = _lock(actor, account, virtual_account)
    if place.is_default:
        return place
    former = VirtualAccount.objects.filter(account=account, is_default=True).first()
    VirtualAccount.objects.filter(account=account, is_default=True).update(is_default=False)
    place.is_default = True
    place.save(update_fields=["is_default"])
    record(
        actor, "virtual_account.default_set", account=account, subject=place.name, subject_uid=place.uid,
        before={"default": former.name if former is not None else None}, after={"default": place.name},
    )  # fmt: skip
    return place


@command(
    permission=MANAGE, events=("virtual_account.deleted", "token.revoked", "grant.revoked", "invitation.withdrawn")
)
def delete_virtual_account(
    actor: Actor, *, account: SmartAccount, virtual_account: VirtualAccount, typed_name: str
) -> None:
    """An empty virtual account is deleted for good: its rights, open invitations and registration tokens end,
    its history stays.

    Empty: no license, device, waiting order or child. Raises `default_stays`, `not_empty` (data: what is inside),
    `name_not_typed`.
    """
    _lock(actor, account, virtual_account)
    place = VirtualAccount.objects.select_for_update().get(pk=virtual_account.pk)  # waits for what is arriving there
    if place.is_default:
        raise DefaultStays
    inside = what_is_inside(place, lock=True)
    if not inside.is_empty:
        raise NotEmpty(inside)
    if name_key(typed_name) != place.name_key:
        raise NameNotTyped(place.name)
    for grant in Grant.objects.select_related("account", "virtual_account", "user", "api_client").filter(
        virtual_account=place, revoked_at=None, ended_at=None
    ):
        close_grant(actor, grant)
    waiting = Invitation.objects.select_related("account", "virtual_account")
    close_invitations(actor, list(waiting.filter(virtual_account=place, state=Invitation.State.OPEN)))
    revoke_tokens_of(actor, account, place)
    place.deleted_at = now()
    place.save(update_fields=["deleted_at"])
    record(
        actor, "virtual_account.deleted", account=account, virtual_account=place, subject=place.name,
        subject_uid=place.uid,
    )  # fmt: skip


def _lock(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount) -> VirtualAccount:
    ensure_may(actor, MANAGE, account, virtual_account)
    ensure_may(actor, MANAGE, account)
    lock_account(account)
    place = _living(account, virtual_account)
    if place is None:
        raise NotFound
    return place


def _living(account: SmartAccount, virtual_account: VirtualAccount | None) -> VirtualAccount | None:
    if virtual_account is None:
        return None
    living = VirtualAccount.objects.select_related("parent").filter(account=account, deleted_at=None)
    found = living.filter(pk=virtual_account.pk).first()
    if found is None:
        raise NotFound
    return found


def _checked(name: str, description: str, tags: Sequence[str]) -> tuple[str, list[str]]:
    """Name and tags as they are kept; all that is wrong at once."""
    errors: dict[str, BusinessError] = {}
    kept, kept_tags = "", []
    try:
        kept = clean_name(name)
    except BusinessError as error:
        errors["name"] = error
    try:
        kept_tags = clean_tags(list(tags))
    except BusinessError as error:
        errors["tags"] = error
    if len(tidy(description)) > DESCRIPTION_LENGTH:
        errors["description"] = BusinessError("too_long", 422, TOO_LONG, limit=DESCRIPTION_LENGTH)
    if errors:
        raise FieldErrors(errors)
    return kept, kept_tags


def _ensure_free(account: SmartAccount, name: str, but: VirtualAccount | None = None) -> None:
    taken = VirtualAccount.objects.filter(account=account, name_key=name_key(name), deleted_at=None)
    if but is not None:
        taken = taken.exclude(pk=but.pk)
    if taken.exists():
        raise FieldErrors({"name": VirtualAccountNameTaken(name)})


def _write_tags(place: VirtualAccount, tags: Sequence[str]) -> None:
    VirtualAccountTag.objects.bulk_create(
        VirtualAccountTag(virtual_account=place, name=tag, name_key=name_key(tag)) for tag in tags
    )
