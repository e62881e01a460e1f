"""Anything in any order while time passes: after each act every invariant holds, and nothing that is refused leaves a trace."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any

import hypothesis.strategies as st
import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.cancel import cancel_lot, revoke_lot
from daicho.domain.ledger.commands.co_term import co_term_lots
from daicho.domain.ledger.commands.correct import correct_lot
from daicho.domain.ledger.commands.deposit import AssignPart, NewLot, assign_unassigned
from daicho.domain.ledger.commands.reservation import (
    HeldLot,
    ReserveLine,
    change_reservation,
    confirm_change,
    reserve_licenses,
    return_reservation,
    withdraw_change,
)
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.commands.use import UseLine, move_unit, reuse_licenses
from daicho.domain.ledger.models import Entry, Holder, Holding, Lot, Unit
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger
from tests.world import make_world

START = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PLACES = st.integers(0, 2)
TAGS = st.integers(0, 3)
FEW = st.integers(1, 12)
ANY = st.integers(0, 10**6)


class Acts(RuleBasedStateMachine):
    """The commands of the ledger in a world of three virtual accounts, four tags (three in a ladder) and four units."""

    @initialize()
    def open_world(self) -> None:
        self.clock = time_machine.travel(START, tick=True)
        self.traveller = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.ledger = Ledger(make_world())
        world = self.world = self.ledger.world
        self.places = [world.tokyo, world.osaka, world.default]
        self.tags = [world.premier, world.advantage, world.security, world.storage]
        self.units = [world.unit(place).pk for place in (world.tokyo, world.tokyo, world.osaka, world.default)]

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)
            self.clock.stop()

    def do(self, act: Any, **arguments: Any) -> None:
        """An act of the administrator (or of the operator); refusals are a normal answer."""
        actor = self.world.as_(arguments.pop("user", self.world.admin))
        with contextlib.suppress(BusinessError):
            act(actor, account=self.world.account, request_id=uuid.uuid4(), **arguments)

    def unit(self, number: int) -> Unit:
        return Unit.objects.select_related("virtual_account").get(pk=self.units[number % len(self.units)])

    def some(self, rows: Any, number: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    @rule(days=st.integers(0, 9), seconds=st.integers(0, 86_399))
    def time_passes(self, days: int, seconds: int) -> None:
        self.traveller.shift(dt.timedelta(days=days, seconds=seconds))
        sweep_due()

    @rule(place=st.one_of(st.none(), PLACES), tag=TAGS, quantity=FEW, start=st.integers(-2, 6), days=st.one_of(st.none(), FEW),
          usage=st.booleans())  # fmt: skip
    def deposit(self, place: int | None, tag: int, quantity: int, start: int, days: int | None, usage: bool) -> None:
        begins = now() + start * DAY
        end = None if days is None else begins + days * DAY
        self.world.deposit(
            self.tags[tag], quantity, None if place is None else self.places[place], start=begins, end=end,
            billing=Lot.Billing.USAGE if usage and tag == 3 else Lot.Billing.PREPAID,
        )  # fmt: skip

    @rule(number=ANY, place=PLACES, quantity=FEW)
    def assign_order(self, number: int, place: int, quantity: int) -> None:
        held = self.some(Holding.objects.filter(place__kind="unassigned", quantity__gt=0), number)
        if held is not None:
            self.do(assign_unassigned, parts=[AssignPart(held.lot.uid, quantity, self.places[place])])

    @rule(here=PLACES, there=PLACES, tag=TAGS, quantity=FEW, by_hand=st.one_of(st.none(), ANY))
    def transfer(self, here: int, there: int, tag: int, quantity: int, by_hand: int | None) -> None:
        source, target = self.places[here], self.places[there]
        lot = None
        if by_hand is not None:
            lots = Lot.objects.filter(tag=self.tags[tag], holdings__place__virtual_account=source).distinct()
            lot = self.some(lots, by_hand)
        moves = [Move(source, target, self.tags[tag], quantity, lot.uid if lot else None)]
        self.do(transfer_licenses, moves=moves)

    @rule(number=ANY)
    def undo(self, number: int) -> None:
        entry = self.some(Entry.objects.exclude(kind="time"), number)
        if entry is not None:
            self.do(undo_entry, entry_uid=entry.uid, user=self.world.admin if number % 2 else self.world.operator)

    @rule(unit=ANY, tag=TAGS, quantity=FEW)
    def assign(self, unit: int, tag: int, quantity: int) -> None:
        with contextlib.suppress(BusinessError):
            self.ledger.assign(self.unit(unit), self.tags[tag], quantity)

    @rule(unit=ANY, tag=TAGS, quantity=FEW)
    def release(self, unit: int, tag: int, quantity: int) -> None:
        with contextlib.suppress(BusinessError):
            self.ledger.release(self.unit(unit), self.tags[tag], quantity)

    @rule(
        asks=st.lists(
            st.tuples(ANY, TAGS, st.integers(0, 12), st.sampled_from(["ask", "report", "release"])), max_size=5
        )
    )
    def ask(self, asks: list[tuple[int, int, int, str]]) -> None:
        ask_many(
            [
                getattr(UseRequest, what)(self.unit(unit), uuid.uuid4(), [(self.tags[tag], quantity)])
                for unit, tag, quantity, what in asks
                if quantity or what != "release"
            ]
        )

    @rule(old=ANY, new=ANY, tag=TAGS, quantity=FEW)
    def reuse(self, old: int, new: int, tag: int, quantity: int) -> None:
        lines = [UseLine(self.tags[tag], quantity)]
        self.do(reuse_licenses, source=self.unit(old), target=self.unit(new), lines=lines)

    @rule(unit=ANY, place=PLACES)
    def move(self, unit: int, place: int) -> None:
        self.do(move_unit, unit=self.unit(unit), target=self.places[place])

    @rule(unit=ANY, tag=TAGS, quantity=FEW, kind=st.sampled_from(Holder.Kind))
    def reserve(self, unit: int, tag: int, quantity: int, kind: str) -> None:
        self.do(reserve_licenses, unit=self.unit(unit), lines=[ReserveLine(self.tags[tag], quantity)], kind=kind)

    @precondition(lambda self: Holder.objects.exists())
    @rule(holder=ANY, number=ANY, quantity=FEW, act=st.sampled_from(["change", "confirm", "withdraw", "return"]))
    def hold(self, holder: int, number: int, quantity: int, act: str) -> None:
        found = self.some(Holder.objects.select_related("unit__virtual_account"), holder)
        if act == "change":
            lot = self.some(Lot.objects.all(), number)
            self.do(change_reservation, holder=found, lots=[HeldLot(lot.uid, quantity)])
        else:
            acts = {"confirm": confirm_change, "withdraw": withdraw_change, "return": return_reservation}
            self.do(acts[act], holder=found)

    @precondition(lambda self: Lot.objects.exists())
    @rule(number=ANY, quantity=FEW, act=st.sampled_from(["cancel", "revoke", "correct"]), days=FEW)
    def take_back(self, number: int, quantity: int, act: str, days: int) -> None:
        lot, operator = self.some(Lot.objects.all(), number), self.world.operator
        if act == "cancel":
            self.do(cancel_lot, lot=lot, user=operator)
        elif act == "revoke":
            self.do(revoke_lot, lot=lot, reason="unpaid", user=operator)
        else:
            right = NewLot(lot.tag, quantity, "term", now(), now() + days * DAY)
            self.do(correct_lot, lot=lot, right=right, reason="typo", user=operator)

    @rule(tag=TAGS, days=st.one_of(st.none(), FEW))
    def bring_together(self, tag: int, days: int | None) -> None:
        lots = list(Lot.objects.filter(tag=self.tags[tag], start_at__lte=now(), end_at__gt=now()))
        ends_on = None if days is None else (now() + days * DAY).date()
        self.do(co_term_lots, lots=lots, ends_on=ends_on, reason="renewal", user=self.world.operator)

    @invariant()
    def the_ledger_is_sound(self) -> None:
        if hasattr(self, "world"):
            assert check_ledger(deep=True) == []


@pytest.mark.django_db
def test_whatever_is_done_in_whatever_order_the_invariants_hold() -> None:
    run_state_machine_as_test(
        Acts,
        settings=settings(
            max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
