"""Several lots of one license become one lot with a common end, place by place (ledger.md: an exchange, class TAKE)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.clock import end_of_day, last_day, now, start_of_day, today
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import describe, record_many
from daicho.domain.ledger import rules
from daicho.domain.ledger.book import Book, PlaceRow, Spot
from daicho.domain.ledger.commands.cancel import spots_of_lot
from daicho.domain.ledger.commands.lot_files import carry_what_is_kept
from daicho.domain.ledger.commands.told import tell_administrators
from daicho.domain.ledger.errors import (
    common_end_passed,
    lot_without_end,
    lots_not_alike,
    lots_not_in_force,
    lots_too_few,
    lots_too_many,
    nothing_to_combine,
    quantity_has_changed,
    reason_missing,
)
from daicho.domain.ledger.locking import load_outside, lock_holdings
from daicho.domain.ledger.models import Entry, Holding, Lot, Place
from daicho.domain.ledger.posting import never_refused, open_book, post
from daicho.domain.ledger.queries.held import Held, held_of
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

MOST_LOTS = 500


@dataclass(frozen=True, slots=True)
class Part:
    """So many of an old lot at a place, which become part of the new lot there. No virtual account: unassigned."""

    lot: Lot
    virtual_account: VirtualAccount | None
    quantity: int
    ends_on: dt.date


@dataclass(frozen=True, slots=True)
class CoTermPreview:
    """What a common end would do. `even_on`: the end that keeps the license-days; days count today and the last day."""

    parts: list[Part]
    held: list[Held]
    quantity: int
    ends_on: dt.date
    even_on: dt.date
    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True)
class CoTerm:
    """The one new lot. What units hold reserved or fulfilled of the old ones stays as it was, until it is returned."""

    entry: Entry
    lot: Lot
    quantity: int
    ends_on: dt.date
    held: list[Held]


def preview_co_term(
    actor: Actor, *, account: SmartAccount, lots: Sequence[Lot], ends_on: dt.date | None = None
) -> CoTermPreview:
    """What `co_term_lots` would do, in numbers, and nothing of it done. Raises the same refusals."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    chosen = _chosen(account, lots)
    with transaction.atomic():
        book = open_book(lambda book: _reach(chosen))
        parts = _exchange(book, None, account, chosen, ends_on)[1]
        transaction.set_rollback(True)
    zone, first = account.time_zone, today(account.time_zone)
    quantity = sum(part.quantity for part in parts)
    even_on = _even(parts)
    end = ends_on or even_on
    places = VirtualAccount.objects.in_bulk({place for _, place, _ in _flat(parts) if place is not None})
    return CoTermPreview(
        parts=[Part(p.lot, places.get(p.place.virtual_account_id or 0), p.quantity, p.ends_on) for p in parts],
        held=held_of(chosen, zone),
        quantity=quantity,
        ends_on=end,
        even_on=even_on,
        days_before=sum(part.quantity * _days(first, part.ends_on) for part in parts),
        days_after=quantity * _days(first, end),
    )


@command(permission=OperatorPermission.ORDERS, events=("license.co_termed",))
def co_term_lots(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    lots: Sequence[Lot],
    reason: str,
    ends_on: dt.date | None = None,
    quantity: int | None = None,
) -> CoTerm:
    """Give several lots of one license one common end, as the operator, with a reason.

    Without `ends_on` the end is the quantity-weighted one, rounded up to a whole day of the account's zone, so that no
    license-day is lost. Lots are of one license, kind and billing, in force, with an end. `quantity`: what the caller
    was shown; `stale_data` (409) if it has changed. Raises reason_missing, lots_too_few, lots_too_many, lots_not_alike,
    lot_without_end, common_end_passed (422), lots_not_in_force, nothing_to_combine, request_id_reused (409), not_found.
    """
    ensure_operator(actor, OperatorPermission.ORDERS)
    if not reason.strip():
        raise reason_missing()
    chosen = _chosen(account, lots)
    parts: list[_Lying] = []

    def write(book: Book, entry: Entry) -> None:
        made, found = _exchange(book, entry, account, chosen, ends_on)
        parts.extend(found)
        total = sum(part.quantity for part in found)
        if quantity is not None and quantity != total:
            raise quantity_has_changed(quantity, total)
        entry.answer = {"lot": made.uid, "quantity": total, "ends_on": _last_day(made, account).isoformat()}

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.CO_TERM,
        act=Act.TAKE,
        content=[sorted(lot.uid for lot in chosen), ends_on, quantity],
        reach=lambda book: _reach(chosen),
        write=write,
        refuse=never_refused,
        memo=reason.strip(),
    )
    answer = posted.entry.answer
    made = Lot.objects.select_related("tag").get(uid=answer["lot"])
    held = held_of(chosen, account.time_zone)
    if posted.book is not None:
        carry_what_is_kept(account, chosen, made)
        _record(actor, account, posted.entry, made, parts)
        tell_administrators(
            account, posted.entry, sku=made.tag.sku, quantity=answer["quantity"], lots=len(chosen),
            ends_on=answer["ends_on"], held=sum(one.quantity for one in held),
        )  # fmt: skip
    return CoTerm(posted.entry, made, answer["quantity"], dt.date.fromisoformat(answer["ends_on"]), held)


@dataclass(frozen=True, slots=True)
class _Lying:
    lot: Lot
    place: PlaceRow
    quantity: int
    ends_on: dt.date


def _chosen(account: SmartAccount, lots: Sequence[Lot]) -> list[Lot]:
    """The lots once each, or the refusal: they must be alike and all have an end."""
    if any(lot.account_id != account.pk for lot in lots):
        raise NotFound
    chosen = sorted({lot.pk: lot for lot in lots}.values(), key=lambda lot: lot.pk)
    if len(chosen) < 2:
        raise lots_too_few()
    if len(chosen) > MOST_LOTS:
        raise lots_too_many(MOST_LOTS)
    if len({(lot.tag_id, lot.kind, lot.billing) for lot in chosen}) > 1:
        raise lots_not_alike()
    if any(lot.end_at is None for lot in chosen):
        raise lot_without_end()
    return chosen


def _reach(lots: Sequence[Lot]) -> list[Spot]:
    return [spot for lot in lots for spot in spots_of_lot(lot)]


def _exchange(
    book: Book, entry: Entry | None, account: SmartAccount, lots: Sequence[Lot], ends_on: dt.date | None
) -> tuple[Lot, list[_Lying]]:
    """Convert what nobody holds of the old lots, and issue as much of the new one at the same places."""
    if any(lot.start_at > book.at or (lot.end_at is not None and lot.end_at <= book.at) for lot in lots):
        raise lots_not_in_force()
    load_outside(book, unassigned_of=account.pk)
    parts = _lying(book, account, lots)
    if not parts:
        raise nothing_to_combine()
    end_at = end_of_day(ends_on or _even(parts), account.time_zone)
    if end_at <= book.at:
        raise common_end_passed()
    first = lots[0]
    same_order = len({(lot.order_number, lot.order_line_uid) for lot in lots}) == 1
    made = Lot.objects.create(
        account=account, tag=first.tag, kind=first.kind, billing=first.billing,
        start_at=start_of_day(today(account.time_zone), account.time_zone), end_at=end_at,
        order_number=first.order_number if same_order else "", order_line_uid=first.order_line_uid if same_order else "",
    )  # fmt: skip
    if entry is None:  # a preview: only the figures are wanted
        return made, parts
    issued, converted = book.place(Place.Kind.ISSUED), book.place(Place.Kind.CONVERTED)
    book.tags[made.tag_id] = made.tag
    for part in parts:
        book.move(entry, part.lot, part.place, converted, part.quantity)
    together: dict[PlaceRow, int] = defaultdict(int)
    for part in parts:
        together[part.place] += part.quantity
    for place, quantity in together.items():
        book.move(entry, made, issued, place, quantity)
    return made, parts


def _lying(book: Book, account: SmartAccount, lots: Sequence[Lot]) -> list[_Lying]:
    """Where the lots lie that no unit holds: on hand in locked pools, and unassigned."""
    by_id = {lot.pk: lot for lot in lots}
    unassigned = book.place(Place.Kind.UNASSIGNED)
    lock_holdings(book, unassigned, by_id)
    rows = Holding.objects.filter(
        lot__in=by_id, quantity__gt=0, place__kind=Place.Kind.ON_HAND,
        place__virtual_account_id__in={place for place, _ in book.pools},
    ).order_by("lot_id", "pk").select_related("place")  # fmt: skip
    found = [
        _Lying(by_id[row.lot_id], PlaceRow(row.place_id, row.place.kind, row.place.virtual_account_id, None),
               row.quantity, _last_day(by_id[row.lot_id], account))
        for row in rows
    ]  # fmt: skip
    return found + [
        _Lying(lot, unassigned, waiting, _last_day(lot, account))
        for lot in lots
        if (waiting := book.quantities[unassigned.id, lot.pk]) > 0
    ]


def _last_day(lot: Lot, account: SmartAccount) -> dt.date:
    return last_day(lot.end_at or now(), account.time_zone)


def _even(parts: Sequence[_Lying]) -> dt.date:
    return rules.common_end((part.quantity, part.ends_on) for part in parts)


def _days(first: dt.date, last: dt.date) -> int:
    return max(0, (last - first).days + 1)


def _flat(parts: Sequence[_Lying]) -> list[tuple[Lot, int | None, int]]:
    return [(part.lot, part.place.virtual_account_id, part.quantity) for part in parts]


def _record(actor: Actor, account: SmartAccount, entry: Entry, made: Lot, parts: Sequence[_Lying]) -> None:
    """One line for each virtual account (and one for the unassigned): how many, their ends before, the common end."""
    quantities: dict[int | None, int] = defaultdict(int)
    ends: dict[int | None, set[str]] = defaultdict(set)
    for lot, place, quantity in _flat(parts):
        quantities[place] += quantity
        ends[place].add(lot.end_at.isoformat() if lot.end_at else "")
    record_many(
        describe(
            actor, "license.co_termed", account_id=account.pk, virtual_account_id=place, subject=made.tag.sku,
            subject_uid=entry.uid, before={"ends_at": sorted(ends[place])[:10]},
            after={"quantity": quantity, "ends_at": made.end_at.isoformat() if made.end_at else ""}, memo=entry.memo,
        )
        for place, quantity in quantities.items()
    )  # fmt: skip
