"""Before the agreement is accepted deposits wait; afterwards they land by themselves, each once (S17)."""

import datetime as dt

import pytest

from daicho.core.clock import FOREVER, now
from daicho.core.ids import derived_uuid
from daicho.domain.ledger.models import Entry, Lot
from daicho.domain.orders.commands.waiting import approve_lines, deposit_waiting, deposit_waiting_due
from daicho.domain.orders.models import OrderLine
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db
State = OrderLine.State


@pytest.fixture(autouse=True)
def agreement_is_pending(world: World) -> None:
    world.account.good_standing_until = now() - dt.timedelta(days=1)
    world.account.save()


def accept(world: World) -> None:
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=FOREVER)
    world.account.refresh_from_db()


def test_lines_wait_for_the_agreement_and_then_land(world: World):
    done = recorded(world, line(virtual_account="Osaka"), line("NET-ESS", 5))
    assert {found.state for found in done.new} == {State.WAITING_AGREEMENT}
    assert not Lot.objects.exists()
    accept(world)
    assert deposit_waiting(world.as_(world.admin), account=world.account) == 2
    assert world.pool(world.osaka, world.advantage).on_hand == 10
    assert sorted(OrderLine.objects.values_list("state", flat=True)) == [State.DEPOSITED, State.UNASSIGNED]


def test_a_line_lands_under_the_request_id_derived_from_it(world: World):
    found = only(recorded(world, line()))
    accept(world)
    deposit_waiting(world.as_(world.admin), account=world.account)
    assert Entry.objects.get().request_id == derived_uuid(found.uid, "deposit")
    assert deposit_waiting(world.as_(world.admin), account=world.account) == 0


def test_nothing_lands_while_it_is_not_accepted(world: World):
    recorded(world, line())
    assert deposit_waiting(world.as_(world.admin), account=world.account) == 0
    assert deposit_waiting_due() == 0


def test_the_sweep_lands_what_nobody_else_did(world: World):
    recorded(world, line(virtual_account="Osaka"))
    accept(world)
    assert deposit_waiting_due() == 1
    assert deposit_waiting_due() == 0


def test_a_partners_line_waits_for_the_operator_first_and_then_for_the_agreement(world: World):
    found = only(recorded(world, line(), actor=world.as_(world.reseller), company=world.reseller_company))
    assert found.state == State.WAITING_OPERATOR
    approve_lines(world.as_(world.operator), lines=[found])
    found.refresh_from_db()
    assert found.state == State.WAITING_AGREEMENT


def test_a_virtual_account_deleted_meanwhile_leaves_the_line_unassigned(world: World):
    found = only(recorded(world, line(virtual_account="Osaka")))
    VirtualAccount.objects.filter(pk=world.osaka.pk).update(deleted_at=now())
    accept(world)
    deposit_waiting(world.as_(world.admin), account=world.account)
    found.refresh_from_db()
    assert found.state == State.UNASSIGNED


def test_the_start_day_is_the_day_of_the_order_not_of_the_landing(world: World):
    found = only(recorded(world, line(kind="term", start_on="2026-01-01", end_on="2026-01-31")))
    accept(world)
    deposit_waiting(world.as_(world.admin), account=world.account)
    found.refresh_from_db()
    assert found.lot.start_at == dt.datetime(2025, 12, 31, 15, tzinfo=dt.UTC)
