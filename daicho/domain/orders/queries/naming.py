"""Orders by a word in their number."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from daicho.core.search import Holds
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.tenancy.models import SmartAccount

FEW = 500


def orders_with(
    word: str, *, account: SmartAccount | None = None, narrow: Q | None = None, limit: int = FEW
) -> list[int] | None:
    """Ids of the orders with a word (lower case) in number or customer's reference; None when they are more than `limit`."""
    found = Order.objects.filter(Holds(word, "number_key", "customer_reference", indexed=True), narrow or Q())
    if account is not None:
        found = found.filter(account=account)
    ids = list(found.values_list("pk", flat=True)[: limit + 1])
    return ids if len(ids) <= limit else None


def lots_of_orders(account: SmartAccount, word: str, limit: int) -> QuerySet[Any] | None:
    """Ids of the lots of orders with a word in the number, for the ledger's lists; None where they are too many.

    The number stands in every lot that its readers see; the customer's reference is told only with the order.
    """
    ids = orders_with(word, account=account, narrow=Q(Holds(word, "number_key")), limit=limit)
    return None if ids is None else OrderLine.objects.filter(order__in=ids, lot__isnull=False).values_list("lot")
