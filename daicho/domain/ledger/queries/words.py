"""What a typed word means where lots lie: a license, a virtual account, an order, a column of the lot, its handle.

A word is resolved first: to ids, which are few. Only then are a million holdings asked: by those ids where they lead to
few rows, else in the order of the list until a page is full. Record 0010.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from daicho.core.paging import COUNT_LIMIT, count_up_to
from daicho.core.search import Holds
from daicho.core.text import clean, name_key
from daicho.domain.ledger.models import Holding, Lot
from daicho.domain.ledger.queries.details_search import lots_with
from daicho.domain.ledger.queries.sight import Sight, tags_named
from daicho.domain.tenancy.models import SmartAccount

FEW = 2_000
FEW_PLACES = 500

# Orders stand above the ledger; their room says here how to find the lots of orders with a word in the number.
# None instead of ids: there are too many.
lots_of_orders: list[Callable[[SmartAccount, str, int], QuerySet[Any] | None]] = []


@dataclass(frozen=True, slots=True)
class Meaning:
    """The holdings that one word means: conditions of which one must hold; `ids` instead where they are few."""

    parts: tuple[Q, ...]
    ids: frozenset[int] | None

    def narrow(self, found: QuerySet[Holding]) -> QuerySet[Holding]:
        """Only those rows."""
        if not self.parts:
            return found.none()
        if self.ids is not None:
            return found.filter(pk__in=self.ids)
        either = self.parts[0]
        for part in self.parts[1:]:
            either |= part
        return found.filter(either)


def meanings(sight: Sight, text: str) -> list[Meaning]:
    """What each word of a text means in this account, for who sees so much of it."""
    return [_meaning(sight, word) for word in clean(text).split()]


def _meaning(sight: Sight, word: str) -> Meaning:
    parts: list[Q] = []
    few = True
    if tags := list(tags_named(word)):
        parts.append(Q(lot__account=sight.account, lot__tag__in=tags))
        few = count_up_to(Lot.objects.filter(account=sight.account, tag__in=tags), FEW) <= FEW
    places = sight.all_virtual_accounts().filter(name_key__contains=name_key(word)).order_by()
    ids = list(places.values_list("pk", flat=True)[: FEW_PLACES + 1])
    if ids:
        here: Any = ids if len(ids) <= FEW_PLACES else places.values("pk")
        parts.append(Q(place__virtual_account__in=here))
        lying = Holding.objects.filter(place__virtual_account__in=here)
        few = few and len(ids) <= FEW_PLACES and count_up_to(lying, FEW) <= FEW
    by_order, found = _by_order(sight.account, word)
    if by_order is not None:
        parts.append(by_order)
    few = few and found
    if handle := Lot.objects.filter(account=sight.account, uid=word.lower()).values_list("pk", flat=True).first():
        parts.append(Q(lot=handle))
    noted = lots_with(sight, word)
    count = count_up_to(noted, FEW)
    if count:
        parts.append(Q(lot__in=list(noted[:FEW]) if count <= FEW else noted))
    if not few or count > FEW:
        return Meaning(tuple(parts), None)
    # Each part on its own: joined to the conditions of a list, the database began at the wrong end.
    known = {pk for part in parts for pk in Holding.objects.filter(part).values_list("pk", flat=True)}
    return Meaning(tuple(parts), frozenset(known))


def _by_order(account: SmartAccount, word: str) -> tuple[Q | None, bool]:
    """The lots whose order number holds the word (None: there are none), and whether they are few."""
    for find in lots_of_orders:
        lots = find(account, name_key(word), FEW // 10)
        if lots is not None:
            return (Q(lot__in=lots) if lots.exists() else None), True
    return Q(Holds(name_key(word), "lot__order_number")), False


def count_meant(found: QuerySet[Holding], meant: list[Meaning]) -> int:
    """How many rows of `found` (not narrowed yet) are meant; more than 10,000 is 10,001.

    Where one part of a meaning alone is more, that is told without looking for the other parts.
    """
    rest = found
    for one in meant[1:]:
        rest = one.narrow(rest)
    first = meant[0]
    if first.ids is None and len(first.parts) > 1:
        for part in first.parts:
            if (most := count_up_to(rest.filter(part).select_related(None))) > COUNT_LIMIT:
                return most
    return count_up_to(first.narrow(rest).select_related(None))
