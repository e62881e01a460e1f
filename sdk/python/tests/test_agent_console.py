"""What the command prints, in which language, and with which exit code."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from conftest import START, Device
from fake_server import DAY, FakeServer

import daicho_agent
from daicho_agent.cli import PROBLEMS, TOLD, main
from daicho_agent.japanese import JAPANESE

REGISTER = ["register", "--server", "https://daicho.test", "--product-id", "EXR-24", "--serial", "SN-1", "--token"]


def test_a_life_by_commands(device: Device, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> int:
        return main(words, agent=device.agent)

    assert run("renew") == 3
    assert run(*REGISTER, "WRONG") == 6
    assert run(*REGISTER, "TOKEN") == 0
    assert run("use", "ROUTE-ADV", "3") == 0
    assert run("use", "NOBODY-KNOWS") == 4
    server.down = True
    assert run("renew") == 5
    server.down = False
    capsys.readouterr()
    assert run("status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["registration"], told["licenses"][0]["quantity"]) == ("registered", 3)
    assert run("release", "ROUTE-ADV") == 0
    assert run("deregister", "--yes") == 0
    assert server.instances["i000000000000"].counts == {}


def test_status_before_registering_names_no_device(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    device.agent.use("ROUTE-ADV", 3)
    main(["status"], agent=device.agent)
    printed = capsys.readouterr().out
    assert "  Status: UNREGISTERED\n" in printed
    assert "  Evaluation Period Remaining: 90 days, 0 hours, 0 minutes, 0 seconds\n" in printed
    assert "UDI: PID:<none>,SN:<none>\n" in printed


def test_status_says_when_it_tries_again(
    device: Device, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    server.down = True
    device.live(40 * DAY)
    status = device.agent.status()
    assert START + 40 * DAY < status.next_contact < START + 40 * DAY + 5400
    main(["status"], agent=device.agent)
    assert "    Failure reason: https://daicho.test cannot be reached: down\n" in capsys.readouterr().out


def test_every_sentence_is_there_in_japanese() -> None:
    said = {*TOLD.values(), *PROBLEMS.values()}
    for path in Path(daicho_agent.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"say", "_misused"}:
                said |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    assert sorted(said - set(JAPANESE)) == []


def test_a_refusal_in_japanese(
    device: Device, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    device.register()
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert main(["use", "SEC-T", "3"], agent=device.agent) == 4
    assert capsys.readouterr().err == "SEC-T：拒否されました（not_enough_licenses）。1個不足しています。\n"
