"""What is bought and has not started is told wherever licenses are, and counted nowhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daicho.core.clock import end_of_day, start_of_day, today
from daicho.domain.ledger.models import Lot
from tests.licenses.conftest import A
from tests.world import World

ZONE = "Asia/Tokyo"
START = today(ZONE) + dt.timedelta(days=10)
END = today(ZONE) + dt.timedelta(days=60)
API = "/api/v1/accounts/aozora.example.co.jp"


@pytest.fixture
def ahead(world: World) -> Lot:
    """Tokyo has 3 now, 7919 in ten days until day sixty, and 5 in a year."""
    world.deposit(world.storage, 3, world.tokyo)
    far = start_of_day(START + dt.timedelta(days=365), ZONE)
    world.deposit(world.storage, 5, world.tokyo, start=far)
    return world.deposit(
        world.storage, 7919, world.tokyo, start=start_of_day(START, ZONE), end=end_of_day(END, ZONE)
    )  # fmt: skip


def page(world: World, path: str) -> str:
    return str(world.client(world.admin).get(A + path).content.decode())


def test_the_license_list_and_page_tell_how_many_wait_and_from_when(world: World, ahead: Lot) -> None:
    note = f"7,924 more have not started yet; the first start on {START.day} {START:%b %Y}."
    for path in ("/licenses/", "/licenses/?state=pending", f"/licenses/{world.storage.uid}/"):
        assert note in page(world, path)
    world.deposit(world.security, 2, world.osaka)
    assert "SEC-PLUS" not in page(world, "/licenses/?state=pending")
    assert "7,924 licenses have not started yet." in page(world, "/")
    assert "7,924" in page(world, f"/virtual-accounts/{world.tokyo.uid}/")


def test_what_ends_before_it_counted_is_marked_on_the_list_of_ends(world: World, ahead: Lot) -> None:
    assert f"Has not started yet: counts from {START.day} {START:%b %Y}." in page(world, "/ending/")


def test_choosing_lots_by_hand_shows_which_have_not_started(world: World, ahead: Lot) -> None:
    pool = world.pool(world.tokyo, world.storage)
    browser = world.client(world.admin)
    posted = browser.post(f"{A}/transfers/start/", {"row": pool.uid, "line": pool.uid, "choice": "by_hand"})
    shown = browser.get(posted["Location"]).content.decode()
    assert shown.count("Not started") == 2
    assert ahead.uid in shown


def test_programs_find_what_has_not_started(world: World, ahead: Lot) -> None:
    def items(path: str) -> Any:
        return world.client(world.admin).get(API + path).json()["items"]

    assert [one["pending"] for one in items("/licenses?pending=true")] == [7924]
    world.deposit(world.security, 2, world.osaka)
    assert len(items("/licenses?pending=true")) == 1
    lots = items("/lots?state=not_started")
    assert next((one["quantity"], one["start_on"]) for one in lots) == (7919, START.isoformat())
    summary = world.client(world.admin).get(f"{API}/license-summary").json()
    assert summary["pending_quantity"] == 7924
