"""Licenses are set aside for one unit, changed in two steps, and returned."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import time_machine

from daicho.core.clock import now
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.commands.reservation import (
    HeldLot,
    Reserved,
    ReserveLine,
    change_reservation,
    confirm_change,
    reserve_licenses,
    return_reservation,
    withdraw_change,
)
from daicho.domain.ledger.commands.use import move_unit
from daicho.domain.ledger.models import Entry, Holder, HolderLine, Unit, Use
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger, refusal

DAY = dt.timedelta(days=1)


def reserve(ledger: Ledger, unit: Unit, *lines: ReserveLine, **options: Any) -> Reserved:
    options.setdefault("request_id", uuid.uuid4())
    return reserve_licenses(ledger.admin, account=ledger.world.account, unit=unit, lines=lines, **options)


def on(ledger: Ledger, holder: Holder) -> dict[str, Any]:
    return {"account": ledger.world.account, "holder": holder, "request_id": uuid.uuid4()}


def lines(holder: Holder) -> dict[int, tuple[int, int]]:
    return {line.lot_id: (line.old, line.new) for line in HolderLine.objects.filter(holder=holder)}


def test_only_what_is_spare_is_reserved_and_it_stays_purchased(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    ledger.assign(world.unit(world.osaka), world.storage, 4)
    unit, request_id = world.unit(world.osaka), uuid.uuid4()
    error = refusal(lambda: reserve(ledger, unit, ReserveLine(world.storage, 7)))
    assert (error.code, error.data["available"], error.data["missing"]) == ("not_enough_licenses", 6, 1)
    assert error.text().startswith("Nothing was reserved.")
    assert not Holder.objects.exists()
    done = reserve(ledger, unit, ReserveLine(world.storage, 6), request_id=request_id)
    pool = world.pool(world.osaka, world.storage)
    assert (pool.on_hand, pool.reserved, pool.purchased, pool.balance) == (4, 6, 10, 0)
    assert reserve(ledger, unit, ReserveLine(world.storage, 6), request_id=request_id) == done


def test_what_has_not_started_is_not_reserved(ledger: Ledger) -> None:
    world = ledger.world
    later = world.deposit(world.storage, 10, world.osaka, start=now() + DAY)
    unit = world.unit(world.osaka)
    assert refusal(lambda: reserve(ledger, unit, ReserveLine(world.storage, 1))).code == "not_enough_licenses"
    error = refusal(lambda: reserve(ledger, unit, ReserveLine(world.storage, 1, later.uid)))
    assert error.code == "not_enough_licenses"


def test_a_license_file_holds_what_is_fulfilled(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    done = reserve(ledger, world.unit(world.osaka), ReserveLine(world.storage, 4), kind=Holder.Kind.LICENSE_FILE)
    assert (done.entry.kind, world.pool(world.osaka, world.storage).fulfilled) == (Entry.Kind.FULFIL, 4)


def test_an_unconfirmed_change_holds_the_larger_of_old_and_new(ledger: Ledger) -> None:
    world = ledger.world
    a, b = (world.deposit(world.storage, 10, world.osaka) for _ in range(2))
    unit = world.unit(world.osaka)
    holder = reserve(ledger, unit, ReserveLine(world.storage, 5, a.uid)).holder
    ask_many([UseRequest.ask(unit, uuid.uuid4(), [(world.storage, 9)])])
    assert Use.objects.get(unit=unit).counted == 4
    change_reservation(ledger.admin, **on(ledger, holder), lots=[HeldLot(a.uid, 2), HeldLot(b.uid, 6)])
    assert lines(holder) == {a.pk: (5, 2), b.pk: (0, 6)}
    assert world.pool(world.osaka, world.storage).reserved == 11
    assert Use.objects.get(unit=unit).counted == 0
    error = refusal(lambda: change_reservation(ledger.admin, **on(ledger, holder), lots=[]))
    assert error.code == "change_unconfirmed"
    confirm_change(ledger.admin, **on(ledger, holder))
    assert lines(holder) == {a.pk: (2, 2), b.pk: (6, 6)}
    assert Use.objects.get(unit=unit).counted == 1
    assert world.pool(world.osaka, world.storage).balance == 11


def test_a_withdrawn_change_leaves_what_was_before(ledger: Ledger) -> None:
    world = ledger.world
    a, b = (world.deposit(world.storage, 10, world.osaka) for _ in range(2))
    holder = reserve(ledger, world.unit(world.osaka), ReserveLine(world.storage, 5, a.uid)).holder
    change_reservation(ledger.admin, **on(ledger, holder), lots=[HeldLot(b.uid, 6)])
    withdraw_change(ledger.admin, **on(ledger, holder))
    assert lines(holder) == {a.pk: (5, 5), b.pk: (0, 0)}
    assert world.pool(world.osaka, world.storage).reserved == 5


def test_a_change_that_lacks_licenses_is_refused_whole(ledger: Ledger) -> None:
    world = ledger.world
    a = world.deposit(world.storage, 10, world.osaka)
    holder = reserve(ledger, world.unit(world.osaka), ReserveLine(world.storage, 5, a.uid)).holder
    error = refusal(lambda: change_reservation(ledger.admin, **on(ledger, holder), lots=[HeldLot(a.uid, 11)]))
    assert (error.code, error.data["missing"]) == ("not_enough_licenses", 1)
    assert lines(holder) == {a.pk: (5, 5)}


def test_a_return_gives_all_back_and_use_is_counted_again(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    unit = world.unit(world.osaka)
    holder = reserve(ledger, unit, ReserveLine(world.storage, 10)).holder
    ask_many([UseRequest.ask(unit, uuid.uuid4(), [(world.storage, 8)])])
    act = on(ledger, holder)
    entry = return_reservation(ledger.admin, **act)
    assert return_reservation(ledger.admin, **act) == entry
    assert ledger.figures(world.osaka, world.storage) == (10, 8, 2)


def test_what_was_returned_is_reserved_again_where_the_unit_has_moved(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    lot = world.deposit(world.storage, 5, world.tokyo)
    unit = world.unit(world.osaka)
    holder = reserve(ledger, unit, ReserveLine(world.storage, 4)).holder
    return_reservation(ledger.admin, **on(ledger, holder))
    move_unit(ledger.admin, account=world.account, unit=unit, target=world.tokyo, request_id=uuid.uuid4())
    holder = Holder.objects.get(pk=holder.pk)
    change_reservation(ledger.admin, **on(ledger, holder), lots=[HeldLot(lot.uid, 3)])
    assert world.pool(world.tokyo, world.storage).reserved == 3


def test_what_ended_in_a_units_hands_is_not_returned(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel("2027-01-01T00:00:00Z", tick=True):
        world.deposit(world.storage, 10, world.osaka, end=now() + DAY)
        world.deposit(world.storage, 10, world.osaka, end=now() + 5 * DAY)
        unit = world.unit(world.osaka)
        holder = reserve(ledger, unit, ReserveLine(world.storage, 15)).holder
    with time_machine.travel("2027-01-03T00:00:00Z", tick=True):
        sweep_due()
        pool = world.pool(world.osaka, world.storage)
        assert (pool.on_hand, pool.reserved) == (5, 5)
        return_reservation(ledger.admin, **on(ledger, holder))
        assert world.pool(world.osaka, world.storage).on_hand == 10
    with time_machine.travel("2027-01-09T00:00:00Z", tick=True):
        sweep_due()


def test_who_may_reserve(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)
    for user, code in ((world.viewer, "forbidden"), (world.osaka_admin, "not_found"), (world.stranger, "not_found")):
        act = lambda user=user: reserve_licenses(  # noqa: E731
            world.as_(user), account=world.account, unit=unit, request_id=uuid.uuid4(),
            lines=[ReserveLine(world.storage, 1)],
        )  # fmt: skip
        assert refusal(act).code == code
