"""Crowds on PostgreSQL: nobody deadlocks, nothing is oversold, every figure is exact afterwards."""

from __future__ import annotations

import random
import uuid

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.use import UseLine, move_unit, reuse_licenses
from daicho.domain.ledger.models import Place, Pool
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger
from tests.support.crowd import Crowd
from tests.world import make_virtual_account, make_world

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(make_world())


def test_no_enforced_seat_is_given_twice(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.security, 40, world.tokyo)
    units = [world.unit(world.tokyo) for _ in range(64)]
    granted: list[int] = []

    def ask(some) -> None:
        answers = ask_many([UseRequest.ask(unit, uuid.uuid4(), [(world.security, 1)]) for unit in some])
        granted.extend(answer.is_granted for answer in answers)

    Crowd([lambda some=units[start : start + 4]: ask(some) for start in range(0, 64, 4)]).run()
    assert granted.count(True) == 40
    assert ledger.figures(world.tokyo, world.security) == (40, 40, 0)


def test_no_seat_is_assigned_by_hand_twice(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 20, world.tokyo)
    units = [world.unit(world.tokyo) for _ in range(32)]
    refused = Crowd([lambda unit=unit: ledger.assign(unit, world.storage, 1) for unit in units]).run()
    assert [error.code for error in refused] == ["not_enough_licenses"] * 12


def test_the_first_lots_of_a_virtual_account_may_arrive_all_at_once(ledger: Ledger) -> None:
    world = ledger.world
    home = make_virtual_account(world.account, "New")
    tags = [world.premier, world.advantage, world.essentials, world.storage]
    Crowd([lambda tag=tags[number % 4]: world.deposit(tag, 5, home) for number in range(16)]).run()
    assert Place.objects.filter(virtual_account=home).count() == 3
    assert [world.pool(home, tag).on_hand for tag in tags] == [20] * 4


def test_a_ladder_is_covered_exactly_while_its_tiers_change_at_once(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.premier, 30, world.tokyo)
    units = [world.unit(world.tokyo) for _ in range(24)]
    tags = [world.premier, world.advantage, world.essentials]
    Crowd([lambda n=n: ledger.assign(units[n], tags[n % 3], 1) for n in range(24)]).run()
    assert world.pool(world.tokyo, world.premier).balance == 6


def test_whatever_everybody_does_at_once_ends_with_exact_figures(ledger: Ledger) -> None:
    world = ledger.world
    homes = [world.tokyo, world.osaka, world.default]
    tags = [world.premier, world.essentials, world.storage, world.security]
    for home in homes:
        for tag in tags:
            world.deposit(tag, 30, home)
    units = [world.unit(home) for home in homes for _ in range(3)]
    for unit in units:
        ledger.assign(unit, world.storage, 2)

    def worker(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(25):
            try:
                act(dice)
            except BusinessError:
                continue

    def act(dice: random.Random) -> None:
        request_id = uuid.uuid4()
        unit, other = dice.sample(units, 2)
        tag = dice.choice(tags)
        match dice.randrange(6):
            case 0:
                moves = [
                    Move(*dice.sample(homes, 2), dice.choice(tags), dice.randint(1, 9))
                    for _ in range(dice.randint(1, 4))
                ]
                transfer_licenses(ledger.admin, account=world.account, request_id=request_id, moves=moves)
            case 1:
                ask_many(
                    [UseRequest.ask(one, uuid.uuid4(), [(tag, dice.randint(0, 9))]) for one in dice.sample(units, 4)]
                )
            case 2:
                fresh = type(unit).objects.get(pk=unit.pk)
                move_unit(
                    ledger.admin, account=world.account, unit=fresh, target=dice.choice(homes), request_id=request_id
                )
            case 3:
                fresh, target = (type(unit).objects.get(pk=one.pk) for one in (unit, other))
                reuse_licenses(
                    ledger.admin, account=world.account, source=fresh, target=target, request_id=request_id,
                    lines=[UseLine(world.storage, 1)],
                )  # fmt: skip
            case 4:
                world.deposit(tag, dice.randint(1, 5), dice.choice(homes))
            case _:
                sweep_due()

    Crowd([lambda seed=seed: worker(seed) for seed in range(8)]).run()
    assert check_ledger(deep=True) == []
    assert not Pool.objects.filter(tag=world.security, balance__lt=0).exists()
