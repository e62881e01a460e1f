"""The operator revokes, corrects and brings together lots through the API and the console."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from daicho.domain.audit.models import Event
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.models import Entry, Lot
from daicho.interfaces.cli.main import main
from tests.ledger.conftest import Ledger
from tests.ledger.test_co_term import until

LOTS = "/api/v1/operator/accounts/aozora.example.co.jp/lots"


def call(ledger: Ledger, path: str = "", body: Any = None, *, who: str = "operator", key: str = "") -> Any:
    browser = ledger.world.client(getattr(ledger.world, who))
    if body is None:
        return browser.get(LOTS + path)
    headers = {"Idempotency-Key": key} if key else {}
    return browser.post(LOTS + path, body, content_type="application/json", headers=headers)


def console(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["lots", *arguments, "--account", "aozora.example.co.jp", "--json"])
    return code, json.loads(capsys.readouterr().out)


def hold(ledger: Ledger, lot: Lot, quantity: int) -> str:
    world = ledger.world
    unit = world.unit(world.tokyo)
    lines = [ReserveLine(lot.tag, quantity, lot.uid)]
    reserve_licenses(ledger.admin, account=world.account, unit=unit, request_id=uuid.uuid4(), lines=lines)
    return unit.uid


def test_lots_are_listed_with_what_is_left_and_not_where_the_customer_put_it(ledger: Ledger) -> None:
    world = ledger.world
    forever = world.deposit(world.advantage, 10, world.tokyo, order_number="PO-1")
    soon = world.deposit(world.storage, 5, None, end=until(31))
    unit = hold(ledger, forever, 4)
    answer = call(ledger, "?size=1").json()
    assert [(one["uid"], one["unassigned"], one["assigned"], one["held"]) for one in answer["items"]] == [
        (soon.uid, 5, 0, 0)
    ]
    assert answer["next"] is not None
    found = call(ledger, "?order_number=PO-1").json()["items"]
    assert found == call(ledger, "?sku=net-adv").json()["items"]
    assert [(one["uid"], one["unassigned"], one["assigned"], one["held"]) for one in found] == [(forever.uid, 0, 6, 4)]
    one = call(ledger, f"/{forever.uid}")
    assert [(held["unit"], held["state"], held["quantity"]) for held in one.json()["held_by"]] == [
        (unit, "reserved", 4)
    ]
    assert world.tokyo.name not in one.content.decode()
    assert call(ledger, f"/{forever.uid}", who="admin").status_code == 404


def test_revoking_twice_with_one_key_is_one_entry_and_names_who_still_holds_some(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.advantage, 10, world.tokyo)
    unit = hold(ledger, lot, 4)
    assert call(ledger, f"/{lot.uid}/revoke", {"reason": "unpaid"}, who="admin").status_code == 404
    done = call(ledger, f"/{lot.uid}/revoke", {"reason": "unpaid"}, key="once").json()
    assert (done["revoked"], done["left"], done["held_by"][0]["unit"]) == (6, 4, unit)
    assert call(ledger, f"/{lot.uid}/revoke", {"reason": "unpaid"}, key="once").json() == done
    assert Event.objects.filter(kind="license.revoked", memo="unpaid").count() == 1
    again = call(ledger, f"/{lot.uid}/revoke", {"reason": "unpaid"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_revoke")
    assert call(ledger, f"/{lot.uid}/revoke", {"reason": " "}).json()["code"] == "reason_missing"
    assert check_ledger(deep=True) == []


def test_a_corrected_lot_ends_with_the_day_in_the_account_s_zone(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.tokyo, end=until(31))
    right = {"quantity": 12, "kind": "term", "end_on": "2199-12-31", "reason": "typed wrong"}
    done = call(ledger, f"/{lot.uid}/correct", right)
    assert done.status_code == 200, done.content
    made = Lot.objects.get(uid=done.json()["lot"])
    assert made.start_at == lot.start_at
    assert made.end_at is not None
    assert made.end_at.isoformat() == "2199-12-31T15:00:00+00:00"
    row = call(ledger, f"/{made.uid}").json()
    assert (row["assigned"], row["unassigned"], row["end_on"]) == (10, 2, "2199-12-31")
    assert check_ledger(deep=True) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"end_on": None}, "end_required"),
        ({"kind": "perpetual"}, "end_not_allowed"),
        ({"end_on": "2025-01-01", "start_on": "2025-02-01"}, "ends_before_start"),
        ({"reason": " "}, "reason_missing"),
        ({"end_on": "9999-12-31"}, "invalid"),
        ({"quantity": 0}, "invalid"),
    ],
)
def test_a_lot_is_not_corrected_into_a_wrong_one(ledger: Ledger, change: dict[str, Any], code: str) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.tokyo, end=until(31))
    right = {"quantity": 12, "kind": "term", "end_on": "2199-12-31", "reason": "typed wrong"}
    refused = call(ledger, f"/{lot.uid}/correct", right | change)
    assert refused.status_code == 422
    if code != "invalid":
        assert refused.json()["code"] == code
    assert not Entry.objects.filter(kind="correct").exists()


def test_a_common_end_does_what_its_preview_said(ledger: Ledger) -> None:
    world = ledger.world
    lots = [
        world.deposit(world.storage, 10, world.tokyo, end=until(100)),
        world.deposit(world.storage, 10, None, end=until(50)),
    ]
    body: dict[str, Any] = {"lots": [lot.uid for lot in lots]}
    shown = call(ledger, "/co-term/preview", body).json()
    assert not Entry.objects.filter(kind="co_term").exists()
    assert {(one["lot"], one["assigned"], one["unassigned"]) for one in shown["parts"]} == {
        (lots[0].uid, 10, 0),
        (lots[1].uid, 0, 10),
    }
    assert shown["days_before"] == shown["days_after"]
    stale = call(ledger, "/co-term", body | {"reason": "renewal", "quantity": 19})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_data")
    wanted = body | {"reason": "renewal", "quantity": shown["quantity"]}
    done = call(ledger, "/co-term", wanted, key="k").json()
    assert call(ledger, "/co-term", wanted, key="k").json() == done
    assert (done["quantity"], done["ends_on"], done["held_by"]) == (20, shown["ends_on"], [])
    assert call(ledger, "/co-term", body | {"reason": "x"}, who="admin").status_code == 404
    assert call(ledger, "/co-term", {"lots": [lots[0].uid, "nothing"], "reason": "x"}).status_code == 404


def test_lots_are_worked_on_from_the_console(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    world = ledger.world
    one = world.deposit(world.storage, 10, world.tokyo, end=until(100))
    other = world.deposit(world.storage, 10, None, end=until(50))
    assert [row["lot"] for row in console(capsys, "list", "--sku", "STO-STD")[1]] == [other.uid, one.uid]
    code, shown = console(capsys, "co-term", one.uid, other.uid, "--dry-run")
    assert (code, shown["quantity"], shown["written"]) == (0, 20, False)
    assert console(capsys, "co-term", one.uid, other.uid)[1]["error"]["code"] == "reason_missing"
    code, done = console(capsys, "co-term", one.uid, other.uid, "--reason", "renewal")
    assert (code, done["quantity"], done["ends_on"]) == (0, 20, shown["ends_on"])
    right = ["--quantity", "15", "--kind", "term", "--end-on", "2199-12-31", "--reason", "typed wrong"]
    code, shown = console(capsys, "correct", done["lot"], *right, "--dry-run")
    assert (code, shown["before"], shown["after"], shown["written"]) == (0, 20, 15, False)
    code, corrected = console(capsys, "correct", done["lot"], *right)
    assert code == 0
    code, shown = console(capsys, "revoke", corrected["lot"], "--reason", "unpaid", "--dry-run")
    assert (code, shown["revoked"], shown["written"]) == (0, 15, False)
    code, revoked = console(capsys, "revoke", corrected["lot"], "--reason", "unpaid")
    assert (code, revoked["revoked"], revoked["left"], revoked["held_by"]) == (0, 15, 0, [])
    assert console(capsys, "revoke", corrected["lot"], "--reason", "unpaid")[0] == 1
    assert check_ledger(deep=True) == []
