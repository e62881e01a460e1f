"""The statement as page, file, API and console say it, for whoever may see the virtual account."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest

from daicho.core.clock import today
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.interfaces.cli.main import main
from daicho.interfaces.portal.views.statement import periods
from tests.licenses.conftest import A
from tests.world import World

API = "/api/v1/accounts/aozora.example.co.jp/statement"


@pytest.fixture
def moved(world: World) -> World:
    world.deposit(world.advantage, 100, world.tokyo)
    moves = [Move(world.tokyo, world.osaka, world.advantage, 30)]
    account = world.account
    transfer_licenses(world.as_(world.admin), account=account, request_id=uuid.uuid4(), moves=moves, memo="稟議 12")
    return world


def page_of(world: World, who: str, path: str) -> str:
    answer = world.client(getattr(world, who)).get(A + path)
    assert answer.status_code == 200, answer.content
    return answer.getvalue().decode()


def test_the_page_says_opening_in_out_and_closing_and_each_line(moved: World) -> None:
    page = page_of(moved, "admin", f"/va/{moved.tokyo.uid}/statement/")
    day = today("Asia/Tokyo")
    assert "100" in page
    assert "70" in page
    assert "稟議 12" in page
    assert "Osaka" in page
    assert f'value="{day.replace(day=1).isoformat()}"' in page
    assert f'value="{day.isoformat()}"' in page
    totals = page_of(moved, "viewer", f"/va/{moved.tokyo.uid}/statement/licenses/?export=csv")
    assert totals.splitlines()[1] == "NET-ADV,Network Advantage,0,100,30,0,70"


def test_another_virtual_account_has_no_name_on_the_page_or_in_its_files(moved: World) -> None:
    for path in (f"/va/{moved.osaka.uid}/statement/", "/statement/"):
        for export in ("", "?export=tsv"):
            page = page_of(moved, "osaka_admin", path + export)
            assert "another virtual account" in page
            assert "稟議 12" in page
            assert "Tokyo" not in page.replace("Asia/Tokyo", "")
    client = moved.client(moved.osaka_admin)
    assert client.get(f"{A}/va/{moved.tokyo.uid}/statement/").status_code == 404
    assert moved.client(moved.approver).get(f"{A}/statement/").status_code == 404


def test_a_period_before_everything_is_empty_and_says_so(moved: World) -> None:
    page = page_of(moved, "admin", "/statement/?since=2020-04-01&until=2020-03-01")
    assert "Nothing moved in this period" in page
    assert 'value="2020-03-01"' in page
    assert page_of(moved, "admin", "/statement/?since=0001-01-01&until=9999-12-31&export=csv").count("\n") == 2


def test_one_click_periods_begin_fiscal_years_in_april() -> None:
    spans = [(since.isoformat(), until.isoformat()) for _label, since, until in periods(dt.date(2027, 3, 31))]
    assert spans == [
        ("2027-03-01", "2027-03-31"), ("2027-02-01", "2027-02-28"), ("2026-04-01", "2027-03-31"), ("2025-04-01", "2026-03-31"),
    ]  # fmt: skip
    assert periods(dt.date(2027, 4, 1))[2][1:] == (dt.date(2027, 4, 1), dt.date(2027, 4, 1))


def test_programs_read_the_same(moved: World) -> None:
    client, day = moved.client(moved.admin), today("Asia/Tokyo")
    query = f"?since={day}&until={day}&virtual_account={moved.tokyo.uid}"
    found = client.get(API + query).json()
    figures = ("opening", "received", "taken", "ended", "closing")
    assert [[one[name] for name in figures] for one in found["licenses"]] == [[0, 100, 30, 0, 70]]
    first = client.get(f"{API}/lines{query}&size=1").json()
    second = client.get(f"{API}/lines{query}&size=1&cursor={first['next']}").json()
    lines = first["items"] + second["items"]
    assert [(one["act"], one["received"], one["taken"], one["total"]) for one in lines] == [
        ("deposit", 100, 0, 100), ("transfer", 0, 30, 70),
    ]  # fmt: skip
    assert (lines[0]["other_place"], lines[1]["other"]["name"], second["next"]) == ("issued", "Osaka", None)
    assert client.get(f"{API}/lines{query}&sku=NO-SUCH").json()["items"] == []
    backwards = client.get(f"{API}?since=2026-12-01&until=2026-11-01")
    assert (backwards.status_code, backwards.json()["code"]) == (422, "period_reversed")


def test_the_console_reads_the_same(moved: World, capsys: pytest.CaptureFixture[str]) -> None:
    day = today("Asia/Tokyo").isoformat()
    asked = ["licenses", "statement", "--account", "aozora.example.co.jp", "--since", day, "--until", day, "--json"]
    assert main([*asked, "--virtual-account", "osaka"]) == 0
    assert [(one["sku"], one["closing"]) for one in json.loads(capsys.readouterr().out)] == [("NET-ADV", 30)]
    assert main([*asked, "--virtual-account", "osaka", "--lines"]) == 0
    assert [(one["act"], one["total"]) for one in json.loads(capsys.readouterr().out)] == [("transfer", 30)]
    assert main([*asked, "--virtual-account", "Nowhere"]) == 1
