"""The ledger as ledger.md tells it, once more and in the plainest way: dictionaries, no database, no code of the ledger.

The state machine does every act here and there and compares. Nothing of `daicho.domain.ledger` is imported: a mistake
in its rules must not be repeated here. Tags, virtual accounts, units, holders and lots are numbers.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Spot(NamedTuple):
    """Where lots lie; 0: no virtual account, no holder."""

    kind: str
    virtual_account: int = 0
    holder: int = 0


@dataclass(frozen=True)
class LotFacts:
    tag: int
    usage: bool
    start: dt.datetime
    end: dt.datetime | None


class Refused(Exception):
    """The act is refused and nothing changes."""


class Posted(NamedTuple):
    lot: int
    source: Spot
    target: Spot
    quantity: int


@dataclass
class Books:
    """Both books. What is here must be all that the database says."""

    ladders: list[list[int]]  # tags, best tier first
    strict: set[int]
    lots: dict[int, LotFacts] = field(default_factory=dict)
    lies: dict[tuple[Spot, int], int] = field(default_factory=lambda: defaultdict(int))
    reported: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    unit_in: dict[int, int] = field(default_factory=dict)
    unit_of: dict[int, int] = field(default_factory=dict)  # of a holder
    lines: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # holder, lot → old, new
    posted: list[Posted] = field(default_factory=list)  # by the act that is being done

    # ── time ──

    def spot_by_time(self, virtual_account: int, lot: int, at: dt.datetime) -> Spot:
        """A lot counts in [start, end)."""
        facts = self.lots[lot]
        if facts.end is not None and at >= facts.end:
            return Spot("ended", virtual_account)
        return Spot("pending" if at < facts.start else "on_hand", virtual_account)

    def let_time_pass(self, at: dt.datetime) -> None:
        """Everything that has started or ended by now does so, in holders' hands too."""
        for (spot, lot), quantity in list(self.lies.items()):
            end = self.lots[lot].end
            if not quantity or not spot.virtual_account or spot.kind == "ended":
                continue
            if not spot.holder:
                self._lay(lot, spot, self.spot_by_time(spot.virtual_account, lot, at), quantity)
            elif end is not None and at >= end:
                self._lay(lot, spot, Spot("ended", spot.virtual_account), quantity)
                self.lines[spot.holder, lot] = (0, 0)

    # ── figures ──

    def held(self, unit: int, tag: int) -> int:
        return sum(
            max(line)
            for (holder, lot), line in self.lines.items()
            if self.unit_of[holder] == unit and self.lots[lot].tag == tag
        )

    def counted(self, unit: int, tag: int) -> int:
        return max(0, self.reported[unit, tag] - self.held(unit, tag))

    def in_use(self, virtual_account: int, tag: int) -> int:
        return sum(
            self.counted(unit, used)
            for unit, used in list(self.reported)
            if used == tag and self.unit_in[unit] == virtual_account
        )

    def amount(self, kind: str, virtual_account: int, tag: int, *, usage_only: bool = False) -> int:
        return sum(
            quantity
            for (spot, lot), quantity in self.lies.items()
            if spot.kind == kind and spot.virtual_account == virtual_account and self.lots[lot].tag == tag
            and (self.lots[lot].usage or not usage_only)
        )  # fmt: skip

    def cover(self, virtual_account: int, ladder: list[int]) -> dict[int, dict[str, int]]:
        """The figures of a ladder: own use first, then each short tier, from the top, borrows from the nearest above."""
        rows = []
        for tag in ladder:
            on_hand, in_use = self.amount("on_hand", virtual_account, tag), self.in_use(virtual_account, tag)
            usage = self.amount("on_hand", virtual_account, tag, usage_only=True)
            rows.append(
                {"on_hand": on_hand, "in_use": in_use, "usage_on_hand": usage, "lent": 0, "borrowed": 0, "metered": 0}
            )
        for place, row in enumerate(rows):
            lacking = row["in_use"] - row["on_hand"]
            if lacking > 0 and row["usage_on_hand"]:
                row["metered"] = lacking
                continue
            for above in rows[:place][::-1]:
                spare = above["on_hand"] - above["in_use"] - above["lent"]
                while lacking > 0 and spare > 0:
                    lacking, spare = lacking - 1, spare - 1
                    above["lent"] += 1
                    row["borrowed"] += 1
        for row in rows:
            row["balance"] = row["on_hand"] - row["in_use"] - row["lent"] + row["borrowed"] + row["metered"]
        return dict(zip(ladder, rows, strict=True))

    def balances(self) -> dict[tuple[int, int], int]:
        """Of every pool there could be."""
        return {
            (place, tag): row["balance"]
            for place in self.virtual_accounts
            for ladder in self.ladders
            for tag, row in self.cover(place, ladder).items()
        }

    @property
    def virtual_accounts(self) -> list[int]:
        return sorted({spot.virtual_account for spot, _ in self.lies} - {0} | set(self.unit_in.values()))

    def next_changes(self, virtual_account: int, tag: int) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The soonest start or end, and the soonest end, of what lives in a pool."""
        starts, ends = [], []
        for (spot, lot), quantity in self.lies.items():
            facts = self.lots[lot]
            if quantity and spot.virtual_account == virtual_account and facts.tag == tag and spot.kind != "ended":
                ends += [facts.end] if facts.end else []
                starts += [facts.start] if spot.kind == "pending" else []
        return min(starts + ends, default=None), min(ends, default=None)

    # ── acts ──

    @contextmanager
    def act(self, kind: str) -> Iterator[None]:
        """Do an act, then judge it once: TAKE may make no pool shorter, ASK no strict one. A refusal takes all back."""
        before, kept = self.balances(), self._copy()
        self.posted = []
        try:
            yield
            self.judge(kind, before)
        except Refused:
            self._restore(kept)
            raise

    def judge(self, kind: str, before: dict[tuple[int, int], int]) -> None:
        for pool, balance in self.balances().items():
            shorter = max(0, -balance) > max(0, -before.get(pool, 0))
            if shorter and (kind == "TAKE" or (kind == "ASK" and pool[1] in self.strict)):
                raise Refused

    def move(self, lot: int, source: Spot, target: Spot, quantity: int) -> None:
        """Post, if so much is there."""
        if source.kind != "issued" and self.lies[source, lot] < quantity:
            raise Refused
        self.posted.append(Posted(lot, source, target, quantity))
        self._lay(lot, source, target, quantity)

    def take_on_hand(self, virtual_account: int, tag: int, quantity: int) -> list[tuple[int, int]]:
        """Lots in the order of their ends, older ones first among equals; refused if there are too few."""
        here = Spot("on_hand", virtual_account)
        forever = dt.datetime.max.replace(tzinfo=dt.UTC)
        found = [lot for (spot, lot), held in self.lies.items() if spot == here and held and self.lots[lot].tag == tag]
        chosen = []
        for lot in sorted(found, key=lambda lot: (self.lots[lot].end or forever, lot)):
            part = min(quantity, self.lies[here, lot])
            quantity -= part
            chosen += [(lot, part)] if part else []
        if quantity:
            raise Refused
        return chosen

    def carry(self, here: int, there: int, tag: int, quantity: int, lot: int | None, at: dt.datetime) -> None:
        """Move lots from one virtual account to another, a named one wherever its time put it."""
        chosen = [(lot, quantity)] if lot else self.take_on_hand(here, tag, quantity)
        for one, part in chosen:
            self.move(one, self.spot_by_time(here, one, at), self.spot_by_time(there, one, at), part)

    def shift_use(self, unit: int, tag: int, difference: int) -> None:
        if self.reported[unit, tag] + difference < 0:
            raise Refused
        self.reported[unit, tag] += difference

    def let_go(self, holder: int, lot: int, keep: int, at: dt.datetime) -> None:
        """A line of a holder comes to rest at what it keeps; the rest goes where its time says."""
        spare = max(self.lines[holder, lot]) - keep
        if spare:
            here = self.hand(holder, lot)
            self.move(lot, here, self.spot_by_time(here.virtual_account, lot, at), spare)
        self.lines[holder, lot] = (keep, keep)

    def hand(self, holder: int, lot: int) -> Spot:
        """Where a holder's part of a lot lies."""
        return next(
            spot for (spot, one), quantity in self.lies.items() if quantity and one == lot and spot.holder == holder
        )

    def call_holder(self, number: int, name: int) -> None:
        """The database has given a holder its number."""
        if number not in self.unit_of:
            return
        self.unit_of[name] = self.unit_of.pop(number)

        def called(spot: Spot) -> Spot:
            return spot._replace(holder=name) if spot.holder == number else spot

        self.posted = [Posted(lot, called(source), called(target), held) for lot, source, target, held in self.posted]
        for spot, lot in [key for key in self.lies if key[0].holder == number]:
            self.lies[called(spot), lot] = self.lies.pop((spot, lot))
        for holder, lot in [key for key in self.lines if key[0] == number]:
            self.lines[name, lot] = self.lines.pop((holder, lot))

    def move_unit(self, unit: int, target: int) -> None:
        """A unit goes with its use and all that it holds."""
        for (spot, lot), quantity in list(self.lies.items()):
            if spot.holder and self.unit_of[spot.holder] == unit and quantity:
                self.move(lot, spot, spot._replace(virtual_account=target), quantity)
        self.unit_in[unit] = target

    def replace_unit(self, failed: int, successor: int) -> None:
        """A unit comes to where another failed, with the larger of both reports, and with its holders."""
        self.move_unit(successor, self.unit_in[failed])
        self.unit_of = {holder: successor if unit == failed else unit for holder, unit in self.unit_of.items()}
        for unit, tag in [key for key in self.reported if key[0] == failed]:
            given = self.reported.pop((unit, tag))
            self.reported[successor, tag] = max(given, self.reported[successor, tag])

    def ask(self, unit: int, tag: int, quantity: int) -> None:
        """A device asks for a count. Strict tags are judged with the unit's own count taken out."""
        old = self.reported[unit, tag]
        if tag in self.strict:
            self.reported[unit, tag] = 0
        before = self.balances()
        self.reported[unit, tag] = quantity
        try:
            self.judge("ASK", before)
        except Refused:
            self.reported[unit, tag] = old
            if tag in self.strict and any(
                max(0, -balance) > max(0, -before[pool]) for pool, balance in self.balances().items()
            ):
                self.reported[unit, tag] = 0
            raise

    # ── inside ──

    def _lay(self, lot: int, source: Spot, target: Spot, quantity: int) -> None:
        self.lies[source, lot] -= quantity
        self.lies[target, lot] += quantity

    def _copy(self) -> list[object]:
        kept = (self.lots, self.lies, self.reported, self.unit_in, self.unit_of, self.lines)
        return [copy.copy(part) for part in kept]

    def _restore(self, kept: list[object]) -> None:
        self.lots, self.lies, self.reported, self.unit_in, self.unit_of, self.lines = kept  # type: ignore[assignment]
