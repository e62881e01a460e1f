"""Lots by the thousand: the same deposit, written by COPY instead of row by row.

New lots lie nowhere yet, so their holdings are inserted, never added to; what a pool gains is added up per pool and time
before the book hears of it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.ids import new_uids
from daicho.core.statements import copy_rows, new_ids
from daicho.domain.ledger.book import Book, LotMove, PlaceRow, Spot
from daicho.domain.ledger.commands.deposit import NewLot
from daicho.domain.ledger.door import ensure_lines, ensure_of
from daicho.domain.ledger.errors import ends_before_start
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.locking import load_outside
from daicho.domain.ledger.models import Entry, Holding, Lot, Place, Posting
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount

LOT = ("id", "uid", "account", "tag", "kind", "billing", "start_at", "end_at", "order_number", "order_line_uid")


class Pile(NamedTuple):
    """Lots that a pool cannot tell apart: laid down together."""

    place: PlaceRow
    tag_id: int
    billing: str
    start_at: dt.datetime
    end_at: dt.datetime | None


@command(permission=None, events=("license.deposited",))
def deposit_many(
    actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, lots: Sequence[NewLot], content: Any, memo: str = ""
) -> list[int]:
    """Deposit thousands of bought licenses in an account, as one entry; returns the ids of the lots, in their order.

    The door is the caller's, and so is the promise that no lot ends before it starts. `content` stands for the lots when
    the request is told from another one. A repeated request gives no ids. Raises bad_quantity, too_many_lines,
    quantity_too_large (422), request_id_reused (409).
    """
    ensure_lines(lot.quantity for lot in lots)
    places = {lot.virtual_account.id: lot.virtual_account for lot in lots if lot.virtual_account is not None}
    for place in places.values():
        ensure_of(account, place)
    spots = {
        (lot.virtual_account.id, lot.tag.id): Spot(account.id, lot.virtual_account.id, lot.tag)
        for lot in lots
        if lot.virtual_account is not None
    }
    ids: list[int] = []
    moves: list[LotMove] = []

    def write(book: Book, entry: Entry) -> None:
        waits = any(lot.virtual_account is None for lot in lots)
        load_outside(book, unassigned_of=account.pk if waits else None)
        ids.extend(new_ids(Lot, len(lots)))
        moves.extend(_lay_down(book, entry, account, lots, ids))

    posted = post(
        actor, account=account, request_id=request_id, kind=Entry.Kind.DEPOSIT, act=Act.GIVE, content=content,
        reach=lambda book: spots.values(), write=write, refuse=never_refused, memo=memo,
    )  # fmt: skip
    if posted.book is not None:
        posted.book.tags |= {lot.tag.id: lot.tag for lot in lots}
        posted.book.moves.extend(moves)  # written already: only told
        record_moves(actor, "license.deposited", posted.entry, posted.book)
    return ids


def _lay_down(
    book: Book, entry: Entry, account: SmartAccount, lots: Sequence[NewLot], ids: Sequence[int]
) -> list[LotMove]:
    """Write the lots where their time says; returns what the pools gained, pile by pile."""
    issued, account_id, entry_id = book.place(Place.Kind.ISSUED), account.id, entry.id
    piles: dict[Pile, int] = defaultdict(int)
    where: dict[tuple[int, dt.datetime, dt.datetime | None], PlaceRow] = {}
    lot_rows, posting_rows, holding_rows = [], [], []
    for number, uid, lot in zip(ids, new_uids(len(ids)), lots, strict=True):
        start_at, end_at = lot.start_at, lot.end_at
        at = lot.virtual_account.id if lot.virtual_account is not None else 0
        place = where.get((at, start_at, end_at))
        if place is None:
            place = where[at, start_at, end_at] = _place(book, at, lot)
        tag_id, quantity = lot.tag.id, lot.quantity
        piles[Pile(place, tag_id, lot.billing, start_at, end_at)] += quantity
        lot_rows.append(
            (number, uid, account_id, tag_id, lot.kind, lot.billing, start_at, end_at, lot.order_number, lot.order_line_uid)
        )  # fmt: skip
        posting_rows.append((account_id, entry_id, number, issued.id, place.id, quantity))
        holding_rows.append((account_id, issued.id, number, True, -quantity))
        holding_rows.append((account_id, place.id, number, False, quantity))
    moves = [
        LotMove(entry, Lot(account_id=account_id, tag_id=pile.tag_id, billing=pile.billing, start_at=pile.start_at,
                           end_at=pile.end_at), issued, pile.place, quantity)
        for pile, quantity in piles.items()
    ]  # fmt: skip
    for move in moves:
        book.lay(move.lot, move.target, move.quantity)
    copy_rows(Lot, LOT, lot_rows)
    copy_rows(Posting, ("account", "entry", "lot", "source", "target", "quantity"), posting_rows)
    copy_rows(Holding, ("account", "place", "lot", "is_issue", "quantity"), holding_rows)
    return moves


def _place(book: Book, virtual_account_id: int, lot: NewLot) -> PlaceRow:
    if lot.end_at is not None and lot.end_at <= lot.start_at:
        raise ends_before_start()
    if not virtual_account_id:
        return book.place(Place.Kind.UNASSIGNED)
    return book.place_by_time(virtual_account_id, Lot(start_at=lot.start_at, end_at=lot.end_at))
