"""Orders and the catalog from the console, as an operator scripts them."""

import json
from pathlib import Path

import pytest

from daicho.domain.catalog.models import LicenseTag
from daicho.domain.orders.models import Order, OrderLine
from daicho.interfaces.cli.main import main
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db

GOOD = "order_number,domain,sku,quantity\nPO-1,aozora.example.co.jp,NET-ADV,1\n"


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, object]:
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_orders_are_recorded_from_a_file(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "orders.csv"
    file.write_text(GOOD, encoding="cp932")
    assert say(capsys, "orders", "import", str(file), "--dry-run")[1]["written"] is False
    assert not Order.objects.exists()
    code, data = say(capsys, "orders", "import", str(file))
    assert (code, data["new_lines"], data["written"]) == (0, 1, True)


def test_a_wrong_row_is_named_and_nothing_is_written(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "orders.csv"
    file.write_text(GOOD + "PO-2,aozora.example.co.jp,NONE,1\n")
    code, data = say(capsys, "orders", "import", str(file))
    assert (code, data["errors"][0]["row"], data["errors"][0]["code"]) == (1, 3, "unknown_sku")
    assert not Order.objects.exists()


def test_waiting_lines_are_listed_and_approved(world: World, capsys: pytest.CaptureFixture[str]):
    found = only(recorded(world, line(), actor=world.as_(world.reseller), company=world.reseller_company))
    assert say(capsys, "orders", "waiting")[1][0]["line"] == found.uid
    assert say(capsys, "orders", "approve", found.uid) == (0, {"approved": 1})
    assert OrderLine.objects.get().state == OrderLine.State.UNASSIGNED


def test_a_catalog_is_imported(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "catalog.csv"
    file.write_text("sku,name\nCON-1,Console\n")
    assert say(capsys, "import-catalog", str(file), "--dry-run")[1]["added"] == 1
    assert say(capsys, "import-catalog", str(file))[0] == 0
    assert LicenseTag.objects.filter(sku="CON-1").exists()
    file.write_text("sku,name\n,Nameless\n")
    assert say(capsys, "import-catalog", str(file))[0] == 1


def test_a_large_file_is_recorded_line_by_line_and_the_rest_comes_back(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file, result = tmp_path / "orders.csv", tmp_path / "failed.csv"
    rows = [
        f"PO-{number // 2},aozora.example.co.jp,{'NONE' if number == 1200 else 'NET-ADV'},1" for number in range(2_500)
    ]
    file.write_text("order_number,domain,sku,quantity\n" + "\n".join(rows) + "\n")
    code, data = say(capsys, "orders", "import", str(file), "--each", str(result))
    assert (code, data) == (1, {"new_lines": 2_499, "repeated_lines": 0, "failed_rows": 1})
    mended = result.read_text(encoding="utf-8-sig").replace("NONE", "NET-ESS")
    file.write_text(mended)
    assert say(capsys, "orders", "import", str(file), "--each", str(result))[0] == 0
    assert OrderLine.objects.count() == 2_500
