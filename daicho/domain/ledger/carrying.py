"""How lots go from virtual account to virtual account inside an entry: for transfers, re-use and their previews."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daicho.core.errors import NotFound
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, PlaceRow, Spot
from daicho.domain.ledger.errors import not_enough_licenses
from daicho.domain.ledger.judging import Names
from daicho.domain.ledger.models import Entry, Lot, Place
from daicho.domain.ledger.rules import Choice
from daicho.domain.ledger.stock import Store
from daicho.domain.tenancy.models import VirtualAccount

Asked = Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Move:
    """So many of a license from one virtual account to another; of one lot if it is named.

    A named lot may also be one that has not started or has ended; otherwise only lots on hand are chosen.
    """

    source: VirtualAccount
    target: VirtualAccount
    tag: LicenseTag
    quantity: int
    lot_uid: str | None = None

    def content(self) -> list[Any]:
        return [self.source.uid, self.target.uid, self.tag.uid, self.quantity, self.lot_uid]


@dataclass(frozen=True, slots=True)
class ChosenLot:
    """A part of a move: so many of this lot."""

    move: Move
    lot: Lot
    quantity: int


def spots_of(moves: Sequence[Move]) -> list[Spot]:
    """The pools that moves touch."""
    return [Spot(place.account_id, place.pk, move.tag) for move in moves for place in (move.source, move.target)]


def asked_of(moves: Sequence[Move]) -> dict[tuple[int, int], int]:
    """How much is taken from each (virtual account, tag)."""
    asked: dict[tuple[int, int], int] = defaultdict(int)
    for move in moves:
        asked[move.source.pk, move.tag.pk] += move.quantity
    return asked


def carry(
    book: Book, entry: Entry, moves: Sequence[Move], choice: Choice, holder_place: PlaceRow | None = None
) -> list[ChosenLot]:
    """Choose lots and move them, in the order of the moves, as far as there are lots: `gaps_of` tells what lacks.

    They go where their time says in the target, or to the place of a holder. Raises NotFound for a lot that does not
    lie in the source.
    """
    store = Store(book)
    named = store.load_lots([move.lot_uid for move in moves if move.lot_uid], moves[0].source.account_id)
    store.load(asked_of([move for move in moves if not move.lot_uid]), choice)
    return carry_from(store, entry, moves, choice, named, holder_place)


def carry_from(
    store: Store,
    entry: Entry,
    moves: Sequence[Move],
    choice: Choice,
    named: dict[str, Lot],
    holder_place: PlaceRow | None = None,
) -> list[ChosenLot]:
    """The same with lots that are read already."""
    book = store.book
    chosen: list[ChosenLot] = []
    for move in moves:
        for lot, quantity in _parts(book, store, named, move, choice, only_on_hand=holder_place is not None):
            target = holder_place or book.place_by_time(move.target.pk, lot)
            book.move(entry, lot, book.place_by_time(move.source.pk, lot), target, quantity)
            store.put(target, lot)
            chosen.append(ChosenLot(move, lot, quantity))
    return chosen


def _parts(
    book: Book, store: Store, named: dict[str, Lot], move: Move, choice: Choice, *, only_on_hand: bool
) -> list[tuple[Lot, int]]:
    """The lots of one move. What is set aside must count now; what moves away may also be pending or ended."""
    if not move.lot_uid:
        return store.choose(move.source.pk, move.tag.pk, move.quantity, choice)
    lot = named.get(move.lot_uid)
    if lot is None or lot.tag_id != move.tag.pk:
        raise NotFound
    place = book.place_by_time(move.source.pk, lot)
    there = book.quantities[place.id, lot.pk]
    if there <= 0:
        raise NotFound
    if only_on_hand and place.kind != Place.Kind.ON_HAND:
        return []
    return [(lot, min(there, move.quantity))]


def gaps_of(moves: Sequence[Move], chosen: Sequence[ChosenLot]) -> dict[Move, int]:
    """The moves for which there were not enough lots, and how many lack."""
    carried: dict[int, int] = defaultdict(int)
    for part in chosen:
        carried[id(part.move)] += part.quantity
    return {move: gap for move in moves if (gap := move.quantity - carried[id(move)]) > 0}


def ensure_all_carried(act: str, book: Book, moves: Sequence[Move], chosen: Sequence[ChosenLot], names: Names) -> None:
    """Raise `not_enough_licenses` for the first move that found too few lots."""
    for move, gap in gaps_of(moves, chosen).items():
        pool = book.pool(move.source.pk, move.tag.pk)
        asked = move.quantity if move.lot_uid else asked_of(moves)[move.source.pk, move.tag.pk]
        available = move.quantity - gap if move.lot_uid else pool.before.available
        raise not_enough_licenses(
            act,
            virtual_account=names(move.source.pk),
            sku=move.tag.sku,
            asked=asked,
            available=available,
            missing=max(gap, asked - available),
            lot=move.lot_uid or "",
        )
