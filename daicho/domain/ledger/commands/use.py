"""Licenses are used by hand: assigned to a device, released, re-used on another, moved with it (S1, S19)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.policy import Scope, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import record_many
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.batch import Decided, Refusal, UseAnswer, UseRequest, decide
from daicho.domain.ledger.book import Book, Spot, UseStep
from daicho.domain.ledger.carrying import Move, asked_of, carry, ensure_all_carried
from daicho.domain.ledger.door import ensure_lines, ensure_may_in, ensure_of, names_for
from daicho.domain.ledger.errors import (
    more_than_in_use,
    not_enough_licenses,
    quantity_too_large,
    request_id_reused,
    same_unit,
    same_virtual_account,
)
from daicho.domain.ledger.events import describe_uses, record_moves, record_uses
from daicho.domain.ledger.judging import Names, shortage
from daicho.domain.ledger.locking import load_uses
from daicho.domain.ledger.models import Entry, Unit
from daicho.domain.ledger.posting import post
from daicho.domain.ledger.rules import Act, Choice
from daicho.domain.ledger.units import carry_unit, tags_of
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

CAUSES = {Act.TAKE: "assign", Act.GIVE: "release"}
KINDS = {Act.TAKE: "license.used", Act.GIVE: "license.released"}


@dataclass(frozen=True, slots=True)
class UseLine:
    """So many of a license."""

    tag: LicenseTag
    quantity: int


def create_unit(account: SmartAccount, virtual_account: VirtualAccount, kind: str) -> Unit:
    """The ledger's row for something that draws licenses, in the caller's transaction."""
    ensure_of(account, virtual_account)
    return Unit.objects.create(account=account, virtual_account=virtual_account, kind=kind)


@command(permission=Permission.LICENSES_MANAGE, events=("license.used",))
def assign_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    unit: Unit,
    request_id: uuid.UUID,
    lines: Sequence[UseLine],
    memo: str = "",
    subject: str = "",
) -> None:
    """Assign spare licenses of a device's virtual account to it, all lines or none.

    `subject` is what people call the device. Raises not_enough_licenses, request_id_reused (409), bad_quantity (422).
    """
    scope = _ensure_may_use(actor, account, unit, lines)
    decided = _decide(unit, request_id, Act.TAKE, lines, names_for(scope, [unit.virtual_account]))
    record_uses(actor, KINDS[Act.TAKE], decided.book, subject=subject, memo=memo)


@command(permission=Permission.LICENSES_MANAGE, events=("license.released",))
def release_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    unit: Unit,
    request_id: uuid.UUID,
    lines: Sequence[UseLine],
    memo: str = "",
    subject: str = "",
) -> None:
    """Release licenses that a device uses, so that they are spare again.

    Raises bad_quantity (422: more than it uses), request_id_reused (409).
    """
    scope = _ensure_may_use(actor, account, unit, lines)
    decided = _decide(unit, request_id, Act.GIVE, lines, names_for(scope, [unit.virtual_account]))
    record_uses(actor, KINDS[Act.GIVE], decided.book, subject=subject, memo=memo)


@command(permission=Permission.LICENSES_MANAGE, events=("license.reused",))
def reuse_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    source: Unit,
    target: Unit,
    request_id: uuid.UUID,
    lines: Sequence[UseLine],
    memo: str = "",
) -> Entry:
    """Take licenses from one device and use them on another, in one act; across virtual accounts they are transferred.

    Raises not_enough_licenses, request_id_reused (409), bad_quantity, same_device (422).
    """
    ensure_lines(line.quantity for line in lines)
    for unit in (source, target):
        if unit.account_id != account.pk:
            raise NotFound
    scope = ensure_may_in(actor, Permission.LICENSES_MANAGE, account, [source.virtual_account, target.virtual_account])
    if source.pk == target.pk:
        raise same_unit()
    places = {place.pk: place for place in (source.virtual_account, target.virtual_account)}
    names = names_for(scope, places.values())
    tags = {line.tag.pk: line.tag for line in lines}

    def moves_of(book: Book) -> list[Move]:
        here, there = (places[_whereabouts(book, unit, places)] for unit in (source, target))
        return [] if here.pk == there.pk else [Move(here, there, line.tag, line.quantity) for line in lines]

    def reach(book: Book) -> list[Spot]:
        return [
            Spot(account.pk, _whereabouts(book, unit, places), tag)
            for unit in (source, target)
            for tag in tags.values()
        ]

    def write(book: Book, entry: Entry) -> None:
        entry.answer = {
            "source": source.uid,
            "target": target.uid,
            "lines": [[line.tag.pk, line.quantity] for line in lines],
        }
        load_uses(book, [source.pk, target.pk], tags)
        for line in lines:
            shift_use(book, entry, book.units[source.pk], line.tag, -line.quantity, Act.TAKE, "release")
        moves = moves_of(book)
        if moves:
            ensure_all_carried("reuse", book, moves, carry(book, entry, moves, Choice.SOONEST_END), names)
        for line in lines:
            shift_use(book, entry, book.units[target.pk], line.tag, line.quantity, Act.TAKE, "assign")

    asked: dict[tuple[int, int], int] = defaultdict(int)
    for line in lines:
        asked[target.virtual_account_id, line.tag.pk] += line.quantity
    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.REUSE,
        act=Act.TAKE,
        content=[source.uid, target.uid, [[line.tag.uid, line.quantity] for line in lines]],
        reach=reach,
        write=write,
        refuse=lambda book, short: shortage("reuse", book, short, asked | asked_of(moves_of(book)), names),
        units=[source.pk, target.pk],
        memo=memo,
    )
    if posted.book is not None:
        record_moves(actor, "license.reused", posted.entry, posted.book)
        record_uses(actor, "license.reused", posted.book, memo=memo)
    return posted.entry


@command(permission=Permission.LICENSES_MANAGE, events=("license.transferred",))
def move_unit(
    actor: Actor,
    *,
    account: SmartAccount,
    unit: Unit,
    target: VirtualAccount,
    request_id: uuid.UUID,
    memo: str = "",
) -> Entry:
    """Move a device to another virtual account: its use draws there from now on, and what it holds reserved comes along.

    Its use is counted there even when that makes a shortage; enforced and export-controlled licenses must suffice.
    The caller records the device's own event. Raises not_enough_licenses, request_id_reused (409),
    same_virtual_account (422).
    """
    if unit.account_id != account.pk:
        raise NotFound
    scope = ensure_may_in(actor, Permission.LICENSES_MANAGE, account, [unit.virtual_account, target])

    def reach(book: Book) -> list[Spot]:
        here = book.units[unit.pk].virtual_account_id
        tags = LicenseTag.objects.filter(pk__in=tags_of(unit))
        return [Spot(account.pk, place, tag) for tag in tags for place in (here, target.pk)]

    def write(book: Book, entry: Entry) -> None:
        moved = book.units[unit.pk]
        if moved.virtual_account_id == target.pk:
            raise same_virtual_account()
        load_uses(book, [unit.pk], book.tags)
        carry_unit(book, entry, moved, target)

    names = names_for(scope, [unit.virtual_account, target])
    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.MOVE_UNIT,
        act=Act.ASK,
        content=[unit.uid, target.uid],
        reach=reach,
        write=write,
        refuse=lambda book, short: shortage(
            "move_unit", book, [pool for pool in short if pool.tag.is_strict], {}, names
        ),
        units=[unit.pk],
        memo=memo,
    )
    if posted.book is not None:
        unit.virtual_account = target
        record_moves(actor, "license.transferred", posted.entry, posted.book)
    return posted.entry


def shift_use(book: Book, entry: Entry, unit: Unit, tag: LicenseTag, difference: int, act: Act, cause: str) -> None:
    """Add to (or take from) what a unit reports, as a part of an entry; raises bad_quantity below zero."""
    use = book.use_of(unit, tag)
    if use.reported + difference < 0:
        raise more_than_in_use(tag.sku, use.reported)
    before = use.counted
    book.set_use(use, use.reported + difference)
    book.note_use(
        use, use.pool, before, request_id=entry.request_id, fingerprint=entry.fingerprint,
        act=act, cause=cause, entry=entry,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UseAsk:
    """What one of many wants: the arguments of `assign_licenses` (act TAKE) or `release_licenses` (act GIVE)."""

    actor: Actor
    account: SmartAccount
    unit: Unit
    request_id: uuid.UUID
    act: Act
    lines: Sequence[UseLine]
    memo: str = ""
    subject: str = ""

    def request(self) -> UseRequest:
        lines = tuple((line.tag, line.quantity) for line in self.lines)
        return UseRequest(self.unit.pk, self.request_id, self.act, lines, CAUSES[self.act])


def use_many(asks: Sequence[UseAsk]) -> list[bool | BusinessError]:
    """Assign and release in the caller's transaction for many that wait for one another, in order.

    True: done. A refused one wrote nothing and fails nobody. False: a request that was made before, for the single
    command to answer.
    """
    scopes: dict[int, Scope] = {}
    done: list[bool | BusinessError] = [False] * len(asks)
    for number, one in enumerate(asks):
        try:
            scopes[number] = _ensure_may_use(one.actor, one.account, one.unit, one.lines)
        except BusinessError as refusal:
            done[number] = refusal
    numbers, events = iter(scopes), list[Event]()

    def each(given: UseAnswer, steps: list[UseStep]) -> None:
        number = next(numbers)
        one = asks[number]
        done[number] = given.is_granted and not given.is_repeated
        if given.refusals and not given.is_repeated:
            names = names_for(scopes[number], [one.unit.virtual_account])
            done[number] = _refused(given.refusals[0], one.act, names)
        events.extend(describe_uses(one.actor, KINDS[one.act], steps, subject=one.subject, memo=one.memo))

    if scopes:
        decide([asks[number].request() for number in scopes], each)
        record_many(events)
    return done


def _ensure_may_use(actor: Actor, account: SmartAccount, unit: Unit, lines: Sequence[UseLine]) -> Scope:
    ensure_lines(line.quantity for line in lines)
    if unit.account_id != account.pk:
        raise NotFound
    return ensure_may(actor, Permission.LICENSES_MANAGE, account, unit.virtual_account)


def _decide(unit: Unit, request_id: uuid.UUID, act: Act, lines: Sequence[UseLine], names: Names) -> Decided:
    """A batch of one, with refusals raised."""
    request = UseRequest(
        unit.pk, request_id, act, tuple((line.tag, line.quantity) for line in lines), CAUSES[act]
    )  # fmt: skip
    decided = decide([request])
    (given,) = decided.answers
    if given.code == "request_id_reused":
        raise request_id_reused()
    if given.refusals:
        raise _refused(given.refusals[0], act, names)
    return decided


def _refused(refusal: Refusal, act: Act, names: Names) -> BusinessError:
    if refusal.code == "bad_quantity":
        if act is Act.TAKE:
            return quantity_too_large(refusal.tag.sku)
        return more_than_in_use(refusal.tag.sku, refusal.available)
    return not_enough_licenses(
        "assign",
        virtual_account=names(refusal.virtual_account_id),
        sku=refusal.tag.sku,
        asked=refusal.asked,
        available=refusal.available,
        missing=refusal.missing,
    )


def _whereabouts(book: Book, unit: Unit, known: dict[int, VirtualAccount]) -> int:
    """Where a locked unit is; NotFound if it has just been moved to where the door was not asked."""
    place = book.units[unit.pk].virtual_account_id
    if place not in known:
        raise NotFound
    return place
