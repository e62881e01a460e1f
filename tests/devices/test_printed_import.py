"""Importing what devices printed: records and use as facts, once, within the rights of who does it."""

from __future__ import annotations

import uuid

import pytest

from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.audit.models import Event
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.printed_import import import_printed_licenses
from daicho.domain.devices.commands.printed_undo import undo_printed_import
from daicho.domain.devices.commands.records import create_device, remove_device
from daicho.domain.devices.errors import RowsRefused
from daicho.domain.devices.models import Device, PrintedImport
from daicho.domain.devices.printed_plan import Choices, plan_import
from daicho.domain.ledger.models import Use
from tests.devices.printed_texts import LOG, NEXUS_USAGE, STACK, SUMMARY
from tests.world import World, make_tag

OUT = Choices(leave_out_unknown=True)


def take(world: World, text: str, *, who=None, place=None, request_id=None, choices=OUT):  # type: ignore[no-untyped-def]
    return import_printed_licenses(
        world.as_(who or world.admin), account=world.account, content=text.encode(), virtual_account=place,
        request_id=request_id or uuid.uuid4(), choices=choices,
    )  # fmt: skip


def plan(world: World, text: str, *, who=None, place=None, choices=None):  # type: ignore[no-untyped-def]
    return plan_import(
        world.as_(who or world.admin), account=world.account, content=text.encode(), virtual_account=place,
        choices=choices,
    )  # fmt: skip


def uses(device: Device) -> dict[str, int]:
    return dict(Use.objects.filter(unit=device.unit, reported__gt=0).values_list("tag__sku", "reported"))


def codes(refused: pytest.ExceptionInfo[RowsRefused]) -> list[str]:
    return [problem.error.code for problem in refused.value.problems]


def test_devices_and_their_use_are_written_as_they_printed_it(world: World):
    world.deposit(world.advantage, 1, world.osaka)
    make_tag("C9-NA", "C9300-24 Network Advantage")
    looked = plan(world, LOG, place=world.osaka)
    assert looked.problems == []
    assert [(one.printed.label, one.by) for one in looked.names] == [
        ("network-advantage (C9300-24 Network Advantage)", "name"), ("security (SEC-PLUS)", "sku"),
        ("STO-STD", "sku"), ("SEC-PLUS", "sku"),
    ]  # fmt: skip
    assert not Device.objects.exists()
    take(world, LOG, place=world.osaka)
    core, leaf = Device.objects.order_by("pk")
    assert (core.name, core.product_id, core.serial) == ("osaka-core", "C9300-24T", "AOZ0000A001")
    assert (uses(core), uses(leaf)) == ({"C9-NA": 2}, {"STO-STD": 1})
    assert world.pool(world.osaka, world.storage).balance == -1  # a fact counts, whatever is there
    told = Event.objects.filter(kind="license.reported").values_list("subject", "after__counted")
    assert sorted(told) == [("osaka-core", 2), ("osaka-leaf", 1)]


def test_the_same_request_acts_once_and_another_under_its_id_is_refused(world: World):
    request_id = uuid.uuid4()
    first = take(world, STACK, place=world.osaka, request_id=request_id)
    assert take(world, STACK, place=world.osaka, request_id=request_id).uid == first.uid
    assert (Device.objects.count(), PrintedImport.objects.count()) == (1, 1)
    with pytest.raises(BusinessError) as refused:
        take(world, STACK, place=world.tokyo, request_id=request_id)
    assert refused.value.code == "request_id_reused"


def test_a_newest_text_sets_the_count_of_the_same_record(world: World):
    text = STACK.replace("network-advantage (C9300-24 Network Advantage)", "network-advantage (NET-ADV)")
    take(world, text, place=world.osaka)
    device = Device.objects.get()
    assert (device.name, uses(device)) == ("AOZ0000A001", {"NET-ADV": 2})
    take(world, "core-1#show license all\n" + text.replace("Count: 2", "Count: 7"))
    device.refresh_from_db()
    assert (device.name, uses(device)) == ("core-1", {"NET-ADV": 7})  # the serial number only stood in for a name
    take(world, text.replace("Status: IN USE", "Status: NOT IN USE"))
    assert uses(device) == {}
    # After a switch-over another member of the stack speaks for it.
    swapped = text.replace("A001", "A009").replace("A002", "A001").replace("A009", "A002")
    (one,) = plan(world, swapped).devices
    assert (one.act, one.matched, one.fields.serial) == ("update", "member", "AOZ0000A001")


def test_what_was_used_and_not_printed_stays_unless_it_is_to_go(world: World):
    device = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(),
        name="by hand", serial="AOZ0000A001",
    )  # fmt: skip
    world.deposit(world.storage, 5, world.osaka)
    assign_to_device(
        world.as_(world.admin), account=world.account, device_uid=device.uid, lines=[UseLine(world.storage, 3)],
        request_id=uuid.uuid4(),
    )  # fmt: skip
    (one,) = plan(world, STACK, choices=OUT).devices
    assert [(line.tag.sku, line.before, line.after, line.is_absent) for line in one.lines if line.is_absent] == [
        ("STO-STD", 3, 3, True)
    ]
    take(world, STACK)
    assert uses(device)["STO-STD"] == 3
    device.refresh_from_db()
    assert (device.name, device.product_id) == ("by hand", "C9300-24T")
    take(world, STACK, choices=Choices(leave_out_unknown=True, absent=True))
    assert "STO-STD" not in uses(device)


def test_an_unknown_license_is_asked_for_chosen_or_left_out(world: World):
    text = STACK.replace("C9300-24 Network Advantage", "Wholly Unknown").replace("network-advantage", "unknown-one")
    with pytest.raises(RowsRefused) as refused:
        take(world, text, place=world.osaka, choices=Choices())
    assert [(one.row, one.error.code) for one in refused.value.problems] == [(16, "unknown_printed_license")]
    assert not Device.objects.exists()
    (key,) = [one.printed.key for one in plan(world, text, place=world.osaka).names if one.is_open]
    take(world, text, place=world.osaka, choices=Choices(licenses={key: "net-prem"}))
    assert uses(Device.objects.get()) == {"NET-PREM": 2}
    take(world, text, choices=Choices(licenses={key: ""}))
    assert uses(Device.objects.get()) == {"NET-PREM": 2}


def test_an_entitlement_is_known_by_its_regid_with_or_without_its_version(world: World):
    make_tag("BY-REGID", "Some name", regid="regid.2026-01.jp.example.adv")
    text = STACK.replace(
        "network-advantage (C9300-24 Network Advantage):",
        "Handle: 1\n  License: network-advantage\n  Entitlement Tag: regid.2026-01.jp.example.adv,1.0_ab12",
    )
    take(world, text, place=world.osaka)
    assert uses(Device.objects.get()) == {"BY-REGID": 2}


def test_lines_that_could_not_be_read_stop_it_until_they_are_accepted(world: World):
    text = STACK.replace("  Count: 2", "  Quantity 2")
    with pytest.raises(RowsRefused) as refused:
        take(world, text, place=world.osaka)
    assert codes(refused) == ["line_unread"]
    take(world, text, place=world.osaka, choices=Choices(leave_out_unknown=True, unread=True))
    assert Device.objects.count() == 1


def test_a_text_without_a_name_needs_a_device_chosen_for_it(world: World):
    with pytest.raises(RowsRefused) as refused:
        take(world, SUMMARY, place=world.osaka)
    assert codes(refused) == ["unnamed_device"]
    with pytest.raises(RowsRefused) as refused:
        take(world, STACK)
    assert codes(refused) == ["required"]
    device = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(), name="leaf"
    )
    take(world, SUMMARY, choices=Choices(devices={1: device.uid}))
    take(world, f"leaf# show license usage\n{NEXUS_USAGE}")
    assert uses(device) == {"NET-ADV": 99, "STO-STD": 1}
    remove_device(world.as_(world.admin), account=world.account, device_uid=device.uid, request_id=uuid.uuid4())
    with pytest.raises(RowsRefused) as refused:
        take(world, SUMMARY, choices=Choices(devices={1: device.uid}))
    assert codes(refused) == ["unknown_device"]


def test_rights_end_at_the_virtual_account(world: World):
    take(world, STACK, place=world.tokyo)
    (one,) = plan(world, STACK, who=world.osaka_admin, place=world.osaka).devices
    assert one.act == "create"  # a record in another virtual account cannot be guessed
    for who, place, code in (
        (world.osaka_admin, world.tokyo, "not_found"), (world.viewer, world.osaka, "forbidden"),
        (world.approver, None, "not_found"), (world.stranger, None, "not_found"),
    ):  # fmt: skip
        with pytest.raises(BusinessError) as refused:
            take(world, STACK, who=who, place=place)
        assert refused.value.code == code
    with pytest.raises(BusinessError) as refused:
        take(world, "hello", place=world.osaka)
    assert refused.value.code == "nothing_printed"


def test_an_import_is_undone_whole_and_once_unless_it_was_changed_since(world: World):
    admin = world.as_(world.admin)
    text = STACK.replace("C9300-24 Network Advantage", "NET-ADV")
    create_device(
        admin, account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(), name="AOZ0000A001",
        serial="AOZ0000A001",
    )  # fmt: skip
    made = take(world, f"core#show license all\n{text}\nleaf#show license usage\n{NEXUS_USAGE}", place=world.osaka)
    core, leaf = Device.objects.order_by("pk")
    assert (core.name, uses(core), uses(leaf)) == ("core", {"NET-ADV": 2}, {"STO-STD": 1})
    for who, code in ((world.stranger, "not_found"), (world.viewer, "forbidden")):
        with pytest.raises(BusinessError) as refused:
            undo_printed_import(world.as_(who), account=world.account, uid=made.uid, request_id=uuid.uuid4())
        assert refused.value.code == code
    for _again in range(2):
        undo_printed_import(admin, account=world.account, uid=made.uid, request_id=uuid.uuid4())
    core.refresh_from_db()
    leaf.refresh_from_db()
    assert (core.name, core.product_id, uses(core), uses(leaf)) == ("AOZ0000A001", "", {}, {})
    assert (core.removed_at, leaf.removed_at is not None) == (None, True)
    first = take(world, text)
    take(world, text.replace("Count: 2", "Count: 3"))
    with pytest.raises(BusinessError) as refused:
        undo_printed_import(admin, account=world.account, uid=first.uid, request_id=uuid.uuid4())
    assert (refused.value.code, uses(core)) == ("import_changed", {"NET-ADV": 3})


def test_a_device_that_was_replaced_is_not_written_down_again(world: World):
    take(world, STACK, place=world.osaka)
    failed = Device.objects.get()
    new = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(), name="new"
    )
    failed.removed_at, failed.replaced_by = now(), new
    failed.save()
    with pytest.raises(RowsRefused) as refused:
        take(world, STACK, place=world.osaka)
    assert codes(refused) == ["device_replaced"]
