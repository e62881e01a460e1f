"""Licenses arrive, wait unassigned, and are assigned, whole or in parts."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from daicho.core.clock import now
from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.deposit import AssignPart, NewLot, assign_unassigned, deposit_lots
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Holding, Lot, Place
from daicho.domain.tenancy.models import VirtualAccount
from tests.ledger.conftest import Ledger, refusal

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def new_lot(world, quantity=10, **fields) -> NewLot:
    given = {"tag": world.storage, "kind": "perpetual", "start_at": START, "end_at": None} | fields
    return NewLot(quantity=quantity, **given)


def deposit(ledger: Ledger, *lots: NewLot, request_id: uuid.UUID | None = None):
    world = ledger.world
    operator = world.as_(world.operator)
    return deposit_lots(operator, account=world.account, request_id=request_id or uuid.uuid4(), lots=lots, memo="PO-1")


def assign(ledger: Ledger, *parts: AssignPart, actor=None, request_id: uuid.UUID | None = None) -> Entry:
    return assign_unassigned(
        actor or ledger.admin, account=ledger.world.account, request_id=request_id or uuid.uuid4(), parts=parts
    )


def test_a_deposit_lands_where_its_time_says(ledger: Ledger) -> None:
    world = ledger.world
    tomorrow, yesterday = now() + dt.timedelta(days=1), now() - dt.timedelta(days=1)
    done = deposit(
        ledger,
        new_lot(world, 5, virtual_account=world.osaka),
        new_lot(
            world, 6, virtual_account=world.osaka, start_at=tomorrow, kind="term", end_at=tomorrow + dt.timedelta(1)
        ),
        new_lot(world, 7, virtual_account=world.osaka, kind="term", end_at=yesterday),
        new_lot(world, 8),
    )
    kinds = dict(Holding.objects.filter(quantity__gt=0).values_list("lot_id", "place__kind"))
    assert [kinds[lot.pk] for lot in done.lots] == ["on_hand", "pending", "ended", "unassigned"]
    pool = world.pool(world.osaka, world.storage)
    assert (pool.on_hand, pool.pending, pool.next_change_at) == (5, 6, tomorrow)
    events = Event.objects.filter(kind="license.deposited")
    assert {event.virtual_account_id for event in events} == {world.osaka.pk, None}
    assert {event.memo for event in events} == {"PO-1"}


def test_the_same_deposit_again_answers_with_the_same_lots(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    lots = [new_lot(world, 5, virtual_account=world.osaka), new_lot(world, 6)]
    first = deposit(ledger, *lots, request_id=request_id)
    again = deposit(ledger, *lots, request_id=request_id)
    assert (again.entry, again.lots) == (first.entry, first.lots)
    assert Event.objects.filter(kind="license.deposited").count() == 2
    error = refusal(lambda: deposit(ledger, new_lot(world, 7), request_id=request_id))
    assert (error.code, error.http_status) == ("request_id_reused", 409)
    assert Lot.objects.count() == 2


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, True, 1.5, "3"])
def test_a_quantity_is_a_whole_number_within_bounds(ledger: Ledger, quantity: object) -> None:
    error = refusal(lambda: deposit(ledger, new_lot(ledger.world, quantity)))
    assert (error.code, error.http_status) == ("bad_quantity", 422)
    assert "9,007,199,254,740,991" in error.text()
    assert not Entry.objects.exists()


def test_the_largest_quantity_is_counted_exactly_and_no_sum_passes_it(ledger: Ledger) -> None:
    world = ledger.world
    deposit(ledger, new_lot(world, MAX_QUANTITY, virtual_account=world.osaka))
    assert world.pool(world.osaka, world.storage).on_hand == 2**53 - 1
    error = refusal(lambda: deposit(ledger, new_lot(world, 1, virtual_account=world.osaka)))
    assert error.code == "quantity_too_large"
    deposit(ledger, new_lot(world, 1, virtual_account=world.tokyo))
    assert refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.storage, 1)).code == "quantity_too_large"


def test_an_entry_takes_ten_thousand_lines_and_not_one_more(ledger: Ledger) -> None:
    world = ledger.world
    lots = [new_lot(world, 1, virtual_account=world.osaka)] * MAX_LINES
    assert refusal(lambda: deposit(ledger, *lots, lots[0])).code == "too_many_lines"
    assert len(deposit(ledger, *lots).lots) == MAX_LINES
    assert world.pool(world.osaka, world.storage).on_hand == MAX_LINES


def test_nothing_and_an_end_before_its_start_are_refused(ledger: Ledger) -> None:
    assert refusal(lambda: deposit(ledger)).code == "no_lines"
    assert refusal(lambda: deposit(ledger, new_lot(ledger.world, 1, end_at=START))).code == "ends_before_start"


def test_a_virtual_account_of_somebody_else_does_not_exist(ledger: Ledger) -> None:
    world = ledger.world
    error = refusal(lambda: deposit(ledger, new_lot(world, 1, virtual_account=world.other_default)))
    assert error.code == "not_found"


def test_nothing_arrives_where_somebody_has_just_deleted_the_virtual_account(ledger: Ledger) -> None:
    world = ledger.world
    VirtualAccount.objects.filter(pk=world.osaka.pk).update(deleted_at=now())
    assert world.osaka.deleted_at is None, "as read before the deletion"
    error = refusal(lambda: deposit(ledger, new_lot(world, 1, virtual_account=world.osaka)))
    assert error.code == "not_found"
    assert not Entry.objects.exists()


def test_a_waiting_lot_is_assigned_in_parts(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, None)
    entry = assign(ledger, AssignPart(lot.uid, 4, world.tokyo), AssignPart(lot.uid, 3, world.osaka))
    assert entry.kind == Entry.Kind.ASSIGN_ORDER
    assert world.pool(world.tokyo, world.storage).on_hand == 4
    assert world.pool(world.osaka, world.storage).on_hand == 3
    assert Holding.objects.get(place__kind=Place.Kind.UNASSIGNED, lot=lot).quantity == 3
    events = Event.objects.filter(kind="license.assigned")
    assert {event.virtual_account for event in events} == {world.tokyo, world.osaka}
    assert all(event.other_virtual_account is None for event in events)


def test_more_than_waits_is_not_assigned(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, None)
    parts = [AssignPart(lot.uid, 6, world.tokyo), AssignPart(lot.uid, 5, world.osaka)]
    error = refusal(lambda: assign(ledger, *parts))
    assert (error.code, error.data["available"], error.data["missing"]) == ("not_enough_licenses", 10, 1)
    assert "10 STO-STD are unassigned (you asked for 11)" in error.text()
    assert Holding.objects.get(place__kind=Place.Kind.UNASSIGNED, lot=lot).quantity == 10


def test_who_may_assign_orders(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, None)
    part = AssignPart(lot.uid, 1, world.osaka)
    for user, code in ((world.viewer, "forbidden"), (world.osaka_admin, "not_found"), (world.stranger, "not_found")):
        assert refusal(lambda user=user: assign(ledger, part, actor=world.as_(user))).code == code
    assign(ledger, part, actor=world.as_(world.user))


def test_a_lot_of_another_account_or_of_nobody_is_unknown(ledger: Ledger) -> None:
    world = ledger.world
    theirs = world.deposit(world.storage, 5, world.other_default)
    for uid in (theirs.uid, "0" * 13):
        assert refusal(lambda uid=uid: assign(ledger, AssignPart(uid, 1, world.osaka))).code == "not_found"
