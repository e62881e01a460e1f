"""What starts and ends in pools that nobody touches: posted by the worker, at most 60 s late (ledger.md, Settle time).

A hundred thousand lots may end at one instant, while people and devices go on in the same pools. So a transaction takes
as many pools as are posted in about `pace.GOAL` seconds: no act waits for longer than that. Pools that somebody holds are
left to him: he posts them himself. A pool that alone has more due is taken by up to LOTS at a time, because each time its
next instants must be looked for among all that it holds.
"""

from __future__ import annotations

import time

from django.db import transaction

from daicho.core.clock import now
from daicho.core.pace import Size, in_background
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.locking import lock_free_pools, lock_pools
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.settle import settle

LOTS = 5_000  # posted in one transaction, at most
FIRST, LEAST, MOST = 100, 40, 1_000  # lots aimed at
POOLS = 500  # locked in one transaction, at most
READ = 5_000  # pools found due by one query


def sweep_due(limit: int = LOTS) -> int:
    """Post all starts and ends that are due, at most `limit` lots to a transaction; returns how many.

    Whoever runs it, however often, and wherever it is killed: what is posted is no longer due.
    """
    total, last, pools = 0, 1, 10
    size = Size(FIRST, LEAST, MOST)
    while waiting := _due():
        before, patient = total, not last  # all were held by others: wait for them
        while waiting:
            turn, waiting = waiting[:pools], waiting[pools:]
            with in_background():
                began = time.monotonic()
                posted = _sweep(turn, limit, patient=patient)
                size.learn(posted, time.monotonic() - began)
            pools = max(1, min(POOLS, 2 * pools, int(len(turn) * size.amount / max(1, posted))))
            total += posted
        last = total - before
    return total


def _due() -> list[Spot]:
    due = (
        Pool.objects.filter(next_change_at__lte=now())
        .order_by("next_change_at", "virtual_account_id", "tag_id")
        .values_list("account_id", "virtual_account_id", "tag_id")[:READ]
    )
    found = list(due)
    tags = LicenseTag.objects.in_bulk({tag for _, _, tag in found})
    return [Spot(account, place, tags[tag]) for account, place, tag in found]


def _sweep(spots: list[Spot], limit: int, *, patient: bool) -> int:
    """One transaction. What somebody else has posted meanwhile is no longer due."""
    with transaction.atomic():
        book = Book()
        (lock_pools if patient else lock_free_pools)(book, spots)
        book.at = now()
        return settle(book, limit)
