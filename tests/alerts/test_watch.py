"""Each alert opens when its condition begins and is resolved when it is over (product.md, Alerts)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daicho.core.clock import FOREVER, end_of_day, now, today
from daicho.domain.access.models import AccessRequest
from daicho.domain.access.rules import Role
from daicho.domain.alerts.models import Alert
from daicho.domain.ledger.models import Pool, TransferRequest
from daicho.domain.ledger.sweep import sweep_due
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.tenancy.models import SmartAccount
from tests.alerts.acts import device, make_short, open_alerts, run
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_sound_account_has_no_alert(clock: Any, world: World) -> None:
    world.deposit(world.security, 10, world.osaka)
    run()
    assert not Alert.objects.exists()


def test_over_use_opens_a_major_alert_and_ends_with_it(clock: Any, world: World) -> None:
    make_short(world, world.osaka, world.storage, 20, 23, clock)
    run()

    (alert,) = open_alerts("insufficient_licenses")
    assert alert.severity == "major"
    assert alert.virtual_account == world.osaka
    assert alert.source == world.pool(world.osaka, world.storage).uid
    assert alert.data["sku"] == "STO-STD"

    world.deposit(world.storage, 3, world.osaka)
    run()
    assert open_alerts("insufficient_licenses") == []
    alert.refresh_from_db()
    assert alert.resolved_at == now()


def test_running_again_changes_nothing(clock: Any, world: World) -> None:
    make_short(world, world.osaka, world.storage, 0, 3, clock)
    first = run()
    before = list(Alert.objects.values())
    again = run()

    assert first["opened"] >= 1
    assert (again["opened"], again["resolved"], again["mailed"]) == (0, 0, 0)
    assert list(Alert.objects.values()) == before


def test_an_end_ahead_opens_an_alert_that_moves_to_the_next_end(clock: Any, world: World) -> None:
    zone = world.account.time_zone
    first = end_of_day(today(zone) + dt.timedelta(days=12), zone)
    second = end_of_day(today(zone) + dt.timedelta(days=80), zone)
    world.deposit(world.security, 5, world.tokyo, end=first)
    world.deposit(world.security, 7, world.tokyo, end=second)
    world.deposit(world.security, 7, world.tokyo, end=now() + dt.timedelta(days=200))
    run()
    (alert,) = open_alerts("ending")
    assert (alert.severity, alert.action_due_at) == ("minor", first)
    assert alert.data["end_on"] == "2026-12-06"

    clock.move_to(first)
    sweep_due()
    run()
    (alert,) = open_alerts("ending")
    assert alert.action_due_at == second
    (ended,) = open_alerts("ended")
    assert (ended.data["quantity"], ended.data["end_on"]) == (5, "2026-12-06")

    clock.move_to(first + dt.timedelta(days=31))
    run()
    assert open_alerts("ended") == []


def test_an_unaccepted_agreement_is_pending_until_it_is_accepted(clock: Any, world: World) -> None:
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=now() + dt.timedelta(days=20))
    run()
    (alert,) = open_alerts("agreement_updated")
    assert alert.action_due_at == now() + dt.timedelta(days=20)
    assert open_alerts("agreement_pending") == []

    clock.shift(dt.timedelta(days=21))
    run()
    assert open_alerts("agreement_updated") == []
    (alert,) = open_alerts("agreement_pending")
    assert (alert.severity, alert.virtual_account) == ("major", None)

    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=FOREVER)
    run()
    assert open_alerts("agreement_pending") == []


@pytest.mark.parametrize("state", ["unassigned", "waiting_agreement"])
def test_an_order_that_waits_opens_an_alert_until_it_has_landed(clock: Any, world: World, state: str) -> None:
    order = Order.objects.create(number="PO-8841", number_key="po-8841", account=world.account, recorded_by_name="x")
    lines = [
        OrderLine.objects.create(
            account=world.account, order=order, line_number=number, tag=world.storage, quantity=5, kind="term",
            state=state, fingerprint="x",
        )
        for number in (1, 2)
    ]  # fmt: skip
    run()
    (alert,) = open_alerts("order_waiting")
    assert alert.data == {"number": "PO-8841"}

    OrderLine.objects.filter(pk=lines[0].pk).update(state="deposited")
    run()
    assert len(open_alerts("order_waiting")) == 1
    OrderLine.objects.filter(pk=lines[1].pk).update(state="cancelled")
    run()
    assert open_alerts("order_waiting") == []


def test_an_access_request_opens_an_alert_until_it_is_answered(clock: Any, world: World) -> None:
    asked = AccessRequest.objects.create(account=world.account, user=world.nobody, role=Role.ACCOUNT_VIEWER)
    run()
    (alert,) = open_alerts("access_request_waiting")
    assert alert.data == {"who": "Nobody", "email": "nobody@nowhere.example.jp"}

    AccessRequest.objects.filter(pk=asked.pk).update(state="declined")
    run()
    assert open_alerts("access_request_waiting") == []


def test_a_transfer_that_waits_for_approval_opens_an_alert_at_its_source(clock: Any, world: World) -> None:
    asked = TransferRequest.objects.create(
        account=world.account, source=world.osaka, request_id="5d8a1f53-7c2e-4d0b-9f43-2a3d0c5e8a11", fingerprint="x",
        moves=[], requested_by_name="User", memo="R-1",
    )  # fmt: skip
    run()
    (alert,) = open_alerts("transfer_waiting")
    assert alert.virtual_account == world.osaka

    TransferRequest.objects.filter(pk=asked.pk).update(state="withdrawn")
    run()
    assert open_alerts("transfer_waiting") == []


def test_two_devices_with_one_serial_number_have_an_alert_each_that_names_only_itself(clock: Any, world: World) -> None:
    one = device(world, world.osaka, "osaka-01", product_id="C9500", serial="FCW2233A0B1")
    other = device(world, world.tokyo, "tokyo-77", product_id="C9500", serial="FCW2233A0B1")
    device(world, world.tokyo, "tokyo-78", product_id="C9500", serial="")
    device(world, world.tokyo, "tokyo-79", product_id="C9500", serial="")
    device(world, world.other_default, "elsewhere", product_id="C9500", serial="FCW2233A0B1")
    run()

    alerts = {alert.source: alert for alert in open_alerts("duplicate_licenses")}
    assert set(alerts) == {one.uid, other.uid}
    assert alerts[one.uid].virtual_account == world.osaka
    assert "tokyo-77" not in str(alerts[one.uid].data)

    one.unit.virtual_account = world.default
    one.unit.save()
    run()
    assert {a.virtual_account for a in open_alerts("duplicate_licenses")} == {world.default, world.tokyo}

    other.removed_at = now()
    other.save()
    run()
    assert open_alerts("duplicate_licenses") == []


def test_a_suspended_account_has_no_alerts(clock: Any, world: World) -> None:
    make_short(world, world.osaka, world.storage, 0, 3, clock)
    run()
    SmartAccount.objects.filter(pk=world.account.pk).update(state="suspended")
    run()
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_one_fact_is_open_once_whatever_else_runs(clock: Any, world: World) -> None:
    make_short(world, world.osaka, world.storage, 0, 3, clock)
    pool = Pool.objects.get(virtual_account=world.osaka)
    rival = Alert(account=world.account, kind="insufficient_licenses", source=pool.uid, severity="major", data={})
    rival.save()
    run()
    assert len(open_alerts("insufficient_licenses")) == 1


def test_the_number_of_queries_does_not_grow_with_the_account(clock: Any, world: World) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            run()
        return len(captured)

    world.deposit(world.storage, 1, world.osaka, end=now() + dt.timedelta(days=5))
    run()
    few = count()
    for tag in (world.security, world.premier, world.essentials):
        for place in (world.tokyo, world.osaka, world.default):
            world.deposit(tag, 1, place, end=now() + dt.timedelta(days=5))
    run()
    assert count() == few
