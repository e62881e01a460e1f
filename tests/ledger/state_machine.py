"""Anything in any order while time passes, against the plain books of `reference.py`.

Each act is done twice: by the command, and in the reference. Both must refuse it or both do it; afterwards every
holding, use and figure in the database must be the reference's. At the end of an example the postings are replayed
from nothing, and `check_ledger --deep` judges the whole history again.
"""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import time_machine
from django.db import connection, transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.cancel import cancel_lot, revoke_lot
from daicho.domain.ledger.commands.co_term import co_term_lots
from daicho.domain.ledger.commands.correct import correct_lot
from daicho.domain.ledger.commands.deposit import AssignPart, NewLot, assign_unassigned, deposit_lots
from daicho.domain.ledger.commands.emptying import move_everything
from daicho.domain.ledger.commands.replace import replace_unit
from daicho.domain.ledger.commands.reservation import (
    HeldLot,
    ReserveLine,
    change_reservation,
    confirm_change,
    reserve_licenses,
    return_reservation,
    withdraw_change,
)
from daicho.domain.ledger.commands.transfer import (
    Move,
    approve_transfer,
    decline_transfer,
    transfer_licenses,
    withdraw_transfer,
)
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.commands.use import UseLine, assign_licenses, move_unit, release_licenses, reuse_licenses
from daicho.domain.ledger.models import Entry, Holder, Lot, Place, Posting, TransferRequest, Unit
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.reference import Books, LotFacts, Posted, Refused, Spot
from tests.world import World

START = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PLACES = st.sampled_from([0, 0, 0, 1, 2])
TAGS = st.integers(0, 4)
FEW = st.integers(1, 12)
ANY = st.integers(0, 10**6)
SYSTEM = Actor.system("state machine")
ISSUED, UNASSIGNED, CANCELLED, CONVERTED = Spot("issued"), Spot("unassigned"), Spot("cancelled"), Spot("converted")
UNDOABLE = {"deposit", "assign_order", "transfer", "reserve", "cancel", "reuse"}


class Acts(RuleBasedStateMachine):
    """The commands of the ledger in a world of three virtual accounts, five tags (three in a ladder) and four units."""

    world: World
    beginning: Acts | None = None

    @classmethod
    def in_world(cls, world: World, name: str) -> type[Acts]:
        """The machine for one world, with something of everything in it, which every example finds as it was.

        The lowest tier of the ladder is enforced.
        """
        LicenseTag.objects.filter(pk=world.essentials.pk).update(enforcement="enforced")
        world.essentials.enforcement = "enforced"
        machine = type(name, (cls,), {"world": world})
        with time_machine.travel(START, tick=False) as machine.traveller:
            first = machine()
            first.open_books()
            first.stock()
        machine.beginning = first
        return machine

    def open_books(self) -> None:
        """The books as they begin, empty or from the machine that stocked the world."""
        world, begun = self.world, self.beginning
        self.account = world.account
        self.places = [world.tokyo, world.osaka, world.default]
        self.tags = [world.premier, world.advantage, world.essentials, world.security, world.storage]
        self.undone: set[str] = set()
        self.last: Callable[[], object] | None = None
        self.done: dict[str, tuple[str, list[Posted], tuple[int, int, int, int] | None]] = {}
        if begun is not None:
            self.books, self.done, self.units = copy.deepcopy(begun.books), dict(begun.done), begun.units
            return
        ladder = [tag.pk for tag in self.tags[:3]]
        self.books = Books([ladder, [world.security.pk], [world.storage.pk]], {world.essentials.pk, world.security.pk})
        for place in (world.tokyo, world.tokyo, world.osaka, world.default):
            self.books.unit_in[world.unit(place).pk] = place.pk
        self.units = list(self.books.unit_in)

    def stock(self) -> None:
        """Spare, short, lent, metered, reserved, waiting and soon over: so that few acts lead far."""
        for place, tag, quantity, start, days, usage in (
            (0, 0, 20, -1, None, False), (0, 0, 10, 0, 5, False), (0, 1, 8, 0, 9, False), (0, 1, 4, 0, 6, True),
            (0, 2, 6, 0, None, False), (0, 3, 12, 0, 4, False), (0, 3, 9, 0, None, False), (0, 4, 5, 0, 7, True),
            (0, 4, 3, 2, 9, False), (1, 0, 5, 0, None, False), (1, 3, 7, 0, 8, False), (None, 4, 9, 0, None, False),
        ):  # fmt: skip
            self.deposit(place, tag, quantity, start, days, usage)
        self.devices_ask([(0, 0, 9, "ask"), (0, 1, 16, "ask"), (0, 3, 8, "ask"), (0, 4, 7, "ask"), (1, 2, 8, "ask")])
        self.devices_ask([(1, 3, 5, "ask"), (2, 0, 7, "ask"), (2, 3, 6, "ask"), (3, 4, 2, "report")])
        self.reserve(0, 3, 6, "reservation")
        self.reserve(1, 0, 5, "license_file")

    @initialize()
    def open_world(self) -> None:
        self.clock = time_machine.travel(START + DAY, tick=False)
        self.traveller = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.open_books()

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            self.books.let_time_pass(now())
            self.compare()
            self.compare_with_replay()
            findings = check_ledger(deep=True)
            assert not findings, "\n".join(map(str, findings))
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)
            self.clock.stop()

    # ── doing an act twice ──

    def both(
        self,
        act: str,
        command: Callable[..., Any],
        reference: Callable[[], object],
        shifted: tuple[int, int, int, int] | None = None,
        /,
        **arguments: Any,
    ) -> Any:
        """The command and its reference; both refuse or both do it. Returns what the command returned, None if refused."""
        self.traveller.shift(dt.timedelta(seconds=1))
        self.books.let_time_pass(now())
        arguments = {"account": self.account, "request_id": uuid.uuid4()} | arguments
        try:
            with self.books.act(act):
                reference()
            expected = True
        except Refused:
            expected = False
        refusal = done = None
        try:
            done = command(SYSTEM, **arguments)
        except BusinessError as error:
            refusal = error
        if refusal is not None:
            assert not expected, f"refused, but the reference allows it: {refusal}"
        else:
            assert expected, "done, but the reference refuses it"
            self.last = lambda: command(SYSTEM, **arguments)
            entry = getattr(done, "entry", done)
            if isinstance(entry, Entry):
                self.done[entry.uid] = (entry.kind, list(self.books.posted), shifted)
        self.compare()
        return done

    def compare(self) -> None:
        """Whatever pools nobody touched settle now; then the database holds what the reference holds."""
        sweep_due()
        books = self.books
        assert self.holdings() == {key: held for key, held in books.lies.items() if held}
        rows = read("SELECT u.unit_id, u.tag_id, p.virtual_account_id, p.tag_id, u.reported, u.counted"
                    " FROM ledger_use u JOIN ledger_pool p ON p.id = u.pool_id")  # fmt: skip
        used = {}
        for unit, tag, place, pool_tag, reported, counted in rows:
            assert (place, pool_tag) == (books.unit_in[unit], tag)
            used[unit, tag] = (reported, counted)
        assert {key: value for key, value in used.items() if any(value)} == {
            key: (reported, books.counted(*key)) for key, reported in books.reported.items() if reported
        }
        self.compare_pools()

    def compare_pools(self) -> None:
        covers: dict[tuple[int, int], dict[str, int]] = {}
        for place in self.places:
            for ladder in self.books.ladders:
                covers |= {(place.pk, tag): row for tag, row in self.books.cover(place.pk, ladder).items()}
        rows = read("SELECT virtual_account_id, tag_id, on_hand, in_use, usage_on_hand, lent, borrowed, metered, balance,"
                    " pending, reserved, fulfilled, next_change_at, next_end_at FROM ledger_pool")  # fmt: skip
        for place, tag, *figures, pending, reserved, fulfilled, next_change, next_end in rows:
            assert figures == list(covers.pop((place, tag)).values())
            amounts = [self.books.amount(kind, place, tag) for kind in ("pending", "reserved", "fulfilled")]
            assert [pending, reserved, fulfilled] == amounts
            assert (instant(next_change), instant(next_end)) == self.books.next_changes(place, tag)
        assert not any(any(row.values()) for row in covers.values()), "a pool is missing"

    def holdings(self) -> dict[tuple[Spot, int], int]:
        rows = read("SELECT p.kind, p.virtual_account_id, p.holder_id, h.lot_id, h.quantity FROM ledger_holding h"
                    " JOIN ledger_place p ON p.id = h.place_id WHERE h.quantity <> 0")  # fmt: skip
        return {(Spot(kind, place or 0, holder or 0), lot): held for kind, place, holder, lot, held in rows}

    def compare_with_replay(self) -> None:
        """From nothing, posting by posting, change by change: the same holdings, the same counts."""
        lies: dict[tuple[int, int], int] = defaultdict(int)
        for lot, source, target, quantity in Posting.objects.order_by("pk").values_list(
            "lot_id", "source_id", "target_id", "quantity"
        ):
            lies[source, lot] -= quantity
            lies[target, lot] += quantity
        spots = {
            number: Spot(kind, place or 0, holder or 0)
            for number, kind, place, holder in Place.objects.values_list("pk", "kind", "virtual_account", "holder")
        }
        assert {(spots[place], lot): held for (place, lot), held in lies.items() if held} == self.holdings()
        counts: dict[tuple[int, int], int] = defaultdict(int)
        for unit, tag, before, after in read(
            "SELECT unit_id, tag_id, counted_before, counted_after FROM ledger_usechange ORDER BY id"
        ):
            assert counts[unit, tag] == before, "a change begins where the one before it ended"
            counts[unit, tag] = after
        assert {key: count for key, count in counts.items() if count} == {
            key: count for key in self.books.reported if (count := self.books.counted(*key))
        }

    # ── finding something to act on ──

    def unit(self, number: int) -> Unit:
        return Unit.objects.select_related("virtual_account").get(pk=self.units[number % len(self.units)])

    def some(self, rows: Any, number: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def learn(self, lot: Lot) -> int:
        self.books.lots[lot.pk] = LotFacts(lot.tag_id, lot.billing == "usage", lot.start_at, lot.end_at)
        return lot.pk

    # ── the acts ──

    @rule(days=st.integers(0, 3), seconds=st.integers(0, 86_399), swept=st.booleans())
    def time_passes(self, days: int, seconds: int, swept: bool) -> None:
        """Sometimes the sweep comes first, sometimes the next act must settle time by itself."""
        self.traveller.shift(dt.timedelta(days=days, seconds=seconds))
        if swept:
            self.books.let_time_pass(now())
            self.compare()

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_same_request_comes_again(self) -> None:
        self.books.let_time_pass(now())
        assert self.last is not None
        self.last()
        self.compare()

    @rule(place=st.one_of(st.none(), PLACES), tag=TAGS, quantity=FEW, start=st.sampled_from([-2, 0, 0, 0, 1, 3]), days=st.one_of(st.none(), FEW),
          usage=st.booleans())  # fmt: skip
    def deposit(self, place: int | None, tag: int, quantity: int, start: int, days: int | None, usage: bool) -> None:
        begins = now() + start * DAY
        end = None if days is None else begins + days * DAY
        target = None if place is None else self.places[place]
        billing = "usage" if usage and tag in {1, 4} else "prepaid"
        lot = NewLot(self.tags[tag], quantity, "perpetual" if end is None else "term", begins, end, target, billing)
        self.traveller.shift(dt.timedelta(seconds=1))
        self.books.let_time_pass(now())
        deposit = deposit_lots(SYSTEM, account=self.account, request_id=uuid.uuid4(), lots=[lot])
        made = self.learn(deposit.lots[0])
        spot = UNASSIGNED if target is None else self.books.spot_by_time(target.pk, made, now())
        with self.books.act("GIVE"):
            self.books.move(made, ISSUED, spot, quantity)
        self.done[deposit.entry.uid] = ("deposit", list(self.books.posted), None)
        self.compare()

    @rule(number=ANY, place=PLACES, quantity=FEW)
    def assign_order(self, number: int, place: int, quantity: int) -> None:
        waiting = sorted(lot for (spot, lot), held in self.books.lies.items() if spot == UNASSIGNED and held)
        if waiting:
            lot, target = Lot.objects.get(pk=waiting[number % len(waiting)]), self.places[place]

            def reference() -> None:
                self.books.move(lot.pk, UNASSIGNED, self.books.spot_by_time(target.pk, lot.pk, now()), quantity)

            self.both("GIVE", assign_unassigned, reference, parts=[AssignPart(lot.uid, quantity, target)])

    def a_move(
        self, here: int, there: int, tag: int, quantity: int, by_hand: int | None
    ) -> tuple[Move, Callable[[], None]]:
        """A move with or without a lot chosen by hand, and its reference."""
        source, target = self.places[here], self.places[there]
        lots = Lot.objects.filter(tag=self.tags[tag])
        lot = None if by_hand is None else self.some(lots, by_hand)

        def reference() -> None:
            if here == there:
                raise Refused
            self.books.carry(source.pk, target.pk, self.tags[tag].pk, quantity, lot.pk if lot else None, now())

        return Move(source, target, self.tags[tag], quantity, lot.uid if lot else None), reference

    @rule(here=PLACES, there=PLACES, tag=TAGS, quantity=FEW, by_hand=st.one_of(st.none(), ANY))
    def transfer(self, here: int, there: int, tag: int, quantity: int, by_hand: int | None) -> None:
        move, reference = self.a_move(here, there, tag, quantity, by_hand)
        self.both("TAKE", transfer_licenses, reference, moves=[move])

    @rule(here=PLACES, step=st.integers(1, 2), tag=TAGS, quantity=FEW)
    def ask_for_a_transfer(self, here: int, step: int, tag: int, quantity: int) -> None:
        move, _ = self.a_move(here, (here + step) % 3, tag, quantity, None)
        self.account.transfers_need_approval = True
        user = self.world.as_(self.world.user)
        transfer_licenses(user, account=self.account, request_id=uuid.uuid4(), moves=[move])
        self.account.transfers_need_approval = False

    @precondition(lambda self: TransferRequest.objects.filter(state="open").exists())
    @rule(number=ANY, act=st.sampled_from(["approve", "approve", "decline", "withdraw"]))
    def answer_a_transfer(self, number: int, act: str) -> None:
        waiting = self.some(TransferRequest.objects.filter(state="open"), number)
        line = waiting.moves[0]
        places = {place.uid: place.pk for place in self.places}
        tag = next(tag.pk for tag in self.tags if tag.uid == line["tag"])

        def reference() -> None:
            self.books.carry(places[line["source"]], places[line["target"]], tag, line["quantity"], None, now())

        def answer(actor: Actor, account: Any, request_id: uuid.UUID) -> Any:
            commands = {"approve": approve_transfer, "decline": decline_transfer, "withdraw": withdraw_transfer}
            return commands[act](actor, account=account, request_uid=waiting.uid)

        self.both("TAKE", answer, reference if act == "approve" else lambda: None)
        self.last = None  # an answered request is closed: answering twice is refused

    @precondition(lambda self: self.done)
    @rule(number=ANY)
    def undo(self, number: int) -> None:
        uid = list(self.done)[number % len(self.done)]
        kind, postings, shifted = self.done[uid]

        def reference() -> None:
            if kind not in UNDOABLE or uid in self.undone or not (postings or shifted):
                raise Refused
            books = self.books
            if shifted:
                books.shift_use(shifted[1], shifted[2], -shifted[3])
            for posted in postings[::-1]:
                here, there = (
                    books.spot_by_time(spot.virtual_account, posted.lot, now())
                    if spot.kind in {"pending", "on_hand", "ended"} else spot
                    for spot in (posted.target, posted.source)
                )  # fmt: skip
                books.move(posted.lot, here, there, posted.quantity)
                if here.holder:
                    old, new = books.lines[here.holder, posted.lot]
                    books.lines[here.holder, posted.lot] = (
                        max(0, old - posted.quantity),
                        max(0, new - posted.quantity),
                    )
            if shifted:
                books.shift_use(shifted[0], shifted[2], shifted[3])

        if self.both("TAKE", undo_entry, reference, entry_uid=uid) is not None:
            self.undone.add(uid)

    @rule(unit=ANY, tag=TAGS, quantity=FEW, act=st.sampled_from(["assign", "release"]))
    def use_by_hand(self, unit: int, tag: int, quantity: int, act: str) -> None:
        found, lines = self.unit(unit), [UseLine(self.tags[tag], quantity)]
        assigns = act == "assign"

        def reference() -> None:
            self.books.shift_use(found.pk, self.tags[tag].pk, quantity if assigns else -quantity)

        command = assign_licenses if assigns else release_licenses
        self.both("TAKE" if assigns else "GIVE", command, reference, unit=found, lines=lines)

    @rule(asks=st.lists(st.tuples(ANY, TAGS, st.integers(0, 12), st.sampled_from(["ask", "ask", "report", "release"])),
                        min_size=1, max_size=5))  # fmt: skip
    def devices_ask(self, asks: list[tuple[int, int, int, str]]) -> None:
        """A batch, decided in the order of arrival."""
        self.traveller.shift(dt.timedelta(seconds=1))
        self.books.let_time_pass(now())
        requests = [
            getattr(UseRequest, what)(self.unit(unit), uuid.uuid4(), [(self.tags[tag], quantity)])
            for unit, tag, quantity, what in asks
        ]
        answers = ask_many(requests)
        for (unit, tag, quantity, what), answer in zip(asks, answers, strict=True):
            number, tag_id = self.units[unit % len(self.units)], self.tags[tag].pk
            try:
                if what == "ask":
                    self.books.ask(number, tag_id, quantity)
                elif what == "report":
                    self.books.reported[number, tag_id] = quantity
                else:
                    self.books.shift_use(number, tag_id, -quantity)
            except Refused:
                assert not answer.is_granted
            else:
                assert answer.is_granted
                assert answer.counted[tag_id] == self.books.counted(number, tag_id)
        self.compare()

    @rule(old=ANY, new=ANY, tag=TAGS, quantity=FEW)
    def reuse(self, old: int, new: int, tag: int, quantity: int) -> None:
        source, target, tag_id = self.unit(old), self.unit(new), self.tags[tag].pk

        def reference() -> None:
            if source.pk == target.pk:
                raise Refused
            self.books.shift_use(source.pk, tag_id, -quantity)
            if source.virtual_account_id != target.virtual_account_id:
                places = source.virtual_account_id, target.virtual_account_id
                self.books.carry(*places, tag_id, quantity, None, now())
            self.books.shift_use(target.pk, tag_id, quantity)

        lines = [UseLine(self.tags[tag], quantity)]
        self.both("TAKE", reuse_licenses, reference, (source.pk, target.pk, tag_id, quantity),
                  source=source, target=target, lines=lines)  # fmt: skip

    @rule(unit=ANY, place=PLACES)
    def move(self, unit: int, place: int) -> None:
        found, target = self.unit(unit), self.places[place]

        def reference() -> None:
            if self.books.unit_in[found.pk] == target.pk:
                raise Refused
            self.books.move_unit(found.pk, target.pk)

        self.both("ASK", move_unit, reference, unit=found, target=target)

    @rule(failed=ANY, step=st.integers(1, 3))
    def replace(self, failed: int, step: int) -> None:
        old, new = self.unit(failed), self.unit(failed + step)
        self.both(
            "ASK", replace_unit, lambda: self.books.replace_unit(old.pk, new.pk), failed=old, successor=new
        )  # fmt: skip

    @rule(here=PLACES, step=st.integers(1, 2))
    def empty(self, here: int, step: int) -> None:
        source, target = self.places[here], self.places[(here + step) % 3]

        def reference() -> None:
            for (spot, lot), held in list(self.books.lies.items()):
                if spot.virtual_account == source.pk and spot.kind in {"pending", "on_hand"} and held:
                    self.books.move(lot, spot, self.books.spot_by_time(target.pk, lot, now()), held)
            for unit in self.units:
                if self.books.unit_in[unit] == source.pk:
                    self.books.move_unit(unit, target.pk)

        self.both("ASK", move_everything, reference, source=source, target=target)

    @rule(unit=ANY, tag=TAGS, quantity=FEW, kind=st.sampled_from(["reservation", "license_file"]))
    def reserve(self, unit: int, tag: int, quantity: int, kind: str) -> None:
        found, books = self.unit(unit), self.books
        number = -1 - len(books.unit_of)  # until the database has given it one
        hand = Spot("reserved" if kind == "reservation" else "fulfilled", found.virtual_account_id, number)

        def reference() -> None:
            books.unit_of[number] = found.pk
            for lot, part in books.take_on_hand(found.virtual_account_id, self.tags[tag].pk, quantity):
                books.move(lot, Spot("on_hand", found.virtual_account_id), hand, part)
                books.lines[number, lot] = (part, part)

        def reserving(actor: Actor, **arguments: Any) -> Any:
            done = reserve_licenses(actor, **arguments)
            books.call_holder(number, done.holder.pk)
            return done

        lines = [ReserveLine(self.tags[tag], quantity)]
        self.both("TAKE", reserving, reference, unit=found, kind=kind, lines=lines)

    @precondition(lambda self: self.books.unit_of)
    @rule(
        holder=ANY, number=ANY, quantity=FEW, act=st.sampled_from(["change", "change", "confirm", "withdraw", "return"])
    )
    def change_what_is_held(self, holder: int, number: int, quantity: int, act: str) -> None:
        found = self.some(Holder.objects.select_related("unit__virtual_account"), holder)
        if found is None:
            return
        books = self.books
        mine = [lot for one, lot in books.lines if one == found.pk]
        place = found.unit.virtual_account_id
        if act != "change":

            def settle() -> None:
                for lot in mine:
                    old, new = books.lines[found.pk, lot]
                    books.let_go(found.pk, lot, {"confirm": new, "withdraw": old, "return": 0}[act], now())

            acts = {"confirm": confirm_change, "withdraw": withdraw_change, "return": return_reservation}
            self.both("GIVE", acts[act], settle, holder=found)
            return
        lot = self.some(Lot.objects.all(), number)

        def reference() -> None:
            lines = {one: books.lines[found.pk, one] for one in mine}
            if any(old != new for old, new in lines.values()):
                raise Refused
            old, _ = lines.setdefault(lot.pk, (0, 0))
            hand = Spot("reserved" if found.kind == "reservation" else "fulfilled", place, found.pk)
            if quantity > old:
                books.move(lot.pk, Spot("on_hand", place), hand, quantity - old)
            for one, (before, _) in lines.items():
                books.lines[found.pk, one] = (before, quantity if one == lot.pk else 0)

        self.both("TAKE", change_reservation, reference, holder=found, lots=[HeldLot(lot.uid, quantity)])

    @precondition(lambda self: self.books.lots)
    @rule(number=ANY, act=st.sampled_from(["cancel", "revoke"]))
    def take_back(self, number: int, act: str) -> None:
        """Cancelled as far as it is spare, or revoked whatever uses it."""
        lot, books = self.some(Lot.objects.all(), number), self.books

        def reference() -> None:
            for (spot, one), held in list(books.lies.items()):
                if one != lot.pk or spot.kind not in {"unassigned", "pending", "on_hand"}:
                    continue
                if act == "cancel" and spot.kind == "on_hand":
                    ladder = next(ladder for ladder in books.ladders if lot.tag_id in ladder)
                    spare = books.cover(spot.virtual_account, ladder)[lot.tag_id]["balance"]
                    held = min(held, max(0, spare))
                if held:
                    books.move(lot.pk, spot, CANCELLED, held)
            if act == "revoke" and not books.posted:
                raise Refused

        extra = {} if act == "cancel" else {"reason": "unpaid"}
        self.both("TAKE" if act == "cancel" else "FACT", cancel_lot if act == "cancel" else revoke_lot, reference,
                  lot=lot, **extra)  # fmt: skip
        if act == "cancel" and not books.posted:
            self.last = None  # nothing was spare, so no entry was made: asked again, it may find something

    @precondition(lambda self: self.books.lots)
    @rule(number=ANY, quantity=FEW, days=FEW)
    def correct(self, number: int, quantity: int, days: int) -> None:
        """The wrong lot leaves every place; the right one takes its places, on hand first, the rest is unassigned."""
        lot, books = self.some(Lot.objects.all(), number), self.books
        self.traveller.shift(dt.timedelta(seconds=1))
        books.let_time_pass(now())
        right = NewLot(
            next(tag for tag in self.tags if tag.pk == lot.tag_id), quantity, "term", now(), now() + days * DAY
        )
        order = ["on_hand", "pending", "ended", "unassigned"]
        wrong = {
            spot: held for (spot, one), held in books.lies.items() if one == lot.pk and held and spot.kind in order
        }
        done = correct_lot(SYSTEM, account=self.account, request_id=uuid.uuid4(), lot=lot, right=right, reason="typo")
        made = self.learn(done.lot)
        laid = {spot: held for (spot, one), held in self.holdings().items() if one == made and held > 0}
        rest = quantity
        for kind in order:  # among virtual accounts any order is right: what is given up is that
            there = {spot.virtual_account: held for spot, held in wrong.items() if spot.kind == kind}
            part = min(rest, sum(there.values()))
            rest -= part
            assert part <= sum(laid.get(self.spot_of(place, made), 0) for place in there)
        with books.act("FACT"):
            for spot, held in wrong.items():
                books.move(lot.pk, spot, CONVERTED, held)
            for spot, held in laid.items():
                books.move(made, ISSUED, spot, held)
        assert sum(laid.values()) == quantity
        self.done[done.entry.uid] = ("correct", list(books.posted), None)
        self.compare()

    @precondition(lambda self: len(self.books.lots) > 1)
    @rule(tag=TAGS, numbers=st.lists(ANY, min_size=2, max_size=3))
    def bring_together(self, tag: int, numbers: list[int]) -> None:
        """Several lots get one end: the one, weighted by quantity and rounded up to a day, that loses no license-day."""
        books, zone = self.books, ZoneInfo(self.account.time_zone)
        ending = list(Lot.objects.filter(tag=self.tags[tag], end_at__gt=now()).order_by("pk"))
        if not ending:
            return
        lots = {lot.pk: lot for lot in (ending[number % len(ending)] for number in numbers)}
        given: list[tuple[int, Spot, int]] = []

        def reference() -> None:
            facts = [books.lots[lot] for lot in lots]
            for (spot, lot), held in books.lies.items():
                if lot in lots and held and spot.kind in {"on_hand", "unassigned"}:
                    given.append((lot, spot, held))
            if len(lots) < 2 or len({fact.usage for fact in facts}) > 1 or not given:
                raise Refused
            if any(fact.start > now() or fact.end is None or fact.end <= now() for fact in facts):
                raise Refused
            for lot, spot, held in given:
                books.move(lot, spot, CONVERTED, held)

        done = self.both("GIVE", self.co_term(given), reference, lots=list(lots.values()), reason="one renewal")
        if done is not None:
            total = sum(held for _, _, held in given)
            days = sum(held * self.last_day(books.lots[lot].end, zone) for lot, _, held in given)
            assert self.last_day(done.lot.end_at, zone) == -(-days // total)

    def co_term(self, given: list[tuple[int, Spot, int]]) -> Callable[..., Any]:
        """The command, after which the reference learns of the new lot, that lies where the old ones lay."""

        def act(actor: Actor, **arguments: Any) -> Any:
            done = co_term_lots(actor, **arguments)
            if done.lot.pk not in self.books.lots:
                made = self.learn(done.lot)
                for _, spot, held in given:
                    self.books.move(made, ISSUED, spot, held)
            return done

        return act

    def last_day(self, end: dt.datetime | None, zone: ZoneInfo) -> int:
        assert end is not None
        return (end - dt.timedelta(microseconds=1)).astimezone(zone).toordinal()

    def spot_of(self, virtual_account: int, lot: int) -> Spot:
        return self.books.spot_by_time(virtual_account, lot, now()) if virtual_account else UNASSIGNED


def read(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def instant(value: Any) -> dt.datetime | None:
    """SQLite gives instants as text when asked without the ORM."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value
