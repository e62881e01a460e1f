"""The operator corrects a lot: the wrong one is exchanged for a right one, where it lies (ledger.md, exchanges)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.clock import end_of_day, last_day, start_of_day
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.commands.cancel import spots_of_lot
from daicho.domain.ledger.commands.deposit import NewLot
from daicho.domain.ledger.commands.lot_files import carry_what_is_kept
from daicho.domain.ledger.commands.told import tell_administrators
from daicho.domain.ledger.door import ensure_lines
from daicho.domain.ledger.errors import end_problem, ends_before_start, reason_missing
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.locking import load_outside, lock_holdings
from daicho.domain.ledger.models import Entry, Holding, Lot, Place
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.queries.held import Held, held_of
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount

# Where a wrong lot lies, in the order in which the right one takes its place.
ORDER = (Place.Kind.ON_HAND, Place.Kind.PENDING, Place.Kind.ENDED, Place.Kind.UNASSIGNED)


@dataclass(frozen=True, slots=True)
class Correction:
    """The right lot. What units hold reserved or fulfilled of the wrong one stays until it is returned."""

    entry: Entry
    lot: Lot
    held: list[Held]


def right_lot(
    lot: Lot, *, quantity: int, kind: str, end_on: dt.date | None, start_on: dt.date | None = None, billing: str = ""
) -> NewLot:
    """What should have been issued instead of `lot`, by days of its account's zone; start and billing as they were
    unless said. Raises end_required, end_not_allowed, ends_before_start (422)."""
    if (problem := end_problem(kind, has_end=end_on is not None)) is not None:
        raise problem
    zone = lot.account.time_zone
    start_at = start_of_day(start_on, zone) if start_on is not None else lot.start_at
    end_at = end_of_day(end_on, zone) if end_on is not None else None
    if end_at is not None and end_at <= start_at:
        raise ends_before_start()
    return NewLot(lot.tag, quantity, kind, start_at, end_at, billing=billing or lot.billing)


@command(permission=OperatorPermission.ORDERS, events=("license.corrected",))
def correct_lot(
    actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, lot: Lot, right: NewLot, reason: str
) -> Correction:
    """Exchange a wrong lot for a right one of the same license, place by place, as the operator, with a reason.

    `right.quantity` is what there should be outside of units' hands: it first takes the places of the wrong lot, what
    is left over goes to the unassigned; `right.virtual_account` is not used. Raises reason_missing, bad_quantity,
    ends_before_start (422), not_found.
    """
    ensure_operator(actor, OperatorPermission.ORDERS)
    if lot.account_id != account.pk or right.tag.pk != lot.tag_id:
        raise NotFound
    ensure_lines([right.quantity])
    if not reason.strip():
        raise reason_missing()
    if right.end_at is not None and right.end_at <= right.start_at:
        raise ends_before_start()

    def write(book: Book, entry: Entry) -> None:
        load_outside(book, unassigned_of=account.pk)
        book.tags[lot.tag_id] = right.tag
        made = Lot.objects.create(
            account=account, tag=right.tag, kind=right.kind, billing=right.billing, start_at=right.start_at,
            end_at=right.end_at, order_number=lot.order_number, order_line_uid=lot.order_line_uid,
        )  # fmt: skip
        entry.answer = {"lot": made.uid}
        issued, unassigned = book.place(Place.Kind.ISSUED), book.place(Place.Kind.UNASSIGNED)
        rest = right.quantity
        for place, quantity in list(_lying(book, lot)):
            book.move(entry, lot, place, book.place(Place.Kind.CONVERTED), quantity)
            part = min(rest, quantity)
            if part:
                where = place.virtual_account_id
                there = unassigned if where is None else book.place_by_time(where, made)
                book.move(entry, made, issued, there, part)
                rest -= part
        if rest:
            book.move(entry, made, issued, unassigned, rest)

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.CORRECT,
        act=Act.FACT,
        content=[lot.uid, right.content()],
        reach=lambda book: spots_of_lot(lot),
        write=write,
        refuse=never_refused,
        memo=reason,
    )
    held = held_of([lot], account.time_zone)
    if posted.book is not None:
        carry_what_is_kept(account, [lot], Lot.objects.get(uid=posted.entry.answer["lot"]))
        record_moves(actor, "license.corrected", posted.entry, posted.book)
        ends_on = last_day(right.end_at, account.time_zone).isoformat() if right.end_at else ""
        tell_administrators(
            account, posted.entry, sku=right.tag.sku, quantity=right.quantity, ends_on=ends_on,
            held=sum(one.quantity for one in held),
        )  # fmt: skip
    return Correction(posted.entry, Lot.objects.get(uid=posted.entry.answer["lot"]), held)


def _lying(book: Book, lot: Lot) -> Iterator[tuple[PlaceRow, int]]:
    unassigned = book.place(Place.Kind.UNASSIGNED)
    lock_holdings(book, unassigned, [lot.pk])
    rows = Holding.objects.filter(
        lot=lot, quantity__gt=0, place__virtual_account_id__in={place for place, _ in book.pools}, place__holder=None
    ).select_related("place")
    for row in sorted(rows, key=lambda row: (ORDER.index(Place.Kind(row.place.kind)), row.pk)):
        yield PlaceRow(row.place_id, row.place.kind, row.place.virtual_account_id, None), row.quantity
    if (waiting := book.quantities[unassigned.id, lot.pk]) > 0:
        yield unassigned, waiting
