"""Licenses, transfers and devices through /api/v1, for each role."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from daicho.domain.ledger.models import Entry
from tests.licenses.conftest import Stocked
from tests.world import World

ROOT = "/api/v1/accounts/aozora.example.co.jp"


def get(world: World, who: str, path: str) -> Any:
    return world.client(getattr(world, who)).get(f"{ROOT}{path}")


def post(world: World, who: str, path: str, body: Any, **headers: str) -> Any:
    client = world.client(getattr(world, who))
    return client.post(f"{ROOT}{path}", body, content_type="application/json", **headers)


def moves(world: World, quantity: int, **more: Any) -> dict[str, Any]:
    move = {"source": world.tokyo.uid, "target": world.osaka.uid, "sku": "net-adv", "quantity": quantity}
    return {"moves": [move | more]}


def test_the_table_is_listed_filtered_and_summed(stocked: Stocked) -> None:
    world = stocked.world
    rows = get(world, "viewer", "/licenses?size=2").json()
    assert len(rows["items"]) == 2
    following = get(world, "viewer", f"/licenses?size=200&cursor={rows['next']}").json()["items"]
    skus = [row["license"]["sku"] for row in [*rows["items"], *following]]
    assert skus == ["NET-ADV", "NET-ADV", "NET-PREM", "SEC-PLUS", "STO-STD"]
    assert [row["state"] for row in get(world, "viewer", "/licenses?state=ending").json()["items"]] == ["ending"]
    totals = get(world, "viewer", "/license-totals?sku=NET-ADV").json()
    assert (totals["count"], totals["sums"]["purchased"], totals["sums"]["balance"]) == (2, 120, 115)
    assert get(world, "viewer", "/licenses?state=nonsense").status_code == 422
    assert get(world, "viewer", "/licenses?cursor=nonsense").status_code == 422


def test_one_license_lots_ends_use_and_branches_are_told(stocked: Stocked) -> None:
    world = stocked.world
    one = get(world, "viewer", f"/licenses/{world.advantage.uid}?virtual_account={world.osaka.uid}").json()
    assert one["sums"]["balance"] == 15
    assert one["ladder"] == ["NET-PREM", "NET-ADV", "NET-ESS"]
    lots = get(world, "viewer", "/lots?sku=SEC-PLUS").json()["items"]
    assert [(lot["state"], lot["days_left"], lot["quantity"]) for lot in lots] in (
        [("ending", 12, 30)],
        [("ending", 11, 30)],
    )
    ends = get(world, "viewer", "/ends").json()["items"]
    assert [(end["license"]["sku"], end["balance_after"]) for end in ends] == [("SEC-PLUS", -4)]
    assert [end["license"]["sku"] for end in get(world, "viewer", "/ends?ended=true").json()["items"]] == ["STO-STD"]
    points = get(world, "viewer", f"/licenses/{world.advantage.uid}/use-over-time?days=30&step=1").json()
    assert len(points) == 31
    assert (points[0]["in_use"], points[-1]["in_use"], points[-1]["purchased"]) == (0, 5, 120)
    assert [b["virtual_account"]["name"] for b in get(world, "viewer", "/license-branches").json()] == [
        "AOZORA Tokyo", "DEFAULT", "Osaka",
    ]  # fmt: skip
    assert get(world, "viewer", "/license-summary").json()["spare_quantity"] == 151


def test_licenses_are_moved_previewed_undone_and_the_same_key_acts_once(stocked: Stocked) -> None:
    world = stocked.world
    seen = post(world, "user", "/transfers/preview", moves(world, 101)).json()
    assert seen["possible"] is False
    assert {e["missing"] for e in seen["effects"]} == {0, 1}
    refused = post(world, "user", "/transfers", moves(world, 101))
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]["missing"]) == (
        409,
        "not_enough_licenses",
        1,
    )
    first = post(world, "user", "/transfers", moves(world, 7), HTTP_IDEMPOTENCY_KEY="k1")
    again = post(world, "user", "/transfers", moves(world, 7), HTTP_IDEMPOTENCY_KEY="k1")
    assert (first.status_code, first.json()) == (201, again.json())
    assert Entry.objects.filter(kind="transfer").count() == 1
    uid = first.json()["entry"]
    detail = get(world, "viewer", f"/transfers/{uid}").json()
    assert (detail["quantity"], detail["lines"][0]["sku"], detail["undone_by"]) == (7, "NET-ADV", None)
    undone = post(world, "user", f"/transfers/{uid}/undo", {"memo": "wrong"})
    assert undone.status_code == 201
    assert undone.json()["undoes"] == uid
    assert post(world, "user", f"/transfers/{uid}/undo", {}).json()["code"] == "already_undone"
    assert len(get(world, "viewer", "/transfers").json()["items"]) == 2


@pytest.mark.parametrize("quantity", [0, -1, 2**53, "x", 1.5, None])
def test_a_quantity_that_is_none_is_refused(stocked: Stocked, quantity: Any) -> None:
    assert post(stocked.world, "user", "/transfers", moves(stocked.world, quantity)).status_code == 422


def test_what_is_out_of_sight_does_not_exist(stocked: Stocked) -> None:
    world = stocked.world
    never = "0000000000000"
    for who in ("partner", "osaka_admin"):
        assert get(world, who, f"/licenses?virtual_account={world.tokyo.uid}").status_code == 404
        assert get(world, who, f"/licenses/{world.storage.uid}").status_code == 404
        assert get(world, who, f"/devices/{stocked.switch.uid}").status_code == 404
        assert post(world, who, "/transfers", moves(world, 1)).status_code == 404
        assert get(world, who, "/license-branches").json() == []
        assert get(world, who, "/license-summary").json()["spare_quantity"] == 51
        text = get(world, who, "/licenses?size=200").content.decode() + get(world, who, "/lots").content.decode()
        assert "Tokyo" not in text
    for who in ("stranger", "nobody", "operator"):
        for path in ("/licenses", "/lots", "/ends", "/transfers", "/devices", f"/licenses/{world.advantage.uid}"):
            assert get(world, who, path).status_code == 404
    assert get(world, "approver", "/licenses").status_code == 404
    assert post(world, "viewer", "/transfers", moves(world, 1)).status_code == 403
    assert post(world, "admin", "/transfers", moves(world, 1, target=never)).status_code == 404
    assert post(world, "admin", "/transfers", moves(world, 1, sku="NONE")).json()["code"] == "unknown_license"


def test_a_transfer_request_is_approved_or_declined(stocked: Stocked) -> None:
    world = stocked.world
    world.account.transfers_need_approval = True
    world.account.save()
    asked = [post(world, "user", "/transfers", moves(world, n)).json()["request"] for n in (1, 2, 3)]
    assert len(get(world, "admin", "/transfer-requests").json()) == 3
    assert post(world, "user", f"/transfer-requests/{asked[0]}/approve", {}).status_code == 403
    assert post(world, "admin", f"/transfer-requests/{asked[0]}/approve", {}).json()["entry"]
    assert post(world, "admin", f"/transfer-requests/{asked[1]}/decline", {"reason": "no"}).status_code == 200
    assert post(world, "user", f"/transfer-requests/{asked[2]}/withdraw", {}).status_code == 200
    assert get(world, "admin", f"/transfer-requests/{asked[1]}").json()["reason"] == "no"
    assert get(world, "partner", f"/transfer-requests/{asked[1]}").status_code == 404


def test_a_file_of_moves_is_taken_whole_or_refused_by_row(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.user)

    def send(text: str) -> Any:
        return client.post(f"{ROOT}/transfers/import", {"file": SimpleUploadedFile("m.csv", text.encode("cp932"))})

    head = "移管元,移管先,SKU,数量\n"
    bad = send(head + "AOZORA Tokyo,Osaka,NET-ADV,2\nAOZORA Tokyo,Osaka,NET-ADV,zwei\n")
    assert (bad.status_code, bad.json()["code"]) == (422, "rows_refused")
    assert [(r["row"], r["column"]) for r in bad.json()["data"]["rows"]] == [(3, "quantity")]
    assert send(head + "AOZORA Tokyo,Osaka,NET-ADV,2\n").status_code == 201


def test_devices_are_kept_and_use_licenses(stocked: Stocked) -> None:
    world = stocked.world
    body = {"virtual_account": world.osaka.uid, "serial": " ＦＣＷ0001 ", "product_id": "SW-9500"}
    made = post(world, "user", "/devices", body, HTTP_IDEMPOTENCY_KEY="d1")
    assert made.status_code == 201
    one = made.json()
    assert (one["name"], one["serial"], one["duplicates"]) == ("FCW0001", "FCW0001", [stocked.router.uid])
    assert post(world, "user", "/devices", body, HTTP_IDEMPOTENCY_KEY="d1").json()["uid"] == one["uid"]
    uid = one["uid"]
    lines = {"lines": [{"sku": "NET-ADV", "quantity": 15}]}
    assert post(world, "user", f"/devices/{uid}/assign", lines).json()["licenses"][0]["quantity"] == 15
    refused = post(world, "user", f"/devices/{uid}/assign", {"lines": [{"sku": "NET-PREM", "quantity": 11}]})
    assert refused.json()["code"] == "not_enough_licenses"
    assert (
        post(world, "user", f"/devices/{uid}/release", {"lines": [{"sku": "NET-ADV", "quantity": 5}]}).status_code
        == 200
    )
    spare = {"sku": "NET-ADV", "quantity": 40, "source": world.tokyo.uid}
    assert post(world, "user", f"/devices/{uid}/use", spare).json()["licenses"][0]["quantity"] == 50
    reuse = {"lines": [{"sku": "NET-ADV", "quantity": 50}], "target": stocked.switch.uid}
    assert post(world, "user", f"/devices/{uid}/reuse", reuse).json()["uid"] == stocked.switch.uid
    assert world.pool(world.tokyo, world.advantage).in_use == 50
    moved = post(world, "user", f"/devices/{uid}/move", {"virtual_account": world.tokyo.uid})
    assert moved.json()["virtual_account"]["name"] == "AOZORA Tokyo"
    changed = world.client(world.user).patch(f"{ROOT}/devices/{uid}", {"name": "new"}, content_type="application/json")
    assert changed.json()["name"] == "new"
    assert post(world, "user", f"/devices/{stocked.router.uid}/remove", {}).json()["state"] == "removed"
    assert world.pool(world.osaka, world.advantage).in_use == 0
    assert post(world, "user", f"/devices/{stocked.router.uid}/assign", lines).json()["code"] == "device_removed"
    names = [row["name"] for row in get(world, "viewer", "/devices").json()["items"]]
    assert names == ["new", "tokyo-switch"]
    assert get(world, "viewer", "/devices?state=removed").json()["items"][0]["name"] == "osaka-router"
    assert post(world, "viewer", f"/devices/{uid}/remove", {}).status_code == 403
