"""Orders and catalog through /api/v1."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from daicho.domain.ledger.models import Lot
from daicho.domain.orders.models import Order, OrderLine
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db

ORDER = {
    "number": "API-1",
    "identifier": "aozora.example.co.jp",
    "lines": [
        {"sku": "NET-ADV", "quantity": 7, "virtual_account": "Osaka"},
        {"sku": "SEC-PLUS", "quantity": 3, "kind": "term", "start_on": "2026-01-01", "end_on": "2199-12-31"},
    ],
}


def call(world: World, who: str, method: str, path: str, body: Any = None, **headers: str):
    browser = world.client(getattr(world, who))
    if body is None:
        return getattr(browser, method)(f"/api/v1{path}", **headers)
    return getattr(browser, method)(f"/api/v1{path}", body, content_type="application/json", **headers)


def test_the_operator_records_and_the_customer_reads(world: World):
    done = call(world, "operator", "post", "/operator/orders", ORDER)
    assert (done.status_code, done.json()["new"]) == (201, 2)
    assert done.json()["landing"] == {"deposited": 1, "unassigned": 1, "waiting_agreement": 0, "waiting_operator": 0}
    again = call(world, "operator", "post", "/operator/orders", ORDER)
    assert (again.json()["new"], again.json()["repeated"]) == (0, 2)
    lines = call(world, "viewer", "get", "/accounts/aozora.example.co.jp/order-lines").json()["items"]
    assert {(one["sku"], one["status"]) for one in lines} == {("NET-ADV", "deposited"), ("SEC-PLUS", "unassigned")}
    one = call(world, "viewer", "get", f"/accounts/aozora.example.co.jp/order-lines/{lines[0]['uid']}")
    assert one.json()["order_number"] == "API-1"


def test_a_conflict_and_bad_fields_are_told_apart(world: World):
    call(world, "operator", "post", "/operator/orders", ORDER)
    other = ORDER | {"lines": [{"sku": "NET-ADV", "quantity": 8, "virtual_account": "Osaka"}]}
    conflict = call(world, "operator", "post", "/operator/orders", other)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "order_conflict")
    bad = ORDER | {"number": "API-2", "lines": [{"sku": "NONE", "quantity": 1, "kind": "term"}]}
    refused = call(world, "operator", "post", "/operator/orders", bad).json()
    assert {found["field"] for found in refused["errors"]} == {"lines.0.end_on", "lines.0.sku"}
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"quantity": 2**53},
        {"quantity": "x"},
        {"start_on": "2026-02-30"},
        {"sku": "a\x00"},
        {"line": -1},
    ],
)
def test_what_no_schema_takes_is_422(world: World, change: dict[str, object]):
    body = ORDER | {"lines": [{"sku": "NET-ADV", "quantity": 1} | change]}
    assert call(world, "operator", "post", "/operator/orders", body).status_code == 422


def test_a_partner_records_at_its_desk_and_the_operator_decides(world: World):
    company = world.reseller_company.uid
    done = call(world, "reseller", "post", f"/partner/{company}/orders", ORDER)
    assert done.json()["landing"]["waiting_operator"] == 2
    uids = [one["uid"] for one in call(world, "reseller", "get", f"/partner/{company}/order-lines").json()["items"]]
    assert call(world, "reseller", "post", "/operator/order-lines/approve", {"lines": uids}).status_code == 404
    assert call(world, "operator", "post", "/operator/order-lines/approve", {"lines": uids[:1]}).json() == {
        "decided": 1
    }
    declined = call(world, "operator", "post", "/operator/order-lines/decline", {"lines": uids[1:], "reason": "no"})
    assert declined.json() == {"decided": 1}
    one = call(world, "reseller", "get", f"/partner/{company}/order-lines/{uids[1]}").json()
    assert (one["status"], one["decision_reason"]) == ("cancelled", "no")


def test_an_allowance_is_set_and_read(world: World):
    company = world.reseller_company.uid
    body = {"sku": "NET-ADV", "monthly_quantity": 10}
    assert call(world, "reseller", "put", f"/operator/partners/{company}/allowances", body).status_code == 404
    assert call(world, "operator", "put", f"/operator/partners/{company}/allowances", body).json()[0]["left"] == 10
    assert call(world, "reseller", "get", f"/partner/{company}/allowances").json()[0]["sku"] == "NET-ADV"


def test_destinations_are_searched_by_the_partner_alone(world: World):
    url = f"/partner/{world.reseller_company.uid}/destinations?identifier=aozora.example.co.jp&text="
    assert [one["virtual_account"] for one in call(world, "reseller", "get", url).json()] == ["DEFAULT"]
    assert call(world, "reseller", "get", url + "osaka").json()[0]["public"] is False
    assert call(world, "admin", "get", url).status_code == 404


def test_lines_are_assigned_split_and_undone(world: World):
    found = only(recorded(world, line(quantity=10)))
    body = {
        "parts": [
            {"line": found.uid, "quantity": 4, "virtual_account": world.osaka.uid},
            {"line": found.uid, "quantity": 6, "virtual_account": world.tokyo.uid},
        ]
    }
    url = "/accounts/aozora.example.co.jp/assignments"
    first = call(world, "admin", "post", url, body, HTTP_IDEMPOTENCY_KEY="one")
    again = call(world, "admin", "post", url, body, HTTP_IDEMPOTENCY_KEY="one")
    assert (first.status_code, again.json()) == (201, first.json())
    assert world.pool(world.tokyo, world.advantage).on_hand == 6
    assert call(world, "viewer", "post", url, body).status_code == 403
    assert call(world, "stranger", "post", url, body).status_code == 404
    undo = call(world, "admin", "post", f"{url}/{first.json()['entry']}/undo", {})
    assert undo.status_code == 201
    assert world.pool(world.tokyo, world.advantage).on_hand == 0


def test_lines_are_cancelled(world: World):
    found = only(recorded(world, line(quantity=10, virtual_account="Osaka"), company=world.reseller_company))
    url = f"/partner/{world.reseller_company.uid}/order-lines/{found.uid}/cancel"
    assert call(world, "admin", "post", url, {}).status_code == 404
    assert call(world, "reseller", "post", url, {}).json() == {"cancelled": 10, "left": 0}
    assert call(world, "operator", "post", f"/operator/order-lines/{found.uid}/cancel", {}).status_code == 409


def test_the_card(world: World):
    card = call(world, "admin", "get", "/accounts/aozora.example.co.jp/order-card").json()
    assert (card["identifier"], card["virtual_account"]) == ("aozora.example.co.jp", "DEFAULT")


def test_files_are_previewed_and_imported(world: World):
    browser = world.client(world.operator)
    good = b"order_number,domain,sku,quantity\nPO-1,aozora.example.co.jp,NET-ADV,1\n"
    bad = b"order_number,domain,sku,quantity\nPO-2,aozora.example.co.jp,NONE,1\n"

    def send(path: str, content: bytes):
        return browser.post(f"/api/v1{path}", {"file": SimpleUploadedFile("o.csv", content)})

    assert send("/operator/order-imports/preview", bad).json()["errors"][0]["code"] == "unknown_sku"
    assert send("/operator/order-imports", bad).status_code == 422
    assert send("/operator/order-imports/preview", good).json()["landing"]["unassigned"] == 1
    assert not Lot.objects.exists()
    assert send("/operator/order-imports", good).json()["new"] == 1
    assert OrderLine.objects.count() == 1


def test_who_sees_one_virtual_account_reads_only_its_lines(world: World):
    recorded(world, line(virtual_account="AOZORA Tokyo"), number="TOKYO-1")
    mine = only(recorded(world, line(virtual_account="Osaka"), number="OSAKA-1"))
    items = call(world, "partner", "get", "/accounts/aozora.example.co.jp/order-lines").json()["items"]
    assert [one["uid"] for one in items] == [mine.uid]
    tokyo = OrderLine.objects.exclude(pk=mine.pk).get()
    split = only(recorded(world, line(quantity=10), number="SPLIT-1"))
    parts = {"parts": [{"line": split.uid, "quantity": 4, "virtual_account": world.osaka.uid}]}
    assert call(world, "admin", "post", "/accounts/aozora.example.co.jp/assignments", parts).status_code == 201
    seen = call(world, "partner", "get", f"/accounts/aozora.example.co.jp/order-lines/{split.uid}").json()
    assert (seen["quantity"], seen["unassigned"], seen["status"]) == (4, 0, "deposited")
    rest = call(world, "partner", "get", "/accounts/aozora.example.co.jp/order-lines?status=unassigned").json()
    assert rest["items"] == []
    assert call(world, "partner", "get", f"/accounts/aozora.example.co.jp/order-lines/{tokyo.uid}").status_code == 404


def test_the_catalog_is_read_by_all_and_kept_by_the_operator(world: World):
    found = call(world, "nobody", "get", "/catalog/licenses?text=net").json()["items"]
    assert {one["sku"] for one in found} == {"NET-PREM", "NET-ADV", "NET-ESS"}
    new = {"sku": "API-1", "name": "New", "enforcement": "enforced"}
    assert call(world, "admin", "post", "/catalog/licenses", new).status_code == 404
    tag = call(world, "operator", "post", "/catalog/licenses", new).json()
    assert (
        call(world, "operator", "patch", f"/catalog/licenses/{tag['uid']}", {"is_sold": False}).json()["is_sold"]
        is False
    )
    assert call(world, "nobody", "get", f"/catalog/licenses/{tag['uid']}").json()["enforcement"] == "enforced"
    ladder = {"name": "New", "skus": ["API-1", "STO-STD"]}
    assert call(world, "operator", "put", "/catalog/ladders", ladder).json()["skus"] == ["API-1", "STO-STD"]
    assert len(call(world, "operator", "get", "/catalog/ladders").json()) == 2
    product = {"vendor": "Kawa", "name": "KX-1"}
    assert call(world, "operator", "post", "/catalog/products", product).status_code == 201
    assert call(world, "admin", "get", "/catalog/products?text=kawa").json()["items"][0]["name"] == "KX-1"
    browser = world.client(world.operator)
    file = SimpleUploadedFile("c.json", b'[{"sku": "J-1", "name": "J"}]')
    assert browser.post("/api/v1/catalog/imports?dry_run=true", {"file": file}).json()["added"] == 1
