"""The examples that ledger.md works through, figure by figure."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine

from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.commands.use import move_unit
from daicho.domain.ledger.models import Unit, Use
from daicho.domain.ledger.rules import Act
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger, refusal
from tests.world import make_virtual_account

NOON = dt.datetime(2027, 3, 1, 3, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def ask(unit: Unit, tag, quantity: int):
    (answer,) = ask_many([UseRequest(unit.pk, uuid.uuid4(), Act.ASK, ((tag, quantity),), "ask")])
    return answer


def test_surplus_moves_while_the_rest_is_in_use(ledger: Ledger) -> None:
    world = ledger.world
    a, b, tag = world.tokyo, world.osaka, world.storage
    world.deposit(tag, 100, a)
    ledger.assign(world.unit(a), tag, 60)
    error = refusal(lambda: ledger.transfer(a, b, tag, 41))
    assert (error.code, error.data["missing"], error.data["available"]) == ("not_enough_licenses", 1, 40)
    ledger.transfer(a, b, tag, 40)
    assert ledger.figures(a, tag) == (60, 60, 0)
    assert ledger.figures(b, tag) == (40, 0, 40)


def test_a_devices_ask_before_the_transfer_has_it_refused(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 100, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.storage, 60)
    assert ask(world.unit(world.tokyo), world.storage, 1).is_granted
    assert refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.storage, 40)).data["missing"] == 1


def test_a_devices_ask_after_the_transfer_is_counted_short_unless_enforced(ledger: Ledger) -> None:
    world = ledger.world
    for tag in (world.storage, world.security):
        world.deposit(tag, 100, world.tokyo)
        ledger.assign(world.unit(world.tokyo), tag, 60)
        ledger.transfer(world.tokyo, world.osaka, tag, 40)
    assert ask(world.unit(world.tokyo), world.storage, 1).is_granted
    assert ledger.figures(world.tokyo, world.storage) == (60, 61, -1)
    refused = ask(world.unit(world.tokyo), world.security, 1)
    assert not refused.is_granted
    assert refused.refusals[0].missing == 1
    assert ledger.figures(world.tokyo, world.security) == (60, 60, 0)


@pytest.mark.parametrize("enforced", [False, True])
def test_a_term_lot_ends_while_it_is_in_use(ledger: Ledger, enforced: bool) -> None:
    world = ledger.world
    b = world.osaka
    tag = world.security if enforced else world.storage
    with time_machine.travel(NOON, tick=True):
        world.deposit(tag, 40, b)
        world.deposit(tag, 30, b, end=NOON + DAY)
        units = [world.unit(b) for _ in range(11)]
        for unit in units:
            ledger.assign(unit, tag, 5)
        assert ledger.figures(b, tag) == (70, 55, 15)
    with time_machine.travel(NOON + DAY, tick=True):
        assert sweep_due() == 1
        assert ledger.figures(b, tag) == (40, 55, -15)
        if enforced:
            answers = [ask(unit, tag, 5) for unit in units]
            assert [answer.is_granted for answer in answers] == [False] * 3 + [True] * 8
            assert ledger.figures(b, tag) == (40, 40, 0)
        else:
            world.deposit(tag, 15, b)
            assert ledger.figures(b, tag) == (55, 55, 0)


def test_a_reservation_is_set_aside_moves_with_its_unit_and_ends(ledger: Ledger) -> None:
    world = ledger.world
    tag, c = world.storage, world.osaka
    d = make_virtual_account(world.account, "D")
    with time_machine.travel(NOON, tick=True):
        four = world.deposit(tag, 20, c, end=NOON + DAY)
        world.deposit(tag, 10, c)
        ledger.assign(world.unit(c), tag, 12)
        assert ledger.figures(c, tag) == (30, 12, 18)
        x = world.unit(c)
        reserve_licenses(
            ledger.admin,
            account=world.account,
            unit=x,
            request_id=uuid.uuid4(),
            lines=[ReserveLine(tag, 10, four.uid)],
        )
        pool = world.pool(c, tag)
        assert (pool.on_hand, pool.reserved, pool.in_use, pool.balance, pool.purchased) == (20, 10, 12, 8, 30)
        ask(x, tag, 10)
        assert Use.objects.get(unit=x).counted == 0
        ask(x, tag, 13)
        assert Use.objects.get(unit=x).counted == 3
        assert world.pool(c, tag).balance == 5
        move_unit(ledger.admin, account=world.account, unit=x, target=d, request_id=uuid.uuid4())
        assert world.pool(c, tag).balance == 8
        pool = world.pool(d, tag)
        assert (pool.on_hand, pool.reserved, pool.in_use, pool.balance) == (0, 10, 3, -3)
    with time_machine.travel(NOON + DAY, tick=True):
        assert sweep_due() == 2
        assert ledger.figures(c, tag) == (10, 12, -2)
        assert Use.objects.get(unit=x).counted == 13
        assert ledger.figures(d, tag) == (0, 13, -13)


def test_a_higher_tier_lends_what_it_has_free(ledger: Ledger) -> None:
    world = ledger.world
    high, low, here = world.premier, world.essentials, world.osaka
    world.deposit(high, 100, here)
    device = world.unit(here)
    ledger.assign(device, high, 10)
    ledger.assign(world.unit(here), low, 50)
    pool = world.pool(here, high)
    assert (pool.lent, pool.balance) == (50, 40)
    assert (world.pool(here, low).borrowed, world.pool(here, low).balance) == (50, 0)
    assert refusal(lambda: ledger.transfer(here, world.tokyo, high, 41)).data["missing"] == 1
    moved = ledger.entry(here, world.tokyo, high, 40)
    assert world.pool(here, high).balance == 0
    from daicho.domain.ledger.commands.undo import undo_entry

    undo_entry(ledger.admin, account=world.account, entry_uid=moved.uid, request_id=uuid.uuid4())
    ask(device, high, 55)
    assert (world.pool(here, high).lent, world.pool(here, high).balance) == (45, 0)
    assert (world.pool(here, low).borrowed, world.pool(here, low).balance) == (45, -5)
