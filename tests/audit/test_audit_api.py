"""The event log and alerts by the API and at the console."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from daicho.domain.access.event_export import verify_export
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import record
from daicho.domain.audit.seal import seal_pending
from daicho.interfaces.cli.main import main
from tests.audit.test_seal import break_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(world: World) -> list[Event]:
    lines = [
        record(world.as_(world.admin), "account.edited", account=world.account, subject=f"{number}")
        for number in range(3)
    ]
    seal_pending()
    return lines


def get(world: World, path: str, **kwargs: Any) -> Any:
    browser = world.client(None)
    return browser.get(f"/api/v1/{path}", HTTP_AUTHORIZATION=world.api_client(**kwargs))


def test_lines_come_with_their_seal_page_by_page(world: World, events: list[Event]) -> None:
    first = get(world, f"accounts/{world.account.identifier}/events?size=2").json()
    assert [item["subject"] for item in first["items"]] == ["2", "1"]
    assert first["items"][0]["block"] == 1
    assert len(first["items"][0]["digest"]) == 64
    second = get(world, f"accounts/{world.account.identifier}/events?size=2&cursor={first['next']}").json()
    assert [item["subject"] for item in second["items"]] == ["0"]
    one = get(world, f"accounts/{world.account.identifier}/events/{events[0].uid}")
    assert one.json()["kind"] == "account.edited"


@pytest.mark.parametrize("file_format", ["json", "csv", "xlsx"])
def test_a_file_of_the_api_is_proven(world: World, events: list[Event], file_format: str) -> None:
    answer = get(world, f"accounts/{world.account.identifier}/events/export?format={file_format}")
    assert answer.status_code == 200
    file = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert verify_export(file) is None
    assert Event.objects.filter(kind="log.exported", actor_kind="api_client").count() == 1


def test_a_program_without_the_scope_reads_nothing(world: World, events: list[Event]) -> None:
    answer = get(world, f"accounts/{world.account.identifier}/events", scopes=["licenses.view"])
    assert answer.status_code == 404
    foreign = get(world, f"accounts/{world.other_account.identifier}/events")
    assert foreign.status_code == 404
    viewer = get(world, f"accounts/{world.account.identifier}/events", role=Role.ACCOUNT_VIEWER)
    assert viewer.status_code == 200
    assert get(world, "operator/events").status_code == 404


def test_the_console_proves_the_log_and_an_export(
    world: World, events: list[Event], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = get(world, f"accounts/{world.account.identifier}/events/export?format=json")
    file = tmp_path / "events.json"
    file.write_bytes(b"".join(answer.streaming_content))
    assert main(["audit", "verify", "--export", str(file)]) == 0

    file.write_bytes(file.read_bytes().replace(b'"subject": "1"', b'"subject": "7"'))
    assert main(["audit", "verify", "--export", str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert told["fault"] == "changed"
    assert told["event"] == events[1].uid

    break_in("audit_event", "UPDATE audit_event SET memo = 'x' WHERE id = %s", [events[2].pk])
    assert main(["audit", "verify"]) == 1
    assert events[2].uid in capsys.readouterr().out
    assert main(["audit", "verify", "--export", str(tmp_path / "nowhere")]) == 1
