"""The door for acts in several virtual accounts, and what may be called by its name behind it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise

from daicho.core.actor import Actor
from daicho.core.errors import Forbidden, NotFound
from daicho.domain.access.policy import Scope, ensure_may, scope_of
from daicho.domain.access.rules import SIGHT, Permission
from daicho.domain.ledger.errors import ANOTHER, bad_quantity, no_lines, too_many_lines
from daicho.domain.ledger.judging import Names
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


def ensure_may_in(
    actor: Actor,
    permission: Permission,
    account: SmartAccount,
    virtual_accounts: Iterable[VirtualAccount],
    *,
    standing: bool = True,
) -> Scope:
    """Like `ensure_may` for each of the virtual accounts, of which there must be one, reading the rights once."""
    places = list({place.pk: place for place in virtual_accounts}.values())
    for place in places:
        ensure_of(account, place)
    scope = ensure_may(actor, permission, account, places[0], standing=standing)
    for place in places[1:]:
        if not scope.allows(permission, place.pk):
            raise Forbidden(permission) if scope.allows(SIGHT.get(permission, permission), place.pk) else NotFound
    return scope


def ensure_may_somewhere(actor: Actor, permission: Permission, account: SmartAccount) -> Scope:
    """Like `ensure_may` for who holds the permission in the account or in any one of its virtual accounts."""
    places = scope_of(actor, account).virtual_account_ids(permission)
    first = VirtualAccount.objects.filter(pk__in=places, deleted_at=None).first() if places else None
    return ensure_may(actor, permission, account, first)


def ensure_of(account: SmartAccount, virtual_account: VirtualAccount) -> None:
    """Raise NotFound unless the virtual account lives in this account."""
    if virtual_account.account_id != account.pk or virtual_account.deleted_at is not None:
        raise NotFound


def ensure_lines(quantities: Iterable[int]) -> None:
    """Raise unless there are 1–10,000 lines, each of 1 … 2^53 − 1."""
    checked = list(quantities)
    if not checked:
        raise no_lines()
    if len(checked) > MAX_LINES:
        raise too_many_lines()
    for quantity in checked:
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= MAX_QUANTITY:
            raise bad_quantity()


def names_for(scope: Scope, virtual_accounts: Iterable[VirtualAccount]) -> Names:
    """Names of virtual accounts for somebody with this scope: what he may not see is "another virtual account"."""
    known = {
        place.pk: place.name for place in virtual_accounts if scope.allows(Permission.VIRTUAL_ACCOUNTS_VIEW, place.pk)
    }

    def name(virtual_account_id: int) -> str | Promise:
        return known.get(virtual_account_id, ANOTHER)

    return name
