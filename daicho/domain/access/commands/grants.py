"""Rights are given, changed and taken away (product.md, Roles; S18, S23)."""

from __future__ import annotations

import datetime as dt
from enum import Enum

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.giving import (
    close_grant,
    ensure_administrator_stays,
    ensure_end,
    ensure_fits,
    ensure_may_grant,
    holds_up,
    lock_account,
    proposed_end,
    record_end,
    rewrite_grant,
    write_grant,
)
from daicho.domain.access.models import Grant, User
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission, Role, is_outsider
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Unchanged(Enum):
    """Tells "leave the end as it is" from "no end"."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@command(permission=Permission.USERS_MANAGE, events=("grant.given", "grant.ended"))
def give_grant(
    actor: Actor,
    *,
    account: SmartAccount,
    user: User,
    role: Role | str,
    virtual_account: VirtualAccount | None = None,
    ends_at: dt.datetime | None = None,
) -> Grant:
    """A person gets a role in the account or in one of its virtual accounts.

    A partner user's right ends after a year where no end is given, and never after the granter's own (S23). Interfaces
    pass only a user whom the actor may see. Raises `grant_exists`, `role_scope_mismatch`, `end_in_past`,
    `end_beyond_own`.
    """
    role = Role(role)
    ensure_may(actor, Permission.USERS_MANAGE, account, virtual_account)
    ensure_fits(role, account, virtual_account)
    ensure_may_grant(actor, account, virtual_account, role)
    account = lock_account(account)
    outsider = is_outsider(user.mail_domain, account.identifier)
    if ends_at is None:
        ends_at = proposed_end(actor, account, virtual_account, outsider=outsider)
    ensure_end(actor, account, virtual_account, ends_at, outsider=outsider)
    return write_grant(actor, account=account, virtual_account=virtual_account, role=role, ends_at=ends_at, user=user)


@command(permission=None, events=("grant.given",))
def give_founding_grant(actor: Actor, *, account: SmartAccount, user: User, role: Role | str) -> Grant:
    """The requester and the approver of an opening get their roles in the new account.

    Only while it is provisional, so nobody passes the door by it. It has no end, even where the operator approved a
    requester of another domain: an active account always has an administrator without an end.
    """
    role = Role(role)
    account = lock_account(account)
    if account.state != SmartAccount.State.PROVISIONAL:
        raise NotFound
    ensure_fits(role, account, None)
    return write_grant(actor, account=account, virtual_account=None, role=role, ends_at=None, user=user)


@command(permission=Permission.USERS_MANAGE, events=("grant.changed",))
def change_grant(
    actor: Actor,
    *,
    account: SmartAccount,
    grant_uid: str,
    role: Role | str | None = None,
    ends_at: dt.datetime | Unchanged | None = UNCHANGED,
) -> Grant:
    """A right gets another role or another end; its scope stays.

    Raises `last_administrator`, `end_required`, `end_in_past`, `end_beyond_own`, `role_scope_mismatch`.
    """
    grant = _lock_grant(actor, account, grant_uid, standing=True)
    wanted = Role(role) if role is not None else Role(grant.role)
    end = grant.ends_at if isinstance(ends_at, Unchanged) else ends_at
    ensure_fits(wanted, grant.account, grant.virtual_account)
    for concerned in (Role(grant.role), wanted):
        ensure_may_grant(actor, grant.account, grant.virtual_account, concerned)
    if end != grant.ends_at:
        outsider = grant.user is not None and is_outsider(grant.user.mail_domain, account.identifier)
        ensure_end(actor, grant.account, grant.virtual_account, end, outsider=outsider)
    if (wanted, end) != (Role(grant.role), grant.ends_at):
        rewrite_grant(actor, grant, wanted, end)
    return grant


@command(permission=Permission.USERS_MANAGE, events=("grant.revoked",))
def revoke_grant(actor: Actor, *, account: SmartAccount, grant_uid: str, memo: str = "") -> None:
    """A right is taken away at once; also while the account agreement waits for acceptance, and by its holder himself.

    Raises `last_administrator`.
    """
    grant = _lock_grant(actor, account, grant_uid, standing=False)
    if grant.user_id is None or grant.user_id != actor.user_id:
        ensure_may_grant(actor, grant.account, grant.virtual_account, Role(grant.role))
    was_administrator = holds_up(grant)
    close_grant(actor, grant, memo)
    if was_administrator:
        ensure_administrator_stays(grant.account)


def _lock_grant(actor: Actor, account: SmartAccount, grant_uid: str, *, standing: bool) -> Grant:
    """The live right with this uid, its account locked, if the actor may touch it; else NotFound."""
    account = lock_account(account)
    grant = (
        Grant.objects.select_related("account", "virtual_account", "user", "api_client")
        .filter(account=account, uid=grant_uid, revoked_at=None, ended_at=None)
        .first()
    )
    if grant is None or (grant.ends_at is not None and grant.ends_at <= now()):
        raise NotFound
    own = grant.user_id is not None and grant.user_id == actor.user_id
    if not own or standing:
        permission = Permission.USERS_MANAGE if grant.user_id is not None else Permission.API_CLIENTS_MANAGE
        ensure_may(actor, permission, account, grant.virtual_account, standing=standing)
    return grant


def end_due_grants(limit: int = 1000) -> int:
    """Record once each right whose end has passed; the door itself looks at the clock. Returns how many."""
    due = Grant.objects.filter(revoked_at=None, ended_at=None, ends_at__lte=now()).order_by("ends_at")
    ended = 0
    for uid in list(due.values_list("uid", flat=True)[:limit]):
        ended += record_grant_end(Actor.system(), uid=uid)
    return ended


@command(permission=None, events=("grant.ended",))
def record_grant_end(actor: Actor, *, uid: str) -> int:
    """A right whose end has passed is recorded as ended, once; 1 if it was, else 0."""
    grant = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("account", "virtual_account", "user", "api_client")
        .filter(uid=uid, revoked_at=None, ended_at=None, ends_at__lte=now())
        .first()
    )
    if grant is None:
        return 0
    record_end(grant)
    return 1
