"""The pages of orders and catalog answer to those they are for, and to nobody else."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from daicho.domain.ledger.models import Entry
from daicho.domain.orders.models import Order, OrderLine
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db

ACCOUNT = ("orders-list", "orders-unassigned", "orders-card")
OPERATOR = (
    "operator_orders-list", "operator_orders-waiting", "operator_orders-new", "operator_orders-import",
    "operator_catalog-tags", "operator_catalog-products", "operator_catalog-ladders", "operator_catalog-tag-new",
    "operator_catalog-product-new", "operator_catalog-ladder-new", "operator_catalog-import", "operator_catalog-sample",
)  # fmt: skip
PARTNER = ("partner-home", "partner-orders", "partner-order-new", "partner-import")


def page(world: World, name: str, **kwargs: str) -> str:
    return reverse(name, kwargs={"identifier": world.account.identifier} | kwargs)


@pytest.mark.parametrize("name", ACCOUNT)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("admin", 200),
        ("user", 200),
        ("viewer", 200),
        ("approver", 404),
        ("stranger", 404),
        ("operator", 404),
        ("nobody", 404),
    ],
)
def test_account_pages_open_to_those_who_see_orders(world: World, name: str, who: str, status: int):
    recorded(world, line(), line(virtual_account="Osaka"))
    assert world.client(getattr(world, who)).get(page(world, name)).status_code == status


@pytest.mark.parametrize("name", OPERATOR)
def test_operator_pages_open_to_operators_alone(world: World, name: str):
    assert world.client(world.operator).get(reverse(name)).status_code == 200
    for who in (world.admin, world.reseller):
        assert world.client(who).get(reverse(name)).status_code == 404
    assert world.client(None).get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", PARTNER)
def test_partner_pages_open_to_members_of_the_company_alone(world: World, name: str):
    url = reverse(name, kwargs={"company": world.reseller_company.uid})
    assert world.client(world.reseller).get(url).status_code == 200
    for who in (world.partner, world.admin, world.stranger):
        assert world.client(who).get(url).status_code == 404


def test_who_sees_one_virtual_account_sees_only_its_lines(world: World):
    recorded(world, line(virtual_account="Osaka"), number="OSAKA-1")
    recorded(world, line(virtual_account="AOZORA Tokyo"), number="TOKYO-1")
    recorded(world, line(), number="UNASSIGNED-1")
    body = world.client(world.partner).get(page(world, "orders-list")).content.decode()
    assert "OSAKA-1" in body
    assert "TOKYO-1" not in body
    assert "UNASSIGNED-1" not in body
    assert "AOZORA Tokyo" not in body
    tokyo = Order.objects.get(number="TOKYO-1")
    assert world.client(world.partner).get(page(world, "orders-detail", uid=tokyo.uid)).status_code == 404


def test_an_order_shows_its_lines_and_leads_to_assigning(world: World):
    done = recorded(world, line(quantity=7), line("SEC-PLUS", 3, virtual_account="Osaka"))
    body = world.client(world.admin).get(page(world, "orders-detail", uid=done.orders[0].uid)).content.decode()
    assert "Security Plus" in body
    assert page(world, "orders-assign") in body
    viewer = world.client(world.viewer).get(page(world, "orders-detail", uid=done.orders[0].uid)).content.decode()
    assert page(world, "orders-assign") not in viewer


def test_the_card_shows_both_names_to_copy(world: World):
    body = world.client(world.admin).get(page(world, "orders-card")).content.decode()
    assert "aozora.example.co.jp" in body
    assert "DEFAULT" in body


def fields(response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.content.decode())
    return {name: html.unescape(value) for name, value in found}


def test_a_line_is_split_over_virtual_accounts_and_undone(world: World):
    found = only(recorded(world, line(quantity=7)))
    browser = world.client(world.admin)
    url = page(world, "orders-assign") + f"?row={found.uid}"
    first = browser.get(url)
    assert first.status_code == 200
    typed = {
        "row": found.uid,
        f"shares.{found.uid}": "1",
        "parts.0.virtual_account": world.osaka.uid,
        "parts.0.quantity": "5",
    }
    second = browser.post(url, typed | {"split": found.uid})
    assert second.status_code == 200
    assert 'name="parts.1.quantity"' in second.content.decode()
    both = typed | {
        f"shares.{found.uid}": "2", "parts.1.virtual_account": world.tokyo.uid, "parts.1.quantity": "3", "assign": "1",
    }  # fmt: skip
    too_many = browser.post(url, both)
    assert too_many.status_code == 422
    done = browser.post(url, both | {"parts.1.quantity": "2"})
    assert done.status_code == 302
    assert (world.pool(world.osaka, world.advantage).on_hand, world.pool(world.tokyo, world.advantage).on_hand) == (
        5,
        2,
    )
    entry = Entry.objects.get(kind="assign_order")
    assert browser.post(page(world, "orders-undo", entry=entry.uid)).status_code == 302
    assert world.pool(world.osaka, world.advantage).on_hand == 0
    found.refresh_from_db()
    assert found.state == OrderLine.State.UNASSIGNED


def test_a_viewer_is_told_that_his_role_does_not_assign(world: World):
    found = only(recorded(world, line()))
    assert world.client(world.viewer).get(page(world, "orders-assign") + f"?row={found.uid}").status_code in (403, 404)


HEADER = {"identifier": "aozora.example.co.jp", "number": "WEB-1", "memo": "稟議 & <b>"}
ROW = {
    "rows": "1", "lines.0.sku": "net-adv", "lines.0.quantity": "１２", "lines.0.kind": "perpetual",
    "lines.0.virtual_account": "osaka", "lines.0.start_on": "", "lines.0.end_on": "", "lines.0.billing": "prepaid",
}  # fmt: skip


def record_pages(world: World, browser: Client) -> str:
    return reverse("partner-order-new", kwargs={"company": world.reseller_company.uid})


def test_a_partner_records_an_order_step_by_step(world: World):
    browser = world.client(world.reseller)
    url = record_pages(world, browser)
    assert browser.post(url, HEADER | {"act": "lines"}).status_code == 200
    check = browser.post(url, HEADER | ROW | {"act": "check"})
    assert check.status_code == 200
    assert "Network Advantage" in check.content.decode()
    kept = fields(check)
    assert kept["lines.0.quantity"] == "１２"
    assert not Order.objects.exists()
    done = browser.post(url, kept | {"act": "record"})
    assert done.status_code == 302
    assert Order.objects.get().memo == "稟議 & <b>"
    assert browser.get(done["Location"]).status_code == 200
    assert OrderLine.objects.get().state == OrderLine.State.WAITING_OPERATOR


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"identifier": "nobody.example.com"}, "No such destination"),
        ({"number": ""}, "This field is required"),
        ({"lines.0.quantity": "-5"}, "whole number"),
        ({"lines.0.sku": "<b>NONE</b>"}, "no license with the SKU"),
        ({"lines.0.virtual_account": "Osak"}, "No such destination"),
        ({"lines.0.kind": "term"}, "need an end date"),
        ({"lines.0.start_on": "2026-02-31"}, "is not a date"),
    ],
)
def test_bad_input_is_kept_and_told_at_its_field(world: World, change: dict[str, str], words: str):
    browser = world.client(world.reseller)
    answer = browser.post(record_pages(world, browser), HEADER | ROW | change | {"act": "check"})
    body = answer.content.decode()
    assert answer.status_code == 422
    assert words in body
    assert "<b>NONE</b>" not in body
    assert "稟議" in body or "WEB-1" in body
    assert not Order.objects.exists()


def test_adding_lines_keeps_what_was_typed(world: World):
    browser = world.client(world.reseller)
    answer = browser.post(record_pages(world, browser), HEADER | ROW | {"act": "more"})
    body = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="lines.5.sku"' in body
    assert 'value="net-adv"' in body


def test_the_operator_imports_a_file_after_looking_at_it(world: World):
    browser = world.client(world.operator)
    bad = b"order_number,domain,sku,quantity\nPO-1,aozora.example.co.jp,NONE,1\n"
    looked = browser.post(reverse("operator_orders-import"), {"file": SimpleUploadedFile("o.csv", bad)}, follow=True)
    assert "no license with the SKU" in looked.content.decode()
    where = looked.redirect_chain[-1][0]
    assert browser.post(where).status_code == 422
    rows = browser.get(where + "rows.csv")
    assert "PO-1" in rows.content.decode("utf-8-sig")
    good = "order_number,domain,sku,quantity\nPO-1,aozora.example.co.jp,NET-ADV,1\n".encode("cp932")
    looked = browser.post(reverse("operator_orders-import"), {"file": SimpleUploadedFile("o.csv", good)}, follow=True)
    assert browser.post(looked.redirect_chain[-1][0]).status_code == 302
    assert Order.objects.get().number == "PO-1"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_there_is_a_sample_file(world: World, kind: str):
    answer = world.client(world.operator).get(reverse("operator_orders-template", kwargs={"kind": kind}))
    assert answer.status_code == 200
    assert len(answer.content) > 100


def test_the_operator_approves_and_declines(world: World):
    lines = [
        only(recorded(world, line(), number=f"PO-{n}", actor=world.as_(world.reseller), company=world.reseller_company))
        for n in range(2)
    ]
    browser = world.client(world.operator)
    url = reverse("operator_orders-waiting")
    assert browser.post(url, {"approve": "1"}).status_code == 422
    assert browser.post(url, {"row": lines[0].uid, "approve": "1"}).status_code == 302
    assert browser.post(url, {"row": lines[1].uid, "decline": "1"}).status_code == 422
    assert browser.post(url, {"row": lines[1].uid, "decline": "1", "reason": "No contract"}).status_code == 302
    assert sorted(OrderLine.objects.values_list("state", flat=True)) == ["cancelled", "unassigned"]


def test_a_partner_cancels_a_line_from_its_page(world: World):
    found = only(recorded(world, line(virtual_account="Osaka"), company=world.reseller_company))
    company = world.reseller_company.uid
    browser = world.client(world.reseller)
    url = reverse("partner-line-cancel", kwargs={"company": company, "uid": found.uid})
    assert browser.post(url, {"memo": "mistake"}).status_code == 302
    assert world.pool(world.osaka, world.advantage).on_hand == 0
    body = browser.get(reverse("partner-order", kwargs={"company": company, "uid": found.order.uid})).content.decode()
    assert "Cancelled" in body


def test_the_operator_keeps_the_catalog(world: World):
    browser = world.client(world.operator)
    new = {"sku": "WEB-1", "name": "Web <b>", "enforcement": "unenforced"}
    assert browser.post(reverse("operator_catalog-tag-new"), new).status_code == 302
    assert browser.post(reverse("operator_catalog-tag-new"), new).status_code == 422
    assert "Web <b>" not in browser.get(reverse("operator_catalog-tags") + "?q=web-1").content.decode()
    tag = reverse("operator_catalog-tag", args=[world.storage.uid])
    assert browser.post(tag, {"name": "Storage", "enforcement": "enforced"}).status_code == 302
    world.storage.refresh_from_db()
    assert (world.storage.enforcement, world.storage.is_sold) == ("enforced", False)
    ladder = {"name": "New", "skus": "WEB-1\nSTO-STD"}
    assert browser.post(reverse("operator_catalog-ladder-new"), ladder).status_code == 302
    assert "WEB-1 > STO-STD" in browser.get(reverse("operator_catalog-ladders")).content.decode()


def test_the_operator_imports_a_catalog_after_checking_it(world: World):
    browser = world.client(world.operator)
    url = reverse("operator_catalog-import")

    def send(text: str, button: str):
        return browser.post(url, {"file": SimpleUploadedFile("c.csv", text.encode()), button: "1"})

    assert "2" in send("sku,name\nW-1,One\nW-2,Two\n", "check").content.decode()
    assert send("sku,name\nW-1,One\n,Two\n", "import").status_code == 422
    assert send("sku,name\nW-1,One\nW-2,Two\n", "import").status_code == 302


def test_an_allowance_is_set(world: World):
    url = reverse("operator_orders-allowances", kwargs={"company": world.reseller_company.uid})
    browser = world.client(world.operator)
    assert browser.post(url, {"sku": "NONE", "monthly_quantity": "5"}).status_code == 422
    assert browser.post(url, {"sku": "NET-ADV", "monthly_quantity": "5"}).status_code == 302
    assert world.client(world.reseller).get(url).status_code == 404


@pytest.mark.parametrize("kind", ["csv", "xlsx", "tsv", "print"])
def test_lists_are_exported(world: World, kind: str):
    recorded(world, line(virtual_account="Osaka"), number="=1+1")
    for url, who in ((page(world, "orders-list"), world.admin), (reverse("operator_orders-list"), world.operator)):
        answer = world.client(who).get(url + f"?export={kind}")
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200
        assert len(body) > 50
