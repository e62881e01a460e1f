"""Why is this number so: the parts of the balance, who covers whom, where spare licenses lie, what breaks and when."""

from __future__ import annotations

import datetime as dt

import time_machine

from daicho.core.clock import now
from daicho.domain.ledger.queries.ends import EndCriteria, ends_by_month, list_ends
from daicho.domain.ledger.queries.explain import explain
from daicho.domain.ledger.queries.pools import PoolCriteria, find_pools, shortest_of
from daicho.domain.ledger.queries.sight import look
from daicho.domain.ledger.queries.uses import use_over_time
from daicho.domain.ledger.sweep import sweep_due
from tests.licenses.conftest import A, Stocked, device, use
from tests.world import World


def test_a_higher_license_covers_a_lower_one_and_the_page_shows_how(stocked: Stocked) -> None:
    world = stocked.world
    use(world, stocked.router, ess=4)
    page = world.client(world.admin).get(f"{A}/va/{world.osaka.uid}/licenses/{world.essentials.uid}/").content.decode()
    assert "NET-ADV covers 4 uses of NET-ESS." in page
    found = explain(look(world.as_(world.admin), world.account, world.osaka), world.essentials)
    assert [(loan.lender.tag.sku, loan.quantity) for loan in found.substitution.loans] == [("NET-ADV", 4)]  # type: ignore[union-attr]
    assert (found.formula.borrowed, found.formula.balance) == (4, 0)


def test_what_is_short_is_offered_from_where_it_is_spare(stocked: Stocked) -> None:
    world = stocked.world
    moved = device(world, world.tokyo, "mover")
    use(world, moved, adv=30)
    from daicho.domain.devices.commands.records import move_device

    move_device(world.as_(world.admin), account=world.account, device_uid=moved.uid, target=world.default, request_id=world.as_(world.admin).request_id)  # fmt: skip
    client = world.client(world.admin)
    page = client.get(f"{A}/va/{world.default.uid}/licenses/{world.advantage.uid}/").content.decode()
    assert "AOZORA Tokyo has 100 spare." in page
    assert "Transfer 30" in page
    home = client.get(f"{A}/").content.decode()
    assert "NET-ADV is 30 short in DEFAULT (AOZORA Tokyo has 100 spare)." in home
    sight = look(world.as_(world.admin), world.account)
    assert shortest_of(sight, world.pool(world.tokyo, world.advantage)).virtual_account == world.default  # type: ignore[union-attr]
    start = client.get(f"{A}/transfers/start/?row={world.pool(world.tokyo, world.advantage).uid}").content.decode()
    assert f'value="{world.default.uid}" selected' in start
    assert 'value="30"' in start


def test_the_list_of_ends_says_what_is_short_after_that_day(stocked: Stocked) -> None:
    world = stocked.world
    sight = look(world.as_(world.admin), world.account)
    row = list_ends(sight, EndCriteria(days=30)).rows[0]
    assert (row.row.lot.tag.sku, row.in_use, row.balance_after, row.short_after) == ("SEC-PLUS", 4, -4, 4)
    page = world.client(world.admin).get(f"{A}/ending/").content.decode()
    assert "1 license becomes short if nothing is renewed" in page
    assert "mailto:?subject=" in page
    months = ends_by_month(sight, 3)
    assert sum(month.quantity for month in months) == 30
    assert list_ends(sight, EndCriteria(days=7)).rows == []
    assert [r.row.quantity for r in list_ends(sight, EndCriteria(days=7, ended=True)).rows] == [7]


def test_a_ladder_that_lends_is_reckoned_anew_for_the_day_after(world: World) -> None:
    """Osaka's ten premier end; they cover three essentials, which are short afterwards."""
    soon = now() + dt.timedelta(days=5)
    world.deposit(world.premier, 10, world.osaka, end=soon)
    lower = device(world, world.osaka, "lower")
    use(world, lower, ess=3)
    sight = look(world.as_(world.admin), world.account)
    row = list_ends(sight, EndCriteria()).rows[0]
    assert (row.row.lot.tag.sku, row.balance_after) == ("NET-PREM", 0)
    with time_machine.travel(soon + dt.timedelta(minutes=1), tick=False):
        sweep_due()
        assert world.pool(world.osaka, world.premier).balance == 0
        assert world.pool(world.osaka, world.essentials).balance == -3


def test_states_filter_what_the_table_shows(stocked: Stocked) -> None:
    world = stocked.world
    sight = look(world.as_(world.admin), world.account)

    def skus(**criteria: object) -> list[str]:
        return sorted(pool.tag.sku for pool in find_pools(sight, PoolCriteria(**criteria)))  # type: ignore[arg-type]

    assert skus(state="ending") == ["SEC-PLUS"]
    assert skus(state="not_started") == ["STO-STD"]
    assert skus(state="short") == []
    assert skus(text="ｎｅｔ osaka") == ["NET-ADV", "NET-PREM"]
    assert skus(kind="term") == ["SEC-PLUS", "STO-STD"][:1]
    assert skus(spare=True, text="tokyo") == ["NET-ADV"]
    assert skus(idle=True) == []
    with time_machine.travel(now() + dt.timedelta(days=100), tick=False):
        sweep_due()
        assert "NET-ADV" in skus(idle=True)
        assert skus(state="ended") == []
        assert skus(state="short") == ["SEC-PLUS"]


def test_use_over_time_is_read_back_from_the_books(stocked: Stocked) -> None:
    world = stocked.world
    later = now() + dt.timedelta(days=3)
    with time_machine.travel(later, tick=False):
        use(world, stocked.router, adv=2)
        sight = look(world.as_(world.admin), world.account, world.osaka)
        points = use_over_time(sight, world.advantage, days=4, step=1)
        assert [point.in_use for point in points] == [0, 5, 5, 5, 7]
        assert [point.purchased for point in points] == [0, 20, 20, 20, 20]


def test_exports_hold_what_is_filtered_and_come_back(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.admin)
    lines = b"".join(client.get(f"{A}/licenses/?q=NET&export=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("license,virtual_account,state,purchased,in_use,reserved,balance,next_end")
    assert len(lines) == 4
    assert "NET-ADV,AOZORA Tokyo,in_compliance,100,0,0,100," in lines
    assert b"".join(client.get(f"{A}/licenses/?export=xlsx").streaming_content)[:2] == b"PK"
    assert "\t" in client.get(f"{A}/licenses/?export=tsv").content.decode()
    assert client.get(f"{A}/licenses/?export=print").status_code == 200
    from django.core.files.uploadedfile import SimpleUploadedFile

    head, *rows = lines
    asked = [row + (",Osaka,5" if "AOZORA Tokyo" in row else ",,") for row in rows]
    file = SimpleUploadedFile("licenses.csv", "\r\n".join([head + ",target,quantity", *asked]).encode("utf-8-sig"))
    assert client.post(f"{A}/transfers/csv/", {"file": file, "choice": "soonest_end"}).status_code == 302
