"""A company replaces a failed device by itself: all that it used and held goes over at once (S4)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.access.models import User
from daicho.domain.audit.models import Event
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.models import Replacement
from daicho.domain.continuity.queries.replacement import NewDevice, list_replacements
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.records import create_device, remove_device
from daicho.domain.devices.models import Device
from daicho.domain.devices.queries.devices import get_device, look_at_devices
from daicho.domain.tenancy.models import SmartAccount
from tests.world import World


@pytest.fixture
def failed(world: World) -> Device:
    """A switch of Osaka that uses two licenses."""
    world.deposit(world.storage, 5, world.osaka)
    device = record(world, "osaka-sw-07", serial="FCW-1")
    assign_to_device(
        world.as_(world.admin), account=world.account, device_uid=device.uid, lines=[UseLine(world.storage, 2)],
        request_id=uuid.uuid4(),
    )  # fmt: skip
    return device


def record(world: World, name: str, serial: str = "", **fields: Any) -> Device:
    return create_device(
        world.as_(world.admin), account=world.account, virtual_account=fields.pop("virtual_account", world.osaka),
        request_id=uuid.uuid4(), name=name, product_id="C9300", serial=serial, **fields,
    )  # fmt: skip


def replace(world: World, failed: Device, new: NewDevice, *, by: User | None = None, **options: Any) -> Replacement:
    options.setdefault("request_id", uuid.uuid4())
    return replace_device(
        world.as_(by or world.admin), account=world.account, failed_uid=failed.uid, successor=new, **options
    )


def refused(world: World, failed: Device, new: NewDevice, **options: Any) -> str:
    with pytest.raises(BusinessError) as refusal:
        replace(world, failed, new, **options)
    return refusal.value.code


def uses(world: World, device: Device) -> dict[str, int]:
    row = get_device(world.as_(world.admin), world.account, device.uid)
    return {use.tag.sku: use.reported for use in row.uses}


def test_what_stands_on_the_label_of_the_new_one_is_enough(world: World, failed: Device) -> None:
    done = replace(world, failed, NewDevice(product_id="C9300", serial="FCW-2"), memo="RMA 4711")
    new = done.successor
    assert (new.name, new.serial, new.unit.virtual_account) == ("osaka-sw-07", "FCW-2", world.osaka)
    assert uses(world, new) == {"STO-STD": 2}
    assert not uses(world, failed)
    failed.refresh_from_db()
    assert failed.removed_at is not None
    assert failed.replaced_by == new
    assert done.moved == [{"sku": "STO-STD", "quantity": 2, "reserved": 0}]
    used = Event.objects.filter(kind="license.used", after__sku="STO-STD").order_by("pk")
    assert [(one.subject, one.subject_uid) for one in used][-2:] == [
        ("osaka-sw-07", failed.unit.uid), ("osaka-sw-07", new.unit.uid),
    ]  # fmt: skip
    event = Event.objects.get(kind="device.replaced")
    assert (event.subject, event.memo, event.after["serial"]) == ("osaka-sw-07", "RMA 4711", "FCW-2")


def test_one_that_is_there_already_takes_over_wherever_it_is(world: World, failed: Device) -> None:
    spare = record(world, "spare", serial="FCW-9", virtual_account=world.tokyo)
    replace(world, failed, NewDevice(uid=spare.uid))
    assert uses(world, spare) == {"STO-STD": 2}
    spare.unit.refresh_from_db()
    assert spare.unit.virtual_account == world.osaka


def test_one_that_came_before_its_paper_is_found_by_its_label(world: World, failed: Device) -> None:
    there = record(world, "new one", serial="FCW-2")
    assert replace(world, failed, NewDevice(product_id="C9300", serial="FCW-2")).successor == there


def test_the_same_request_again_gives_the_first_answer(world: World, failed: Device) -> None:
    request_id, new = uuid.uuid4(), NewDevice(product_id="C9300", serial="FCW-2")
    first = replace(world, failed, new, request_id=request_id)
    assert replace(world, failed, new, request_id=request_id) == first
    assert refused(world, failed, NewDevice(serial="FCW-3"), request_id=request_id) == "request_id_reused"
    assert Device.objects.filter(account=world.account).count() == 2


def test_a_device_is_replaced_once_and_not_by_itself(world: World, failed: Device) -> None:
    assert refused(world, failed, NewDevice(uid=failed.uid)) == "same_device"
    assert refused(world, failed, NewDevice(product_id="C9300", serial="FCW-1")) == "same_device"
    assert refused(world, failed, NewDevice(product_id="C9300")) == "invalid_input"
    replace(world, failed, NewDevice(serial="FCW-2"))
    assert refused(world, failed, NewDevice(serial="FCW-3")) == "device_replaced"
    gone = record(world, "gone")
    remove_device(world.as_(world.admin), account=world.account, device_uid=gone.uid, request_id=uuid.uuid4())
    assert refused(world, gone, NewDevice(serial="FCW-3")) == "device_removed"


def test_it_goes_on_while_the_agreement_waits(world: World, failed: Device) -> None:
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=None)
    world.account.refresh_from_db()
    assert replace(world, failed, NewDevice(product_id="C9300", serial="FCW-2")).successor.serial == "FCW-2"


def test_who_may_replace_and_who_sees_it(world: World, failed: Device) -> None:
    new = NewDevice(product_id="C9300", serial="FCW-2")
    assert refused(world, failed, new, by=world.viewer) == "forbidden"
    assert refused(world, failed, new, by=world.stranger) == "not_found"
    spare = record(world, "spare", virtual_account=world.tokyo)
    assert refused(world, failed, NewDevice(uid=spare.uid), by=world.osaka_admin) == "not_found"
    done = replace(world, failed, new, by=world.osaka_admin)
    for user, rows in ((world.admin, [done]), (world.partner, [done])):
        assert list_replacements(look_at_devices(world.as_(user), world.account)).rows == rows
    assert list_replacements(look_at_devices(world.as_(world.admin), world.account, world.tokyo)).rows == []
    assert list_replacements(look_at_devices(world.as_(world.admin), world.account), text="sw-07 FCW").rows == [done]
