"""Lots in the hands of a holder: its lines, and what its unit then counts."""

from __future__ import annotations

from collections.abc import Iterable

from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.locking import load_holder_places, load_uses, make_holder_place
from daicho.domain.ledger.models import Entry, Holder, HolderLine, Lot, Place, Unit
from daicho.domain.ledger.rules import Act


def place_kind(holder: Holder) -> str:
    """A reservation's lots lie reserved, a license file's fulfilled."""
    return Place.Kind.RESERVED if holder.kind == Holder.Kind.RESERVATION else Place.Kind.FULFILLED


def lines_of(holder: Holder) -> dict[int, HolderLine]:
    """The lines of a holder by lot; its unit must be locked."""
    return {line.lot_id: line for line in holder.lines.select_related("lot")}


def open_holder(book: Book, holder: Holder, tag_ids: Iterable[int]) -> None:
    """Know a holder's places, and what its unit uses and holds of some tags."""
    load_holder_places(book, [holder.pk])
    load_uses(book, [holder.unit_id], tag_ids)


def let_go(book: Book, entry: Entry, holder: Holder, lot: Lot, quantity: int) -> None:
    """Move lots out of the holder's hands to where their time says."""
    unit = book.units[holder.unit_id]
    here = held_at(book, holder, unit)
    book.move(entry, lot, here, book.place_by_time(unit.virtual_account_id, lot), quantity)


def held_at(book: Book, holder: Holder, unit: Unit) -> PlaceRow:
    """Where the holder's lots lie: in its unit's virtual account, where it may have held nothing yet."""
    return make_holder_place(book, holder.account_id, place_kind(holder), unit.virtual_account_id, holder.pk)


def recount(book: Book, entry: Entry, holder: Holder, held: dict[int, int], act: Act, cause: str) -> None:
    """Let the unit count what it reports beyond what it holds now. `held`: tag → how much more (or less) it holds."""
    for tag_id, difference in held.items():
        book.held[holder.unit_id, tag_id] += difference
        use = book.uses.get((holder.unit_id, tag_id))
        if use is None:
            continue
        before = use.counted
        book.set_use(use, use.reported)
        if use.counted != before:
            book.note_use(
                use, use.pool, before, request_id=entry.request_id, fingerprint=entry.fingerprint,
                act=act, cause=cause, entry=entry,
            )  # fmt: skip
