"""Lots arrive, with or without a destination, and are assigned to virtual accounts later (S17, S20)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.statements import chunks
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.door import ensure_lines, ensure_of
from daicho.domain.ledger.errors import ends_before_start, unassigned_not_enough
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.locking import load_outside, lock_holdings
from daicho.domain.ledger.models import Entry, Lot, Place
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class NewLot:
    """What was bought. Without a virtual account it waits, unassigned. It counts in [start_at, end_at)."""

    tag: LicenseTag
    quantity: int
    kind: str
    start_at: dt.datetime
    end_at: dt.datetime | None
    virtual_account: VirtualAccount | None = None
    billing: str = Lot.Billing.PREPAID
    order_number: str = ""
    order_line_uid: str = ""

    def content(self) -> list[Any]:
        place = self.virtual_account.uid if self.virtual_account else None
        return [self.tag.uid, self.quantity, self.kind, self.start_at, self.end_at, place, self.billing,
                self.order_number, self.order_line_uid]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deposit:
    entry: Entry
    lots: list[Lot]


@dataclass(frozen=True, slots=True)
class AssignPart:
    """So many of an unassigned lot for a virtual account."""

    lot_uid: str
    quantity: int
    virtual_account: VirtualAccount


@command(permission=None, events=("license.deposited",))
def deposit_lots(
    actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, lots: Sequence[NewLot], memo: str = ""
) -> Deposit:
    """Deposit bought licenses in an account, as one entry.

    The door is the caller's: orders decide who may record what. Raises bad_quantity, too_many_lines,
    ends_before_start, quantity_too_large (422), request_id_reused (409).
    """
    ensure_lines(lot.quantity for lot in lots)
    for lot in lots:
        if lot.end_at is not None and lot.end_at <= lot.start_at:
            raise ends_before_start()
        if lot.virtual_account is not None:
            ensure_of(account, lot.virtual_account)
    made: list[Lot] = []

    def write(book: Book, entry: Entry) -> None:
        waits = any(lot.virtual_account is None for lot in lots)
        load_outside(book, unassigned_of=account.pk if waits else None)
        made.extend(issue_lots(book, entry, account, lots))

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.DEPOSIT,
        act=Act.GIVE,
        content=[lot.content() for lot in lots],
        reach=lambda book: [
            Spot(account.pk, lot.virtual_account.pk, lot.tag) for lot in lots if lot.virtual_account is not None
        ],
        write=write,
        refuse=never_refused,
        memo=memo,
    )
    if posted.book is None:
        postings = posted.entry.postings.select_related("lot").order_by("pk")
        return Deposit(posted.entry, [posting.lot for posting in postings])
    record_moves(actor, "license.deposited", posted.entry, posted.book)
    return Deposit(posted.entry, made)


def issue_lots(book: Book, entry: Entry, account: SmartAccount, lots: Sequence[NewLot]) -> list[Lot]:
    """Make lots and lay them where their time says. The outside places must be known to the book."""
    made = Lot.objects.bulk_create(
        [
            Lot(
                account=account, tag=lot.tag, kind=lot.kind, billing=lot.billing, start_at=lot.start_at, end_at=lot.end_at,
                order_number=lot.order_number, order_line_uid=lot.order_line_uid,
            )
            for lot in lots
        ]
    )  # fmt: skip
    for lot, row in zip(lots, made, strict=True):
        book.tags[lot.tag.pk] = lot.tag
        place = (
            book.place(Place.Kind.UNASSIGNED)
            if lot.virtual_account is None
            else book.place_by_time(lot.virtual_account.pk, row)
        )
        book.move(entry, row, book.place(Place.Kind.ISSUED), place, lot.quantity)
    return made


@command(permission=Permission.ORDERS_ASSIGN, events=("license.assigned",))
def assign_unassigned(
    actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, parts: Sequence[AssignPart], memo: str = ""
) -> Entry:
    """Assign waiting licenses to virtual accounts, whole or in parts, as one entry.

    Raises not_found (an unknown lot), not_enough_licenses (409: less is unassigned), bad_quantity, request_id_reused.
    """
    ensure_may(actor, Permission.ORDERS_ASSIGN, account)
    ensure_lines(part.quantity for part in parts)
    for part in parts:
        ensure_of(account, part.virtual_account)
    lots = find_lots(account, [part.lot_uid for part in parts])

    def write(book: Book, entry: Entry) -> None:
        load_outside(book, unassigned_of=account.pk)
        unassigned = book.place(Place.Kind.UNASSIGNED)
        lock_holdings(book, unassigned, [lot.pk for lot in lots.values()])
        asked: dict[str, int] = defaultdict(int)
        waiting = {uid: book.quantities[unassigned.id, lot.pk] for uid, lot in lots.items()}
        for part in parts:
            asked[part.lot_uid] += part.quantity
        for uid, quantity in asked.items():
            if waiting[uid] < quantity:
                raise unassigned_not_enough(lots[uid].tag.sku, uid, quantity, waiting[uid])
        for part in parts:
            lot = lots[part.lot_uid]
            book.move(entry, lot, unassigned, book.place_by_time(part.virtual_account.pk, lot), part.quantity)

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.ASSIGN_ORDER,
        act=Act.GIVE,
        content=[[part.lot_uid, part.quantity, part.virtual_account.uid] for part in parts],
        reach=lambda book: [Spot(account.pk, part.virtual_account.pk, lots[part.lot_uid].tag) for part in parts],
        write=write,
        refuse=never_refused,
        memo=memo,
    )
    if posted.book is not None:
        record_moves(actor, "license.assigned", posted.entry, posted.book)
    return posted.entry


def find_lots(account: SmartAccount, uids: Sequence[str]) -> dict[str, Lot]:
    """Lots of the account with their tags, by handle; NotFound if one is missing."""
    found: dict[str, Lot] = {}
    for part in chunks(sorted(set(uids))):
        rows = Lot.objects.filter(account=account, uid__in=part).select_related("tag")
        found |= {lot.uid: lot for lot in rows}
    if len(found) < len(set(uids)):
        raise NotFound
    return found
