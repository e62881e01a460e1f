"""Invitations from the console, and what the worker does with rights."""

from __future__ import annotations

import json

import pytest

from daicho.domain.access.models import Invitation
from daicho.interfaces.cli.main import main
from daicho.interfaces.jobs.periodic import JOBS
from tests.world import World

A = "aozora.example.co.jp"


def test_the_console_invites(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["invite", A, "N@aozora.example.co.jp", "--role", "va_user", "--virtual-account", "osaka", "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["email"] == "n@aozora.example.co.jp"
    assert Invitation.objects.get().virtual_account == world.osaka
    assert main(arguments) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "already_invited"
    assert main(["invite", "never.example.jp", "n@x.example", "--role", "account_user", "--json"]) == 1


def test_the_worker_ends_rights_and_hands_over() -> None:
    assert {"end-grants", "hand-over-rights"} <= {job.name for job in JOBS}
