"""The event log on screen and as a file: each reader sees his part, and a file carries its seal."""

from __future__ import annotations

import csv
import io
import json
import uuid

import pytest
from django.http import HttpResponse

from daicho.domain.access.event_export import COLUMNS, verify_export
from daicho.domain.access.queries_events import EventFilter, list_events, look_at_events
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import record
from daicho.domain.audit.seal import Fault, seal_pending, verify_lines
from tests.audit.test_seal import break_in
from tests.world import PLANTED, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(world: World) -> dict[str, Event]:
    """One line of each scope: the account's, a license line in either virtual account with the other side, an outsider's."""
    actor, act = world.as_(world.admin), uuid.uuid4()
    lines = {
        "account": record(actor, "account.edited", account=world.account, subject=PLANTED, memo="稟議 123"),
        "tokyo": record(
            actor, "license.transferred", account=world.account, virtual_account=world.tokyo,
            other_virtual_account=world.osaka, subject="NET-ADV", after={"quantity": 3, "direction": "out"}, act=act,
        ),
        "osaka": record(
            actor, "license.transferred", account=world.account, virtual_account=world.osaka,
            other_virtual_account=world.tokyo, subject="NET-ADV", after={"quantity": 3, "direction": "in"}, act=act,
        ),
        "grant": record(
            actor, "grant.given", account=world.account, virtual_account=world.osaka, subject="Partner",
            after={"role": "va_user"},
        ),
        "foreign": record(world.as_(world.stranger), "account.edited", account=world.other_account, subject="Midori"),
        "installation": record(world.as_(world.operator), "guide.added", subject="Guide"),
    }  # fmt: skip
    return lines


def content(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def seen(world: World, person: str) -> set[str]:
    sight = look_at_events(world.as_(getattr(world, person)), world.account)
    return {row.uid for row in list_events(sight, EventFilter()).rows}


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("admin", {"account", "tokyo", "osaka", "grant"}),
        ("viewer", {"account", "tokyo", "osaka", "grant"}),
        ("approver", {"account", "grant"}),
        ("osaka_admin", {"osaka", "grant"}),
        ("partner", {"osaka", "grant"}),
    ],
)
def test_each_role_reads_its_part(world: World, log: dict[str, Event], person: str, expected: set[str]) -> None:
    assert seen(world, person) == {log[name].uid for name in expected}


def test_who_sees_only_osaka_reads_another_virtual_account_and_no_word_of_it(
    world: World, log: dict[str, Event]
) -> None:
    for query in ("", "?export=csv", "?export=json", f"?q={PLANTED}", "?cols=1"):
        text = content(world.client(world.partner).get(f"/a/{world.account.identifier}/events/{query}")).decode()
        page = text.replace(f"{PLANTED} Manufacturing", "").replace(f"{PLANTED} Admin", "").replace(f"“{PLANTED}”", "")
        page = page.replace(f'value="{PLANTED}"', "").replace(f"q={PLANTED}", "")
        assert PLANTED not in page
        assert world.tokyo.uid not in page
    page = world.client(world.partner).get(f"/a/{world.account.identifier}/events/").content.decode()
    assert "Received 3 NET-ADV by transfer from another virtual account." in page


def test_strangers_and_roles_without_the_right_get_404(world: World, log: dict[str, Event]) -> None:
    url = f"/a/{world.account.identifier}/events/"
    assert world.client(world.stranger).get(url).status_code == 404
    assert (
        world.client(world.partner).get(f"/a/{world.account.identifier}/va/{world.tokyo.uid}/events/").status_code
        == 404
    )
    assert world.client(world.partner).get(f"{url}{log['tokyo'].uid}/").status_code == 404
    assert world.client(world.approver).get(f"{url}{log['osaka'].uid}/").status_code == 404
    assert world.client(world.admin).get(f"{url}{log['foreign'].uid}/").status_code == 404
    assert world.client(world.admin).get("/operator/events/").status_code == 404
    assert world.client(None).get(url).status_code == 302


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=license", {"tokyo", "osaka"}),
        ("kind=grant", {"grant"}),
        ("who=nobody", set()),
        ("who=aozora", {"account", "tokyo", "osaka", "grant"}),
        ("q=稟議", {"account"}),
        ("until=2020-01-01", set()),
        ("since=2020-01-01", {"account", "tokyo", "osaka", "grant"}),
    ],
)
def test_filters_narrow_the_list(world: World, log: dict[str, Event], query: str, expected: set[str]) -> None:
    page = world.client(world.admin).get(f"/a/{world.account.identifier}/events/?{query}").content.decode()
    assert {name for name, line in log.items() if line.uid in page} == expected


def test_the_log_of_one_virtual_account_holds_its_lines_only(world: World, log: dict[str, Event]) -> None:
    page = world.client(world.admin).get(f"/a/{world.account.identifier}/va/{world.tokyo.uid}/events/").content.decode()
    assert log["tokyo"].uid in page
    assert log["osaka"].uid not in page
    assert log["account"].uid not in page


def test_an_event_shows_its_changes_and_the_other_lines_of_its_act(world: World, log: dict[str, Event]) -> None:
    seal_pending()
    page = world.client(world.admin).get(f"/a/{world.account.identifier}/events/{log['tokyo'].uid}/").content.decode()
    assert "Transferred 3 NET-ADV to Osaka." in page
    assert log["osaka"].uid in page
    assert "Block 1" in page


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_an_export_carries_its_seal_is_recorded_and_is_proven(
    world: World, log: dict[str, Event], file_format: str
) -> None:
    url = f"/a/{world.account.identifier}/events/?export={file_format}&kind=license"
    file = content(world.client(world.admin).get(url))

    assert verify_export(file) is None
    exported = Event.objects.filter(kind="log.exported").get()
    assert exported.account == world.account
    assert exported.after == {"format": file_format, "kind": "license"}
    if file_format == "csv":
        rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
        assert tuple(rows[0]) == COLUMNS
        assert {row["uid"] for row in rows} == {log["tokyo"].uid, log["osaka"].uid}
        assert all(len(row["digest"]) == 64 and row["block"] == "1" and len(row["block_hash"]) == 64 for row in rows)
    if file_format == "json":
        assert json.loads(file)["events"][0]["after"] == {"quantity": 3, "direction": "out"}


def test_a_changed_export_is_found_out(world: World, log: dict[str, Event]) -> None:
    file = content(world.client(world.admin).get(f"/a/{world.account.identifier}/events/?export=csv"))
    assert verify_export(file.replace("稟議 123".encode(), "稟議 124".encode())).fault is Fault.CHANGED  # type: ignore[union-attr]
    assert verify_export(file.replace(log["grant"].uid.encode(), b"0000000000000")).fault is Fault.EXTRA  # type: ignore[union-attr]


def test_an_export_proves_that_the_log_was_changed_later(world: World, log: dict[str, Event]) -> None:
    file = content(world.client(world.admin).get(f"/a/{world.account.identifier}/events/?export=json"))
    break_in("audit_event", "UPDATE audit_event SET memo = 'x' WHERE id = %s", [log["account"].pk])
    wrong = verify_export(file)
    assert wrong is not None
    assert wrong.event == log["account"].uid


def test_a_reader_proves_his_own_lines(world: World, log: dict[str, Event]) -> None:
    seal_pending()
    url = f"/a/{world.account.identifier}/events/verify/"
    answer = world.client(world.partner).post(url, follow=True)
    assert "2 events are as they were sealed." in answer.content.decode()

    break_in("audit_event", "UPDATE audit_event SET memo = 'x' WHERE id = %s", [log["osaka"].pk])
    answer = world.client(world.partner).post(url, follow=True)
    assert log["osaka"].uid in answer.content.decode()
    assert verify_lines(Event.objects.filter(pk=log["grant"].pk)) == (1, None)


def test_the_operator_reads_the_installation_but_no_license_line(world: World, log: dict[str, Event]) -> None:
    page = world.client(world.operator).get("/operator/events/").content.decode()
    assert "Guide" in page
    assert "NET-ADV" not in page
    file = content(world.client(world.operator).get("/operator/events/?export=json"))
    assert {event["uid"] for event in json.loads(file)["events"]} >= {log["foreign"].uid, log["installation"].uid}
    assert log["tokyo"].uid not in file.decode()
