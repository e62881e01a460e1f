"""Licenses are used by hand: assigned, released, re-used, moved with their device."""

from __future__ import annotations

import uuid

from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.use import UseLine, assign_licenses, create_unit, move_unit, reuse_licenses
from daicho.domain.ledger.models import Entry, Unit, Use, UseChange
from tests.ledger.conftest import Ledger, refusal


def reuse(ledger: Ledger, source: Unit, target: Unit, *lines: UseLine, request_id: uuid.UUID | None = None) -> Entry:
    return reuse_licenses(
        ledger.admin, account=ledger.world.account, source=source, target=target,
        request_id=request_id or uuid.uuid4(), lines=lines,
    )  # fmt: skip


def move(ledger: Ledger, unit: Unit, target) -> Entry:
    return move_unit(ledger.admin, account=ledger.world.account, unit=unit, target=target, request_id=uuid.uuid4())


def test_what_is_assigned_is_in_use_and_no_more_than_is_there(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = create_unit(world.account, world.tokyo, Unit.Kind.RECORD)
    ledger.assign(unit, world.storage, 4)
    ledger.assign(unit, world.storage, 5)
    assert Use.objects.get(unit=unit).reported == 9
    error = refusal(lambda: ledger.assign(unit, world.storage, 2))
    assert (error.code, error.data["available"], error.data["missing"]) == ("not_enough_licenses", 1, 1)
    assert error.text().startswith("Nothing was assigned. AOZORA Tokyo has 1 spare STO-STD (you asked for 2).")
    assert ledger.figures(world.tokyo, world.storage) == (10, 9, 1)
    assert UseChange.objects.count() == 2


def test_lines_are_assigned_all_or_none(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)
    lines = [UseLine(world.storage, 1), UseLine(world.security, 1)]
    act = {"account": world.account, "unit": unit, "request_id": uuid.uuid4(), "lines": lines}
    assert refusal(lambda: assign_licenses(ledger.admin, **act)).data["sku"] == "SEC-PLUS"
    assert not Use.objects.exists()
    world.deposit(world.security, 1, world.tokyo)
    assign_licenses(ledger.admin, **act, subject="sw-01", memo="rack 3")
    assert Use.objects.count() == 2
    event = Event.objects.filter(kind="license.used").first()
    assert event is not None
    assert (event.subject, event.subject_uid, event.memo) == ("sw-01", unit.uid, "rack 3")
    assert event.after == {"sku": "STO-STD", "counted": 1, "balance": 9}


def test_the_same_license_twice_in_one_act_is_added_up(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 5, world.tokyo)
    unit = world.unit(world.tokyo)
    lines = [UseLine(world.storage, 3), UseLine(world.storage, 3)]
    act = {"account": world.account, "unit": unit, "request_id": uuid.uuid4()}
    error = refusal(lambda: assign_licenses(ledger.admin, **act, lines=lines))
    assert (error.data["asked"], error.data["available"], error.data["missing"]) == (6, 5, 1)
    assign_licenses(ledger.admin, **act, lines=[*lines[:1], UseLine(world.storage, 2)])
    assert ledger.figures(world.tokyo, world.storage) == (5, 5, 0)


def test_no_more_is_released_than_is_used(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)
    ledger.assign(unit, world.storage, 4)
    error = refusal(lambda: ledger.release(unit, world.storage, 5))
    assert (error.code, error.text()) == ("bad_quantity", "The device uses 4 STO-STD. Enter 4 or less.")
    ledger.release(unit, world.storage, 4)
    assert ledger.figures(world.tokyo, world.storage) == (10, 0, 10)


def test_who_may_assign(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)

    def as_(user, account=world.account):
        return lambda: assign_licenses(
            world.as_(user), account=account, unit=unit, request_id=uuid.uuid4(), lines=[UseLine(world.storage, 1)]
        )

    assert refusal(as_(world.viewer)).code == "forbidden"
    assert refusal(as_(world.osaka_admin)).code == "not_found"
    assert refusal(as_(world.stranger)).code == "not_found"
    assert refusal(as_(world.stranger, world.other_account)).code == "not_found", "a unit of another account"
    as_(world.user)()


def test_a_license_is_re_used_on_another_device_nearby(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 4, world.osaka)
    old, new = world.unit(world.osaka), world.unit(world.osaka)
    ledger.assign(old, world.storage, 4)
    entry = reuse(ledger, old, new, UseLine(world.storage, 3))
    assert (entry.kind, entry.postings.count()) == (Entry.Kind.REUSE, 0)
    assert dict(Use.objects.values_list("unit_id", "counted")) == {old.pk: 1, new.pk: 3}
    assert ledger.figures(world.osaka, world.storage) == (4, 4, 0)
    assert Event.objects.filter(kind="license.reused").count() == 2


def test_a_license_is_re_used_in_another_virtual_account_and_travels_along(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.security, 4, world.osaka)
    old, new = world.unit(world.osaka), world.unit(world.tokyo)
    ledger.assign(old, world.security, 4)
    entry = reuse(ledger, old, new, UseLine(world.security, 4), request_id=request_id)
    assert ledger.figures(world.osaka, world.security) == (0, 0, 0)
    assert ledger.figures(world.tokyo, world.security) == (4, 4, 0)
    assert reuse(ledger, old, new, UseLine(world.security, 4), request_id=request_id) == entry
    assert refusal(lambda: reuse(ledger, old, new, UseLine(world.security, 3), request_id=request_id)).code == (
        "request_id_reused"
    )


def test_a_re_use_never_makes_anybody_shorter(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.premier, 4, world.osaka)
    old, new, third = world.unit(world.osaka), world.unit(world.tokyo), world.unit(world.osaka)
    ledger.assign(old, world.essentials, 2)
    ledger.assign(third, world.premier, 2)
    error = refusal(lambda: reuse(ledger, old, new, UseLine(world.essentials, 2)))
    assert error.code == "not_enough_licenses"
    assert error.text().startswith("Nothing was moved to the other device. Osaka has")
    error = refusal(lambda: reuse(ledger, old, new, UseLine(world.essentials, 3)))
    assert error.code == "bad_quantity"
    assert refusal(lambda: reuse(ledger, old, old, UseLine(world.essentials, 1))).code == "same_device"
    assert ledger.figures(world.osaka, world.essentials)[1] == 2


def test_a_device_takes_its_use_along_and_may_leave_its_new_home_short(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 4, world.osaka)
    unit = world.unit(world.osaka)
    ledger.assign(unit, world.storage, 4)
    entry = move(ledger, unit, world.tokyo)
    assert entry.kind == Entry.Kind.MOVE_UNIT
    assert ledger.figures(world.osaka, world.storage) == (4, 0, 4)
    assert ledger.figures(world.tokyo, world.storage) == (0, 4, -4)
    assert Unit.objects.get(pk=unit.pk).virtual_account == world.tokyo
    assert refusal(lambda: move(ledger, unit, world.tokyo)).code == "same_virtual_account"


def test_a_device_with_enforced_licenses_moves_only_where_they_suffice(ledger: Ledger) -> None:
    world = ledger.world
    for tag in (world.security, world.storage):
        world.deposit(tag, 4, world.osaka)
    unit = world.unit(world.osaka)
    ledger.assign(unit, world.security, 4)
    ledger.assign(unit, world.storage, 4)
    error = refusal(lambda: move(ledger, unit, world.tokyo))
    assert (error.code, error.data["sku"], error.data["missing"]) == ("not_enough_licenses", "SEC-PLUS", 4)
    assert error.text().startswith("The device was not moved. AOZORA Tokyo lacks 4 SEC-PLUS")
    assert Unit.objects.get(pk=unit.pk).virtual_account == world.osaka
    world.deposit(world.security, 4, world.tokyo)
    move(ledger, unit, world.tokyo)


def test_a_device_without_any_use_moves_too(ledger: Ledger) -> None:
    world = ledger.world
    unit = world.unit(world.osaka)
    move(ledger, unit, world.tokyo)
    assert Unit.objects.get(pk=unit.pk).virtual_account == world.tokyo


def test_an_assignment_costs_few_queries(ledger: Ledger, django_assert_max_num_queries) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)
    with django_assert_max_num_queries(14):
        ledger.assign(unit, world.storage, 1)
