"""A statement between two days is what the postings say, line by line, for whoever may see it."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid

import pytest
import time_machine

from daicho.core.clock import end_of_day, start_of_day
from daicho.core.errors import NotFound
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.models import Posting
from daicho.domain.ledger.queries.sight import Sight, look
from daicho.domain.ledger.queries.statement import (
    COUNTED,
    Period,
    StatementLine,
    every_line,
    find_balances,
    list_statement,
)
from daicho.domain.ledger.sweep import sweep_due
from tests.ledger.conftest import Ledger, refusal

ZONE = "Asia/Tokyo"
MAY = Period(dt.date(2026, 5, 1), dt.date(2026, 5, 31))
YEAR = Period(dt.date(2026, 4, 1), dt.date(2027, 3, 31))


def at(month: int, day: int, hour: int = 12) -> time_machine.travel:
    return time_machine.travel(start_of_day(dt.date(2026, month, day), ZONE) + dt.timedelta(hours=hour), tick=False)


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """April to June: deposits, transfers, an undo, a reservation, a lot that starts and one that ends."""
    world = ledger.world
    with at(4, 10):
        world.deposit(world.advantage, 40, world.tokyo)
        world.deposit(world.storage, 30, world.tokyo, end=end_of_day(dt.date(2026, 5, 20), ZONE))
        world.deposit(world.security, 9, world.osaka, start=start_of_day(dt.date(2026, 5, 15), ZONE))
        later = world.deposit(world.premier, 5, world.tokyo, start=start_of_day(dt.date(2027, 8, 1), ZONE))
        world.deposit(world.advantage, 1_000, None)
    with at(5, 3):
        ledger.transfer(world.tokyo, world.osaka, world.advantage, 7, memo="R-1")
        ledger.transfer(world.tokyo, world.default, world.advantage, 2)
        ledger.transfer(world.tokyo, world.osaka, world.premier, 2, lot_uid=later.uid)
    with at(5, 4):
        back = ledger.entry(world.osaka, world.default, world.advantage, 3)
    with at(5, 5):
        undo_entry(ledger.admin, account=world.account, entry_uid=back.uid, request_id=uuid.uuid4())
    with at(5, 31, 23):
        lines = [ReserveLine(world.advantage, 4)]
        unit = world.unit(world.osaka)
        reserve_licenses(ledger.admin, account=world.account, unit=unit, request_id=uuid.uuid4(), lines=lines)
        world.deposit(world.essentials, 6, world.tokyo)
    with at(6, 1, 0):
        sweep_due()
        world.deposit(world.essentials, 60, world.tokyo)
    return ledger


def sights(ledger: Ledger) -> dict[str, Sight]:
    world = ledger.world
    return {
        "tokyo": look(ledger.admin, world.account, world.tokyo),
        "osaka": look(world.as_(world.osaka_admin), world.account, world.osaka),
        "all": look(ledger.admin, world.account),
        "all he sees": look(world.as_(world.osaka_admin), world.account),
    }


def told(sight: Sight, period: Period) -> dict[str, tuple[int, int, int, int, int]]:
    return {
        one.tag.sku: (one.opening, one.received, one.taken, one.ended, one.closing)
        for one in find_balances(sight, period)
    }


def replayed(sight: Sight, period: Period) -> dict[str, tuple[int, ...]]:
    """The same from the postings, one after the other."""
    since, until = start_of_day(period.since, ZONE), end_of_day(period.until, ZONE)
    inside = set(sight.virtual_accounts().values_list("pk", flat=True))
    found: dict[str, list[int]] = {}
    for posting in Posting.objects.select_related("entry", "lot__tag", "source", "target"):
        into, out = (
            place.virtual_account_id in inside and place.kind in COUNTED for place in (posting.target, posting.source)
        )
        if into == out or posting.entry.at >= until:
            continue
        sums = found.setdefault(posting.lot.tag.sku, [0, 0, 0, 0])
        if posting.entry.at < since:
            sums[0] += posting.quantity if into else -posting.quantity
        else:
            sums[1 if into else 3 if posting.target.kind == "ended" else 2] += posting.quantity
    return {sku: (*sums, sums[0] + sums[1] - sums[2] - sums[3]) for sku, sums in found.items() if any(sums)}


def test_opening_and_closing_follow_from_the_postings(busy: Ledger) -> None:
    first_of_june = Period(dt.date(2026, 6, 1), dt.date(2026, 6, 1))
    for period, sight in itertools.product((MAY, YEAR, first_of_june), sights(busy).values()):
        assert told(sight, period) == replayed(sight, period)
        lines = list(every_line(sight, period, find_balances(sight, period)))
        for balance in find_balances(sight, period):
            mine = [line for line in lines if line.tag == balance.tag]
            sums = [sum(getattr(line, name) for line in mine) for name in ("received", "taken", "ended")]
            assert sums == [balance.received, balance.taken, balance.ended]
            assert (mine[-1].total if mine else balance.opening) == balance.closing


def test_a_month_of_one_virtual_account(busy: Ledger) -> None:
    found = sights(busy)
    assert told(found["tokyo"], MAY) == {
        "NET-ADV": (40, 0, 9, 0, 31),
        "NET-ESS": (0, 6, 0, 0, 6),
        "STO-STD": (30, 0, 0, 30, 0),
    }
    assert told(found["osaka"], MAY) == {"NET-ADV": (0, 10, 3, 0, 7), "SEC-PLUS": (0, 9, 0, 0, 9)}
    assert told(found["all"], MAY) == {
        "NET-ADV": (40, 0, 0, 0, 40),
        "NET-ESS": (0, 6, 0, 0, 6),
        "SEC-PLUS": (0, 9, 0, 0, 9),
        "STO-STD": (30, 0, 0, 30, 0),
    }


def words(line: StatementLine) -> tuple[object, ...]:
    other = "hidden" if line.hidden else line.other_kind or getattr(line.other, "name", "")
    return (line.act, line.tag.sku, other, line.received, line.taken, line.ended, line.total)


def test_each_line_says_what_happened_and_where_the_other_side_is(busy: Ledger) -> None:
    sight = sights(busy)["tokyo"]
    lines = list(every_line(sight, MAY, find_balances(sight, MAY)))
    assert [words(line) for line in lines if line.at > lines[1].at] == [
        ("ended", "STO-STD", "ended", 0, 0, 30, 0),
        ("deposit", "NET-ESS", "issued", 6, 0, 0, 6),
    ]
    assert {words(line)[:6] for line in lines[:2]} == {
        ("transfer", "NET-ADV", "Osaka", 0, 7, 0), ("transfer", "NET-ADV", "DEFAULT", 0, 2, 0),
    }  # fmt: skip
    assert {line.memo for line in lines} == {"R-1", ""}
    started = [line for line in every_line(sights(busy)["osaka"], MAY, []) if line.act == "started"]
    assert [words(line)[1:4] for line in started] == [("SEC-PLUS", "pending", 9)]
    assert started[0].at == start_of_day(dt.date(2026, 5, 15), ZONE)


def test_who_sees_one_virtual_account_reads_another_one_and_cannot_count_them(busy: Ledger) -> None:
    world = busy.world
    with at(5, 6):
        moves = [Move(place, world.osaka, world.advantage, 1) for place in (world.tokyo, world.default)]
        transfer_licenses(busy.admin, account=world.account, request_id=uuid.uuid4(), moves=moves)
    for name in ("osaka", "all he sees"):
        sight = sights(busy)[name]
        lines = list(every_line(sight, MAY, find_balances(sight, MAY)))
        assert all(line.other in (None, world.osaka) for line in lines)
        assert [(line.hidden, line.received) for line in lines if line.at.day == 6] == [(True, 2)]


def test_pages_and_files_have_the_same_lines_with_the_same_totals(busy: Ledger) -> None:
    for size, sight in enumerate(sights(busy).values(), 1):
        balances = find_balances(sight, YEAR)
        pages = [list_statement(sight, YEAR, balances, size=size)]
        while pages[-1].next_cursor:
            pages.append(list_statement(sight, YEAR, balances, size=size, cursor=pages[-1].next_cursor))
        assert [line for page in pages for line in page.rows] == list(every_line(sight, YEAR, balances))
        for number in range(len(pages) - 1, 0, -1):
            before = list_statement(sight, YEAR, balances, size=size, cursor=pages[number].previous_cursor)
            assert before.rows == pages[number - 1].rows
            assert (before.previous_cursor is None) == (number == 1)


def test_one_license_alone(busy: Ledger) -> None:
    sight, tag = sights(busy)["tokyo"], busy.world.storage
    balances = find_balances(sight, MAY, tag_uid=tag.uid)
    assert [(one.tag, one.closing) for one in balances] == [(tag, 0)]
    assert [line.act for line in list_statement(sight, MAY, balances, tag_uid=tag.uid).rows] == ["ended"]


def test_a_period_that_runs_backwards_is_refused_and_the_ends_of_time_are_not(busy: Ledger) -> None:
    assert refusal(lambda: Period(MAY.until, MAY.since)).code == "period_reversed"
    assert told(sights(busy)["tokyo"], Period(dt.date.min, dt.date.max))["NET-ADV"] == (0, 40, 9, 0, 31)


def test_a_stranger_gets_no_statement(busy: Ledger) -> None:
    world = busy.world
    with pytest.raises(NotFound):
        look(world.as_(world.osaka_admin), world.account, world.tokyo)
