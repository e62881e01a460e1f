"""In a large account lists by name read a few licenses or virtual accounts at a time, and say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.queries import pools
from daicho.domain.ledger.queries.pools import PoolCriteria, list_pools
from daicho.domain.ledger.queries.sight import Sight, look
from tests.world import World, make_tag, make_virtual_account


@pytest.fixture
def sight(world: World) -> Sight:
    for number in range(7):
        place = make_virtual_account(world.account, f"Office {number}")
        for letter in "ABCDE"[: 1 + number % 5]:
            tag = world.storage.__class__.objects.filter(sku=f"TOOL-{letter}").first() or make_tag(
                f"TOOL-{letter}", letter
            )
            world.deposit(tag, 1 + number, place)
    return look(world.as_(world.admin), world.account)


def walk(sight: Sight, sort: str, descending: bool, size: int) -> list[str]:
    """All handles, page by page forward, checked against the way back."""
    found: list[str] = []
    cursor, previous = None, None
    while True:
        page = list_pools(sight, PoolCriteria(), sort=sort, descending=descending, cursor=cursor, size=size)
        if previous is not None and page.previous_cursor:
            back = list_pools(
                sight, PoolCriteria(), sort=sort, descending=descending, cursor=page.previous_cursor, size=size
            )
            assert [pool.uid for pool in back.rows] == previous
        previous = [pool.uid for pool in page.rows]
        found += previous
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", ["license", "virtual_account", "balance"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_pages_of_a_large_account_are_those_of_a_small_one(
    sight: Sight, sort: str, descending: bool, size: int
) -> None:
    small = walk(sight, sort, descending, size)
    assert walk(replace(sight, is_large=True), sort, descending, size) == small
    assert len(small) == len(set(small)) == Pool.objects.count()


def test_what_only_lots_tell_is_sifted_page_by_page(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "SIFT", 3)
    for criteria in (PoolCriteria(kind="perpetual", text="tool"), PoolCriteria(kind="demo")):
        wanted = [pool.uid for pool in list_pools(sight, criteria, size=50).rows]
        large = replace(sight, is_large=True)
        found: list[str] = []
        before: list[str] = []
        cursor, turns = None, 0
        while turns == 0 or cursor:
            page = list_pools(large, criteria, cursor=cursor, size=2)
            found += [pool.uid for pool in page.rows]
            if turns and page.rows:
                back = list_pools(large, criteria, cursor=page.previous_cursor, size=2)
                assert [pool.uid for pool in back.rows] == before
            before, cursor, turns = [pool.uid for pool in page.rows], page.next_cursor, turns + 1
        assert found == wanted
