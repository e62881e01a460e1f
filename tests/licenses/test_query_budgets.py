"""A page asks the database a fixed number of questions, however much the account holds."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.licenses.conftest import A, Stocked, device, use
from tests.world import make_tag, make_virtual_account

BUDGETS = {
    "": 45,
    "licenses/": 30,
    "licenses/by-license/": 30,
    "licenses/branches/": 25,
    "subscriptions/": 25,
    "ending/": 35,
    "ended/": 30,
    "transfers/": 30,
    "transfers/new/": 30,
    "devices/": 25,
    "search/?q=o": 40,
}


def asked(stocked: Stocked, page: str) -> int:
    client = stocked.world.client(stocked.world.admin)
    client.get(f"{A}/{page}")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(f"{A}/{page}").status_code == 200
    return len(queries)


@pytest.mark.parametrize("page", BUDGETS)
def test_more_rows_ask_no_more_questions(stocked: Stocked, page: str) -> None:
    world = stocked.world
    before = asked(stocked, page)
    for number in range(6):
        place = make_virtual_account(world.account, f"Office {number}", world.osaka)
        tag = make_tag(f"TOOL-{number}", f"Tool {number}")
        world.deposit(tag, 5, place)
        world.deposit(world.storage, 5, place)
        use(world, device(world, place, f"office-{number}", f"S{number}"), sto=2)
    after = asked(stocked, page)
    assert after <= before + 2, (before, after)
    assert after <= BUDGETS[page], after
