"""The book: everything one transaction has locked and read, and what it does to it in memory.

Acts change the book; one judgement reads it; `writing.flush` puts the difference into the database, set-based.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from daicho.core.clock import now
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger import rules
from daicho.domain.ledger.errors import quantity_too_large
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Lot, Place, Unit
from daicho.domain.ledger.rules import Act, Change

Kind = Place.Kind
OF_POOL = {Kind.PENDING, Kind.ON_HAND, Kind.RESERVED, Kind.FULFILLED}


class Spot(NamedTuple):
    """A pool by what it is made of: virtual account × tag."""

    account_id: int
    virtual_account_id: int
    tag: LicenseTag


class PlaceRow(NamedTuple):
    id: int
    kind: str
    virtual_account_id: int | None
    holder_id: int | None


@dataclass(slots=True)
class Figures:
    """The figures of a pool, named as its columns are."""

    pending: int = 0
    on_hand: int = 0
    usage_on_hand: int = 0
    reserved: int = 0
    fulfilled: int = 0
    in_use: int = 0
    lent: int = 0
    borrowed: int = 0
    metered: int = 0
    next_change_at: dt.datetime | None = None
    next_end_at: dt.datetime | None = None

    @property
    def balance(self) -> int:
        return rules.balance(self.on_hand, self.in_use, rules.Cover(self.lent, self.borrowed, self.metered))

    @property
    def available(self) -> int:
        return max(0, self.balance)

    @property
    def short(self) -> int:
        return max(0, -self.balance)


@dataclass(slots=True, eq=False)
class PoolRow:
    """A locked pool: as stored, as it was when the act began (time settled), and as it is now."""

    id: int
    account_id: int
    virtual_account_id: int
    tag: LicenseTag
    figures: Figures
    stored: Figures
    before: Figures
    has_stale_times: bool = False

    @property
    def change(self) -> Change:
        return Change(self.tag.is_strict, self.before.short, self.figures.short)


@dataclass(slots=True, eq=False)
class UseRow:
    """What a unit uses of a tag. `id` None: not stored yet."""

    id: int | None
    unit: Unit
    tag: LicenseTag
    pool: PoolRow
    reported: int
    counted: int
    since: dt.datetime
    stored: tuple[int, int, int] = (0, 0, 0)  # reported, counted, pool

    @property
    def is_changed(self) -> bool:
        return self.stored != (self.reported, self.counted, self.pool.id)


@dataclass(slots=True, eq=False)
class UseStep:
    """One row of use_change in the making."""

    unit: Unit
    tag: LicenseTag
    request_id: uuid.UUID
    fingerprint: str
    pool_before: PoolRow
    counted_before: int
    pool_after: PoolRow
    counted_after: int
    act: Act
    cause: str
    entry: Entry | None
    at: dt.datetime


class LotMove(NamedTuple):
    entry: Entry
    lot: Lot
    source: PlaceRow
    target: PlaceRow
    quantity: int


@dataclass(eq=False)
class Book:
    """See the module. Opened by `locking`, filled by acts, written by `writing`."""

    at: dt.datetime = field(default_factory=now)
    pools: dict[tuple[int, int], PoolRow] = field(default_factory=dict)
    ladders: dict[tuple[int, int], list[PoolRow]] = field(default_factory=dict)
    tags: dict[int, LicenseTag] = field(default_factory=dict)
    places: dict[tuple[str, int, int], PlaceRow] = field(default_factory=dict)
    units: dict[int, Unit] = field(default_factory=dict)
    uses: dict[tuple[int, int], UseRow] = field(default_factory=dict)
    held: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    quantities: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    moves: list[LotMove] = field(default_factory=list)
    steps: dict[tuple[int, uuid.UUID, int], UseStep] = field(default_factory=dict)

    # ── pools and their ladders ──

    def add_pool(self, pool: PoolRow) -> None:
        self.pools[pool.virtual_account_id, pool.tag.pk] = pool
        self.tags[pool.tag.pk] = pool.tag
        if pool.tag.ladder_id is not None:
            tiers = self.ladders.setdefault((pool.virtual_account_id, pool.tag.ladder_id), [])
            tiers.append(pool)
            tiers.sort(key=lambda tier: tier.tag.rank or 0)

    def pool(self, virtual_account_id: int, tag_id: int) -> PoolRow:
        return self.pools[virtual_account_id, tag_id]

    def ladder_of(self, pool: PoolRow) -> list[PoolRow]:
        """The pools that cover each other, best tier first; a pool without a ladder alone."""
        if pool.tag.ladder_id is None:
            return [pool]
        return self.ladders[pool.virtual_account_id, pool.tag.ladder_id]

    def begin_act(self) -> None:
        """What an act is judged against is what is here now."""
        for pool in self.pools.values():
            pool.before = replace(pool.figures)

    def whole_ladders(self, spots: Iterable[Spot]) -> list[PoolRow]:
        """The pools of these spots, and the tiers that cover them or are covered by them."""
        pools = [self.pool(spot.virtual_account_id, spot.tag.pk) for spot in spots]
        return list({id(tier): tier for pool in pools for tier in self.ladder_of(pool)}.values())

    @contextmanager
    def attempt(self, pools: Sequence[PoolRow]) -> Iterator[None]:
        """One act of several on this book: judged against these pools as they are now; if it raises, it never was."""
        mark, stale = len(self.moves), [pool.has_stale_times for pool in pools]
        for pool in pools:
            pool.before = replace(pool.figures)
        try:
            yield
        except BaseException:
            self.take_back(mark)
            for pool, was_stale in zip(pools, stale, strict=True):
                pool.figures, pool.has_stale_times = replace(pool.before), was_stale
            raise

    def reckon(self, tiers: list[PoolRow]) -> None:
        """Bring lent, borrowed and metered of a ladder up to date."""
        seen = [rules.Tier(pool.figures.on_hand, pool.figures.in_use, pool.figures.usage_on_hand) for pool in tiers]
        for pool, covered in zip(tiers, rules.cover(seen), strict=True):
            figures = pool.figures
            figures.lent, figures.borrowed, figures.metered = covered.lent, covered.borrowed, covered.metered

    def reckon_all(self) -> None:
        """The same for all that is locked."""
        self.reckon_each(self.pools.values())

    def reckon_each(self, pools: Iterable[PoolRow]) -> None:
        """The same for whole ladders; refuses figures that could no longer be counted exactly."""
        for pool in pools:
            tiers = self.ladder_of(pool)
            if tiers[0] is pool:
                self.reckon(tiers)
            figures = pool.figures
            if (
                max(figures.pending + figures.on_hand + figures.reserved + figures.fulfilled, figures.in_use)
                > MAX_QUANTITY
            ):
                raise quantity_too_large(pool.tag.sku)

    def shorter(self, pools: Iterable[PoolRow] | None = None) -> list[PoolRow]:
        """The pools that are shorter than before the act."""
        return [pool for pool in (self.pools.values() if pools is None else pools) if pool.change.missing]

    def turn_page(self) -> None:
        """Forget the moves and changes that are written."""
        self.moves.clear()
        self.steps.clear()
        self.quantities.clear()

    # ── lots ──

    def place(self, kind: str, virtual_account_id: int = 0, holder_id: int = 0) -> PlaceRow:
        return self.places[kind, virtual_account_id, holder_id]

    def place_by_time(self, virtual_account_id: int, lot: Lot) -> PlaceRow:
        """Where a lot lies in a virtual account at this instant: pending, on hand or ended."""
        return self.place(rules.where_by_time(lot.start_at, lot.end_at, self.at), virtual_account_id)

    def move(self, entry: Entry, lot: Lot, source: PlaceRow, target: PlaceRow, quantity: int) -> None:
        """Post so many of a lot from one place to another."""
        self.moves.append(LotMove(entry, lot, source, target, quantity))
        self.lay(lot, source, -quantity)
        self.lay(lot, target, quantity)

    def take_back(self, mark: int) -> None:
        """Forget the moves after the first `mark`, as if nobody had tried them. Ladders are reckoned by the caller."""
        for move in reversed(self.moves[mark:]):
            self.lay(move.lot, move.target, -move.quantity)
            self.lay(move.lot, move.source, move.quantity)
        del self.moves[mark:]

    def lay(self, lot: Lot, place: PlaceRow, quantity: int) -> None:
        """So many more (or fewer) of a lot are at a place; its posting is the caller's."""
        self.quantities[place.id, lot.pk] += quantity
        if place.kind not in OF_POOL or place.virtual_account_id is None:
            return
        pool = self.pool(place.virtual_account_id, lot.tag_id)
        figures = pool.figures
        setattr(figures, place.kind, getattr(figures, place.kind) + quantity)
        if place.kind == Kind.ON_HAND and lot.billing == Lot.Billing.USAGE:
            figures.usage_on_hand += quantity
        starts = lot.start_at if place.kind == Kind.PENDING else None
        if quantity > 0:
            figures.next_change_at = _soonest(figures.next_change_at, starts, lot.end_at)
            figures.next_end_at = _soonest(figures.next_end_at, lot.end_at)
        elif self.quantities[place.id, lot.pk] > 0:
            return  # what is left of it there starts and ends as before
        elif figures.next_change_at in {starts, lot.end_at} or figures.next_end_at == lot.end_at:
            pool.has_stale_times = pool.has_stale_times or figures.next_change_at is not None

    # ── use ──

    def use_of(self, unit: Unit, tag: LicenseTag) -> UseRow:
        """What the unit uses of the tag, nothing so far if there is no row."""
        found = self.uses.get((unit.pk, tag.pk))
        if found is None:
            pool = self.pool(unit.virtual_account_id, tag.pk)
            found = self.uses[unit.pk, tag.pk] = UseRow(None, unit, tag, pool, 0, 0, self.at, (0, 0, pool.id))
        return found

    def set_use(self, use: UseRow, reported: int) -> None:
        """Let a unit's count follow its report and what it holds."""
        count = rules.counted(reported, self.held[use.unit.pk, use.tag.pk])
        use.pool.figures.in_use += count - use.counted
        use.reported, use.counted = reported, count

    def move_use(self, use: UseRow, pool: PoolRow) -> None:
        """Let a unit's count draw on another pool."""
        use.pool.figures.in_use -= use.counted
        pool.figures.in_use += use.counted
        use.pool = pool

    def note_use(
        self,
        use: UseRow,
        pool_before: PoolRow,
        counted_before: int,
        *,
        request_id: uuid.UUID,
        fingerprint: str,
        act: Act,
        cause: str,
        entry: Entry | None = None,
        at: dt.datetime | None = None,
    ) -> None:
        """Write down how a count changed; twice for one request and tag is one change."""
        key = (use.unit.pk, request_id, use.tag.pk)
        if (step := self.steps.get(key)) is not None:
            step.pool_after, step.counted_after = use.pool, use.counted
            return
        self.steps[key] = UseStep(
            use.unit, use.tag, request_id, fingerprint, pool_before, counted_before, use.pool, use.counted,
            act, cause, entry, at or self.at,
        )  # fmt: skip


def _soonest(*instants: dt.datetime | None) -> dt.datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
