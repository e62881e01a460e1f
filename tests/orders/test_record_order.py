"""Recording an order: what was bought lands where the order says, once, and never silently elsewhere."""

import datetime as dt

import pytest
import time_machine

from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.domain.audit.models import Event
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Lot, Pool
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from tests.orders.helpers import line, only, recorded
from tests.world import PRIME, World

pytestmark = pytest.mark.django_db
State = OrderLine.State


def codes(error: pytest.ExceptionInfo[BusinessError]) -> dict[str, str]:
    assert isinstance(error.value, FieldErrors), error.value
    return {name: found.code for name, found in error.value.errors.items()}


def test_a_line_lands_in_the_named_virtual_account(world: World):
    done = recorded(world, line(quantity=PRIME, virtual_account="osaka"))
    assert only(done).state == State.DEPOSITED
    assert world.pool(world.osaka, world.advantage).on_hand == PRIME
    assert only(done).lot.order_number == "PO-1"


def test_without_a_virtual_account_it_waits_unassigned_and_never_in_the_default_one(world: World):
    assert only(recorded(world, line())).state == State.UNASSIGNED
    assert not Pool.objects.filter(virtual_account=world.default).exists()


def test_one_order_is_one_entry_with_a_lot_for_each_line(world: World):
    recorded(world, line(virtual_account="Osaka"), line("SEC-PLUS", 3, virtual_account="DEFAULT"), line("NET-ESS"))
    assert Entry.objects.filter(kind="deposit").count() == 1
    assert Lot.objects.count() == 3
    assert Event.objects.filter(kind="order.recorded").count() == 1


def test_the_same_order_again_does_nothing(world: World):
    given = (line(virtual_account="Osaka"), line("SEC-PLUS", 3))
    first = recorded(world, *given)
    again = recorded(world, *given)
    assert (len(first.new), again.repeated, again.new) == (2, 2, [])
    assert Lot.objects.count() == 2
    assert Event.objects.filter(kind="order.recorded").count() == 1


def test_a_further_line_joins_its_order(world: World):
    recorded(world, line(line=1))
    done = recorded(world, line(line=1), line("SEC-PLUS", 3, line=2))
    assert (done.repeated, len(done.new)) == (1, 1)
    assert Order.objects.get().lines.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": 11},
        {"sku": "NET-ESS"},
        {"virtual_account": "Osaka"},
        {"kind": "demo"},
        {"start_on": "2026-01-01"},
        {"billing": "usage"},
    ],
)
def test_other_content_under_the_same_number_and_line_is_refused(world: World, other: dict[str, object]):
    recorded(world, line(line=1))
    with pytest.raises(BusinessError) as error:
        recorded(world, line(**({"line": 1} | other)))
    assert (error.value.code, error.value.http_status) == ("order_conflict", 409)
    assert OrderLine.objects.count() == 1


def test_the_same_number_for_another_customer_is_refused(world: World):
    recorded(world, line())
    with pytest.raises(BusinessError) as error:
        recorded(world, line(line=2), identifier=world.other_account.identifier)
    assert error.value.code == "order_conflict"


def test_numbers_of_two_recorders_do_not_meet(world: World):
    recorded(world, line())
    recorded(world, line(quantity=3), actor=world.as_(world.reseller), company=world.reseller_company)
    assert Order.objects.filter(number="PO-1").count() == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"quantity": 0}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": -1}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": "1.5"}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": "many"}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": ""}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": MAX_QUANTITY + 1}, {"lines.0.quantity": "bad_quantity"}),
        ({"quantity": "9" * 30}, {"lines.0.quantity": "bad_quantity"}),
        ({"sku": "NONE"}, {"lines.0.sku": "unknown_sku"}),
        ({"sku": ""}, {"lines.0.sku": "required"}),
        ({"sku": "NET\x00"}, {"lines.0.sku": "control_character"}),
        ({"virtual_account": "v" * 300}, {"lines.0.virtual_account": "too_long"}),
        ({"sku": "<b>&🍣"}, {"lines.0.sku": "unknown_sku"}),
        ({"kind": "lifelong"}, {"lines.0.kind": "unknown_choice"}),
        ({"billing": "later"}, {"lines.0.billing": "unknown_choice"}),
        ({"line": 0}, {"lines.0.line": "bad_line_number"}),
        ({"line": "x"}, {"lines.0.line": "bad_line_number"}),
        ({"start_on": "2026-02-30"}, {"lines.0.start_on": "bad_date"}),
        ({"start_on": "30/02/2026"}, {"lines.0.start_on": "bad_date"}),
        ({"end_on": "9999-12-31"}, {"lines.0.end_on": "bad_date"}),
        ({"kind": "term"}, {"lines.0.end_on": "end_required"}),
        ({"kind": "subscription"}, {"lines.0.end_on": "end_required"}),
        ({"kind": "perpetual", "end_on": "2030-01-01"}, {"lines.0.end_on": "end_not_allowed"}),
        ({"kind": "term", "start_on": "2026-05-02", "end_on": "2026-05-01"}, {"lines.0.end_on": "ends_before_start"}),
        ({"kind": "term", "end_on": "2020-05-01"}, {"lines.0.end_on": "ends_before_start"}),
        ({"virtual_account": "Nowhere"}, {"lines.0.virtual_account": "unknown_destination"}),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field_and_nothing_is_written(
    world: World, given: dict[str, object], expected: dict[str, str]
):
    with pytest.raises(FieldErrors) as error:
        recorded(world, line(**given), line("NET-ESS", 5))
    assert codes(error) == expected
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"number": ""}, {"number": "required"}),
        ({"number": "n" * 65}, {"number": "too_long"}),
        ({"number": "A\x00"}, {"number": "control_character"}),
        ({"identifier": ""}, {"identifier": "required"}),
        ({"identifier": "nobody.example.com"}, {"identifier": "unknown_destination"}),
        ({"ordered_on": "yesterday"}, {"ordered_on": "bad_date"}),
        ({"customer_reference": "r" * 300}, {"customer_reference": "too_long"}),
        ({"memo": "m" * 501}, {"memo": "too_long"}),
    ],
)
def test_the_orders_own_fields_are_told_too(world: World, header: dict[str, str], expected: dict[str, str]):
    with pytest.raises(FieldErrors) as error:
        recorded(world, line(), **header)
    assert codes(error) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"quantity": "１，２３４", "start_on": "２０２６年１月５日"},
        {"quantity": "1,234", "start_on": "2026/1/5"},
        {"quantity": 1234, "start_on": "20260105"},
    ],
)
def test_numbers_and_dates_are_taken_as_people_write_them(world: World, given: dict[str, object]):
    found = only(recorded(world, line(sku="ｎｅｔ－ａｄｖ", virtual_account="ＯＳＡＫＡ", **given)))
    assert (found.quantity, found.start_on, found.virtual_account) == (1234, dt.date(2026, 1, 5), world.osaka)


def test_odd_texts_are_kept_as_they_are(world: World):
    done = recorded(world, line(), number="PO & <b>🍣</b>", memo="=SUM(A1) & 稟議", customer_reference="+81")
    kept = Order.objects.get(pk=done.orders[0].pk)
    assert (kept.number, kept.memo, kept.customer_reference) == ("PO & <b>🍣</b>", "=SUM(A1) & 稟議", "+81")


@time_machine.travel("2026-11-24 03:00:00+00:00", tick=False)
def test_a_day_means_that_day_in_the_accounts_zone(world: World):
    found = only(
        recorded(world, line(kind="term", start_on="2026-11-01", end_on="2027-10-31", virtual_account="Osaka"))
    )
    assert found.lot.start_at == dt.datetime(2026, 10, 31, 15, tzinfo=dt.UTC)
    assert found.lot.end_at == dt.datetime(2027, 10, 31, 15, tzinfo=dt.UTC)


@time_machine.travel("2026-11-24 16:00:00+00:00", tick=False)
def test_without_a_start_it_starts_on_the_day_it_is_recorded(world: World):
    found = only(recorded(world, line(virtual_account="Osaka")))
    assert found.start_on == dt.date(2026, 11, 25)
    assert world.pool(world.osaka, world.advantage).on_hand == 10


def test_what_starts_later_is_pending_and_what_ended_is_ended(world: World):
    later = line(kind="term", start_on="2190-01-01", end_on="2190-12-31", virtual_account="Osaka")
    over = line("NET-ESS", 5, kind="term", start_on="2020-01-01", end_on="2020-12-31", virtual_account="Osaka")
    recorded(world, later, over)
    assert world.pool(world.osaka, world.advantage).pending == 10
    assert world.pool(world.osaka, world.essentials).on_hand == 0


def test_a_license_that_is_no_longer_sold_is_refused_but_an_old_order_repeats(world: World):
    recorded(world, line())
    world.advantage.is_sold = False
    world.advantage.save()
    assert recorded(world, line()).repeated == 1
    with pytest.raises(FieldErrors) as error:
        recorded(world, line(), number="PO-2")
    assert codes(error) == {"lines.0.sku": "sku_not_sold"}


@pytest.mark.parametrize("who", ["admin", "user", "viewer", "approver", "osaka_admin", "partner", "stranger", "nobody"])
def test_nobody_but_operator_and_partner_company_records(world: World, who: str):
    for company in (None, world.reseller_company):
        with pytest.raises(NotFound):
            recorded(world, line(), actor=world.as_(getattr(world, who)), company=company)
    assert not Order.objects.exists()


def test_a_member_of_a_company_does_not_record_as_the_operator(world: World):
    with pytest.raises(NotFound):
        recorded(world, line(), actor=world.as_(world.reseller))


def test_a_member_of_a_company_that_was_shut_out_records_no_more(world: World):
    world.reseller_company.is_active = False
    world.reseller_company.save()
    with pytest.raises(NotFound):
        recorded(world, line(), actor=world.as_(world.reseller), company=world.reseller_company)


@pytest.mark.parametrize("state", ["provisional", "suspended", "closed"])
def test_an_account_that_is_not_active_is_no_destination(world: World, state: str):
    SmartAccount.objects.filter(pk=world.account.pk).update(state=state)
    with pytest.raises(FieldErrors) as error:
        recorded(world, line())
    assert codes(error) == {"identifier": "unknown_destination"}


def test_a_deleted_virtual_account_is_no_destination(world: World):
    VirtualAccount.objects.filter(pk=world.osaka.pk).update(deleted_at=dt.datetime.now(dt.UTC))
    with pytest.raises(FieldErrors) as error:
        recorded(world, line(virtual_account="Osaka"))
    assert codes(error) == {"lines.0.virtual_account": "unknown_destination"}


def test_an_order_needs_a_line_and_takes_ten_thousand(world: World):
    with pytest.raises(FieldErrors) as error:
        record_order(world.as_(world.operator), company=None, order=OrderInput("PO-1", world.account.identifier, []))
    assert codes(error) == {"lines": "no_lines"}
    with pytest.raises(BusinessError) as many:
        recorded(world, *[LineInput("NET-ADV", 1) for _ in range(10_001)])
    assert many.value.code == "too_many_lines"


def test_the_event_of_an_order_names_its_virtual_account_when_there_is_one(world: World):
    recorded(world, line(virtual_account="Osaka"), number="PO-1")
    recorded(world, line(virtual_account="Osaka"), line("NET-ESS", 1), number="PO-2")
    scopes = dict(Event.objects.filter(kind="order.recorded").values_list("subject", "virtual_account__name"))
    assert scopes == {"PO-1": "Osaka", "PO-2": None}
