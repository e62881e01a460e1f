"""Lots are cancelled as far as they are spare, revoked whatever uses them, and corrected where they lie."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.clock import now
from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.cancel import Cancellation, cancel_lot, revoke_lot
from daicho.domain.ledger.commands.correct import correct_lot
from daicho.domain.ledger.commands.deposit import AssignPart, NewLot, assign_unassigned
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.models import Entry, Holding, Lot
from tests.ledger.conftest import Ledger, refusal

DAY = dt.timedelta(days=1)


def cancel(ledger: Ledger, lot: Lot, **options: Any) -> Cancellation:
    options.setdefault("request_id", uuid.uuid4())
    return cancel_lot(ledger.world.as_(ledger.world.operator), account=ledger.world.account, lot=lot, **options)


def spread(ledger: Ledger) -> Lot:
    """A lot of 20: 4 unassigned, 10 in Tokyo (7 used), 6 in Osaka (2 used)."""
    world = ledger.world
    lot = world.deposit(world.storage, 20, None)
    parts = [AssignPart(lot.uid, 10, world.tokyo), AssignPart(lot.uid, 6, world.osaka)]
    assign_unassigned(ledger.admin, account=world.account, request_id=uuid.uuid4(), parts=parts)
    ledger.assign(world.unit(world.tokyo), world.storage, 7)
    ledger.assign(world.unit(world.osaka), world.storage, 2)
    return lot


def test_a_cancellation_takes_what_is_spare_and_says_what_is_left(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    lot = spread(ledger)
    done = cancel(ledger, lot, request_id=request_id)
    assert (done.cancelled, done.left) == (4 + 3 + 4, 9)
    assert ledger.figures(world.tokyo, world.storage) == (7, 7, 0)
    assert ledger.figures(world.osaka, world.storage) == (2, 2, 0)
    assert cancel(ledger, lot, request_id=request_id) == done
    nothing = cancel(ledger, lot)
    assert nothing == Cancellation(None, 0, 9)
    assert Entry.objects.filter(kind=Entry.Kind.CANCEL).count() == 1


def test_the_named_virtual_account_gives_before_the_others(ledger: Ledger) -> None:
    world = ledger.world
    lot = spread(ledger)
    other = world.deposit(world.storage, 5, world.osaka)
    done = cancel(ledger, lot, virtual_account=world.osaka)
    assert done.cancelled == 4 + 3 + 6
    assert cancel(ledger, other).cancelled == 3


def test_what_has_not_started_is_cancelled_whole(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 5, world.osaka, start=now() + DAY)
    assert cancel(ledger, lot).cancelled == 5
    assert world.pool(world.osaka, world.storage).next_change_at is None


def test_what_a_higher_tier_lends_is_not_spare(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.premier, 10, world.osaka)
    ledger.assign(world.unit(world.osaka), world.essentials, 8)
    assert (cancel(ledger, lot).cancelled, world.pool(world.osaka, world.premier).lent) == (2, 8)


def test_revoking_takes_all_that_no_unit_holds_and_leaves_use_short(ledger: Ledger) -> None:
    world = ledger.world
    lot = spread(ledger)
    unit = world.unit(world.osaka)
    reserve_licenses(
        ledger.admin, account=world.account, unit=unit, request_id=uuid.uuid4(),
        lines=[ReserveLine(world.storage, 3, lot.uid)],
    )  # fmt: skip
    act: dict[str, Any] = {"account": world.account, "lot": lot, "request_id": uuid.uuid4()}
    assert refusal(lambda: revoke_lot(ledger.admin, reason="unpaid", **act)).code == "not_found"
    operator = world.as_(world.operator)
    assert refusal(lambda: revoke_lot(operator, reason=" ", **act)).code == "reason_missing"
    done = revoke_lot(operator, reason="unpaid", **act)
    assert (done.revoked, done.left, [held.unit for held in done.held]) == (17, 3, [unit])
    assert ledger.figures(world.tokyo, world.storage) == (0, 7, -7)
    assert Event.objects.filter(kind="license.revoked", memo="unpaid").count() == 3


def test_a_wrong_lot_is_exchanged_where_it_lies(ledger: Ledger) -> None:
    world = ledger.world
    lot = spread(ledger)
    end = now() + 30 * DAY
    right = NewLot(world.storage, 25, "term", lot.start_at, end)
    act: dict[str, Any] = {"account": world.account, "lot": lot, "request_id": uuid.uuid4(), "right": right}
    assert refusal(lambda: correct_lot(ledger.admin, reason="wrong end", **act)).code == "not_found"
    operator = world.as_(world.operator)
    done = correct_lot(operator, reason="wrong end", **act)
    assert correct_lot(operator, reason="wrong end", **act).lot == done.lot
    assert not Holding.objects.filter(lot=lot, quantity__gt=0, place__account__isnull=False).exists()
    holdings = Holding.objects.filter(lot=done.lot, quantity__gt=0)
    assert sorted(holdings.values_list("place__kind", "quantity")) == [
        ("on_hand", 6),
        ("on_hand", 10),
        ("unassigned", 9),
    ]
    assert world.pool(world.tokyo, world.storage).next_end_at == end
    assert ledger.figures(world.tokyo, world.storage) == (10, 7, 3)


def test_a_correction_to_less_may_leave_use_short(ledger: Ledger) -> None:
    world = ledger.world
    lot = spread(ledger)
    right = NewLot(world.storage, 5, "perpetual", lot.start_at, None)
    correct_lot(
        world.as_(world.operator), account=world.account, lot=lot, request_id=uuid.uuid4(), right=right, reason="typo"
    )
    assert ledger.figures(world.tokyo, world.storage) == (5, 7, -2)
    assert ledger.figures(world.osaka, world.storage) == (0, 2, -2)


def test_an_ended_lot_comes_back_to_life_when_its_end_was_wrong(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 5, world.osaka, end=now() - DAY)
    right = NewLot(world.storage, 5, "term", lot.start_at, now() + DAY)
    correct_lot(
        world.as_(world.operator), account=world.account, lot=lot, request_id=uuid.uuid4(), right=right, reason="typo"
    )
    assert ledger.figures(world.osaka, world.storage) == (5, 0, 5)
