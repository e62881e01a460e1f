"""Licenses and devices from the console, as an operator scripts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daicho.domain.devices.models import Device
from daicho.interfaces.cli.main import main
from tests.licenses.conftest import Stocked

ACCOUNT = ("--account", "aozora.example.co.jp", "--json")


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, object]:
    code = main([*arguments, *ACCOUNT])
    return code, json.loads(capsys.readouterr().out)


def test_licenses_are_listed_moved_by_a_file_and_undone(
    stocked: Stocked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows = say(capsys, "licenses", "list", "--state", "ending")
    assert (code, [row["sku"] for row in rows]) == (0, ["SEC-PLUS"])  # type: ignore[attr-defined]
    file = tmp_path / "moves.csv"
    file.write_text("移管元,移管先,SKU,数量\nAOZORA Tokyo,Osaka,NET-ADV,4\n", encoding="cp932")
    assert say(capsys, "licenses", "transfer", str(file), "--dry-run")[1]["entry"] is None  # type: ignore[index]
    code, done = say(capsys, "licenses", "transfer", str(file), "--memo", "approved")
    assert code == 0
    assert stocked.world.pool(stocked.world.osaka, stocked.world.advantage).balance == 19
    assert say(capsys, "licenses", "undo", done["entry"])[0] == 0  # type: ignore[index]
    assert stocked.world.pool(stocked.world.osaka, stocked.world.advantage).balance == 15
    file.write_text("source,target,sku,quantity\nAOZORA Tokyo,Nowhere,NET-ADV,4\n")
    code, bad = say(capsys, "licenses", "transfer", str(file))
    assert (code, bad["errors"][0]["row"]) == (1, 2)  # type: ignore[index]


def test_devices_are_registered_and_use_licenses(
    stocked: Stocked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("name,virtual_account\nconsole-01,Osaka\n")
    assert say(capsys, "devices", "import", str(file), "--dry-run")[1]["created"] == 0  # type: ignore[index]
    assert say(capsys, "devices", "import", str(file))[1]["created"] == 1  # type: ignore[index]
    device = Device.objects.get(name="console-01")
    assert say(capsys, "devices", "assign", device.uid, "net-adv", "3")[0] == 0
    assert stocked.world.pool(stocked.world.osaka, stocked.world.advantage).in_use == 8
    assert say(capsys, "devices", "release", device.uid, "NET-ADV", "3")[0] == 0
    file.write_text("name,virtual_account\nlost,Nowhere\n")
    assert say(capsys, "devices", "import", str(file))[0] == 1
