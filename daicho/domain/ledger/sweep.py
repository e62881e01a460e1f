"""What starts and ends in pools that nobody touches: posted by the worker, at most 60 s late (ledger.md, Settle time)."""

from __future__ import annotations

from django.db import transaction

from daicho.core.clock import now
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.locking import lock_pools
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.settle import settle

POOLS = 500  # locked in one transaction


def sweep_due(limit: int = 5_000) -> int:
    """Post all starts and ends that are due, at most `limit` lots to a transaction; returns how many.

    Whoever runs it, however often, and wherever it is killed: what is posted is no longer due.
    """
    total = 0
    while (done := _sweep_once(limit)) is not None:
        total += done
    return total


def _sweep_once(limit: int) -> int | None:
    """One transaction; None when nothing is due."""
    due = Pool.objects.filter(next_change_at__lte=now()).select_related("tag").order_by("next_change_at", "pk")[:POOLS]
    spots = [Spot(pool.account_id, pool.virtual_account_id, pool.tag) for pool in due]
    if not spots:
        return None
    with transaction.atomic():
        book = Book()
        lock_pools(book, spots)
        book.at = now()
        return settle(book, limit)
