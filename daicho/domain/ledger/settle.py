"""Settle time: before a decision, what has started or ended in the locked pools is posted, exact to the instant."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor
from daicho.core.ids import derived_uuid, new_uid
from daicho.core.statements import ask, insert_numbered, marks, read_columns
from daicho.core.text import fingerprint
from daicho.domain.audit.record import Line, record_lines
from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.locking import load_holder_places, load_places, load_uses
from daicho.domain.ledger.models import Entry, HolderLine, Lot, Place, Unit
from daicho.domain.ledger.rules import Act
from daicho.domain.ledger.sql import set_rows
from daicho.domain.ledger.writing import LIVE, flush

CLOCK = Actor.system("clock")
START, END = "start", "end"


@dataclass(frozen=True, slots=True)
class Due:
    """A lot that starts or ends at a place, whole."""

    lot: Lot
    place: PlaceRow
    what: str
    at: dt.datetime
    quantity: int
    request_id: uuid.UUID

    @classmethod
    def of(cls, lot: Lot, place: PlaceRow, what: str, at: dt.datetime, quantity: int) -> Due:
        return cls(lot, place, what, at, quantity, derived_uuid(lot.pk, place.id, what))


def settle(book: Book, limit: int | None = None) -> int:
    """Post the starts and ends that are due in the locked pools and write them; returns how many.

    With a limit the pools may stay due: only the sweep, which decides nothing, may stop halfway.
    """
    due_pools = {
        key for key, pool in book.pools.items() if (at := pool.figures.next_change_at) is not None and at <= book.at
    }
    if not due_pools:
        return 0
    load_places(book, {book.pools[key].virtual_account_id: book.pools[key].account_id for key in due_pools})
    due = _find_due(book, due_pools, limit)
    entries = _write_entries(due)
    for item, entry in zip(due, entries, strict=True):
        where = item.place.virtual_account_id or 0
        target = book.place(Place.Kind.ON_HAND if item.what == START else Place.Kind.ENDED, where)
        book.move(entry, item.lot, item.place, target, item.quantity)
    _let_go(book, [(item, entry) for item, entry in zip(due, entries, strict=True) if item.place.holder_id])
    for key in due_pools:
        book.pools[key].has_stale_times = True
    book.reckon_all()
    flush(book)
    _record(book, due)
    book.turn_page()
    return len(due)


def _find_due(book: Book, keys: set[tuple[int, int]], limit: int | None) -> list[Due]:
    pools = [book.pools[key].id for key in keys]
    where = sorted({key[0] for key in keys})
    columns, read = read_columns(Lot, "l")
    live = ", ".join(f"'{kind}'" for kind in LIVE)
    statement = (
        f"SELECT p.id, p.kind, p.virtual_account_id, p.holder_id, h.quantity, {columns} FROM ledger_holding AS h"  # noqa: S608
        " JOIN ledger_place AS p ON p.id = h.place_id JOIN ledger_lot AS l ON l.id = h.lot_id"
        f" WHERE p.virtual_account_id IN ({marks(where)}) AND h.quantity > 0"
        f" AND (p.kind = '{Place.Kind.PENDING}' AND l.start_at <= %s OR p.kind IN ({live}) AND l.end_at <= %s)"
        " AND EXISTS (SELECT 1 FROM ledger_pool AS q WHERE q.virtual_account_id = p.virtual_account_id"
        f" AND q.tag_id = l.tag_id AND q.id IN ({marks(pools)})) ORDER BY h.id"
    )
    parameters = [*where, book.at, book.at, *pools]
    found: list[Due] = []
    rows = ask(f"{statement} LIMIT %s", [*parameters, limit]) if limit else ask(statement, parameters)
    for number, kind, where_it_lies, holder_id, quantity, *values in rows:
        lot, place = read(values), PlaceRow(number, kind, where_it_lies, holder_id)
        if kind == Place.Kind.PENDING:
            found.append(Due.of(lot, place, START, lot.start_at, quantity))
            place = book.place(Place.Kind.ON_HAND, where_it_lies)
        if lot.end_at is not None and lot.end_at <= book.at:
            found.append(Due.of(lot, place, END, lot.end_at, quantity))
    return sorted(found, key=lambda item: item.at)


def _write_entries(due: list[Due]) -> list[Entry]:
    columns = (
        "uid", "account", "request_id", "fingerprint", "kind", "actor_kind", "actor_name", "at", "memo", "answer",
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            new_uid(), item.lot.account_id, item.request_id, fingerprint([item.lot.pk, item.place.id, item.what]),
            Entry.Kind.TIME, CLOCK.kind, CLOCK.name, item.at, "", {},
        )
        for item in due
    ]  # fmt: skip
    numbers = insert_numbered(Entry, columns, rows)
    return [
        Entry(pk=number, request_id=item.request_id, fingerprint=row[3], at=item.at)
        for number, item, row in zip(numbers, due, rows, strict=True)
    ]


def _let_go(book: Book, ended: list[tuple[Due, Entry]]) -> None:
    """Lots that end in a holder's hands leave its lines, and its unit's use counts that much more."""
    if not ended:
        return
    holder_ids = {item.place.holder_id or 0 for item, _ in ended}
    load_holder_places(book, holder_ids)
    lines = {
        (line.holder_id, line.lot_id): line
        for line in HolderLine.objects.filter(
            holder_id__in=holder_ids, lot_id__in={item.lot.pk for item, _ in ended}
        ).select_related("holder")
    }
    missing = {line.holder.unit_id for line in lines.values()} - book.units.keys()
    book.units.update(Unit.objects.in_bulk(missing))
    load_uses(book, {line.holder.unit_id for line in lines.values()}, {item.lot.tag_id for item, _ in ended})
    for item, entry in ended:
        line = lines[item.place.holder_id or 0, item.lot.pk]
        unit_id, tag_id = line.holder.unit_id, item.lot.tag_id
        book.held[unit_id, tag_id] -= max(line.old, line.new)
        use = book.uses.get((unit_id, tag_id))
        if use is not None:
            counted = use.counted
            book.set_use(use, use.reported)
            if use.counted != counted:
                book.note_use(
                    use, use.pool, counted, request_id=entry.request_id, fingerprint=entry.fingerprint,
                    act=Act.FACT, cause="time", entry=entry, at=item.at,
                )  # fmt: skip
    set_rows(
        HolderLine, ["old", "new"], [(lines[item.place.holder_id or 0, item.lot.pk].pk, 0, 0) for item, _ in ended]
    )


def _record(book: Book, due: list[Due]) -> None:
    lines = []
    for item in due:
        where = item.place.virtual_account_id or 0
        pool = book.pool(where, item.lot.tag_id)
        after = {"quantity": item.quantity, "balance": pool.figures.balance, "at": item.at.isoformat()}
        kind = "license.started" if item.what == START else "license.ended"
        before = {"balance": pool.before.balance}
        lines.append(Line(kind, item.lot.account_id, where, pool.tag.sku, item.lot.uid, before, after, item.request_id))
    record_lines(CLOCK, lines)
