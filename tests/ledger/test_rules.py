"""The pure rules against formulas written anew: whoever changes one of them has to explain it to the other."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from daicho.domain.ledger import rules
from daicho.domain.ledger.rules import Act, Change, Choice, Stock, Tier

AMOUNTS = st.integers(0, 12)
TIERS = st.lists(
    st.builds(
        lambda on_hand, in_use, usage: Tier(on_hand, in_use, min(usage, on_hand)), AMOUNTS, AMOUNTS, st.integers(0, 3)
    ),
    min_size=1,
    max_size=5,
)
START = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def one_by_one(tiers: list[Tier]) -> list[tuple[int, int, int]]:
    """The ladder as a queue of single seats: each short seat, top tier first, takes one free seat right above it."""
    free = [["seat"] * max(0, tier.on_hand - tier.in_use) for tier in tiers]
    lent, borrowed, metered = ([0] * len(tiers) for _ in range(3))
    for place, tier in enumerate(tiers):
        for _ in range(tier.in_use - tier.on_hand):
            if tier.usage_on_hand:
                metered[place] += 1
                continue
            lender = next((higher for higher in range(place - 1, -1, -1) if free[higher]), None)
            if lender is not None:
                free[lender].pop()
                lent[lender] += 1
                borrowed[place] += 1
    return list(zip(lent, borrowed, metered, strict=True))


@given(TIERS)
def test_a_ladder_covers_seat_by_seat(tiers: list[Tier]) -> None:
    assert [(cover.lent, cover.borrowed, cover.metered) for cover in rules.cover(tiers)] == one_by_one(tiers)


@given(TIERS)
def test_what_is_lent_is_borrowed_and_only_surplus_is_lent(tiers: list[Tier]) -> None:
    covers = rules.cover(tiers)
    assert sum(cover.lent for cover in covers) == sum(cover.borrowed for cover in covers)
    for tier, cover in zip(tiers, covers, strict=True):
        balance = rules.balance(tier.on_hand, tier.in_use, cover)
        assert not cover.lent or balance >= 0
        assert not (tier.usage_on_hand and (balance < 0 or cover.borrowed))
        assert not (cover.lent and cover.borrowed)


@given(TIERS)
def test_nobody_is_short_while_a_higher_tier_has_something_free(tiers: list[Tier]) -> None:
    balances = [rules.balance(t.on_hand, t.in_use, cover) for t, cover in zip(tiers, rules.cover(tiers), strict=True)]
    for place, balance in enumerate(balances):
        if balance < 0:
            assert all(above <= 0 for above in balances[:place])


@given(AMOUNTS, AMOUNTS)
def test_a_unit_counts_only_beyond_what_it_holds(reported: int, held: int) -> None:
    assert rules.counted(reported, held) == (reported - held if reported > held else 0)


CHANGES = st.lists(st.builds(Change, st.booleans(), AMOUNTS, AMOUNTS), max_size=4)


@given(CHANGES)
def test_each_class_is_judged_as_the_table_says(changes: list[Change]) -> None:
    shorter = [change for change in changes if change.short_after > change.short_before]
    assert rules.is_refused(Act.TAKE, changes) == bool(shorter)
    assert rules.is_refused(Act.ASK, changes) == bool([change for change in shorter if change.strict])
    assert not rules.is_refused(Act.GIVE, changes)
    assert not rules.is_refused(Act.FACT, changes)


@given(st.integers(-3, 3), st.one_of(st.none(), st.integers(1, 5)))
def test_a_lot_counts_from_its_start_until_before_its_end(offset: int, length: int | None) -> None:
    at = START + dt.timedelta(microseconds=offset)
    end = None if length is None else START + dt.timedelta(microseconds=length)
    counts = at >= START and (end is None or at < end)
    where = rules.where_by_time(START, end, at)
    assert (where == "on_hand") == counts
    assert (where == "ended") == (end is not None and at >= end)


STOCKS = st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 6)), AMOUNTS), max_size=6).map(
    lambda rows: [
        Stock(number, None if end is None else START + dt.timedelta(days=end), quantity)
        for number, (end, quantity) in enumerate(rows, start=1)
    ]
)


@given(STOCKS, st.integers(1, 40), st.sampled_from(Choice))
def test_lots_are_chosen_in_order_and_used_up_before_the_next(stock: list[Stock], wanted: int, choice: Choice) -> None:
    chosen = rules.choose(stock, wanted, choice)
    by_id = {item.lot_id: item for item in stock}
    assert sum(part for _, part in chosen) == min(wanted, sum(item.quantity for item in stock))
    assert all(part == by_id[lot].quantity for lot, part in chosen[:-1])
    far = START + dt.timedelta(days=10_000)
    ends = [by_id[lot].end_at or far for lot, _ in chosen]
    assert all((a <= b if choice is Choice.SOONEST_END else a >= b) for a, b in pairwise(ends))
    left_out = [item.end_at or far for item in stock if item.quantity and item.lot_id not in dict(chosen)]
    if chosen and choice is Choice.SOONEST_END:
        assert all(end >= ends[-1] for end in left_out)
