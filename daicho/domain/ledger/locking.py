"""Lock what an act touches, always in the same order: units by id, virtual accounts, pools by (virtual account, tag).

The lock of a pool guards everything in it: the holdings of its tag in its virtual account and the uses that draw on
it. So a crowd can neither deadlock nor oversell. On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from django.db.models import Q

from daicho.core.db import is_postgres
from daicho.core.errors import NotFound
from daicho.core.statements import ROWS, among, as_table, ask, chunks, fetch, instant
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Figures, PlaceRow, PoolRow, Spot, UseRow
from daicho.domain.ledger.models import Holding, Place, Pool, Unit, Use
from daicho.domain.ledger.sql import numbers

BY_TIME = (Place.Kind.PENDING, Place.Kind.ON_HAND, Place.Kind.ENDED)
OUTSIDE = (Place.Kind.ISSUED, Place.Kind.CANCELLED, Place.Kind.CONVERTED)
_FIGURES = tuple(figure.name for figure in fields(Figures))
_READ_POOLS = f"SELECT id, virtual_account_id, tag_id, {', '.join(_FIGURES)} FROM ledger_pool"  # noqa: S608
_IN_ORDER = "ORDER BY virtual_account_id, tag_id"


def hold_virtual_accounts(ids: Iterable[int]) -> None:
    """Keep virtual accounts from being deleted while lots or uses arrive there; NotFound if one is deleted already.

    The lock (FOR KEY SHARE) is the one that a foreign key takes anyway at the end; taken first, it cannot deadlock
    with a deletion, which locks the virtual account before its pools.
    """
    clause = " FOR KEY SHARE" if is_postgres() else ""
    for part in chunks(sorted(set(ids))):
        condition, parameters = among("id", part)
        statement = f"SELECT deleted_at FROM tenancy_virtualaccount WHERE {condition} ORDER BY id{clause}"  # noqa: S608
        if any(deleted_at is not None for (deleted_at,) in ask(statement, parameters)):
            raise NotFound


def lock_units(book: Book, unit_ids: Iterable[int]) -> None:
    """Lock units: nobody else changes what they use, hold, or where they are."""
    wanted = sorted(set(unit_ids))
    if wanted:
        for part in chunks(wanted):
            condition, parameters = among("id", part)
            found = fetch(Unit, f"WHERE {condition} ORDER BY id{_for_update()}", parameters)
            book.units.update({unit.pk: unit for unit in found})


def lock_pools(book: Book, spots: Iterable[Spot]) -> None:
    """Lock the pools of whole ladders, writing zeros first where there is none."""
    wanted = _whole_ladders(spots)
    if not wanted:
        return
    found = _lock_all(wanted) if len(wanted) <= ROWS else []
    if len(found) < len(wanted):
        found = _lock_each(wanted)
    _note(book, wanted, found)


def lock_free_pools(book: Book, spots: Iterable[Spot]) -> None:
    """Lock the pools that nobody else holds, whole ladders only; who waits for nobody keeps nobody waiting for longer."""
    wanted = _whole_ladders(spots)
    condition, parameters = _among_pools(wanted)
    clause = f"{_for_update()} SKIP LOCKED" if is_postgres() else ""
    found = ask(f"{_READ_POOLS} WHERE {condition} {_IN_ORDER}{clause}", parameters) if wanted else []
    missing = wanted.keys() - {(row[1], row[2]) for row in found}
    cut = {(key[0], ladder) for key in missing if (ladder := wanted[key].tag.ladder_id) is not None}
    _note(book, wanted, [row for row in found if (row[1], wanted[row[1], row[2]].tag.ladder_id) not in cut])


def _note(book: Book, wanted: dict[tuple[int, int], Spot], found: Iterable[tuple[Any, ...]]) -> None:
    for number, virtual_account_id, tag_id, *counts, next_change_at, next_end_at in found:
        spot = wanted[virtual_account_id, tag_id]
        figures = Figures(*counts)
        figures.next_change_at, figures.next_end_at = instant(next_change_at), instant(next_end_at)
        book.add_pool(
            PoolRow(number, spot.account_id, virtual_account_id, spot.tag, figures, replace(figures), replace(figures))
        )


def _lock_all(wanted: dict[tuple[int, int], Spot]) -> list[tuple[Any, ...]]:
    """Lock and read in one statement, as nearly every act may; nothing if one is missing.

    Then nothing may be locked either: the missing one is inserted first, and who waits for that must hold no pool.
    """
    condition, parameters = _among_pools(wanted)
    all_there = f"(SELECT COUNT(*) FROM ledger_pool WHERE {condition}) = %s"  # noqa: S608
    statement = f"{_READ_POOLS} WHERE {condition} AND {all_there} {_IN_ORDER}{_for_update()}"
    return ask(statement, [*parameters, *parameters, len(wanted)])


def _among_pools(wanted: Iterable[tuple[int, int]]) -> tuple[str, list[Any]]:
    values, parameters = as_table(["bigint", "bigint"], sorted(wanted))
    return f"(virtual_account_id, tag_id) IN (SELECT column1, column2 FROM {values})", parameters  # noqa: S608


def _lock_each(wanted: dict[tuple[int, int], Spot]) -> list[tuple[Any, ...]]:
    ids = _pool_ids(wanted)
    if len(ids) < len(wanted):
        missing = [Pool(account_id=wanted[key].account_id, virtual_account_id=key[0], tag_id=key[1])
                   for key in sorted(wanted) if key not in ids]  # fmt: skip
        Pool.objects.bulk_create(missing, ignore_conflicts=True)
        ids = _pool_ids(wanted)
    found: list[tuple[Any, ...]] = []
    for part in chunks([ids[key] for key in sorted(wanted)]):
        condition, parameters = among("id", part)
        found += ask(f"{_READ_POOLS} WHERE {condition} {_IN_ORDER}{_for_update()}", parameters)
    return found


def _for_update() -> str:
    return " FOR NO KEY UPDATE" if is_postgres() else ""


def _whole_ladders(spots: Iterable[Spot]) -> dict[tuple[int, int], Spot]:
    """The spots and all other tiers of their ladders."""
    asked = {(spot.virtual_account_id, spot.tag.pk): spot for spot in spots}
    ladder_ids = {spot.tag.ladder_id for spot in asked.values() if spot.tag.ladder_id is not None}
    if not ladder_ids:
        return asked
    tiers: dict[int | None, list[LicenseTag]] = defaultdict(list)
    for tag in LicenseTag.objects.filter(ladder_id__in=ladder_ids):
        tiers[tag.ladder_id].append(tag)
    return asked | {
        (spot.virtual_account_id, tier.pk): Spot(spot.account_id, spot.virtual_account_id, tier)
        for spot in asked.values()
        for tier in tiers[spot.tag.ladder_id]
    }


def _pool_ids(wanted: dict[tuple[int, int], Spot]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for part in chunks(sorted(wanted)):
        values, parameters = as_table(["bigint", "bigint"], part)
        statement = (
            f"SELECT pool.id, v.column1, v.column2 FROM {values} JOIN ledger_pool AS pool"  # noqa: S608
            " ON pool.virtual_account_id = v.column1 AND pool.tag_id = v.column2"
        )
        found |= {(place, tag): number for number, place, tag in ask(statement, parameters)}
    return found


def load_places(book: Book, virtual_accounts: dict[int, int]) -> None:
    """Know the three places of each virtual account (id → account id), making those that are missing."""
    for part in chunks(sorted(virtual_accounts)):
        if _read_places(book, part) < len(part) * len(BY_TIME):
            missing = [
                Place(account_id=virtual_accounts[number], virtual_account_id=number, kind=kind)
                for number in part
                for kind in BY_TIME
                if (kind, number, 0) not in book.places
            ]
            Place.objects.bulk_create(missing, ignore_conflicts=True)
            _read_places(book, part)


def _read_places(book: Book, virtual_account_ids: Iterable[int]) -> int:
    condition, parameters = among("virtual_account_id", virtual_account_ids)
    statement = f"SELECT id, kind, virtual_account_id, holder_id FROM ledger_place WHERE {condition}"  # noqa: S608
    found = [PlaceRow(*row) for row in ask(f"{statement} AND holder_id IS NULL", parameters)]
    for place in found:
        book.places[place.kind, place.virtual_account_id or 0, 0] = place
    return len(found)


def load_outside(book: Book, *, unassigned_of: int | None = None) -> None:
    """Know the places outside of all accounts, and with an account its unassigned place; missing ones are made."""
    wanted = [Place(kind=kind) for kind in OUTSIDE]
    if unassigned_of is not None:
        wanted.append(Place(account_id=unassigned_of, kind=Place.Kind.UNASSIGNED))
    if _read_outside(book, unassigned_of) < len(wanted):
        Place.objects.bulk_create(wanted, ignore_conflicts=True)
        _read_outside(book, unassigned_of)


def _read_outside(book: Book, account_id: int | None) -> int:
    account = Q(account=None) if account_id is None else Q(account=None) | Q(account_id=account_id)
    found = Place.objects.filter(account, virtual_account=None).values_list("pk", "kind")
    for number, kind in found:
        book.places[kind, 0, 0] = PlaceRow(number, kind, None, None)
    return len(found)


def load_holder_places(book: Book, holder_ids: Iterable[int]) -> None:
    """Know where the holders hold lots."""
    rows = Place.objects.filter(holder_id__in=set(holder_ids))
    for row in rows.values_list("pk", "kind", "virtual_account_id", "holder_id"):
        place = PlaceRow(*row)
        book.places[place.kind, place.virtual_account_id or 0, place.holder_id or 0] = place


def make_holder_place(book: Book, account_id: int, kind: str, virtual_account_id: int, holder_id: int) -> PlaceRow:
    """The place of a holder in a virtual account, made if it is missing. The holder's unit must be locked."""
    key = (kind, virtual_account_id, holder_id)
    if key not in book.places:
        load_holder_places(book, [holder_id])
    if key not in book.places:
        made = Place.objects.create(
            account_id=account_id, virtual_account_id=virtual_account_id, kind=kind, holder_id=holder_id
        )
        book.places[key] = PlaceRow(made.pk, kind, virtual_account_id, holder_id)
    return book.places[key]


def lock_holdings(book: Book, place: PlaceRow, lot_ids: Iterable[int]) -> None:
    """Lock and read holdings that no pool guards: unassigned, cancelled. By lot."""
    for part in chunks(sorted(set(lot_ids))):
        rows = (
            Holding.objects.select_for_update(no_key=True).filter(place_id=place.id, lot_id__in=part).order_by("lot_id")
        )
        for lot_id, quantity in rows.values_list("lot_id", "quantity"):
            book.quantities[place.id, lot_id] = quantity


def load_uses(book: Book, unit_ids: Iterable[int], tag_ids: Iterable[int]) -> None:
    """Read what units use and hold of some tags; their pools must be locked."""
    units, tags = sorted(set(unit_ids)), sorted(set(tag_ids))
    by_id = {pool.id: pool for pool in book.pools.values()}
    for part in chunks(units):
        of_units, first = among("unit_id", part)
        of_tags, second = among("tag_id", tags)
        rows = fetch(Use, f"WHERE {of_units} AND {of_tags}", [*first, *second])
        for use in rows:
            if (pool := by_id.get(use.pool_id)) is not None:
                stored = (use.reported, use.counted, use.pool_id)
                book.uses[use.unit_id, use.tag_id] = UseRow(
                    use.pk, book.units[use.unit_id], pool.tag, pool, use.reported, use.counted, use.since, stored
                )
        held = numbers(
            "SELECT holder.unit_id, lot.tag_id, CAST(SUM(CASE WHEN line.old > line.new THEN line.old ELSE line.new END)"
            " AS bigint) FROM ledger_holder AS holder JOIN ledger_holderline AS line ON line.holder_id = holder.id"
            " JOIN ledger_lot AS lot ON lot.id = line.lot_id"
            " WHERE holder.unit_id IN (%s) AND lot.tag_id IN (%s) GROUP BY holder.unit_id, lot.tag_id",
            part,
            tags,
        )
        for unit_id, tag_id, quantity in held:
            book.held[unit_id, tag_id] = quantity
