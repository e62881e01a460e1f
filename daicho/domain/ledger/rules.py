"""The ledger's rules (ledger.md), pure: figures of a ladder, the judgement of an act, the choice of lots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daicho.core.clock import FOREVER


class Act(StrEnum):
    """The class of a command: how it is judged, once, after all its moves and uses."""

    GIVE = "give"
    TAKE = "take"
    ASK = "ask"
    FACT = "fact"


class Choice(StrEnum):
    """Which lots go first where the caller names none."""

    SOONEST_END = "soonest_end"
    LONGEST_TERM = "longest_term"


# Kinds of entries that a counter entry undoes; the clock, usage and conversions are not (product.md, Licenses).
UNDOABLE = frozenset({"deposit", "assign_order", "transfer", "reserve", "cancel", "reuse"})
UNDONE_BY_OPERATOR = frozenset({"deposit", "cancel"})


@dataclass(frozen=True, slots=True)
class Tier:
    """What the ladder function sees of one pool."""

    on_hand: int
    in_use: int
    usage_on_hand: int = 0


@dataclass(frozen=True, slots=True)
class Cover:
    """What covers a tier's use beyond its own licenses, and what it gives to lower tiers."""

    lent: int = 0
    borrowed: int = 0
    metered: int = 0


def cover(tiers: Sequence[Tier]) -> list[Cover]:
    """Who lends to whom in one virtual account's ladder, best tier first.

    Own use first; then each short tier, from the top, borrows 1:1 from the nearest higher tier that has something
    free. A tier that is billed by usage is metered instead and borrows nothing. No history enters.
    """
    free = [max(0, tier.on_hand - tier.in_use) for tier in tiers]
    lent = [0] * len(tiers)
    borrowed = [0] * len(tiers)
    metered = [0] * len(tiers)
    for place, tier in enumerate(tiers):
        short = max(0, tier.in_use - tier.on_hand)
        if tier.usage_on_hand > 0:
            metered[place] = short
            continue
        for higher in reversed(range(place)):
            loan = min(short, free[higher])
            free[higher] -= loan
            lent[higher] += loan
            borrowed[place] += loan
            short -= loan
    return [Cover(*figures) for figures in zip(lent, borrowed, metered, strict=True)]


def balance(on_hand: int, in_use: int, covered: Cover) -> int:
    """過不足: above zero spare, below zero short."""
    return on_hand - in_use - covered.lent + covered.borrowed + covered.metered


def counted(reported: int, held: int) -> int:
    """How much of a unit's reported use draws on its pool, beyond what it holds reserved or fulfilled."""
    return max(0, reported - held)


@dataclass(frozen=True, slots=True)
class Change:
    """How short a pool was before an act and would be after it. `strict`: enforced or export-controlled."""

    strict: bool
    short_before: int
    short_after: int

    @property
    def missing(self) -> int:
        return max(0, self.short_after - self.short_before)


def is_refused(act: Act, changes: Iterable[Change]) -> bool:
    """TAKE: refused if any pool would be shorter. ASK: only if a strict one would be. GIVE and FACT: never."""
    if act is Act.TAKE:
        return any(change.missing for change in changes)
    if act is Act.ASK:
        return any(change.missing and change.strict for change in changes)
    return False


def common_end(parts: Iterable[tuple[int, dt.date]]) -> dt.date:
    """The last day of (quantity, last day) parts together: weighted by quantity, rounded up, so that no license-day is lost."""
    weighed = total = 0
    for quantity, last in parts:
        weighed += quantity * last.toordinal()
        total += quantity
    return dt.date.fromordinal(-(-weighed // total))


def where_by_time(start_at: dt.datetime, end_at: dt.datetime | None, at: dt.datetime) -> str:
    """Where a lot lies in a virtual account at an instant, as a kind of place. It counts in [start, end)."""
    if end_at is not None and end_at <= at:
        return "ended"
    return "pending" if start_at > at else "on_hand"


@dataclass(frozen=True, slots=True)
class Stock:
    """So many of a lot that may be chosen."""

    lot_id: int
    end_at: dt.datetime | None
    quantity: int


def choose(stock: Iterable[Stock], quantity: int, choice: Choice) -> list[tuple[int, int]]:
    """(lot, quantity) in the order of the choice, older lots first among equals; less than asked if there is not enough."""

    def order(item: Stock) -> tuple[float, int]:
        end = (item.end_at or FOREVER).timestamp()
        return (end if choice is Choice.SOONEST_END else -end, item.lot_id)

    chosen: list[tuple[int, int]] = []
    for item in sorted(stock, key=order):
        if quantity <= 0:
            break
        part = min(quantity, item.quantity)
        if part > 0:
            chosen.append((item.lot_id, part))
            quantity -= part
    return chosen
