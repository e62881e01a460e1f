"""A partner records within what the operator set for the month; beyond it each line waits for the operator."""

import pytest
import time_machine

from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.domain.audit.models import Event
from daicho.domain.ledger.models import Lot
from daicho.domain.mailbox.models import Mail
from daicho.domain.orders.commands.allowances import set_allowance
from daicho.domain.orders.commands.record import Recorded
from daicho.domain.orders.commands.waiting import approve_lines, decline_lines
from daicho.domain.orders.models import OrderLine, PartnerAllowance
from daicho.domain.orders.queries.companies import allowances_of, open_work_of
from daicho.domain.orders.queries.lines import list_waiting_lines
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db
State = OrderLine.State


def sold(world: World, *lines, number: str = "PO-1") -> Recorded:
    return recorded(world, *lines, number=number, actor=world.as_(world.reseller), company=world.reseller_company)


def allow(world: World, quantity: int, sku: str = "NET-ADV") -> None:
    set_allowance(world.as_(world.operator), company=world.reseller_company, sku=sku, monthly_quantity=quantity)


def test_without_an_allowance_every_line_waits_for_the_operator(world: World):
    assert only(sold(world, line(quantity=1, virtual_account="Osaka"))).state == State.WAITING_OPERATOR
    assert not Lot.objects.exists()


def test_within_the_allowance_it_lands_at_once(world: World):
    allow(world, 10)
    assert only(sold(world, line(quantity=10, virtual_account="Osaka"))).state == State.DEPOSITED
    assert only(sold(world, line(quantity=1, virtual_account="Osaka"), number="PO-2")).state == State.WAITING_OPERATOR


def test_a_line_that_does_not_fit_waits_and_a_smaller_one_still_lands(world: World):
    allow(world, 10)
    done = sold(world, line(quantity=8), line(quantity=8), line(quantity=2), line("NET-ESS", 1))
    assert [one.state for one in done.new] == [
        State.UNASSIGNED, State.WAITING_OPERATOR, State.UNASSIGNED, State.WAITING_OPERATOR,
    ]  # fmt: skip


def test_the_month_begins_anew_in_the_customers_zone(world: World):
    allow(world, 10)
    with time_machine.travel("2026-11-30 14:59:00+00:00", tick=False):
        sold(world, line(quantity=10))
        assert only(sold(world, line(quantity=10), number="PO-2")).state == State.WAITING_OPERATOR
    with time_machine.travel("2026-11-30 15:00:00+00:00", tick=False):
        assert only(sold(world, line(quantity=10), number="PO-3")).state == State.UNASSIGNED


def test_what_the_operator_approved_does_not_use_up_the_allowance(world: World):
    allow(world, 10)
    found = only(sold(world, line(quantity=50)))
    approve_lines(world.as_(world.operator), lines=[found])
    assert only(sold(world, line(quantity=10), number="PO-2")).state == State.UNASSIGNED
    (row,) = allowances_of(world.as_(world.reseller), world.reseller_company)
    assert (row.used, row.left) == (10, 0)


def test_the_operator_records_for_a_company_without_limit(world: World):
    done = recorded(world, line(quantity=99), company=world.reseller_company)
    assert only(done).state == State.UNASSIGNED


def test_an_approved_line_lands_where_it_was_meant_to(world: World):
    found = only(sold(world, line(quantity=7, virtual_account="Osaka")))
    assert [row.uid for row in list_waiting_lines(world.as_(world.operator))] == [found.uid]
    approve_lines(world.as_(world.operator), lines=[found])
    assert world.pool(world.osaka, world.advantage).on_hand == 7
    assert list_waiting_lines(world.as_(world.operator)) == []
    assert Event.objects.get(kind="order.line_approved").subject == "PO-1-1"
    assert Mail.objects.get(template="order_lines_approved").to == world.reseller.email


def test_a_declined_line_is_over_and_its_recorder_reads_why(world: World):
    found = only(sold(world, line(quantity=7, virtual_account="Osaka")))
    with pytest.raises(FieldErrors):
        decline_lines(world.as_(world.operator), lines=[found], reason=" ")
    decline_lines(world.as_(world.operator), lines=[found], reason="No contract & <b>")
    found.refresh_from_db()
    assert (found.state, found.decision_reason) == (State.CANCELLED, "No contract & <b>")
    assert Mail.objects.get(template="order_lines_declined").context["reason"] == "No contract & <b>"


def test_a_line_is_decided_once(world: World):
    found = only(sold(world, line(quantity=7)))
    approve_lines(world.as_(world.operator), lines=[found])
    for again in (lambda: approve_lines(world.as_(world.operator), lines=[found]),
                  lambda: decline_lines(world.as_(world.operator), lines=[found], reason="no")):  # fmt: skip
        with pytest.raises(BusinessError) as error:
            again()
        assert error.value.code == "line_not_waiting"


@pytest.mark.parametrize("who", ["reseller", "admin", "stranger", "nobody"])
def test_only_the_operator_decides_and_sets_limits(world: World, who: str):
    found = only(sold(world, line(quantity=7)))
    someone = world.as_(getattr(world, who))
    for act in (
        lambda: approve_lines(someone, lines=[found]),
        lambda: decline_lines(someone, lines=[found], reason="no"),
        lambda: set_allowance(someone, company=world.reseller_company, sku="NET-ADV", monthly_quantity=1),
        lambda: list_waiting_lines(someone),
    ):
        with pytest.raises(NotFound):
            act()


def test_an_allowance_is_changed_and_ended(world: World):
    allow(world, 10)
    allow(world, 10)
    allow(world, 20)
    assert PartnerAllowance.objects.get().monthly_quantity == 20
    allow(world, 0)
    assert not PartnerAllowance.objects.exists()
    assert Event.objects.filter(kind="partner.allowance_set").count() == 3
    for wrong in (-1, 2**53):
        with pytest.raises(FieldErrors):
            allow(world, wrong)
    with pytest.raises(FieldErrors):
        allow(world, 1, sku="NONE")


def test_the_company_sees_what_waits(world: World):
    sold(world, line(quantity=7))
    waiting = open_work_of(world.as_(world.reseller), world.reseller_company)
    assert waiting[State.WAITING_OPERATOR] == 1
    with pytest.raises(NotFound):
        open_work_of(world.as_(world.partner), world.reseller_company)
