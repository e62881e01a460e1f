"""How a refusal is told: which license lacks how much, seen from what the caller asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from django.utils.functional import Promise

from daicho.core.errors import BusinessError
from daicho.domain.ledger.book import Book, PoolRow
from daicho.domain.ledger.errors import not_enough_licenses

Names = Callable[[int], "str | Promise"]  # virtual account id → its name, or words that hide it


def shortage(
    act: str, book: Book, short: Iterable[PoolRow], asked: Mapping[tuple[int, int], int], names: Names
) -> BusinessError:
    """`not_enough_licenses` for the first pool that would be shorter.

    In a ladder the shortage may show in a lower tier that borrowed: what is told then is the license the caller took.
    """
    pool = next(iter(short))
    taken = [
        tier
        for tier in book.ladder_of(pool)
        if asked.get((tier.virtual_account_id, tier.tag.pk), 0) > tier.before.available
    ]
    told = pool if pool in taken or not taken else taken[0]
    wanted = asked.get((told.virtual_account_id, told.tag.pk), 0)
    return not_enough_licenses(
        act,
        virtual_account=names(told.virtual_account_id),
        sku=told.tag.sku,
        asked=wanted,
        available=told.before.available,
        missing=max(1, wanted - told.before.available) if taken else pool.change.missing,
    )
