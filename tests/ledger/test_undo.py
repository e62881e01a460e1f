"""An act is undone by a counter entry, whole or not at all, once."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine

from daicho.core.clock import now
from daicho.domain.audit.models import Event
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.commands.cancel import cancel_lot
from daicho.domain.ledger.commands.deposit import AssignPart, assign_unassigned
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses, show_authorization
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.commands.use import UseLine, move_unit, reuse_licenses
from daicho.domain.ledger.models import Entry, HolderLine, Holding, Lot, Place, Posting, Use
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger, refusal

DAY = dt.timedelta(days=1)


def undo(ledger: Ledger, entry: Entry, user=None, request_id: uuid.UUID | None = None) -> Entry:
    actor = ledger.world.as_(user or ledger.world.admin)
    return undo_entry(
        actor, account=ledger.world.account, entry_uid=entry.uid, request_id=request_id or uuid.uuid4(), memo="mistake"
    )


def unassigned(lot: Lot) -> int:
    return Holding.objects.get(lot=lot, place__kind=Place.Kind.UNASSIGNED).quantity


def test_a_transfer_goes_back_lot_by_lot(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 4, world.tokyo, end=now() + 9 * DAY)
    world.deposit(world.storage, 6, world.tokyo)
    before = sorted(Holding.objects.filter(quantity__gt=0).values_list("lot_id", "place_id", "quantity"))
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 7)
    counter = undo(ledger, entry)
    assert (counter.kind, counter.reverses, counter.memo) == (Entry.Kind.UNDO, entry, "mistake")
    assert sorted(Holding.objects.filter(quantity__gt=0).values_list("lot_id", "place_id", "quantity")) == before
    assert Event.objects.filter(kind="license.undone").count() == 2


def test_an_entry_is_undone_at_most_once(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 10, world.tokyo)
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 7)
    counter = undo(ledger, entry, request_id=request_id)
    assert undo(ledger, entry, request_id=request_id) == counter
    assert refusal(lambda: undo(ledger, entry)).code == "already_undone"
    assert refusal(lambda: undo(ledger, counter)).code == "not_undoable"
    assert ledger.figures(world.tokyo, world.storage) == (10, 0, 10)


def test_a_refusal_names_what_is_no_longer_free_and_may_be_tried_again(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 7)
    unit = world.unit(world.osaka)
    ledger.assign(unit, world.storage, 3)
    error = refusal(lambda: undo(ledger, entry))
    assert (error.code, error.data["missing"], error.data["available"]) == ("not_enough_licenses", 3, 4)
    assert error.text() == (
        "This cannot be undone now: 7 STO-STD are needed back from Osaka, and 4 are free there. Free 3 there, then try again."
    )
    moved = ledger.entry(world.osaka, world.default, world.storage, 2)
    error = refusal(lambda: undo(ledger, entry))
    assert (error.code, error.data["quantity"]) == ("not_undoable", 2)
    assert error.text().startswith("This cannot be undone now: 2 STO-STD are no longer in Osaka.")
    undo(ledger, moved)
    ledger.release(unit, world.storage, 3)
    undo(ledger, entry)
    assert ledger.figures(world.tokyo, world.storage) == (10, 0, 10)


def test_lots_that_started_or_ended_meanwhile_go_where_their_time_says(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel("2027-01-01T00:00:00Z", tick=True):
        ends = world.deposit(world.storage, 4, world.tokyo, end=now() + DAY)
        entry = ledger.entry(world.tokyo, world.osaka, world.storage, 4)
    with time_machine.travel("2027-01-03T00:00:00Z", tick=True):
        undo(ledger, entry)
        place = Holding.objects.get(lot=ends, quantity__gt=0).place
        assert (place.kind, place.virtual_account) == (Place.Kind.ENDED, world.tokyo)


def test_an_assignment_goes_back_to_the_unassigned(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, None)
    entry = assign_unassigned(
        ledger.admin, account=world.account, request_id=uuid.uuid4(), parts=[AssignPart(lot.uid, 4, world.osaka)]
    )
    assert refusal(lambda: undo(ledger, entry, world.osaka_admin)).code == "not_found"
    undo(ledger, entry, world.user)
    assert unassigned(lot) == 10


def test_deposits_and_cancellations_are_the_operators_to_undo(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.osaka)
    cancelled = cancel_lot(
        world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lot=lot, memo="returned"
    )
    assert cancelled.entry is not None
    deposit = Entry.objects.get(kind=Entry.Kind.DEPOSIT)
    for entry in (cancelled.entry, deposit):
        assert refusal(lambda entry=entry: undo(ledger, entry)).code == "forbidden"
    undo(ledger, cancelled.entry, world.operator)
    assert ledger.figures(world.osaka, world.storage) == (10, 0, 10)
    undo(ledger, deposit, world.operator)
    assert ledger.figures(world.osaka, world.storage) == (0, 0, 0)
    assert refusal(lambda: undo(ledger, deposit, world.stranger)).code == "not_found"


def test_a_waiting_deposit_is_undone_while_it_waits(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, None)
    entry = Entry.objects.get(kind=Entry.Kind.DEPOSIT)
    undo(ledger, entry, world.operator)
    assert unassigned(lot) == 0


def test_a_reservation_is_undone_until_its_authorization_was_shown(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    unit = world.unit(world.osaka)
    ledger.assign(unit, world.storage, 2)

    def reserve():
        return reserve_licenses(
            ledger.admin,
            account=world.account,
            unit=unit,
            request_id=uuid.uuid4(),
            lines=[ReserveLine(world.storage, 3)],
        )

    first = reserve()
    assert Use.objects.get(unit=unit).counted == 0
    undo(ledger, first.entry)
    assert Use.objects.get(unit=unit).counted == 2
    assert not HolderLine.objects.filter(old__gt=0).exists()
    second = reserve()
    show_authorization(second.holder)
    error = refusal(lambda: undo(ledger, second.entry))
    assert (error.code, "Return the reservation instead" in error.text()) == ("not_undoable", True)


@pytest.mark.parametrize("across", [False, True])
def test_a_re_use_goes_back_with_its_transfer(ledger: Ledger, across: bool) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    old, new = world.unit(world.osaka), world.unit(world.tokyo if across else world.osaka)
    ledger.assign(old, world.storage, 4)
    entry = reuse_licenses(
        ledger.admin, account=world.account, source=old, target=new, request_id=uuid.uuid4(),
        lines=[UseLine(world.storage, 3)],
    )  # fmt: skip
    undo(ledger, entry)
    assert dict(Use.objects.values_list("unit_id", "counted")) == {old.pk: 4, new.pk: 0}
    assert ledger.figures(world.osaka, world.storage) == (10, 4, 6)


def test_a_re_use_is_undone_only_while_the_other_device_uses_as_much_wherever_it_is(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    old, new = world.unit(world.osaka), world.unit(world.osaka)
    ledger.assign(old, world.storage, 4)
    entry = reuse_licenses(
        ledger.admin, account=world.account, source=old, target=new, request_id=uuid.uuid4(),
        lines=[UseLine(world.storage, 3)],
    )  # fmt: skip
    ledger.release(new, world.storage, 1)
    error = refusal(lambda: undo(ledger, entry))
    assert (error.code, error.data["in_use"]) == ("not_undoable", 2)
    move_unit(ledger.admin, account=world.account, unit=new, target=world.tokyo, request_id=uuid.uuid4())
    ask_many([UseRequest.ask(new, uuid.uuid4(), [(world.storage, 3)])])
    undo(ledger, entry)
    assert dict(Use.objects.values_list("unit_id", "counted")) == {old.pk: 4, new.pk: 0}


def test_nothing_goes_back_to_a_deleted_virtual_account_or_without_an_agreement(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    entry = ledger.entry(world.osaka, world.tokyo, world.storage, 10)
    world.account.good_standing_until = now() - DAY
    world.account.save()
    assert refusal(lambda: undo(ledger, entry)).code == "agreement_pending"
    world.account.good_standing_until = now() + DAY
    world.account.save()
    world.osaka.deleted_at = now()
    world.osaka.save()
    error = refusal(lambda: undo(ledger, entry))
    assert (error.code, "has been deleted" in error.text()) == ("not_undoable", True)


def test_the_clock_is_not_undone(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel("2027-01-01T00:00:00Z", tick=True):
        world.deposit(world.storage, 4, world.tokyo, end=now() + DAY)
    with time_machine.travel("2027-01-03T00:00:00Z", tick=True):
        sweep_due()
        assert refusal(lambda: undo(ledger, Entry.objects.get(kind=Entry.Kind.TIME))).code == "not_undoable"


def test_who_sees_one_side_may_not_undo_and_who_sees_none_finds_nothing(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 1)
    hidden = ledger.entry(world.tokyo, world.default, world.storage, 1)
    assert refusal(lambda: undo(ledger, entry, world.osaka_admin)).code == "forbidden"
    assert refusal(lambda: undo(ledger, entry, world.viewer)).code == "forbidden"
    assert refusal(lambda: undo(ledger, hidden, world.osaka_admin)).code == "not_found"
    assert refusal(lambda: undo(ledger, entry, world.stranger)).code == "not_found"
    assert Posting.objects.filter(entry__kind=Entry.Kind.UNDO).count() == 0
