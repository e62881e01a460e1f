"""Ledger columns of lots through /api/v1 and the console, for each role."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daicho.domain.access.rules import Role
from daicho.domain.ledger.attachments import MOST_BYTES
from daicho.domain.ledger.models import Lot
from daicho.interfaces.cli.main import main
from tests.world import World

ROOT = "/api/v1/accounts/aozora.example.co.jp"
COLUMNS = {
    "management_number": "管理-01", "certificate_number": "CERT-7", "department": "情報システム部", "storage_place": "金庫 A",
    "note": "稟議 42", "amount": 1_200_000, "currency": "JPY",
}  # fmt: skip


@pytest.fixture
def lot(world: World) -> Lot:
    return world.deposit(world.storage, 100, world.osaka)


def patch(world: World, who: str, lot: Lot, body: Any, **headers: str) -> Any:
    client = world.client(getattr(world, who))
    return client.patch(f"{ROOT}/lots/{lot.uid}/details", body, content_type="application/json", **headers)


def test_what_is_written_down_is_read_again_as_far_as_one_may_see_it(world: World, lot: Lot) -> None:
    program = world.api_client(Role.ACCOUNT_USER)
    assert patch(world, "admin", lot, COLUMNS, HTTP_AUTHORIZATION=program).json() == COLUMNS
    assert patch(world, "user", lot, {"note": "稟議 43"}).json() == COLUMNS | {"note": "稟議 43"}
    part = world.client(world.partner).get(f"{ROOT}/lots/{lot.uid}").json()
    hidden = {"certificate_number": None, "amount": None, "currency": None}
    assert part["details"] == COLUMNS | {"note": "稟議 43"} | hidden
    assert [(row["virtual_account"]["name"], row["quantity"]) for row in part["rows"]] == [("Osaka", 100)]
    assert patch(world, "admin", lot, {"amount": None}).json()["currency"] == ""


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("viewer", {"note": "x"}, 403), ("partner", {"note": "x"}, 200), ("partner", {"amount": 1, "currency": "JPY"}, 404),
        ("approver", {"note": "x"}, 404), ("stranger", {"note": "x"}, 404),
        ("admin", {"amount": -1, "currency": "JPY"}, 422), ("admin", {"amount": 2**53, "currency": "JPY"}, 422),
        ("admin", {"amount": 1.5, "currency": "JPY"}, 422), ("admin", {"amount": 1}, 422), ("admin", {"note": None}, 422),
        ("admin", {"amount": 1, "currency": "XYZ"}, 422), ("admin", {"note": "\x00"}, 422), ("admin", {"note": "x" * 501}, 422),
    ],
)  # fmt: skip
def test_who_may_not_or_writes_what_cannot_be_taken_is_refused(
    world: World, lot: Lot, who: str, body: Any, status: int
) -> None:
    assert patch(world, who, lot, body).status_code == status


def test_a_file_is_tried_then_taken_and_its_wrong_rows_are_named(world: World, lot: Lot) -> None:
    admin = world.client(world.admin)

    def send(content: str, query: str = "") -> Any:
        file = SimpleUploadedFile("details.csv", content.encode())
        return admin.post(f"{ROOT}/lot-details-imports{query}", {"file": file})

    good = f"lot,note,amount,currency\n{lot.uid},binder,12.50,USD\n"
    assert send(good, "?preview=true").json() == {"changed": 1, "unchanged": 0}
    assert send(good).json() == {"changed": 1, "unchanged": 0}
    assert send(good).json() == {"changed": 0, "unchanged": 1}
    assert admin.get(f"{ROOT}/lots/{lot.uid}/details").json()["amount"] == 1250
    bad = send(f"lot,amount,currency\n{lot.uid},many,USD\nnone,1,USD\n")
    assert bad.status_code == 422
    assert [(row["row"], row["column"]) for row in bad.json()["data"]["rows"]] == [(2, "amount"), (3, "lot")]


@pytest.mark.parametrize("name", ["details.csv", "details.xlsx"])
def test_the_console_takes_a_file_out_and_in(
    world: World, lot: Lot, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patch(world, "admin", lot, COLUMNS | {"amount": 1250, "currency": "USD"})
    file = tmp_path / name
    options = ["--account", "aozora.example.co.jp", "--json"]

    def say(*arguments: str) -> tuple[int, Any]:
        code = main(["lots", "details", *arguments, *options])
        return code, json.loads(capsys.readouterr().out)

    assert say("export", str(file)) == (0, {"file": str(file), "lots": 1})
    assert say("import", str(file)) == (0, {"changed": 0, "unchanged": 1, "written": True})
    file.write_text(f"lot,amount,currency\n{lot.uid},12.55,USD\n")
    assert say("import", str(file), "--dry-run") == (0, {"changed": 1, "unchanged": 0, "written": False})
    assert say("import", str(file))[1]["changed"] == 1
    assert world.client(world.admin).get(f"{ROOT}/lots/{lot.uid}/details").json()["amount"] == 1255
    file.write_text("lot,amount,currency\nnone,12.55,USD\n")
    code, bad = say("import", str(file))
    assert (code, bad["errors"][0]["code"]) == (1, "unknown_lot")
    assert main(["lots", "details", "import", str(tmp_path / "none.csv"), *options]) == 1
    assert main(["lots", "details", "export", str(tmp_path / "no" / "where.csv"), *options]) == 1


def test_files_are_attached_listed_read_and_removed(world: World, lot: Lot) -> None:
    admin, url = world.client(world.admin), f"{ROOT}/lots/{lot.uid}/files"

    def attach(name: str, content: bytes, key: str = "") -> Any:
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        return admin.post(url, {"file": SimpleUploadedFile(name, content)}, **headers)

    made = attach("証書.pdf", b"%PDF-1.7 \xff", "once")
    assert (made.status_code, made.json()["media_type"], made.json()["size"]) == (201, "application/pdf", 10)
    assert attach("証書.pdf", b"%PDF-1.7 \xff", "twice").json() == made.json()
    assert attach("large.pdf", b"%PDF-1.7" + b" " * MOST_BYTES).json()["code"] == "file_too_large"
    assert attach("page.pdf", b"<html>").json()["code"] == "file_type_refused"
    assert world.client(world.viewer).get(url).json() == [made.json()]
    answer = world.client(world.viewer).get(f"{url}/{made.json()['uid']}")
    assert (b"".join(answer), answer["X-Content-Type-Options"]) == (b"%PDF-1.7 \xff", "nosniff")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for who, status in (("viewer", 403), ("partner", 404), ("stranger", 404)):
        assert world.client(getattr(world, who)).delete(f"{url}/{made.json()['uid']}").status_code == status
    assert admin.delete(f"{url}/{made.json()['uid']}").status_code == 204
    assert admin.get(url).json() == []


def test_a_list_of_lots_tells_ledger_columns_when_asked_in_one_statement(world: World, lot: Lot) -> None:
    patch(world, "admin", lot, COLUMNS)
    for _number in range(5):
        more = world.deposit(world.storage, 5, world.tokyo)
        patch(world, "admin", more, {"note": "more"})

    def listed(who: str, query: str) -> tuple[list[Any], int]:
        with CaptureQueriesContext(connection) as counted:
            items = world.client(getattr(world, who)).get(f"{ROOT}/lots{query}").json()["items"]
        return items, len(counted)

    listed("viewer", "")  # logs in
    plain, before = listed("viewer", "")
    assert {item["details"] for item in plain} == {None}
    items, after = listed("viewer", "?details=true")
    assert after == before + 1
    assert {item["uid"]: item["details"] for item in items}[lot.uid] == COLUMNS
    [part], _count = listed("partner", "?details=true")
    assert (part["details"]["note"], part["details"]["amount"]) == ("稟議 42", None)
