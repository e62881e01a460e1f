"""The whole history again (I9): no TAKE ever made a pool shorter, no ASK a strict one."""

from __future__ import annotations

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db.models import Case, Value, When

from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger import rules
from daicho.domain.ledger.batch import REFUSED
from daicho.domain.ledger.finding import Finding
from daicho.domain.ledger.models import Entry, Lot, Place, Posting, UseChange
from daicho.domain.ledger.rules import Act, Change, Tier

Key = tuple[int, int]  # virtual account, tag

TAKES = {
    Entry.Kind.TRANSFER, Entry.Kind.RESERVE, Entry.Kind.FULFIL, Entry.Kind.CONVERT, Entry.Kind.CO_TERM,
    Entry.Kind.CANCEL, Entry.Kind.UNDO, Entry.Kind.REUSE,
}  # fmt: skip
ASKS = {Entry.Kind.MOVE_UNIT, Entry.Kind.REPLACE}


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a lot or one change of a use. Steps with the same `order` were one act and judged together.

    `order` is the instant, then the clock before people before devices, then the row. `own` is the unit's own count,
    with which taken out an ASK is judged.
    """

    order: tuple[dt.datetime, int, int]
    row: dict[str, Any]
    act: Act
    key: Key
    on_hand: int = 0
    usage_on_hand: int = 0
    in_use: int = 0
    own: int = 0


@dataclass(slots=True)
class State:
    """A pool on its way through history."""

    on_hand: int = 0
    usage_on_hand: int = 0
    in_use: int = 0


@dataclass(eq=False)
class History:
    """All pools as they stood at one moment."""

    tags: dict[int, LicenseTag] = field(default_factory=LicenseTag.objects.in_bulk)
    pools: dict[Key, State] = field(default_factory=lambda: defaultdict(State))
    tiers: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.tiers = defaultdict(list)
        for tag in sorted(self.tags.values(), key=lambda tag: tag.rank or 0):
            if tag.ladder_id is not None:
                self.tiers[tag.ladder_id].append(tag.pk)

    def ladder_of(self, key: Key) -> tuple[Key, ...]:
        ladder_id = self.tags[key[1]].ladder_id
        return (key,) if ladder_id is None else tuple((key[0], tag_id) for tag_id in self.tiers[ladder_id])

    def short(self, ladder: tuple[Key, ...]) -> list[int]:
        states = [self.pools[key] for key in ladder]
        covers = rules.cover([Tier(state.on_hand, state.in_use, state.usage_on_hand) for state in states])
        return [
            max(0, -rules.balance(state.on_hand, state.in_use, cover))
            for state, cover in zip(states, covers, strict=True)
        ]

    def judge(self, steps: list[Step]) -> Finding | None:
        """Do one act; a finding if it should have been refused."""
        ladders = list(dict.fromkeys(self.ladder_of(step.key) for step in steps))
        for step in steps:
            self.pools[step.key].in_use -= step.own
        before = [amount for ladder in ladders for amount in self.short(ladder)]
        for step in steps:
            state = self.pools[step.key]
            state.on_hand += step.on_hand
            state.usage_on_hand += step.usage_on_hand
            state.in_use += step.in_use + step.own
        after = [amount for ladder in ladders for amount in self.short(ladder)]
        keys = [key for ladder in ladders for key in ladder]
        changes = [
            Change(self.tags[key[1]].is_strict, was, now) for key, was, now in zip(keys, before, after, strict=True)
        ]
        first = steps[0]
        if not rules.is_refused(first.act, changes):
            return None
        key, change = max(zip(keys, changes, strict=True), key=lambda pair: pair[1].missing)
        where = f"the pool of virtual account {key[0]} and tag {key[1]}"
        table = "entry" if "entry" in first.row else "use_change"
        return Finding("I9", table, first.row, f"a {first.act} made {where} shorter by {change.missing}")


def replay() -> Iterator[Finding]:
    """Judge every act again, in the order in which they were decided."""
    history = History()
    steps = heapq.merge(_lot_steps(), _use_steps(), key=lambda step: step.order)
    for _, act in groupby(steps, key=lambda step: step.order):
        finding = history.judge(list(act))
        if finding is not None:
            yield finding


def _lot_steps() -> Iterator[Step]:
    """What each posting did to what was on hand."""
    first = Case(When(entry__kind=Entry.Kind.TIME, then=Value(0)), default=Value(1))
    rows = Posting.objects.select_related("entry", "lot", "source", "target").order_by(
        "entry__at", first, "entry_id", "pk"
    )
    for row in rows.iterator(chunk_size=2_000):
        for place, amount in ((row.source, -row.quantity), (row.target, row.quantity)):
            if place.kind == Place.Kind.ON_HAND and place.virtual_account_id is not None:
                yield Step(
                    *_judged_as(row.entry),
                    (place.virtual_account_id, row.lot.tag_id),
                    on_hand=amount,
                    usage_on_hand=amount if row.lot.billing == Lot.Billing.USAGE else 0,
                )


def _use_steps() -> Iterator[Step]:
    """What each change of a use did to what was in use; people's lines of one request were judged together.

    Only a strict tag's ask is judged with the unit's own count taken out.
    """
    first = Case(When(entry=None, then=Value(2)), When(entry__kind=Entry.Kind.TIME, then=Value(0)), default=Value(1))
    rows = UseChange.objects.select_related("entry", "tag", "pool_before", "pool_after").order_by(
        "at", first, "entry_id", "pk"
    )
    together: dict[tuple[int, Any], int] = {}
    for row in rows.iterator(chunk_size=2_000):
        if row.entry is not None:
            order, told, act = _judged_as(row.entry)
        else:
            act = Act(row.act_class)
            number = row.pk if act is Act.ASK else together.setdefault((row.unit_id, row.request_id), row.pk)
            order, told = (row.at, 2, number), {"unit": row.unit_id, "request": row.request_id}
        stays = row.pool_before_id == row.pool_after_id
        is_ask = act is Act.ASK and stays and row.tag.is_strict and row.cause != REFUSED
        own = row.counted_before if is_ask else 0
        for pool, amount in ((row.pool_before, -row.counted_before), (row.pool_after, row.counted_after)):
            if pool is not None:
                yield Step(order, told, act, (pool.virtual_account_id, pool.tag_id), in_use=amount, own=own)
                own = 0


def _judged_as(entry: Entry) -> tuple[tuple[dt.datetime, int, int], dict[str, Any], Act]:
    is_clock = entry.kind == Entry.Kind.TIME
    act = Act.TAKE if entry.kind in TAKES else Act.ASK if entry.kind in ASKS else Act.FACT
    return (entry.at, 0 if is_clock else 1, entry.pk), {"entry": entry.pk}, act
