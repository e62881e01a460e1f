"""Everything in a virtual account goes to another one in a single entry: lots, and with their use the units (S26)."""

from __future__ import annotations

import uuid

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.policy import Scope
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.commands.transfer import PoolEffect, TransferPreview
from daicho.domain.ledger.door import ensure_may_in, names_for
from daicho.domain.ledger.errors import same_virtual_account, too_many_lines
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.judging import shortage
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.ledger.locking import load_holder_places, load_uses, make_holder_place
from daicho.domain.ledger.models import Entry, Holding, Place, Pool, Unit
from daicho.domain.ledger.posting import open_book, post
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

MOVABLE = (Place.Kind.PENDING, Place.Kind.ON_HAND)


@command(permission=Permission.LICENSES_MANAGE, events=("license.transferred",))
def move_everything(
    actor: Actor,
    *,
    account: SmartAccount,
    source: VirtualAccount,
    target: VirtualAccount,
    request_id: uuid.UUID,
    memo: str = "",
) -> Entry:
    """All lots of a virtual account and all units with their use and what they hold go to another one, or nothing does.

    Ended lots stay as history. A shortage of the source becomes one of the target; enforced and export-controlled
    licenses may not become shorter there. At most 10,000 lots and 10,000 units. Raises not_enough_licenses,
    request_id_reused (409), same_virtual_account, too_many_lines (422).
    """
    scope = _ensure_may(actor, account, source, target)
    units = _units_in(source)
    names = names_for(scope, [source, target])
    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.MOVE_UNIT,  # with its uses it has no counter entry; moving back is the same act again
        act=Act.ASK,
        content=["everything", source.uid, target.uid],
        reach=lambda book: _spots(source, target),
        write=lambda book, entry: _carry_all(book, entry, source, target),
        refuse=lambda book, short: shortage(
            "transfer", book, [pool for pool in short if pool.tag.is_strict], {}, names
        ),
        units=units,
        memo=memo,
    )
    if posted.book is not None:
        record_moves(actor, "license.transferred", posted.entry, posted.book)
    return posted.entry


def preview_move_everything(
    actor: Actor, *, account: SmartAccount, source: VirtualAccount, target: VirtualAccount
) -> TransferPreview:
    """What `move_everything` would do to the balances: the act itself, taken back. `missing`: what refuses it."""
    _ensure_may(actor, account, source, target)
    places = {source.pk: source, target.pk: target}
    with transaction.atomic():
        book = open_book(lambda book: _spots(source, target), _units_in(source))
        _carry_all(book, None, source, target)
        book.reckon_all()
        effects = [
            PoolEffect(
                places[pool.virtual_account_id],
                pool.tag,
                pool.before.balance,
                pool.figures.balance,
                pool.change.missing if pool.tag.is_strict else 0,
            )
            for pool in book.pools.values()
            if pool.figures != pool.before
        ]
        transaction.set_rollback(True)
    return TransferPreview(sorted(effects, key=lambda effect: (effect.tag.sku, effect.virtual_account.pk)), [])


def _ensure_may(actor: Actor, account: SmartAccount, source: VirtualAccount, target: VirtualAccount) -> Scope:
    scope = ensure_may_in(actor, Permission.LICENSES_MANAGE, account, [source, target])
    if source.pk == target.pk:
        raise same_virtual_account()
    return scope


def _units_in(place: VirtualAccount) -> list[int]:
    units = list(Unit.objects.filter(virtual_account=place).values_list("pk", flat=True)[: MAX_LINES + 1])
    if len(units) > MAX_LINES:
        raise too_many_lines()
    return units


def _spots(source: VirtualAccount, target: VirtualAccount) -> list[Spot]:
    tags = LicenseTag.objects.filter(pk__in=Pool.objects.filter(virtual_account=source).values("tag_id"))
    return [Spot(place.account_id, place.pk, tag) for tag in tags for place in (source, target)]


def _carry_all(book: Book, entry: Entry | None, source: VirtualAccount, target: VirtualAccount) -> None:
    """Move lots, holders' lots, uses and units in the book; without an entry only the figures count (a preview)."""
    act = entry if entry is not None else Entry()
    lying = Holding.objects.filter(place__virtual_account=source, quantity__gt=0).select_related("lot", "place")
    rows = list(lying.exclude(place__kind=Place.Kind.ENDED).order_by("place_id", "lot_id")[: MAX_LINES + 1])
    if len(rows) > MAX_LINES:
        raise too_many_lines()
    load_holder_places(book, {row.place.holder_id for row in rows if row.place.holder_id})
    for row in rows:
        kind, holder_id = Place.Kind(row.place.kind), row.place.holder_id or 0
        here = book.place(kind, source.pk, holder_id)
        if kind in MOVABLE:
            there = book.place_by_time(target.pk, row.lot)
        else:
            there = make_holder_place(book, source.account_id, kind, target.pk, holder_id)
        book.move(act, row.lot, here, there, row.quantity)
    units = [unit for unit in book.units.values() if unit.virtual_account_id == source.pk]
    load_uses(book, [unit.pk for unit in units], book.tags)
    moved = {unit.pk for unit in units}
    for use in [use for use in book.uses.values() if use.unit.pk in moved]:
        before = use.pool
        book.move_use(use, book.pool(target.pk, use.tag.pk))
        if use.counted and entry is not None:
            book.note_use(
                use, before, use.counted, request_id=entry.request_id, fingerprint=entry.fingerprint,
                act=Act.ASK, cause="move", entry=entry,
            )  # fmt: skip
    if entry is not None:
        Unit.objects.filter(pk__in=moved).update(virtual_account=target)
