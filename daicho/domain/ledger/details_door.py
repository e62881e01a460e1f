"""Who may change what is written down about lots: for the shared columns the right to manage licenses in every place of
the lot, for the company's columns and its files the right to manage them in the whole account."""

from __future__ import annotations

from collections.abc import Iterable

from daicho.core.actor import Actor
from daicho.core.errors import Forbidden, NotFound
from daicho.domain.access.policy import Scope, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.models import Holding, Lot
from daicho.domain.ledger.queries.lot_details import find_lot
from daicho.domain.ledger.queries.sight import look
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

VIEW, MANAGE = Permission.LICENSES_VIEW, Permission.LICENSES_MANAGE
type Places = dict[int, frozenset[int | None]]


def places_of(account: SmartAccount, lot_ids: Iterable[int]) -> Places:
    """Where these lots lie, by lot: virtual accounts by id, None for unassigned. At most 1,000 lots."""
    found: dict[int, set[int | None]] = {}
    rows = Holding.objects.filter(lot__in=list(lot_ids), quantity__gt=0, place__account=account)
    for lot_id, place in rows.values_list("lot_id", "place__virtual_account_id").distinct():
        found.setdefault(lot_id, set()).add(place)
    return {lot_id: frozenset(places) for lot_id, places in found.items()}


def sees_shared(scope: Scope, places: Iterable[int | None]) -> bool:
    """Whether every place of a lot is in sight; a lot that lies nowhere is seen by who sees the account."""
    return scope.allows(VIEW) or _in_all(scope, VIEW, places)


def may_change_shared(scope: Scope, places: Iterable[int | None]) -> bool:
    return scope.allows(MANAGE) or _in_all(scope, MANAGE, places)


def _in_all(scope: Scope, permission: Permission, places: Iterable[int | None]) -> bool:
    where = list(places)
    return bool(where) and all(place is not None and scope.allows(permission, place) for place in where)


def ensure_may_change(
    actor: Actor, account: SmartAccount, lot_uid: str, *, company: bool
) -> tuple[Lot, frozenset[int | None]]:
    """The lot whose columns the actor may change (`company`: also those of the company), and where it lies.

    Raises NotFound (404), Forbidden (403), and what the door says of an account out of good standing (409).
    """
    lot = find_lot(look(actor, account, lists=False), lot_uid)
    places = places_of(account, [lot.pk]).get(lot.pk, frozenset())
    scope = ensure_may(actor, VIEW, account)
    if company or scope.allows(MANAGE):
        ensure_may(actor, MANAGE, account)
    elif not sees_shared(scope, places):
        raise NotFound
    elif not may_change_shared(scope, places):
        raise Forbidden(MANAGE)
    else:
        ensure_may(actor, MANAGE, account, VirtualAccount.objects.get(pk=min(filter(None, places))))
    return lot, places


def ensure_may_change_some(actor: Actor, account: SmartAccount) -> Scope:
    """Let pass who may change the columns of some lots: each lot of a file is asked for by itself."""
    within = ensure_may(actor, VIEW, account).virtual_account_ids(MANAGE)
    if within is None:
        return ensure_may(actor, MANAGE, account)
    if not within:
        raise Forbidden(MANAGE)
    return ensure_may(actor, MANAGE, account, VirtualAccount.objects.get(pk=min(within)))
