"""The pages of lots: a lot with its ledger columns, their form, many by a file, columns of the list and its files."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daicho.domain.ledger.commands.lot_details import change_lot_details
from daicho.domain.ledger.models import Lot, LotAttachment
from tests.world import World

A = "/a/aozora.example.co.jp"
COLUMNS = {
    "management_number": "管理-01", "certificate_number": "CERT-7", "department": "情報システム部", "storage_place": "金庫 A",
    "note": "稟議 42", "amount": 123_450, "currency": "USD",
}  # fmt: skip


@pytest.fixture
def lot(world: World) -> Lot:
    lot = world.deposit(world.storage, 100, world.osaka)
    change_lot_details(world.as_(world.admin), account=world.account, lot_uid=lot.uid, changes=COLUMNS)
    return lot


def page(world: World, who: str, path: str, **options: Any) -> Any:
    return world.client(getattr(world, who)).get(f"{A}/{path}", **options)


def test_the_page_of_a_lot_tells_each_reader_what_he_may_see(world: World, lot: Lot) -> None:
    everything = page(world, "viewer", f"lots/{lot.uid}/").content.decode()
    for text in ("管理-01", "CERT-7", "情報システム部", "1,234.50 USD", "Certificate number", "Osaka"):
        assert text in everything, text
    assert "lots/" + lot.uid + "/edit/" not in everything
    part = page(world, "partner", f"lots/{lot.uid}/").content.decode()
    assert "管理-01" in part
    assert f"lots/{lot.uid}/edit/" in part
    for text in ("CERT-7", "1,234.50", "Certificate number"):
        assert text not in part, text
    assert page(world, "approver", f"lots/{lot.uid}/").status_code == 404


def test_the_form_saves_what_was_written_and_names_what_cannot_be_read(world: World, lot: Lot) -> None:
    admin = world.client(world.admin)
    url = f"{A}/lots/{lot.uid}/edit/"
    assert b'value="1,234.50"' in admin.get(url).content
    given = {name: str(value) for name, value in COLUMNS.items()} | {"amount": "￥１,２００,０００", "currency": "JPY"}
    assert admin.post(url, given | {"amount": "12.5"}).status_code == 422
    assert admin.post(url, given | {"currency": "XXX"}).status_code == 422
    assert admin.post(url, given).status_code == 302
    assert "1,200,000 JPY" in admin.get(f"{A}/lots/{lot.uid}/").content.decode()
    assert "1,234.50 USD" in admin.get(f"{A}/lots/{lot.uid}/").content.decode(), "the event tells what it was before"


def test_who_manages_one_virtual_account_is_not_asked_for_the_columns_of_the_company(world: World, lot: Lot) -> None:
    partner, url = world.client(world.partner), f"{A}/lots/{lot.uid}/edit/"
    assert b'name="amount"' not in partner.get(url).content
    given = {"management_number": "管理-02", "amount": "1", "currency": "JPY", "certificate_number": "mine"}
    assert partner.post(url, given).status_code == 302
    shown = page(world, "admin", f"lots/{lot.uid}/").content.decode()
    assert "管理-02" in shown
    assert "CERT-7" in shown
    assert world.client(world.viewer).get(url).status_code == 403
    assert world.client(world.viewer).post(url, given).status_code == 403
    elsewhere = world.deposit(world.storage, 5, world.tokyo)
    assert partner.get(f"{A}/lots/{elsewhere.uid}/edit/").status_code == 404


def test_many_lots_by_the_file_that_was_downloaded(world: World, lot: Lot) -> None:
    admin = world.client(world.admin)
    file = b"".join(admin.get(f"{A}/lots/ledger-columns.csv")).decode("utf-8-sig")
    assert file.splitlines()[0].split(",")[:3] == ["lot", "sku", "virtual_account"]
    assert "1234.50,USD" in file
    book = b"".join(admin.get(f"{A}/lots/ledger-columns.xlsx"))
    for content, name in ((file.encode(), "all.csv"), (book, "all.xlsx")):
        same = admin.post(f"{A}/lots/import/", {"file": SimpleUploadedFile(name, content)})
        assert "The file changes nothing." in admin.get(same.url).content.decode()
    changed = file.replace("管理-01", "管理-09").encode()
    check = admin.post(f"{A}/lots/import/", {"file": SimpleUploadedFile("all.csv", changed)}).url
    assert "管理-01 → 管理-09" in admin.get(check).content.decode()
    assert world.client(world.user).get(check).status_code == 404, "only who uploaded it"
    assert admin.post(check).status_code == 302
    assert "管理-09" in page(world, "viewer", f"lots/{lot.uid}/").content.decode()
    bad = admin.post(f"{A}/lots/import/", {"file": SimpleUploadedFile("bad.csv", b"lot,note\nnone,x")})
    assert bad.status_code == 422
    assert "There is no lot “none”" in bad.content.decode()
    other = b"".join(world.client(world.partner).get(f"{A}/lots/ledger-columns.csv")).decode()
    assert "CERT-7" not in other
    assert "amount" not in other


def test_ledger_columns_of_a_list_are_chosen_and_cost_no_statement_a_row(world: World, lot: Lot) -> None:
    admin, url = world.client(world.admin), f"{A}/lots/"
    shown = admin.get(url).content.decode()
    assert "管理-01" in shown
    assert "1,234.50" not in shown
    choice = {"list_act": "columns", "column": ["sku", "quantity", "management_number", "amount", "currency"]}
    admin.post(url, choice)
    assert "1,234.50" in admin.get(url).content.decode()
    csv = b"".join(admin.get(f"{url}?export=csv")).decode()
    assert f"{lot.uid},管理-01,STO-STD,100,1234.50,USD" in csv

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert admin.get(url).status_code == 200
        return len(counted)

    before = statements()
    for _number in range(20):
        extra = world.deposit(world.storage, 5, world.tokyo)
        change_lot_details(world.as_(world.admin), account=world.account, lot_uid=extra.uid, changes={"note": "more"})
    assert statements() == before
    found = admin.get(f"{url}?q=管理-０１").content.decode()
    assert lot.uid in found
    assert extra.uid not in found


def test_a_file_is_attached_saved_and_removed(world: World, lot: Lot) -> None:
    admin, url = world.client(world.admin), f"{A}/lots/{lot.uid}/"
    content = b"%PDF-1.7 \xff\x00"
    assert admin.post(f"{url}files/", {"file": SimpleUploadedFile("証書 1.pdf", content)}).status_code == 302
    made = LotAttachment.objects.get()
    shown = admin.get(url).content.decode()
    assert "証書 1.pdf" in shown
    answer = admin.get(f"{url}files/{made.uid}/")
    assert b"".join(answer) == content
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["Content-Disposition"].endswith("filename*=UTF-8''%E8%A8%BC%E6%9B%B8%201.pdf")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for wrong in (SimpleUploadedFile("a.pdf", b"<html>"), SimpleUploadedFile("a.pdf", b""), None):
        refused = admin.post(f"{url}files/", {"file": wrong} if wrong else {})
        assert refused.status_code == 422
    for who, read, write in (("viewer", 200, 403), ("partner", 404, 404), ("approver", 404, 404)):
        client = world.client(getattr(world, who))
        assert client.get(f"{url}files/{made.uid}/").status_code == read
        assert client.post(f"{url}files/", {"file": SimpleUploadedFile("b.pdf", content)}).status_code == write
        assert client.post(f"{url}files/{made.uid}/remove/").status_code == write
    assert "証書 1.pdf" not in page(world, "partner", f"lots/{lot.uid}/").content.decode()
    assert admin.post(f"{url}files/{made.uid}/remove/").status_code == 302
    assert not LotAttachment.objects.exists()


def test_the_search_of_the_portal_finds_a_lot_by_its_ledger_columns(world: World, lot: Lot) -> None:
    url = f"lots/{lot.uid}/"
    assert url in page(world, "viewer", "search/?q=cert-7 情報").content.decode()
    assert url in page(world, "partner", "search/?q=管理-０１").content.decode()
    assert url not in page(world, "partner", "search/?q=CERT-7").content.decode()
    assert url not in page(world, "viewer", f"va/{world.tokyo.uid}/search/?q=CERT-7").content.decode()
