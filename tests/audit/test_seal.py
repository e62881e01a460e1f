"""Every event joins a block of the chain; what is changed afterwards is named (product.md, Event log)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection, transaction

from daicho.core.db import is_postgres
from daicho.domain.audit import seal
from daicho.domain.audit.models import Event, Seal, SealBlock
from daicho.domain.audit.record import record
from daicho.domain.audit.seal import Fault, seal_pending, seal_status, verify
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(world: World) -> list[Event]:
    """Five events, the first three sealed in one block, the others in a second."""
    written = [_write(world, number) for number in range(3)]
    seal_pending()
    written += [_write(world, number) for number in range(3, 5)]
    seal_pending()
    return written


def _write(world: World, number: int) -> Event:
    return record(
        world.as_(world.admin),
        "virtual_account.renamed",
        account=world.account,
        subject=f"本社 {number}",
        before={"name": f"旧 {number}"},
        after={"name": f"新 {number}"},
    )


def break_in(table: str, sql: str, parameters: list[object]) -> None:
    """What only somebody with the database's own password can do: switch the trigger off and write."""
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(sql, parameters)
            cursor.execute("SET session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(sql, parameters)
        for _, statement in triggers:
            cursor.execute(statement)


def test_an_untouched_log_is_proven(events: list[Event]) -> None:
    assert verify() is None
    assert SealBlock.objects.count() == 2
    assert seal_status().blocks == 2
    assert seal_status().waiting_since is None


def test_sealing_twice_seals_nothing_twice(events: list[Event]) -> None:
    assert seal_pending() == 0
    assert Seal.objects.count() == 5


def test_more_events_than_a_block_holds_make_more_blocks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BLOCK_SIZE", 2)
    for number in range(5):
        _write(world, number)

    assert seal_pending() == 5

    assert list(SealBlock.objects.order_by("number").values_list("events", flat=True)) == [2, 2, 1]
    assert verify() is None


def test_an_event_that_commits_late_joins_a_later_block(events: list[Event], world: World) -> None:
    Event(pk=10**6, kind="account.edited", act=events[0].act, actor_kind="user").save(force_insert=True)
    seal_pending()
    late = Event(pk=10**6 - 1, kind="account.edited", act=events[0].act, actor_kind="user")
    late.save(force_insert=True)

    assert seal_pending() == 1

    assert Seal.objects.get(event_id=late.pk).block.number == 4
    assert verify() is None


def test_the_database_itself_refuses_to_change_an_event(events: list[Event]) -> None:
    for act in (lambda: Event.objects.filter(pk=events[0].pk).update(memo="x"), lambda: Seal.objects.all().delete()):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            act()


@pytest.mark.parametrize("column", ["actor_name", "after", "at", "kind", "memo", "virtual_account_id"])
def test_a_changed_event_is_named(events: list[Event], world: World, column: str) -> None:
    value: dict[str, object] = {
        "actor_name": "somebody else",
        "after": '{"name": "another"}',
        "at": "2020-01-01 00:00:00+00:00" if is_postgres() else "2020-01-01 00:00:00",
        "kind": "virtual_account.nested",
        "memo": "never said",
        "virtual_account_id": world.osaka.pk,
    }
    break_in("audit_event", f"UPDATE audit_event SET {column} = %s WHERE id = %s", [value[column], events[3].pk])

    wrong = verify()

    assert wrong is not None
    assert (wrong.fault, wrong.block, wrong.event) == (Fault.CHANGED, 2, events[3].uid)
    assert events[3].uid in str(wrong)


def test_the_first_of_several_changed_events_is_named(events: list[Event]) -> None:
    break_in("audit_event", "UPDATE audit_event SET memo = 'x' WHERE id IN (%s, %s)", [events[4].pk, events[1].pk])

    wrong = verify()

    assert wrong is not None
    assert wrong.event == events[1].uid


def test_a_deleted_event_is_named(events: list[Event]) -> None:
    break_in("audit_event", "DELETE FROM audit_event WHERE id = %s", [events[1].pk])

    wrong = verify()

    assert wrong is not None
    assert (wrong.fault, wrong.block, wrong.event) == (Fault.MISSING, 1, f"#{events[1].pk}")


def test_an_event_inserted_into_the_past_is_named(events: list[Event], world: World) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=2), tick=False):
        _write(world, 6)
        seal_pending()
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=4), tick=False):
        forged = Event(
            pk=events[0].pk - 5, kind="account.edited", act=events[0].act, actor_kind="user", at=events[0].at
        )
        forged.save(force_insert=True)
        assert seal_pending() == 0

        wrong = verify()

    assert wrong is not None
    assert (wrong.fault, wrong.event) == (Fault.EXTRA, forged.uid)


def test_an_event_that_claims_an_earlier_time_is_named(events: list[Event]) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=3), tick=False):
        forged = Event(
            kind="account.edited", act=events[0].act, actor_kind="user", at=events[0].at - dt.timedelta(days=2)
        )
        forged.save(force_insert=True)
        seal_pending()

        wrong = verify()

    assert wrong is not None
    assert (wrong.fault, wrong.event) == (Fault.BACKDATED, forged.uid)


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("audit_seal", "DELETE FROM audit_seal WHERE event_id = (SELECT MIN(event_id) FROM audit_seal)"),
        ("audit_sealblock", "UPDATE audit_sealblock SET sealed_at = '2020-01-01 00:00:00+00' WHERE number = 1"),
        ("audit_sealblock", "UPDATE audit_sealblock SET hash = 'x' || substr(hash, 2) WHERE number = 1"),
    ],
)
def test_a_broken_chain_is_named(events: list[Event], table: str, sql: str) -> None:
    break_in(table, sql, [])

    wrong = verify()

    assert wrong is not None
    assert wrong.block in {1, 2}
    assert wrong.fault in {Fault.BROKEN_CHAIN, Fault.BACKDATED}


def test_an_event_and_its_digest_changed_together_break_the_chain(events: list[Event]) -> None:
    break_in("audit_event", "UPDATE audit_event SET memo = 'x' WHERE id = %s", [events[1].pk])
    changed = Event.objects.get(pk=events[1].pk)
    break_in("audit_seal", "UPDATE audit_seal SET digest = %s WHERE event_id = %s", [seal.digest(changed), changed.pk])

    wrong = verify()

    assert wrong is not None
    assert (wrong.fault, wrong.block) == (Fault.BROKEN_CHAIN, 1)
