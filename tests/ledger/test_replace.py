"""A unit takes over what a failed one used and held (S4)."""

from __future__ import annotations

import uuid
from typing import Any

from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.commands.replace import replace_unit
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.models import Entry, Unit, Use
from tests.ledger.conftest import Ledger, refusal


def replace(ledger: Ledger, failed: Unit, successor: Unit, **options: Any) -> Entry:
    options.setdefault("request_id", uuid.uuid4())
    return replace_unit(
        options.pop("actor", ledger.admin), account=ledger.world.account, failed=failed, successor=successor, **options
    )


def ask(unit: Unit, *lines: tuple[Any, int]) -> None:
    ask_many([UseRequest.ask(unit, uuid.uuid4(), lines)])


def reported(unit: Unit) -> dict[str, tuple[int, int]]:
    return {use.tag.sku: (use.reported, use.counted) for use in Use.objects.filter(unit=unit, reported__gt=0)}


def test_use_and_reservation_go_over_and_no_lot_moves(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    failed, new = world.unit(world.osaka), world.unit(world.osaka)
    holder = reserve_licenses(
        ledger.admin, account=world.account, unit=failed, request_id=uuid.uuid4(),
        lines=[ReserveLine(world.storage, 4)],
    ).holder  # fmt: skip
    ask(failed, (world.storage, 6), (world.essentials, 1))
    before = ledger.figures(world.osaka, world.storage)
    entry = replace(ledger, failed, new)
    assert ledger.figures(world.osaka, world.storage) == before == (6, 2, 4)
    assert reported(new) == {"STO-STD": (6, 2), "NET-ESS": (1, 1)}
    assert not reported(failed)
    holder.refresh_from_db()
    assert holder.unit_id == new.pk
    assert not entry.postings.exists()


def test_what_the_new_one_uses_already_is_not_counted_twice(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    failed, new = world.unit(world.osaka), world.unit(world.tokyo)
    ask(failed, (world.storage, 3))
    ask(new, (world.storage, 1), (world.essentials, 2))
    replace(ledger, failed, new)
    assert reported(new) == {"STO-STD": (3, 3), "NET-ESS": (2, 2)}
    assert ledger.figures(world.osaka, world.storage) == (10, 3, 7)
    assert ledger.figures(world.osaka, world.essentials) == (0, 2, -2)
    assert world.pool(world.tokyo, world.storage).in_use == 0


def test_the_same_request_again_changes_nothing(ledger: Ledger) -> None:
    world = ledger.world
    failed, new, other = (world.unit(world.osaka) for _ in range(3))
    ask(failed, (world.storage, 3))
    request_id = uuid.uuid4()
    assert replace(ledger, failed, new, request_id=request_id) == replace(ledger, failed, new, request_id=request_id)
    error = refusal(lambda: replace(ledger, failed, other, request_id=request_id))
    assert error.code == "request_id_reused"
    assert reported(new) == {"STO-STD": (3, 3)}


def test_enforced_licenses_of_the_new_one_must_suffice_where_it_comes_to(ledger: Ledger) -> None:
    world = ledger.world
    strict = world.security
    world.deposit(strict, 2, world.tokyo)
    failed, new = world.unit(world.osaka), world.unit(world.tokyo)
    ask(failed, (world.storage, 3))
    ask(new, (strict, 2))
    error = refusal(lambda: replace(ledger, failed, new))
    assert (error.code, error.data["sku"], error.data["missing"]) == ("not_enough_licenses", strict.sku, 2)
    assert reported(failed) == {"STO-STD": (3, 3)}
    world.deposit(strict, 2, world.osaka)
    replace(ledger, failed, new)
    assert reported(new) == {"STO-STD": (3, 3), strict.sku: (2, 2)}


def test_a_unit_does_not_replace_itself_and_strangers_learn_nothing(ledger: Ledger) -> None:
    world = ledger.world
    failed, new = world.unit(world.tokyo), world.unit(world.tokyo)
    assert refusal(lambda: replace(ledger, failed, failed)).code == "same_device"
    for user, code in ((world.viewer, "forbidden"), (world.osaka_admin, "not_found"), (world.stranger, "not_found")):
        assert refusal(lambda user=user: replace(ledger, failed, new, actor=world.as_(user))).code == code
