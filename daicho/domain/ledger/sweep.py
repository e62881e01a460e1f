"""What starts and ends in pools that nobody touches: posted by the worker, at most 60 s late (ledger.md, Settle time).

A hundred thousand lots may end at one instant, while people and devices go on in the same pools. So a transaction takes
as many pools as have about TURN lots due: an act in one of them waits for a fraction of a second. A pool that alone has
more is taken by up to LOTS at a time, because each time its next instants must be looked for among all that it holds.
"""

from __future__ import annotations

from django.db import transaction

from daicho.core.clock import now
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.locking import lock_pools
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.settle import settle

LOTS = 5_000  # posted in one transaction, at most
TURN = 200  # aimed at: a tenth of a second
POOLS = 500  # locked in one transaction, at most
READ = 5_000  # pools found due by one query


def sweep_due(limit: int = LOTS) -> int:
    """Post all starts and ends that are due, at most `limit` lots to a transaction; returns how many.

    Whoever runs it, however often, and wherever it is killed: what is posted is no longer due.
    """
    total, size = 0, 20
    while waiting := _due():
        while waiting:
            turn, waiting = waiting[:size], waiting[size:]
            posted = _sweep(turn, limit)
            size = max(1, min(POOLS, 2 * size, len(turn) * TURN // max(1, posted)))
            total += posted
    return total


def _due() -> list[Spot]:
    due = (
        Pool.objects.filter(next_change_at__lte=now())
        .select_related("tag")
        .order_by("next_change_at", "virtual_account_id", "tag_id")[:READ]
    )
    return [Spot(pool.account_id, pool.virtual_account_id, pool.tag) for pool in due]


def _sweep(spots: list[Spot], limit: int) -> int:
    """One transaction. What somebody else has posted meanwhile is no longer due."""
    with transaction.atomic():
        book = Book()
        lock_pools(book, spots)
        book.at = now()
        return settle(book, limit)
