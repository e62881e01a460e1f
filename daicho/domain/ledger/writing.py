"""Write a book: one statement each for holdings, postings, uses, their changes, and pools. None of them can be refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from operator import attrgetter

from daicho.core.statements import ask, chunks, insert_rows, instant, marks
from daicho.domain.ledger.book import Book, Figures, PoolRow
from daicho.domain.ledger.models import Place, Pool, Posting, Use, UseChange
from daicho.domain.ledger.sql import add_to_holdings, set_rows, take_from_holdings

_FIGURES = tuple(figure.name for figure in fields(Figures))
_figures_of = attrgetter(*_FIGURES)  # `astuple` would copy each of them
LIVE = (Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)


def flush(book: Book) -> None:
    """Bring the database to what the book says."""
    if book.moves:
        _write_holdings(book)
        _write_postings(book)
    _write_uses(book)
    _write_use_changes(book)
    _write_pools(book)


def _write_holdings(book: Book) -> None:
    """Decreases by UPDATE, increases by upsert: a negative amount may not even be proposed to a checked column."""
    change: dict[tuple[int, int], int] = defaultdict(int)
    account: dict[int, int] = {}
    issued = {move.source.id for move in book.moves if move.source.kind == Place.Kind.ISSUED}
    issued |= {move.target.id for move in book.moves if move.target.kind == Place.Kind.ISSUED}
    for move in book.moves:
        change[move.source.id, move.lot.pk] -= move.quantity
        change[move.target.id, move.lot.pk] += move.quantity
        account[move.lot.pk] = move.lot.account_id
    rows = [
        (account[lot_id], place_id, lot_id, place_id in issued, quantity)
        for (place_id, lot_id), quantity in sorted(change.items())
        if quantity
    ]
    take_from_holdings(
        [(place, lot, -amount) for _, place, lot, is_issue, amount in rows if amount < 0 and not is_issue]
    )
    add_to_holdings([row for row in rows if row[4] > 0 or row[3]])


def _write_postings(book: Book) -> None:
    rows = [
        (move.lot.account_id, move.entry.pk, move.lot.pk, move.source.id, move.target.id, move.quantity)
        for move in book.moves
    ]
    insert_rows(Posting, ("account", "entry", "lot", "source", "target", "quantity"), rows)


def _write_uses(book: Book) -> None:
    changed = [use for use in book.uses.values() if use.is_changed]
    for use in changed:
        if use.stored[0] == 0:
            use.since = book.at
    new = [use for use in changed if use.id is None]
    if new:
        columns = ("account", "unit", "tag", "pool", "reported", "counted", "since")
        rows = [
            (use.unit.account_id, use.unit.pk, use.tag.pk, use.pool.id, use.reported, use.counted, use.since)
            for use in new
        ]
        made = {(unit_id, tag_id): number for number, unit_id, tag_id in insert_rows(
            Use, columns, rows, "RETURNING id, unit_id, tag_id"
        )}  # fmt: skip
        for use in new:
            use.id = made[use.unit.pk, use.tag.pk]
    new_ids = {id(use) for use in new}
    set_rows(
        Use,
        ["pool", "reported", "counted", "since"],
        [(use.id, use.pool.id, use.reported, use.counted, use.since) for use in changed if id(use) not in new_ids],
    )
    for use in changed:
        use.stored = (use.reported, use.counted, use.pool.id)


def _write_use_changes(book: Book) -> None:
    columns = (
        "account", "unit", "tag", "request_id", "fingerprint", "pool_before", "counted_before", "pool_after",
        "counted_after", "act_class", "cause", "entry", "at",
    )  # fmt: skip
    rows = [
        (
            step.unit.account_id, step.unit.pk, step.tag.pk, step.request_id, step.fingerprint, step.pool_before.id,
            step.counted_before, step.pool_after.id, step.counted_after, step.act, step.cause,
            step.entry.pk if step.entry else None, step.at,
        )
        for step in book.steps.values()
    ]  # fmt: skip
    insert_rows(UseChange, columns, rows)


def _write_pools(book: Book) -> None:
    stale = [pool for pool in book.pools.values() if pool.has_stale_times]
    if stale:
        _find_next_times(stale)
    changed = [pool for pool in book.pools.values() if pool.figures != pool.stored]
    set_rows(Pool, _FIGURES, [(pool.id, *_figures_of(pool.figures)) for pool in changed])
    for pool in changed:
        pool.stored = replace(pool.figures)


def _find_next_times(pools: list[PoolRow]) -> None:
    """The soonest start and end of what lies in these pools now, by one query over what lies in their virtual accounts.

    Without a condition on the tag: with one, PostgreSQL would begin with all lots of that tag.
    """
    by_key = {(pool.virtual_account_id, pool.tag.pk): pool for pool in pools}
    for pool in pools:
        pool.figures.next_change_at = pool.figures.next_end_at = None
        pool.has_stale_times = False
    live = ", ".join(f"'{kind}'" for kind in LIVE)
    for part in chunks(sorted({key[0] for key in by_key})):
        statement = (
            "SELECT p.virtual_account_id, l.tag_id,"  # noqa: S608
            f" MIN(CASE WHEN p.kind = '{Place.Kind.PENDING}' THEN l.start_at END), MIN(l.end_at) FROM ledger_place AS p"
            " JOIN ledger_holding AS h ON h.place_id = p.id JOIN ledger_lot AS l ON l.id = h.lot_id"
            f" WHERE p.virtual_account_id IN ({marks(part)}) AND p.kind IN ({live}) AND h.quantity > 0"
            " GROUP BY p.virtual_account_id, l.tag_id"
        )
        for virtual_account_id, tag_id, next_start, next_end in ask(statement, part):
            if (found := by_key.get((virtual_account_id, tag_id))) is not None:
                ends = found.figures.next_end_at = instant(next_end)
                changes = [at for at in (instant(next_start), ends) if at is not None]
                found.figures.next_change_at = min(changes, default=None)
