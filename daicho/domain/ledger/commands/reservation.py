"""Licenses are set aside for one unit: reserved or fulfilled, changed, returned. Higher rooms own what they mean."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.policy import Scope, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.carrying import Move, asked_of, carry, ensure_all_carried
from daicho.domain.ledger.commands.deposit import find_lots
from daicho.domain.ledger.door import ensure_lines, names_for
from daicho.domain.ledger.errors import bad_quantity, change_unconfirmed
from daicho.domain.ledger.events import record_moves, record_uses
from daicho.domain.ledger.holding_aside import held_at, let_go, lines_of, open_holder, place_kind, recount
from daicho.domain.ledger.judging import shortage
from daicho.domain.ledger.locking import make_holder_place
from daicho.domain.ledger.models import Entry, Holder, HolderLine, Unit
from daicho.domain.ledger.posting import Posted, never_refused, post
from daicho.domain.ledger.rules import Act, Choice
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True, slots=True)
class ReserveLine:
    """So many of a license, of one lot if it is named."""

    tag: LicenseTag
    quantity: int
    lot_uid: str | None = None


@dataclass(frozen=True, slots=True)
class HeldLot:
    """So many of a lot as a holder shall hold after a change."""

    lot_uid: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reserved:
    entry: Entry
    holder: Holder


@command(permission=Permission.LICENSES_MANAGE, events=("license.reserved",))
def reserve_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    unit: Unit,
    request_id: uuid.UUID,
    lines: Sequence[ReserveLine],
    kind: str = Holder.Kind.RESERVATION,
    choice: str = Choice.SOONEST_END,
    memo: str = "",
) -> Reserved:
    """Set spare licenses of a unit's virtual account aside for it, all lines or none.

    Raises not_enough_licenses, request_id_reused (409), bad_quantity (422), not_found for a lot that is not there.
    """
    ensure_lines(line.quantity for line in lines)
    scope = _ensure_may(actor, account, unit)
    place = unit.virtual_account
    names = names_for(scope, [place])
    moves = [Move(place, place, line.tag, line.quantity, line.lot_uid) for line in lines]
    made: list[Holder] = []

    def write(book: Book, entry: Entry) -> None:
        holder = Holder.objects.create(account=account, unit=unit, kind=kind)
        made.append(holder)
        entry.answer = {"holder": holder.pk}
        open_holder(book, holder, book.tags)
        there = make_holder_place(book, account.pk, place_kind(holder), place.pk, holder.pk)
        chosen = carry(book, entry, moves, Choice(choice), there)
        ensure_all_carried("reserve", book, moves, chosen, names)
        taken: dict[int, int] = defaultdict(int)
        held: dict[int, int] = defaultdict(int)
        for part in chosen:
            taken[part.lot.pk] += part.quantity
            held[part.lot.tag_id] += part.quantity
        HolderLine.objects.bulk_create(
            [HolderLine(holder=holder, lot_id=lot_id, old=quantity, new=quantity) for lot_id, quantity in taken.items()]
        )
        recount(book, entry, holder, held, Act.TAKE, "reserve")

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.RESERVE if kind == Holder.Kind.RESERVATION else Entry.Kind.FULFIL,
        act=Act.TAKE,
        content=[unit.uid, str(choice), [[line.tag.uid, line.quantity, line.lot_uid] for line in lines]],
        reach=lambda book: [_spot(book, unit, line.tag) for line in lines],
        write=write,
        refuse=lambda book, short: shortage("reserve", book, short, asked_of(moves), names),
        units=[unit.pk],
        memo=memo,
    )
    _record(actor, "license.reserved", posted)
    return Reserved(posted.entry, made[0] if made else Holder.objects.get(pk=posted.entry.answer["holder"]))


@command(permission=Permission.LICENSES_MANAGE, events=("license.reserved",))
def change_reservation(
    actor: Actor,
    *,
    account: SmartAccount,
    holder: Holder,
    request_id: uuid.UUID,
    lots: Sequence[HeldLot],
    memo: str = "",
) -> Entry:
    """Begin to change what a holder holds; until it is confirmed it holds the larger of old and new of each lot.

    Raises not_enough_licenses, change_unconfirmed (409: another change is not yet confirmed or withdrawn).
    """
    scope = _ensure_may(actor, account, holder.unit)
    for wanted in lots:
        if wanted.quantity < 0:
            raise bad_quantity()
    place = holder.unit.virtual_account
    names = names_for(scope, [place])
    known = find_lots(account, [wanted.lot_uid for wanted in lots])
    goal = {known[wanted.lot_uid].pk: wanted.quantity for wanted in lots}
    taken: list[Move] = []

    def write(book: Book, entry: Entry) -> None:
        lines = lines_of(holder)
        if any(line.old != line.new for line in lines.values()):
            raise change_unconfirmed()
        open_holder(book, holder, book.tags)
        there = held_at(book, holder, book.units[holder.unit_id])
        fresh = [HolderLine(holder=holder, lot=lot, old=0, new=0) for lot in known.values() if lot.pk not in lines]
        lines |= {line.lot_id: line for line in fresh}
        taken.extend(
            Move(place, place, lot.tag, more, uid)
            for uid, lot in known.items()
            if (more := goal[lot.pk] - lines[lot.pk].old) > 0
        )
        if taken:
            ensure_all_carried("reserve", book, taken, carry(book, entry, taken, Choice.SOONEST_END, there), names)
        for lot_id, line in lines.items():
            line.new = goal.get(lot_id, 0)
        HolderLine.objects.bulk_create(fresh)
        HolderLine.objects.bulk_update([line for line in lines.values() if line not in fresh], ["new"])
        held: dict[int, int] = defaultdict(int)
        for move in taken:
            held[move.tag.pk] += move.quantity
        recount(book, entry, holder, held, Act.TAKE, "reserve")

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.RESERVE,
        act=Act.TAKE,
        content=[holder.pk, [[wanted.lot_uid, wanted.quantity] for wanted in lots]],
        reach=lambda book: [
            *(_spot(book, holder.unit, lot.tag) for lot in known.values()),
            *_spots(book, holder),
        ],
        write=write,
        refuse=lambda book, short: shortage("reserve", book, short, asked_of(taken), names),
        units=[holder.unit_id],
        memo=memo,
    )
    _record(actor, "license.reserved", posted)
    return posted.entry


@command(permission=Permission.LICENSES_MANAGE, events=("license.returned",))
def confirm_change(
    actor: Actor, *, account: SmartAccount, holder: Holder, request_id: uuid.UUID, memo: str = ""
) -> Entry:
    """The change of a reservation is installed: what only the old state held is spare again."""
    return _settle_lines(actor, account, holder, request_id, "confirm", lambda line: line.new, memo)


@command(permission=Permission.LICENSES_MANAGE, events=("license.returned",))
def withdraw_change(
    actor: Actor, *, account: SmartAccount, holder: Holder, request_id: uuid.UUID, memo: str = ""
) -> Entry:
    """The change of a reservation was not installed: what only the new state held is spare again."""
    return _settle_lines(actor, account, holder, request_id, "withdraw", lambda line: line.old, memo)


@command(permission=Permission.LICENSES_MANAGE, events=("license.returned",))
def return_reservation(
    actor: Actor, *, account: SmartAccount, holder: Holder, request_id: uuid.UUID, memo: str = ""
) -> Entry:
    """A unit gives back all that was set aside for it; what it goes on using is counted again."""
    return _settle_lines(actor, account, holder, request_id, "return", lambda line: 0, memo)


def show_authorization(holder: Holder) -> None:
    """Note, in the caller's transaction, that a holder's authorization left the house: it can no longer be undone."""
    Holder.objects.filter(pk=holder.pk, shown_at=None).update(shown_at=now())


def _settle_lines(
    actor: Actor,
    account: SmartAccount,
    holder: Holder,
    request_id: uuid.UUID,
    what: str,
    final: Callable[[HolderLine], int],
    memo: str,
) -> Entry:
    """Bring each line to its final quantity and let go of the rest. A GIVE: always possible."""
    _ensure_may(actor, account, holder.unit)

    def write(book: Book, entry: Entry) -> None:
        open_holder(book, holder, book.tags)
        lines = lines_of(holder)
        held: dict[int, int] = defaultdict(int)
        for line in lines.values():
            quantity = final(line)
            spare = max(line.old, line.new) - quantity
            if spare > 0:
                let_go(book, entry, holder, line.lot, spare)
                held[line.lot.tag_id] -= spare
            line.old = line.new = quantity
        HolderLine.objects.bulk_update(lines.values(), ["old", "new"])
        recount(book, entry, holder, held, Act.GIVE, "return")

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.RETURN,
        act=Act.GIVE,
        content=[holder.pk, what],
        reach=lambda book: _spots(book, holder),
        write=write,
        refuse=never_refused,
        units=[holder.unit_id],
        memo=memo,
    )
    _record(actor, "license.returned", posted)
    return posted.entry


def _ensure_may(actor: Actor, account: SmartAccount, unit: Unit) -> Scope:
    if unit.account_id != account.pk:
        raise NotFound
    return ensure_may(actor, Permission.LICENSES_MANAGE, account, unit.virtual_account)


def _spot(book: Book, unit: Unit, tag: LicenseTag) -> Spot:
    """The pool of a locked unit; NotFound if the unit has just left the virtual account that the door was asked for."""
    place = book.units[unit.pk].virtual_account_id
    if place != unit.virtual_account_id:
        raise NotFound
    return Spot(unit.account_id, place, tag)


def _spots(book: Book, holder: Holder) -> list[Spot]:
    tags = LicenseTag.objects.filter(pk__in=HolderLine.objects.filter(holder=holder).values("lot__tag_id"))
    return [_spot(book, holder.unit, tag) for tag in tags]


def _record(actor: Actor, kind: str, posted: Posted) -> None:
    if posted.book is not None:
        record_moves(actor, kind, posted.entry, posted.book)
        record_uses(actor, kind, posted.book, memo=posted.entry.memo)
