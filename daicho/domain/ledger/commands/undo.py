"""An act is undone by a counter entry, whole or not at all, once (product.md, Licenses)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import Forbidden, NotFound
from daicho.core.statements import chunks
from daicho.domain.access.policy import Scope, ensure_may, scope_of
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, PlaceRow, Spot
from daicho.domain.ledger.commands.use import shift_use
from daicho.domain.ledger.door import names_for
from daicho.domain.ledger.errors import (
    authorization_shown,
    device_has_moved,
    device_uses_less,
    no_longer_free,
    not_undoable,
    nothing_to_undo,
    virtual_account_is_gone,
)
from daicho.domain.ledger.events import record_moves, record_uses
from daicho.domain.ledger.holding_aside import lines_of, open_holder, recount
from daicho.domain.ledger.judging import Names, shortage
from daicho.domain.ledger.locking import load_outside, load_uses, lock_holdings
from daicho.domain.ledger.models import Entry, Holder, HolderLine, Holding, Place, Posting, Unit
from daicho.domain.ledger.posting import post
from daicho.domain.ledger.rules import UNDOABLE, UNDONE_BY_OPERATOR, Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

BY_TIME = {Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.ENDED}
UNGUARDED = {Place.Kind.UNASSIGNED, Place.Kind.CANCELLED}
UNASSIGNED = _("the unassigned licenses")


@dataclass(frozen=True, slots=True)
class Undone:
    """The entry that is undone and all that it touched."""

    entry: Entry
    postings: list[Posting]
    units: dict[str, Unit]
    lines: list[tuple[LicenseTag, int]] = field(default_factory=list)

    @property
    def places(self) -> dict[int, VirtualAccount]:
        sides = [place.virtual_account for posting in self.postings for place in (posting.source, posting.target)]
        sides += [unit.virtual_account for unit in self.units.values()]
        return {place.pk: place for place in sides if place is not None}

    @property
    def holders(self) -> dict[int, Holder]:
        found = [posting.target.holder for posting in self.postings]
        return {holder.pk: holder for holder in found if holder is not None}

    @property
    def unit_ids(self) -> set[int]:
        return {unit.pk for unit in self.units.values()} | {holder.unit_id for holder in self.holders.values()}


@command(permission=Permission.LICENSES_MANAGE, events=("license.undone",))
def undo_entry(actor: Actor, *, account: SmartAccount, entry_uid: str, request_id: uuid.UUID, memo: str = "") -> Entry:
    """Undo a deposit, assignment, transfer, reservation, cancellation or re-use by a counter entry, whole or not at all.

    Deposits and cancellations are the operator's to undo. A refusal names what is no longer free and may be tried
    again. Raises not_undoable, nothing_to_undo, already_undone, not_enough_licenses, request_id_reused (409).
    """
    entry = Entry.objects.filter(account=account, uid=entry_uid).first()
    if entry is None:
        raise NotFound
    undone = _read(entry)
    scope = _ensure_may(actor, account, undone)
    if entry.kind not in UNDOABLE:
        raise not_undoable()
    if not undone.postings and not undone.units:
        raise nothing_to_undo()
    if any(place.deleted_at is not None for place in undone.places.values()):
        raise virtual_account_is_gone()
    names = names_for(scope, undone.places.values())
    tags = {posting.lot.tag_id: posting.lot.tag for posting in undone.postings} | {
        tag.pk: tag for tag, _ in undone.lines
    }

    def reach(book: Book) -> list[Spot]:
        if any(unit.virtual_account_id not in undone.places for unit in book.units.values()):
            raise device_has_moved()
        return [Spot(account.pk, place, tag) for place in undone.places for tag in tags.values()]

    asked: dict[tuple[int, int], int] = defaultdict(int)
    for posting in undone.postings:
        if posting.target.virtual_account_id is not None:
            asked[posting.target.virtual_account_id, posting.lot.tag_id] += posting.quantity

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.UNDO,
        act=Act.TAKE,
        content=[entry.uid],
        reach=reach,
        write=lambda book, counter: _write(book, counter, undone, names),
        refuse=lambda book, short: shortage("undo", book, short, asked, names),
        units=undone.unit_ids,
        memo=memo,
        reverses=entry,
    )
    if posted.book is not None:
        record_moves(actor, "license.undone", posted.entry, posted.book)
        record_uses(actor, "license.undone", posted.book, memo=memo)
    return posted.entry


def _read(entry: Entry) -> Undone:
    postings = entry.postings.select_related(
        "lot__tag", "source__virtual_account", "target__virtual_account", "target__holder"
    ).order_by("pk")
    told = entry.answer if entry.kind == Entry.Kind.REUSE else {}
    units = Unit.objects.filter(account_id=entry.account_id, uid__in=[told.get("source"), told.get("target")])
    tags = LicenseTag.objects.in_bulk([tag_id for tag_id, _ in told.get("lines", [])])
    return Undone(
        entry,
        list(postings),
        {unit.uid: unit for unit in units.select_related("virtual_account")},
        [(tags[tag_id], quantity) for tag_id, quantity in told.get("lines", [])],
    )


def _ensure_may(actor: Actor, account: SmartAccount, undone: Undone) -> Scope:
    """404 to who sees no side of the entry; 403 to who sees one, but may not act on all of them."""
    scope = scope_of(actor, account)
    if undone.entry.kind in UNDONE_BY_OPERATOR and actor.is_operator:
        return scope
    permission = Permission.LICENSES_MANAGE
    if undone.entry.kind == Entry.Kind.ASSIGN_ORDER:
        ensure_may(actor, Permission.ORDERS_ASSIGN, account)
        return scope
    if not any(scope.allows(Permission.LICENSES_VIEW, place) for place in undone.places or [None]):
        raise NotFound
    if undone.entry.kind in UNDONE_BY_OPERATOR or not all(scope.allows(permission, place) for place in undone.places):
        raise Forbidden(permission)
    return ensure_may(actor, permission, account, next(iter(undone.places.values()), None))


def _write(book: Book, counter: Entry, undone: Undone, names: Names) -> None:
    load_outside(book, unassigned_of=counter.account_id)
    for posting in undone.postings:
        book.tags[posting.lot.tag_id] = posting.lot.tag
    if undone.lines:
        load_uses(book, [unit.pk for unit in undone.units.values()], [tag.pk for tag, _ in undone.lines])
        _shift(book, counter, undone, undone.entry.answer["target"], -1)
    for holder in undone.holders.values():
        if holder.shown_at is not None:
            raise authorization_shown()
        open_holder(book, holder, book.tags)
    _carry_back(book, counter, undone, names)
    for holder in undone.holders.values():
        _shrink(book, counter, undone, holder)
    if undone.lines:
        _shift(book, counter, undone, undone.entry.answer["source"], 1)


def _shift(book: Book, counter: Entry, undone: Undone, unit_uid: str, sign: int) -> None:
    unit = book.units[undone.units[unit_uid].pk]
    for tag, quantity in undone.lines:
        use = book.use_of(unit, tag)
        if use.reported + sign * quantity < 0:
            raise device_uses_less(tag.sku, quantity, use.reported)
        shift_use(book, counter, unit, tag, sign * quantity, Act.TAKE, "undo")


def _carry_back(book: Book, counter: Entry, undone: Undone, names: Names) -> None:
    """Each posting backwards: out of where the lot lies now, to where its time says."""
    back = [
        (posting, _now(book, posting.target, posting), _now(book, posting.source, posting))
        for posting in reversed(undone.postings)
    ]
    _load_quantities(book, {(here, posting.lot_id) for posting, here, _ in back})
    for posting, here, there in back:
        lacking = posting.quantity - book.quantities[here.id, posting.lot_id]
        if lacking > 0:
            where: str | Promise = names(here.virtual_account_id) if here.virtual_account_id else UNASSIGNED
            raise no_longer_free(posting.lot.tag.sku, lacking, where)
        book.move(counter, posting.lot, here, there, posting.quantity)


def _now(book: Book, place: Place, posting: Posting) -> PlaceRow:
    """Where a lot lies now that was posted to (or from) this place."""
    if place.kind in BY_TIME:
        return book.place_by_time(place.virtual_account_id or 0, posting.lot)
    return PlaceRow(place.pk, place.kind, place.virtual_account_id, place.holder_id)


def _load_quantities(book: Book, wanted: set[tuple[PlaceRow, int]]) -> None:
    by_place: dict[PlaceRow, list[int]] = defaultdict(list)
    for place, lot_id in wanted:
        by_place[place].append(lot_id)
    for place, lot_ids in sorted(by_place.items()):
        if place.kind in UNGUARDED:
            lock_holdings(book, place, lot_ids)
            continue
        for part in chunks(sorted(lot_ids)):
            rows = Holding.objects.filter(place_id=place.id, lot_id__in=part).values_list("lot_id", "quantity")
            for lot_id, quantity in rows:
                book.quantities[place.id, lot_id] = quantity


def _shrink(book: Book, counter: Entry, undone: Undone, holder: Holder) -> None:
    """A holder's lines follow what was taken out of its hands."""
    lines = lines_of(holder)
    held: dict[int, int] = defaultdict(int)
    for posting in undone.postings:
        if posting.target.holder_id == holder.pk:
            line = lines[posting.lot_id]
            line.old = max(0, line.old - posting.quantity)
            line.new = max(0, line.new - posting.quantity)
            held[posting.lot.tag_id] -= posting.quantity
    HolderLine.objects.bulk_update(lines.values(), ["old", "new"])
    recount(book, counter, holder, held, Act.TAKE, "undo")
