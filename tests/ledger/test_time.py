"""Lots start and end at their instant: in a decision to the microsecond, elsewhere by the sweep."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from django.db import transaction

from daicho.core.clock import end_of_day
from daicho.domain.audit.models import Event
from daicho.domain.ledger import sweep
from daicho.domain.ledger.book import Spot
from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
from daicho.domain.ledger.models import Entry, Holding, Place
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger, refusal
from tests.world import make_virtual_account

END = dt.datetime(2027, 4, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TICK = dt.timedelta(microseconds=1)


def test_a_lot_counts_until_the_instant_of_its_end_and_not_at_it(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        world.deposit(world.storage, 10, world.tokyo, end=END)
        unit = world.unit(world.tokyo)
    with time_machine.travel(END - TICK, tick=False):
        ledger.assign(unit, world.storage, 4)
    with time_machine.travel(END, tick=False):
        assert refusal(lambda: ledger.assign(unit, world.storage, 1)).data["available"] == 0
        assert sweep_due() == 1
        assert ledger.figures(world.tokyo, world.storage) == (0, 4, -4)


def test_a_lot_counts_from_the_instant_of_its_start(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        world.deposit(world.storage, 10, world.tokyo, start=END)
        unit = world.unit(world.tokyo)
    with time_machine.travel(END - TICK, tick=False):
        assert refusal(lambda: ledger.assign(unit, world.storage, 1)).code == "not_enough_licenses"
    with time_machine.travel(END, tick=False):
        ledger.assign(unit, world.storage, 1)
        assert ledger.figures(world.tokyo, world.storage) == (10, 1, 9)
        entry = Entry.objects.get(kind=Entry.Kind.TIME)
        assert (entry.at, entry.actor_name) == (END, "clock")


def test_an_end_date_is_the_end_of_that_day_in_the_accounts_zone(ledger: Ledger) -> None:
    world = ledger.world
    last_instant = end_of_day(dt.date(2027, 3, 31), world.account.time_zone)
    assert last_instant == dt.datetime(2027, 3, 31, 15, tzinfo=dt.UTC)
    with time_machine.travel(last_instant - DAY, tick=False):
        world.deposit(world.storage, 10, world.tokyo, end=last_instant)
    with time_machine.travel(last_instant - TICK, tick=False):
        assert sweep_due() == 0
    with time_machine.travel(last_instant, tick=False):
        assert sweep_due() == 1


def test_a_lot_that_starts_and_ends_between_two_sweeps_does_both(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        world.deposit(world.storage, 10, world.tokyo, start=END, end=END + DAY)
    with time_machine.travel(END + 5 * DAY, tick=False):
        assert sweep_due() == 2
        assert list(Entry.objects.filter(kind="time").order_by("at").values_list("at", flat=True)) == [END, END + DAY]
        kinds = Event.objects.filter(kind__in=("license.started", "license.ended")).order_by("pk")
        assert list(kinds.values_list("kind", flat=True)) == ["license.started", "license.ended"]
        assert world.pool(world.tokyo, world.storage).next_change_at is None


def test_an_end_touches_no_use_and_covers_the_ladder_anew(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        world.deposit(world.premier, 10, world.tokyo, end=END)
        ledger.assign(world.unit(world.tokyo), world.essentials, 6)
        assert world.pool(world.tokyo, world.essentials).borrowed == 6
    with time_machine.travel(END, tick=False):
        sweep_due()
        pool = world.pool(world.tokyo, world.essentials)
        assert (pool.in_use, pool.borrowed, pool.balance) == (6, 0, -6)


def test_the_sweep_goes_in_bounded_steps_and_may_be_killed_between_them(ledger: Ledger, monkeypatch) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        lots = [NewLot(tag, 1, "term", END - 9 * DAY, END, place) for place in (world.tokyo, world.osaka)
                for tag in (world.storage, world.security) for _ in range(5)]  # fmt: skip
        deposit_lots(ledger.admin, account=world.account, request_id=uuid.uuid4(), lots=lots)
    with time_machine.travel(END, tick=False):
        steps = []
        once = sweep._sweep

        def killed_at_the_third(spots: list[Spot], limit: int, *, patient: bool) -> int:
            if len(steps) == 2:
                raise KeyboardInterrupt
            steps.append(once(spots, limit, patient=patient))
            return steps[-1]

        monkeypatch.setattr(sweep, "_sweep", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            sweep_due(limit=3)
        monkeypatch.undo()
        assert steps == [3, 3]
        assert sweep_due(limit=3) == 14
        assert sweep_due() == 0
        assert Holding.objects.filter(place__kind=Place.Kind.ENDED, quantity=1).count() == 20


def test_the_sweep_takes_as_many_pools_as_make_a_short_transaction(ledger: Ledger, monkeypatch) -> None:
    """Forty pools with five ends each, twenty ends aimed at: the first turn does not know, the others take four pools."""
    world = ledger.world
    places = [make_virtual_account(world.account, f"Branch {number}") for number in range(40)]
    with time_machine.travel(END - DAY, tick=False):
        lots = [NewLot(world.storage, 1, "term", END - 9 * DAY, END, place) for place in places for _ in range(5)]
        deposit_lots(ledger.admin, account=world.account, request_id=uuid.uuid4(), lots=lots)
    steps: list[int] = []
    once = sweep._sweep
    for bound in ("FIRST", "LEAST", "MOST"):
        monkeypatch.setattr(sweep, bound, 20)
    monkeypatch.setattr(sweep, "_sweep", lambda *turn, **how: steps.append(once(*turn, **how)) or steps[-1])
    with time_machine.travel(END + 3 * DAY, tick=False):
        assert sweep_due() == 200
    assert steps == [50, 20, 20, 20, 20, 20, 20, 20, 10]
    assert set(Entry.objects.filter(kind=Entry.Kind.TIME).values_list("at", flat=True)) == {END}


def test_a_sweep_that_is_rolled_back_leaves_all_due(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        world.deposit(world.storage, 10, world.tokyo, end=END)
    with time_machine.travel(END, tick=False):
        with transaction.atomic():
            sweep_due()
            transaction.set_rollback(True)
        assert world.pool(world.tokyo, world.storage).on_hand == 10
        assert sweep_due() == 1


def test_each_end_has_an_event_in_its_virtual_account(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel(END - DAY, tick=False):
        lot = world.deposit(world.storage, 10, world.tokyo, end=END)
        ledger.assign(world.unit(world.tokyo), world.storage, 4)
    with time_machine.travel(END, tick=False):
        sweep_due()
        event = Event.objects.get(kind="license.ended")
        assert (event.virtual_account, event.subject, event.subject_uid) == (world.tokyo, "STO-STD", lot.uid)
        assert event.before == {"balance": 6}
        assert event.after == {"quantity": 10, "balance": -4, "at": END.isoformat()}
