"""Bought licenses are taken back: cancelled as far as they are spare, or revoked by the operator, whatever uses them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.book import Book, PlaceRow, Spot
from daicho.domain.ledger.commands.told import tell_administrators
from daicho.domain.ledger.door import ensure_of
from daicho.domain.ledger.errors import nothing_to_revoke, reason_missing
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.locking import load_outside, lock_holdings
from daicho.domain.ledger.models import Entry, Holding, Lot, Place
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.queries.held import Held, held_of
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

LEFT = (Place.Kind.UNASSIGNED, Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How many were cancelled and how many of the lot are left; no entry if none could be."""

    entry: Entry | None
    cancelled: int
    left: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """How many were revoked; what units hold reserved or fulfilled stays until it is returned."""

    entry: Entry
    revoked: int
    left: int
    held: list[Held]


@dataclass(frozen=True, slots=True)
class Lying:
    """So many of a lot at a place from which it may be taken back."""

    place: PlaceRow
    quantity: int


@command(permission=None, events=("license.cancelled",))
def cancel_lot(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    lot: Lot,
    virtual_account: VirtualAccount | None = None,
    memo: str = "",
) -> Cancellation:
    """Cancel a lot as far as nobody needs it, and say what is left.

    Takes what is unassigned or has not started, then what is spare in the named virtual account, then in the others.
    The door is the caller's. Raises request_id_reused (409).
    """
    if lot.account_id != account.pk:
        raise NotFound
    if virtual_account is not None:
        ensure_of(account, virtual_account)

    def write(book: Book, entry: Entry) -> None:
        load_outside(book, unassigned_of=account.pk)
        cancelled = 0
        for lying in _lying(book, lot, first=virtual_account):
            part = lying.quantity
            if lying.place.kind == Place.Kind.ON_HAND:
                book.reckon_all()
                part = min(part, book.pool(lying.place.virtual_account_id or 0, lot.tag_id).figures.available)
            if part:
                book.move(entry, lot, lying.place, book.place(Place.Kind.CANCELLED), part)
                cancelled += part
        if not cancelled:
            raise _NothingSpare
        entry.answer = {"cancelled": cancelled}

    try:
        with transaction.atomic():
            posted = post(
                actor,
                account=account,
                request_id=request_id,
                kind=Entry.Kind.CANCEL,
                act=Act.TAKE,
                content=[lot.uid, virtual_account.uid if virtual_account else None],
                reach=lambda book: spots_of_lot(lot),
                write=write,
                refuse=never_refused,
                memo=memo,
            )
    except _NothingSpare:
        return Cancellation(None, 0, _left(lot))
    if posted.book is not None:
        record_moves(actor, "license.cancelled", posted.entry, posted.book)
        posted.entry.answer["left"] = _left(lot)
        posted.entry.save(update_fields=["answer"])
    return Cancellation(posted.entry, posted.entry.answer["cancelled"], posted.entry.answer["left"])


@command(permission=OperatorPermission.ORDERS, events=("license.revoked",))
def revoke_lot(actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, lot: Lot, reason: str) -> Revocation:
    """Revoke all of a lot that is unassigned, pending or on hand, as the operator, with a reason.

    Use is not touched: what was covered by the lot shows as a shortage. Raises reason_missing (422), nothing_to_revoke
    (409), not_found.
    """
    ensure_operator(actor, OperatorPermission.ORDERS)
    if lot.account_id != account.pk:
        raise NotFound
    if not reason.strip():
        raise reason_missing()

    def write(book: Book, entry: Entry) -> None:
        load_outside(book, unassigned_of=account.pk)
        revoked = 0
        for lying in _lying(book, lot):
            book.move(entry, lot, lying.place, book.place(Place.Kind.CANCELLED), lying.quantity)
            revoked += lying.quantity
        if not revoked:
            raise nothing_to_revoke()
        entry.answer = {"revoked": revoked}

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.REVOKE,
        act=Act.FACT,
        content=[lot.uid],
        reach=lambda book: spots_of_lot(lot),
        write=write,
        refuse=never_refused,
        memo=reason,
    )
    if posted.book is not None:
        record_moves(actor, "license.revoked", posted.entry, posted.book)
        tell_administrators(
            account, posted.entry, sku=lot.tag.sku, quantity=posted.entry.answer["revoked"], held=_left(lot)
        )
    held = held_of([lot], account.time_zone)
    return Revocation(posted.entry, posted.entry.answer["revoked"], _left(lot), held)


def spots_of_lot(lot: Lot) -> list[Spot]:
    """The pools in which a lot lies."""
    places = (
        Holding.objects.filter(lot=lot, quantity__gt=0, place__virtual_account__isnull=False)
        .values_list("place__virtual_account_id", flat=True)
        .distinct()
    )
    return [Spot(lot.account_id, place, lot.tag) for place in places if place is not None]


def _lying(book: Book, lot: Lot, *, first: VirtualAccount | None = None) -> Iterator[Lying]:
    """Where the lot lies that no unit holds: unassigned, pending, on hand; on hand in `first` before the others."""
    book.tags[lot.tag_id] = lot.tag
    unassigned = book.place(Place.Kind.UNASSIGNED)
    lock_holdings(book, unassigned, [lot.pk])
    if (waiting := book.quantities[unassigned.id, lot.pk]) > 0:
        yield Lying(unassigned, waiting)
    rows = Holding.objects.filter(
        lot=lot,
        quantity__gt=0,
        place__kind__in=(Place.Kind.PENDING, Place.Kind.ON_HAND),
        place__virtual_account_id__in={place for place, _ in book.pools},
    ).select_related("place")
    named = first.pk if first else None
    for row in sorted(
        rows, key=lambda row: (row.place.kind, row.place.virtual_account_id == named, -row.pk), reverse=True
    ):  # pending before on hand, the named virtual account before others, older holdings first
        yield Lying(PlaceRow(row.place_id, row.place.kind, row.place.virtual_account_id, None), row.quantity)


def _left(lot: Lot) -> int:
    found = Holding.objects.filter(lot=lot, place__kind__in=LEFT).aggregate(total=Sum("quantity"))["total"]
    return int(found or 0)


class _NothingSpare(Exception):
    """Nothing of the lot can be cancelled, so no entry is made."""
