"""Settle time: before a decision, what has started or ended in the locked pools is posted, exact to the instant."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from daicho.core.actor import Actor
from daicho.core.ids import derived_uuid
from daicho.core.text import fingerprint
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.locking import load_holder_places, load_places, load_uses
from daicho.domain.ledger.models import Entry, HolderLine, Holding, Lot, Place, Pool, Unit
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

    @property
    def request_id(self) -> uuid.UUID:
        return derived_uuid(self.lot.pk, self.place.id, self.what)


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
    entries = Entry.objects.bulk_create([_entry_of(item) for item in due])
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
    pools = Pool.objects.filter(
        pk__in=[book.pools[key].id for key in keys],
        virtual_account=OuterRef("place__virtual_account"),
        tag=OuterRef("lot__tag"),
    )
    starting = Q(place__kind=Place.Kind.PENDING, lot__start_at__lte=book.at)
    ending = Q(place__kind__in=LIVE, lot__end_at__lte=book.at)
    rows = (
        Holding.objects.filter(starting | ending, Exists(pools), quantity__gt=0)
        .filter(place__virtual_account_id__in={key[0] for key in keys})
        .select_related("lot", "place")
        .order_by("pk")
    )
    found: list[Due] = []
    for row in rows[:limit]:
        lot, where = row.lot, row.place.virtual_account_id or 0
        place = PlaceRow(row.place_id, row.place.kind, where, row.place.holder_id)
        if place.kind == Place.Kind.PENDING:
            found.append(Due(lot, place, START, lot.start_at, row.quantity))
            place = book.place(Place.Kind.ON_HAND, where)
        if lot.end_at is not None and lot.end_at <= book.at:
            found.append(Due(lot, place, END, lot.end_at, row.quantity))
    return sorted(found, key=lambda item: item.at)


def _entry_of(due: Due) -> Entry:
    return Entry(
        account_id=due.lot.account_id, request_id=due.request_id,
        fingerprint=fingerprint([due.lot.pk, due.place.id, due.what]), kind=Entry.Kind.TIME,
        actor_kind=CLOCK.kind, actor_name=CLOCK.name, at=due.at,
    )  # fmt: skip


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
    events: list[Event] = []
    for item in due:
        where = item.place.virtual_account_id or 0
        pool = book.pool(where, item.lot.tag_id)
        events.append(
            describe(
                CLOCK,
                "license.started" if item.what == START else "license.ended",
                account_id=item.lot.account_id,
                virtual_account_id=where,
                subject=pool.tag.sku,
                subject_uid=item.lot.uid,
                before={"balance": pool.before.balance},
                after={"quantity": item.quantity, "balance": pool.figures.balance, "at": item.at.isoformat()},
                act=item.request_id,
            )
        )
    record_many(events)
