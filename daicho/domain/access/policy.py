"""The one door: who may not see a thing gets 404, who may see it but not act gets 403.

`get_account` and `get_virtual_account` fetch and permit in one step; there is no other way from an identifier to a row.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.core.statements import among, ask, fetch, marks
from daicho.domain.access.models import Grant, PartnerCompany, User
from daicho.domain.access.rules import MATRIX, NEEDS_GOOD_STANDING, SIGHT, OperatorPermission, Permission, Role
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

VISIBLE_STATES = (SmartAccount.State.ACTIVE, SmartAccount.State.SUSPENDED, SmartAccount.State.CLOSED)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an actor may do in one account: everywhere, and besides in single virtual accounts (by id)."""

    everywhere: frozenset[Permission] = frozenset()
    within: dict[int, frozenset[Permission]] = field(default_factory=dict)
    roles: tuple[tuple[Role, int | None], ...] = ()

    def allows(self, permission: Permission, virtual_account_id: int | None = None) -> bool:
        if permission in self.everywhere:
            return True
        return virtual_account_id is not None and permission in self.within.get(virtual_account_id, frozenset())

    def allows_somewhere(self, permission: Permission) -> bool:
        return permission in self.everywhere or any(permission in found for found in self.within.values())

    def virtual_account_ids(self, permission: Permission) -> set[int] | None:
        """The virtual accounts where the permission holds; None means all of the account."""
        if permission in self.everywhere:
            return None
        return {number for number, found in self.within.items() if permission in found}

    def is_nothing(self) -> bool:
        return not self.everywhere and not self.within


def live_grants() -> QuerySet[Grant]:
    """Grants that hold now: not revoked, not ended, of a person who can log in or a program not revoked."""
    return _live_at(now())


def _live_at(at: dt.datetime) -> QuerySet[Grant]:
    return Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), revoked_at=None).filter(
        Q(user__is_active=True)
        | Q(
            Q(api_client__ends_at=None) | Q(api_client__ends_at__gt=at),
            api_client__revoked_at=None,
            api_client__isnull=False,
        )
    )


def _live_of(holder: str, holders: Collection[int], accounts: Collection[int]) -> list[tuple[Any, ...]]:
    """Holder, account, role and virtual account of the live grants of these holders in these accounts.

    `holder`: the column that names them, `user_id` or `api_client_id`.
    """
    live, fixed = _live_statement(holder, connection.vendor)
    at = now()
    of_holders, first = among(f"access_grant.{holder}", holders)
    of_accounts, second = among("access_grant.account_id", accounts)
    return ask(f"{live} AND {of_holders} AND {of_accounts}", [*(value or at for value in fixed), *first, *second])


@functools.cache
def _live_statement(holder: str, vendor: str) -> tuple[str, list[Any]]:
    """The rule of `live_grants` as Django writes it, once, to be continued by AND; its parameters, None for the instant."""
    columns = (holder, "account_id", "role", "virtual_account_id")
    statement, parameters = _live_at(now()).values_list(*columns).query.sql_with_params()
    return statement, [True if value is True else None for value in parameters]


def grants_of(actor: Actor) -> QuerySet[Grant]:
    """The live grants of a user or an API client."""
    if actor.kind is ActorKind.USER and actor.user_id is not None:
        return live_grants().filter(user_id=actor.user_id)
    if actor.kind is ActorKind.API_CLIENT and actor.api_client_id is not None:
        return live_grants().filter(api_client_id=actor.api_client_id)
    return Grant.objects.none()


def scope_of(actor: Actor, account: SmartAccount) -> Scope:
    """Everything the actor may do in the account. The system itself may everything.

    One request of an interface sees one state of its caller's rights (`Actor.memo`): it asks several times.
    """
    if actor.is_system:
        return Scope(everywhere=frozenset(Permission))
    who_where = (actor.user_id, actor.api_client_id, account.pk)
    known = actor.memo.get(who_where) if actor.memo is not None else None
    if isinstance(known, Scope):
        return known
    scope = _scope_of(actor, account)
    if actor.memo is not None and not scope.is_nothing():
        actor.memo[who_where] = scope
    return scope


def _scope_of(actor: Actor, account: SmartAccount) -> Scope:
    held: list[tuple[Any, ...]] = []
    if actor.kind is ActorKind.USER and actor.user_id is not None:
        held = _live_of("user_id", {actor.user_id}, {account.pk})
    elif actor.kind is ActorKind.API_CLIENT and actor.api_client_id is not None:
        held = _live_of("api_client_id", {actor.api_client_id}, {account.pk})
    return _scope_by(actor, [(role, place) for _holder, _account, role, place in held])


def _scope_by(actor: Actor, grants: Iterable[tuple[str, int | None]]) -> Scope:
    limit = frozenset(Permission)
    if actor.kind is ActorKind.API_CLIENT and actor.api_client_id is not None:
        limit = frozenset(Permission(code) for code in actor.scopes if code in Permission)
    everywhere: set[Permission] = set()
    within: dict[int, frozenset[Permission]] = {}
    roles: list[tuple[Role, int | None]] = []
    for code, place in grants:
        role = Role(code)
        roles.append((role, place))
        if place is None:
            everywhere |= MATRIX[role] & limit
        else:
            within[place] = within.get(place, frozenset()) | (MATRIX[role] & limit)
    return Scope(frozenset(everywhere), within, tuple(roles))


def ensure_may(
    actor: Actor,
    permission: Permission,
    account: SmartAccount,
    virtual_account: VirtualAccount | None = None,
    *,
    standing: bool = True,
) -> Scope:
    """Let the actor pass or raise: NotFound (404), Forbidden (403), `agreement_pending` (409), `account_suspended` (409).

    Without a virtual account the permission must hold in the whole account; *_VIEW permissions are then also given
    to who has them somewhere in it (lists show only that part). `standing=False` for acts that go on without a valid
    agreement, such as revoking a right.
    """
    scope = scope_of(actor, account)
    sight = SIGHT.get(permission, permission)
    if scope.is_nothing() or account.state not in VISIBLE_STATES:
        raise NotFound
    if virtual_account is not None and virtual_account.account_id != account.pk:
        raise NotFound
    place = virtual_account.pk if virtual_account is not None else None
    allowed = scope.allows(permission, place)
    seen = scope.allows(sight, place)
    if place is None and permission == sight:
        allowed = seen = scope.allows_somewhere(permission)
    if not allowed:
        raise Forbidden(permission) if seen else NotFound
    if permission != sight:
        _ensure_open(account)
        if standing and permission in NEEDS_GOOD_STANDING and not actor.is_system:
            ensure_good_standing(account)
    return scope


def _ensure_open(account: SmartAccount) -> None:
    if account.state != SmartAccount.State.ACTIVE:
        raise BusinessError(
            "account_suspended",
            409,
            _("This account is suspended or closed. You can read it; the support desk can tell more."),
        )


def ensure_good_standing(account: SmartAccount) -> None:
    """Raise `agreement_pending` unless the agreement in force is accepted (S17, S21)."""
    if not account.in_good_standing():
        raise BusinessError(
            "agreement_pending",
            409,
            _("An administrator or approver must first accept the account agreement of %(account)s."),
            account=account.name,
        )


def ensure_operator(actor: Actor, permission: OperatorPermission) -> None:
    """Let staff of the licensor pass; all others get NotFound. A program of theirs needs the permission as a scope."""
    if not actor.is_operator:
        raise NotFound
    if actor.api_client_id is not None and permission not in actor.scopes:
        raise Forbidden(permission)


def ensure_partner(actor: Actor, company: PartnerCompany) -> None:
    """Let a member or a program of an active partner company (or the operator) pass; all others get NotFound."""
    if actor.is_operator:
        return
    if not companies_of(actor).filter(pk=company.pk).exists():
        raise NotFound


def companies_of(actor: Actor) -> QuerySet[PartnerCompany]:
    """The active partner companies that the actor belongs to."""
    active = PartnerCompany.objects.filter(is_active=True)
    if actor.user_id is not None:
        return active.filter(members__user_id=actor.user_id)
    if actor.api_client_id is not None:
        return active.filter(api_clients=actor.api_client_id)
    return active.none()


def accounts_of(actor: Actor) -> QuerySet[SmartAccount]:
    """The accounts in which the actor has a live grant, by name."""
    ids = grants_of(actor).values("account_id")
    return SmartAccount.objects.filter(pk__in=ids, state__in=VISIBLE_STATES).order_by("name", "identifier")


def ensure_signed_in(actor: Actor) -> User:
    """The acting person; raises `sign_in_required` (401) for anybody else."""
    user = User.objects.filter(pk=actor.user_id, is_active=True).first() if actor.user_id is not None else None
    if user is None:
        raise BusinessError("sign_in_required", 401, _("Log in first."))
    return user


def _visible_accounts(identifiers: Iterable[str]) -> dict[str, SmartAccount]:
    wanted = sorted({identifier.lower() for identifier in identifiers})
    condition, parameters = among("identifier", wanted)
    states = marks(VISIBLE_STATES)
    found = fetch(SmartAccount, f"WHERE {condition} AND state IN ({states})", [*parameters, *map(str, VISIBLE_STATES)])
    return {account.identifier: account for account in found}


def _visible_account(identifier: str) -> SmartAccount | None:
    return _visible_accounts([identifier]).get(identifier.lower())


def get_account(actor: Actor, identifier: str, permission: Permission) -> SmartAccount:
    """The account with this domain identifier, if the actor may (see `ensure_may`)."""
    account = _visible_account(identifier)
    if account is None:
        raise NotFound
    ensure_may(actor, permission, account)
    return account


def find_account(actor: Actor, identifier: str) -> SmartAccount:
    """The account, if the actor has any right in it: for commands that ask the door themselves."""
    account = _visible_account(identifier)
    if account is None or scope_of(actor, account).is_nothing():
        raise NotFound
    return account


def find_accounts(asked: Sequence[tuple[Actor, str]]) -> list[SmartAccount | None]:
    """The account of each (program, domain identifier) as `find_account` finds it, None where that raises.

    One question for all accounts and one for all rights, which each program remembers for its request (`Actor.memo`).
    """
    accounts = _visible_accounts(identifier for _, identifier in asked)
    grants: dict[tuple[int | None, int], list[tuple[str, int | None]]] = defaultdict(list)
    programs = {actor.api_client_id for actor, _ in asked if actor.api_client_id is not None}
    for client, where, role, place in _live_of(
        "api_client_id", programs, {account.pk for account in accounts.values()}
    ):
        grants[client, where].append((role, place))
    found: list[SmartAccount | None] = []
    for actor, identifier in asked:
        account = accounts.get(identifier.lower())
        rows = grants.get((actor.api_client_id, account.pk)) if account is not None else None
        if account is None or rows is None or actor.kind is not ActorKind.API_CLIENT or actor.memo is None:
            found.append(None)
            continue
        scope = _scope_by(actor, rows)
        if not scope.is_nothing():
            actor.memo[actor.user_id, actor.api_client_id, account.pk] = scope
        found.append(None if scope.is_nothing() else account)
    return found


def get_virtual_account(actor: Actor, account: SmartAccount, uid: str, permission: Permission) -> VirtualAccount:
    """The virtual account of this account with this uid, if the actor may (see `ensure_may`)."""
    found = VirtualAccount.objects.filter(account=account, uid=uid, deleted_at=None).first()
    if found is None:
        raise NotFound
    ensure_may(actor, permission, account, found)
    return found


def find_virtual_account(actor: Actor, account: SmartAccount, uid: str) -> VirtualAccount:
    """The living virtual account of this account with this uid, if the actor has any right there."""
    found = VirtualAccount.objects.filter(account=account, uid=uid, deleted_at=None).first()
    scope = scope_of(actor, account)
    if found is None or not (scope.allows(Permission.VIRTUAL_ACCOUNTS_VIEW, found.pk)):
        raise NotFound
    return found


def get_company(actor: Actor, uid: str) -> PartnerCompany:
    """The partner company with this uid, if the actor belongs to it."""
    company = PartnerCompany.objects.filter(uid=uid).first()
    if company is None:
        raise NotFound
    ensure_partner(actor, company)
    return company


def visible_virtual_accounts(actor: Actor, account: SmartAccount, permission: Permission) -> QuerySet[VirtualAccount]:
    """The living virtual accounts in which the actor has the permission."""
    found = VirtualAccount.objects.filter(account=account, deleted_at=None)
    ids = scope_of(actor, account).virtual_account_ids(permission)
    return found if ids is None else found.filter(pk__in=ids)
