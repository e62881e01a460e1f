"""Settle time: before a decision, what has started or ended in the locked pools is posted, exact to the instant.

The sweep does this a hundred thousand times in a row, so what is due are plain rows here, and no models.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import defaultdict
from typing import Any, NamedTuple

from daicho.core.actor import Actor
from daicho.core.ids import derived_uuid, new_uids
from daicho.core.statements import JsonText, among, as_table, ask, insert_numbered, insert_rows, instant
from daicho.core.text import fingerprint
from daicho.domain.audit.record import Line, record_lines
from daicho.domain.ledger.book import Book, PoolRow
from daicho.domain.ledger.locking import load_holder_places, load_places, load_uses
from daicho.domain.ledger.models import Entry, HolderLine, Lot, Place, Posting, Unit
from daicho.domain.ledger.rules import Act
from daicho.domain.ledger.sql import add_to_holdings, empty_holdings, set_rows
from daicho.domain.ledger.writing import LIVE, flush

CLOCK = Actor.system("clock")
START, END = "start", "end"
MANY = 2**62  # no limit
_NOTHING = JsonText("{}")


class Lying(NamedTuple):
    """So many of a lot at a place, where it starts or ends."""

    holding_id: int
    quantity: int
    place_id: int
    kind: str
    virtual_account_id: int
    holder_id: int | None
    lot_id: int
    lot_uid: str
    account_id: int
    tag_id: int
    billing: str
    starts: dt.datetime | None
    ends: dt.datetime | None


class Due(NamedTuple):
    """A lot that starts or ends at a place, whole; `kind`: of the place that it leaves."""

    lying: Lying
    what: str
    at: dt.datetime
    place_id: int
    kind: str
    request_id: uuid.UUID
    fingerprint: str

    @classmethod
    def of(cls, lying: Lying, what: str, at: dt.datetime, place_id: int, kind: str) -> Due:
        request_id = derived_uuid(lying.lot_id, place_id, what)
        return cls(lying, what, at, place_id, kind, request_id, fingerprint([lying.lot_id, place_id, what]))


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
    lying, next_times = _find_due(book, due_pools, limit)
    due = _in_order(book, lying)
    for item in due:
        _count(book.pool(item.lying.virtual_account_id, item.lying.tag_id), item)
    numbers = _write_entries(due)
    _write_postings(book, due, numbers)
    _write_holdings(book, lying, due)
    _let_go(book, [(item, number) for item, number in zip(due, numbers, strict=True) if item.lying.holder_id])
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


def _find_due(book: Book, keys: set[tuple[int, int]], limit: int | None) -> tuple[list[Lying], NextTimes | None]:
    """What is due in these pools, and when each of them changes and ends next: None if the limit cut something off.

    What lies in their virtual accounts is read once. PostgreSQL must not begin with all lots of their tags instead.
    """
    of_places, first = among("p.virtual_account_id", sorted({key[0] for key in keys}))
    pools, second = as_table(["bigint", "bigint"], sorted(keys))
    live = ", ".join(f"'{kind}'" for kind in LIVE)
    statement = f"""
        WITH live AS MATERIALIZED (
            SELECT h.id, h.quantity, p.id AS place, p.kind, p.virtual_account_id AS va, p.holder_id, l.id AS lot, l.uid,
                   l.account_id, l.tag_id AS tag, l.billing,
                   CASE WHEN p.kind = '{Place.Kind.PENDING}' THEN l.start_at END AS starts, l.end_at AS ends
            FROM ledger_place AS p JOIN ledger_holding AS h ON h.place_id = p.id JOIN ledger_lot AS l ON l.id = h.lot_id
            WHERE {of_places} AND p.kind IN ({live}) AND h.quantity > 0
        ), ours AS MATERIALIZED (
            SELECT * FROM live WHERE (va, tag) IN (SELECT column1, column2 FROM {pools})
        )
        SELECT * FROM (SELECT * FROM ours WHERE starts <= %s OR ends <= %s ORDER BY id LIMIT %s) AS due
        UNION ALL SELECT NULL, NULL, NULL, NULL, va, NULL, NULL, NULL, NULL, tag, NULL,
            MIN(CASE WHEN starts > %s THEN starts END), MIN(CASE WHEN ends > %s THEN ends END)
        FROM ours GROUP BY va, tag"""  # noqa: S608
    most = limit if limit is not None else MANY
    lying: list[Lying] = []
    next_times: NextTimes = {}
    for *row, starts, ends in ask(statement, [*first, *second, book.at, book.at, most, book.at, book.at]):
        found = Lying._make((*row, instant(starts), instant(ends)))
        if row[0] is not None:
            lying.append(found)
            continue
        changes = [at for at in (found.starts, found.ends) if at is not None]
        next_times[found.virtual_account_id, found.tag_id] = min(changes, default=None), found.ends
    return lying, next_times if len(lying) < most else None


def _in_order(book: Book, lying: list[Lying]) -> list[Due]:
    due: list[Due] = []
    for row in lying:
        place_id, kind = row.place_id, row.kind
        if row.starts is not None:
            if row.starts > book.at:
                continue
            due.append(Due.of(row, START, row.starts, place_id, kind))
            place_id, kind = book.place(Place.Kind.ON_HAND, row.virtual_account_id).id, Place.Kind.ON_HAND
        if row.ends is not None and row.ends <= book.at:
            due.append(Due.of(row, END, row.ends, place_id, kind))
    return sorted(due, key=lambda item: item.at)


def _count(pool: PoolRow, item: Due) -> None:
    figures, quantity = pool.figures, item.lying.quantity
    usage = quantity if item.lying.billing == Lot.Billing.USAGE else 0
    if item.what == START:
        figures.pending -= quantity
        figures.on_hand += quantity
        figures.usage_on_hand += usage
        return
    setattr(figures, item.kind, getattr(figures, item.kind) - quantity)
    if item.kind == Place.Kind.ON_HAND:
        figures.usage_on_hand -= usage


def _target(book: Book, item: Due) -> int:
    kind = Place.Kind.ON_HAND if item.what == START else Place.Kind.ENDED
    return book.place(kind, item.lying.virtual_account_id).id


def _write_entries(due: list[Due]) -> list[int]:
    columns = (
        "uid", "account", "request_id", "fingerprint", "kind", "actor_kind", "actor_name", "at", "memo", "answer",
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            uid, item.lying.account_id, item.request_id, item.fingerprint, Entry.Kind.TIME, CLOCK.kind, CLOCK.name,
            item.at, "", _NOTHING,
        )
        for uid, item in zip(new_uids(len(due)), due, strict=True)
    ]  # fmt: skip
    return insert_numbered(Entry, columns, rows)


def _write_postings(book: Book, due: list[Due], numbers: list[int]) -> None:
    rows = [
        (item.lying.account_id, number, item.lying.lot_id, item.place_id, _target(book, item), item.lying.quantity)
        for item, number in zip(due, numbers, strict=True)
    ]
    insert_rows(Posting, ("account", "entry", "lot", "source", "target", "quantity"), rows)


def _write_holdings(book: Book, lying: list[Lying], due: list[Due]) -> None:
    """Where a lot was, nothing is left; where it came to rest, there is more."""
    last = {item.lying.holding_id: _target(book, item) for item in due}
    added: dict[tuple[int, int, int], int] = defaultdict(int)
    for row in lying:
        added[row.account_id, last[row.holding_id], row.lot_id] += row.quantity
    empty_holdings([row.holding_id for row in lying])
    add_to_holdings([(account, place, lot, False, amount) for (account, place, lot), amount in sorted(added.items())])


def _let_go(book: Book, ended: list[tuple[Due, int]]) -> None:
    """Lots that end in a holder's hands leave its lines, and its unit's use counts that much more."""
    if not ended:
        return
    holder_ids = {item.lying.holder_id or 0 for item, _ in ended}
    load_holder_places(book, holder_ids)
    lines = {
        (line.holder_id, line.lot_id): line
        for line in HolderLine.objects.filter(
            holder_id__in=holder_ids, lot_id__in={item.lying.lot_id for item, _ in ended}
        ).select_related("holder")
    }
    missing = {line.holder.unit_id for line in lines.values()} - book.units.keys()
    book.units.update(Unit.objects.in_bulk(missing))
    load_uses(book, {line.holder.unit_id for line in lines.values()}, {item.lying.tag_id for item, _ in ended})
    for item, number in ended:
        line = lines[item.lying.holder_id or 0, item.lying.lot_id]
        unit_id, tag_id = line.holder.unit_id, item.lying.tag_id
        book.held[unit_id, tag_id] -= max(line.old, line.new)
        use = book.uses.get((unit_id, tag_id))
        if use is not None:
            counted = use.counted
            book.set_use(use, use.reported)
            if use.counted != counted:
                entry = Entry(pk=number, request_id=item.request_id, fingerprint=item.fingerprint, at=item.at)
                book.note_use(
                    use, use.pool, counted, request_id=item.request_id, fingerprint=item.fingerprint,
                    act=Act.FACT, cause="time", entry=entry, at=item.at,
                )  # fmt: skip
    set_rows(
        HolderLine,
        ["old", "new"],
        [(lines[item.lying.holder_id or 0, item.lying.lot_id].pk, 0, 0) for item, _ in ended],
    )


def _record(book: Book, due: list[Due]) -> None:
    lines = []
    for item in due:
        row = item.lying
        pool = book.pool(row.virtual_account_id, row.tag_id)
        kind = "license.started" if item.what == START else "license.ended"
        before = JsonText(f'{{"balance": {pool.before.balance}}}')
        after = {"quantity": row.quantity, "balance": pool.figures.balance, "at": item.at.isoformat()}
        lines.append(
            Line(
                kind, row.account_id, row.virtual_account_id, pool.tag.sku, row.lot_uid, before,
                JsonText(json.dumps(after)), item.request_id,
            )
        )  # fmt: skip
    record_lines(CLOCK, lines)
