"""Lots as the operator issued them: what is left of each, without the customer's virtual accounts (S20)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum

from daicho.core.actor import Actor
from daicho.core.clock import last_day, now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import VISIBLE_STATES, ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.models import Holding, Lot, Place
from daicho.domain.ledger.queries.held import Held, held_of
from daicho.domain.ledger.queries.sight import tags_named
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True, slots=True)
class IssuedLot:
    """A lot and what is left of it. `assigned`: pending or on hand in virtual accounts; `held`: reserved or fulfilled;
    `ended`: ended in virtual accounts."""

    lot: Lot
    end_on: dt.date | None
    unassigned: int
    assigned: int
    held: int
    ended: int

    @property
    def is_gone(self) -> bool:
        """Nothing of it is left: cancelled, revoked or exchanged whole."""
        return not (self.unassigned or self.assigned or self.held or self.ended)


def account_with_lots(actor: Actor, identifier: str) -> SmartAccount:
    """The account whose lots the operator works on, or NotFound."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    found = SmartAccount.objects.filter(identifier=identifier.lower(), state__in=VISIBLE_STATES).first()
    if found is None:
        raise NotFound
    return found


def list_issued(
    actor: Actor,
    account: SmartAccount,
    *,
    sku: str = "",
    order_number: str = "",
    text: str = "",
    state: str = "",
    cursor: str | None,
    size: int,
) -> Page[IssuedLot]:
    """One page of the account's lots; those that end soonest first, those without end last. Raises bad_cursor.

    `state`: in_force, not_started or ended by the lot's own days.
    """
    ensure_operator(actor, OperatorPermission.ORDERS)
    lots = Lot.objects.filter(account=account).select_related("tag")
    if sku:
        lots = lots.filter(tag__sku_key=name_key(sku))
    if order_number:
        lots = lots.filter(order_number=order_number)
    for word in clean(text).split():
        lots = lots.filter(Q(uid=word.lower()) | Q(order_number__icontains=word) | Q(tag__in=tags_named(word)))
    at = now()
    match state:
        case "in_force":
            lots = lots.filter(Q(end_at=None) | Q(end_at__gt=at), start_at__lte=at)
        case "not_started":
            lots = lots.filter(start_at__gt=at)
        case "ended":
            lots = lots.filter(end_at__lte=at)
    page = keyset_page(lots, ("end_at", "uid"), cursor=cursor, size=size)
    rows = _issued(page.rows, account.time_zone)
    return Page(rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def get_issued(actor: Actor, account: SmartAccount, uid: str) -> tuple[IssuedLot, list[Held]]:
    """One lot, and which units hold how many of it."""
    lots = get_lots(actor, account, [uid])
    return _issued(lots, account.time_zone)[0], held_of(lots, account.time_zone)


def get_lots(actor: Actor, account: SmartAccount, uids: Sequence[str]) -> list[Lot]:
    """The lots of this account with these handles; NotFound if one is none."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    found = list(Lot.objects.filter(account=account, uid__in=uids).select_related("tag", "account"))
    if len(found) != len(set(uids)):
        raise NotFound
    return found


def _issued(lots: Sequence[Lot], zone: str) -> list[IssuedLot]:
    left: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = Holding.objects.filter(lot__in=[lot.pk for lot in lots], quantity__gt=0)
    for lot_id, kind, total in rows.values_list("lot_id", "place__kind").annotate(total=Sum("quantity")):
        left[lot_id][kind] += total
    kinds = Place.Kind
    return [
        IssuedLot(
            lot,
            last_day(lot.end_at, zone) if lot.end_at is not None else None,
            unassigned=left[lot.pk][kinds.UNASSIGNED],
            assigned=left[lot.pk][kinds.PENDING] + left[lot.pk][kinds.ON_HAND],
            held=left[lot.pk][kinds.RESERVED] + left[lot.pk][kinds.FULFILLED],
            ended=left[lot.pk][kinds.ENDED],
        )
        for lot in lots
    ]
