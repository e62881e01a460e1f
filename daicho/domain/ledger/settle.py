"""Settle time: before a decision, what has started or ended in the locked pools is posted, exact to the instant."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor
from daicho.core.ids import derived_uuid, new_uid
from daicho.core.statements import among, as_table, ask, insert_numbered, instant, read_columns
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
MANY = 2**62  # no limit
_COLUMNS = [str(field.column) for field in Lot._meta.concrete_fields]
_AT = {column: place for place, column in enumerate(_COLUMNS)}
_LATER = {
    "tag_id": "tag",
    "start_at": "MIN(CASE WHEN starts > %s THEN starts END)",
    "end_at": "MIN(CASE WHEN ends > %s THEN ends END)",
}
_NEXT = ", ".join(_LATER.get(column, "NULL") for column in _COLUMNS)
"""The columns of a lot, filled with what is known of a pool: its tag, and its next start and end."""


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
    due, next_times = _find_due(book, due_pools, limit)
    entries = _write_entries(due)
    for item, entry in zip(due, entries, strict=True):
        where = item.place.virtual_account_id or 0
        target = book.place(Place.Kind.ON_HAND if item.what == START else Place.Kind.ENDED, where)
        book.move(entry, item.lot, item.place, target, item.quantity)
    _let_go(book, [(item, entry) for item, entry in zip(due, entries, strict=True) if item.place.holder_id])
    for key in due_pools:
        pool = book.pools[key]
        pool.has_stale_times = next_times is None
        if next_times is not None:
            pool.figures.next_change_at, pool.figures.next_end_at = next_times.get(key, (None, None))
    book.reckon_all()
    flush(book)
    _record(book, due)
    book.turn_page()
    return len(due)


type NextTimes = dict[tuple[int, int], tuple[dt.datetime | None, dt.datetime | None]]


def _find_due(book: Book, keys: set[tuple[int, int]], limit: int | None) -> tuple[list[Due], NextTimes | None]:
    """What is due in these pools, and when each of them changes and ends next: None if the limit cut something off.

    What lies in their virtual accounts is read once. PostgreSQL must not begin with all lots of their tags instead.
    """
    of_places, first = among("p.virtual_account_id", sorted({key[0] for key in keys}))
    pools, second = as_table(["bigint", "bigint"], sorted(keys))
    columns, read = read_columns(Lot, "l")
    live = ", ".join(f"'{kind}'" for kind in LIVE)
    statement = f"""
        WITH live AS MATERIALIZED (
            SELECT p.id AS place, p.kind, p.virtual_account_id AS va, p.holder_id AS holder, h.id AS holding, h.quantity,
                   l.id AS lot, l.tag_id AS tag, CASE WHEN p.kind = '{Place.Kind.PENDING}' THEN l.start_at END AS starts,
                   l.end_at AS ends
            FROM ledger_place AS p JOIN ledger_holding AS h ON h.place_id = p.id JOIN ledger_lot AS l ON l.id = h.lot_id
            WHERE {of_places} AND p.kind IN ({live}) AND h.quantity > 0
        )
        SELECT * FROM (
            SELECT place, live.kind, va, holder, quantity, {columns} FROM live JOIN ledger_lot AS l ON l.id = live.lot
            WHERE (starts <= %s OR ends <= %s) AND (va, tag) IN (SELECT column1, column2 FROM {pools})
            ORDER BY holding LIMIT %s
        ) AS due
        UNION ALL SELECT NULL, NULL, va, NULL, NULL, {_NEXT} FROM live GROUP BY va, tag"""  # noqa: S608
    most = limit if limit is not None else MANY
    rows = ask(statement, [*first, book.at, book.at, *second, most, book.at, book.at])
    found: list[Due] = []
    next_times: NextTimes = {}
    for number, kind, where, holder_id, quantity, *values in rows:
        if number is None:
            starts, ends = instant(values[_AT["start_at"]]), instant(values[_AT["end_at"]])
            changes = [at for at in (starts, ends) if at is not None]
            next_times[where, values[_AT["tag_id"]]] = min(changes, default=None), ends
            continue
        lot, place = read(values), PlaceRow(number, kind, where, holder_id)
        if kind == Place.Kind.PENDING:
            found.append(Due.of(lot, place, START, lot.start_at, quantity))
            place = book.place(Place.Kind.ON_HAND, where)
        if lot.end_at is not None and lot.end_at <= book.at:
            found.append(Due.of(lot, place, END, lot.end_at, quantity))
    is_whole = len(rows) - len(next_times) < most
    return sorted(found, key=lambda item: item.at), next_times if is_whole else None


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
