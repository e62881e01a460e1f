"""What the commands of the devices room promise: once per request, all or nothing, one line in the log."""

from __future__ import annotations

import uuid

import pytest

from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.commands.drafts import drop_wizard_draft, keep_wizard_draft
from daicho.domain.access.queries_drafts import get_draft, open_drafts
from daicho.domain.audit.models import Event
from daicho.domain.devices.commands.csv_import import create_devices_from_csv
from daicho.domain.devices.commands.licenses import (
    UseLine,
    assign_to_device,
    release_from_device,
    reuse_on_device,
    use_spare_on_device,
)
from daicho.domain.devices.commands.records import change_device, create_device, move_device, remove_device
from daicho.domain.devices.errors import RowsRefused
from daicho.domain.devices.models import Device
from tests.licenses.conftest import Stocked, stocked
from tests.world import World

__all__ = ["stocked"]
FILE = b"name,serial,virtual_account\na,S1,Osaka\nb,S2,DEFAULT\n"


def code_of(call, *arguments, **named) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(BusinessError) as refused:
        call(*arguments, **named)
    return refused.value.code


def test_the_same_request_writes_one_device_and_other_content_is_refused(world: World) -> None:
    key = uuid.uuid4()
    wanted = {"account": world.account, "virtual_account": world.osaka, "request_id": key}
    first = create_device(world.as_(world.admin), **wanted, name="core")
    assert create_device(world.as_(world.admin), **wanted, name="core").pk == first.pk
    assert code_of(create_device, world.as_(world.admin), **wanted, name="other") == "request_id_reused"
    assert Event.objects.filter(kind="device.created").count() == 1


def test_a_file_is_written_once_per_request_and_whole_or_not_at_all(world: World) -> None:
    key = uuid.uuid4()
    wanted = {"account": world.account, "content": FILE, "request_id": key}
    made = create_devices_from_csv(world.as_(world.admin), **wanted)
    again = create_devices_from_csv(world.as_(world.admin), **wanted)
    assert [one.uid for one in made] == [one.uid for one in again]
    assert Device.objects.count() == 2
    with pytest.raises(RowsRefused) as refused:
        create_devices_from_csv(
            world.as_(world.osaka_admin), account=world.account, content=FILE, request_id=uuid.uuid4()
        )
    assert [(p.row, p.column, p.error.code) for p in refused.value.problems] == [(3, "virtual_account", "unknown_virtual_account")]  # fmt: skip
    assert Device.objects.count() == 2
    with pytest.raises(Forbidden):
        create_devices_from_csv(world.as_(world.viewer), account=world.account, content=FILE, request_id=uuid.uuid4())
    with pytest.raises(NotFound):
        create_devices_from_csv(world.as_(world.stranger), account=world.account, content=FILE, request_id=uuid.uuid4())


def test_a_correction_is_logged_with_before_and_after_and_nothing_when_nothing_changed(stocked: Stocked) -> None:
    world = stocked.world
    wanted = {"account": world.account, "device_uid": stocked.router.uid, "product_id": "SW-9500", "serial": "FCW0001"}
    change_device(world.as_(world.admin), **wanted, name="osaka-router")
    assert not Event.objects.filter(kind="device.changed").exists()
    change_device(world.as_(world.admin), **wanted, name="renamed")
    event = Event.objects.get(kind="device.changed")
    assert (event.before["name"], event.after["name"]) == ("osaka-router", "renamed")
    assert code_of(change_device, world.as_(world.admin), account=world.account, device_uid=stocked.router.uid, name="\t") == "invalid_input"  # fmt: skip


def test_licenses_on_a_device_are_counted_once_per_request(stocked: Stocked) -> None:
    world, key = stocked.world, uuid.uuid4()
    wanted = {"account": world.account, "device_uid": stocked.router.uid, "lines": [UseLine(world.advantage, 2)]}
    for _again in range(2):
        assign_to_device(world.as_(world.user), **wanted, request_id=key)
    assert world.pool(world.osaka, world.advantage).in_use == 7
    key = uuid.uuid4()
    for _again in range(2):
        release_from_device(world.as_(world.user), **wanted, request_id=key)
    assert world.pool(world.osaka, world.advantage).in_use == 5
    assert Event.objects.filter(kind="license.released").get().subject == "osaka-router"


def test_a_used_license_goes_to_another_device_in_one_act(stocked: Stocked) -> None:
    world, key = stocked.world, uuid.uuid4()
    wanted = {
        "account": world.account, "device_uid": stocked.router.uid, "target_uid": stocked.switch.uid,
        "lines": [UseLine(world.advantage, 5)], "request_id": key,
    }  # fmt: skip
    first = reuse_on_device(world.as_(world.admin), **wanted)
    assert reuse_on_device(world.as_(world.admin), **wanted).pk == first.pk
    assert world.pool(world.osaka, world.advantage).in_use == 0
    assert world.pool(world.tokyo, world.advantage).in_use == 5
    assert code_of(reuse_on_device, world.as_(world.admin), **(wanted | {"request_id": uuid.uuid4(), "target_uid": stocked.router.uid})) == "same_device"  # fmt: skip
    with pytest.raises(NotFound):
        reuse_on_device(world.as_(world.osaka_admin), **(wanted | {"request_id": uuid.uuid4()}))


def test_a_spare_license_of_another_place_comes_along_or_nothing_happens(stocked: Stocked) -> None:
    world, key = stocked.world, uuid.uuid4()
    wanted = {
        "account": world.account, "device_uid": stocked.router.uid, "tag": world.advantage, "source": world.tokyo,
    }  # fmt: skip
    for _again in range(2):
        used = use_spare_on_device(world.as_(world.admin), **wanted, quantity=10, request_id=key)
        assert used.entry is not None
    assert world.pool(world.osaka, world.advantage).in_use == 15
    assert code_of(use_spare_on_device, world.as_(world.admin), **wanted, quantity=91, request_id=uuid.uuid4()) == "not_enough_licenses"  # fmt: skip
    assert world.pool(world.tokyo, world.advantage).on_hand == 90
    world.account.transfers_need_approval = True
    world.account.save()
    assert code_of(use_spare_on_device, world.as_(world.user), **wanted, quantity=1, request_id=uuid.uuid4()) == "transfer_needs_approval"  # fmt: skip
    assert world.pool(world.tokyo, world.advantage).on_hand == 90


def test_a_removed_device_takes_nothing_any_more(stocked: Stocked) -> None:
    world = stocked.world
    wanted = {"account": world.account, "device_uid": stocked.router.uid, "request_id": uuid.uuid4()}
    remove_device(world.as_(world.admin), **wanted)
    assert world.pool(world.osaka, world.security).in_use == 0
    line = [UseLine(world.advantage, 1)]
    assert code_of(remove_device, world.as_(world.admin), **wanted) == "device_removed"
    assert code_of(assign_to_device, world.as_(world.admin), **wanted, lines=line) == "device_removed"
    assert code_of(move_device, world.as_(world.admin), **wanted, target=world.tokyo) == "device_removed"
    assert Event.objects.get(kind="device.removed").after == {"released": {"NET-ADV": 5, "SEC-PLUS": 4}}


def test_a_draft_is_kept_for_its_writer_until_he_drops_it(world: World) -> None:
    admin = world.as_(world.admin)
    draft = keep_wizard_draft(admin, account=world.account, kind="transfer", data={"memo": "a"})
    keep_wizard_draft(admin, account=world.account, kind="transfer", data={"memo": "b"}, uid=draft.uid)
    assert get_draft(admin, world.account, "transfer", draft.uid).data == {"memo": "b"}
    for who in (world.user, world.stranger):
        with pytest.raises(NotFound):
            get_draft(world.as_(who), world.account, "transfer", draft.uid)
    for _more in range(25):
        keep_wizard_draft(admin, account=world.account, kind="transfer", data={})
    assert len(open_drafts(admin, world.account)) == 20
    last = open_drafts(admin, world.account)[0]
    drop_wizard_draft(admin, account=world.account, kind="transfer", uid=last.uid)
    assert len(open_drafts(admin, world.account)) == 19
