"""Devices in the portal: written down one by one or by file, moved, removed; licenses assigned, released, used again."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.audit.models import Event
from daicho.domain.devices.models import Device
from tests.licenses.conftest import A, Stocked, stocked
from tests.world import World

__all__ = ["stocked"]


def upload(client: Client, text: str, encoding: str = "utf-8-sig", **more: str):  # type: ignore[no-untyped-def]
    return client.post(f"{A}/devices/import/", {"file": SimpleUploadedFile("d.csv", text.encode(encoding)), **more})


def test_a_device_is_written_down_once_however_often_the_button_is_pressed(world: World) -> None:
    client = world.client(world.admin)
    form = {
        "name": "", "serial": "ＦＣＷ９", "product_id": "RT", "note": "<b>&😀", "virtual_account": world.osaka.uid,
        "request_id": "11111111-1111-4111-8111-111111111111",
    }  # fmt: skip
    first, second = client.post(f"{A}/devices/new/", form), client.post(f"{A}/devices/new/", form)
    assert first.status_code == second.status_code == 302
    device = Device.objects.get()
    assert (device.name, device.serial) == ("FCW9", "FCW9")
    page = client.get(first["Location"]).content.decode()
    assert "&lt;b&gt;" in page
    assert Event.objects.filter(kind="device.created").count() == 1


@pytest.mark.parametrize(
    "change", [{"name": "", "serial": "", "product_id": ""}, {"name": "x" * 101}, {"virtual_account": "0000000000000"}]
)
def test_bad_input_is_told_at_its_field_and_kept(world: World, change: dict[str, str]) -> None:
    form = {"name": "core", "serial": "S-1", "product_id": "P", "note": "kept", "virtual_account": world.osaka.uid}
    answer = world.client(world.admin).post(f"{A}/devices/new/", form | change)
    assert answer.status_code == 422
    assert "kept" in answer.content.decode()
    assert not Device.objects.exists()


def test_the_same_serial_twice_is_allowed_and_reported_within_sight(stocked: Stocked) -> None:
    world = stocked.world
    form = {"name": "again", "serial": "FCW0001", "product_id": "SW-9500", "virtual_account": world.tokyo.uid}
    answer = world.client(world.admin).post(f"{A}/devices/new/", form, follow=True)
    assert "Another device has the same product ID" in answer.content.decode()
    listed = world.client(world.admin).get(f"{A}/devices/?duplicates=1").content.decode()
    assert "again" in listed
    assert "osaka-router" in listed
    assert "again" not in world.client(world.partner).get(f"{A}/devices/{stocked.router.uid}/").content.decode()


def test_a_file_of_devices_is_previewed_then_written_whole(world: World) -> None:
    client = world.client(world.admin)
    text = "機器名,製品ID,シリアル番号,バーチャルアカウント,備考\n東京-01,SW,S1,Osaka,'=1+1\n,RT,S2,osaka,\n"
    answer = upload(client, text, "cp932")
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer["Location"]).content.decode()
    assert "Register 2 devices" in page
    assert not Device.objects.exists()
    form = {"request_id": "22222222-2222-4222-8222-222222222222"}
    assert client.post(answer["Location"], form).status_code == 302
    assert sorted(Device.objects.values_list("name", "note")) == [("S2", ""), ("東京-01", "=1+1")]
    exported = b"".join(client.get(f"{A}/devices/?export=csv").streaming_content).decode("utf-8-sig")
    Device.objects.update(removed_at=None)
    again = upload(client, exported)
    assert again.status_code == 302


def test_bad_rows_of_a_file_are_named_and_nothing_is_written(world: World) -> None:
    client = world.client(world.admin)
    text = "name,serial,virtual_account\nok,S1,Osaka\n,,Osaka\nlost,S2,Nowhere\n" + "x" * 101 + ",S3,Osaka\n"
    answer = upload(client, text)
    page = answer.content.decode()
    assert answer.status_code == 422
    for row in (3, 4, 5):
        assert f'<th scope="row" class="num">{row}</th>' in page
    assert upload(client, "a,b\n1,2\n").status_code == 422
    assert upload(client, "").status_code == 422
    assert upload(client, "name\n" + "d\n" * 10_001, virtual_account=world.osaka.uid).status_code == 422
    assert not Device.objects.exists()


def test_licenses_are_assigned_released_and_used_on_another_device(stocked: Stocked) -> None:
    world, client = stocked.world, stocked.world.client(stocked.world.admin)
    router, switch, adv = stocked.router.uid, stocked.switch.uid, f"n-{stocked.world.advantage.uid}"
    refused = client.post(f"{A}/devices/{router}/assign/", {adv: "26"})
    assert refused.status_code == 422
    assert "15 spare NET-ADV" in refused.content.decode()
    assert 'value="26"' in refused.content.decode()
    assert client.post(f"{A}/devices/{router}/assign/", {adv: "15"}).status_code == 302
    assert world.pool(world.osaka, world.advantage).balance == 0
    assert client.post(f"{A}/devices/{router}/release/", {adv: "21"}).status_code == 422
    assert client.post(f"{A}/devices/{router}/release/", {adv: "10"}).status_code == 302
    assert client.post(f"{A}/devices/{router}/reuse/", {adv: "10"}).status_code == 422
    done = client.post(f"{A}/devices/{router}/reuse/", {adv: "10", "target": switch}, follow=True)
    assert "Now used on tokyo-switch instead of osaka-router" in done.content.decode()
    assert world.pool(world.tokyo, world.advantage).in_use == 10
    assert world.pool(world.tokyo, world.advantage).on_hand == 110


def test_a_spare_license_of_another_place_is_used_in_one_flow(stocked: Stocked) -> None:
    world, client = stocked.world, stocked.world.client(stocked.world.admin)
    form = {
        "pool": world.pool(world.tokyo, world.advantage).uid,
        "device": stocked.router.uid,
        "quantity": "40",
        "memo": "",
    }
    done = client.post(f"{A}/licenses/{world.advantage.uid}/use/", form, follow=True)
    assert "NET-ADV is now used on osaka-router." in done.content.decode()
    assert world.pool(world.osaka, world.advantage).in_use == 45
    assert world.pool(world.tokyo, world.advantage).on_hand == 60
    too_many = client.post(f"{A}/licenses/{world.advantage.uid}/use/", form | {"quantity": "61"})
    assert too_many.status_code == 422
    assert "60 spare NET-ADV" in too_many.content.decode()
    nowhere = client.post(f"{A}/licenses/{world.advantage.uid}/use/", form | {"device": "0000000000000"})
    assert nowhere.status_code == 422


def test_a_removed_device_gives_its_licenses_back(stocked: Stocked) -> None:
    world, client = stocked.world, stocked.world.client(stocked.world.admin)
    page = client.get(f"{A}/devices/{stocked.router.uid}/remove/").content.decode()
    assert "NET-ADV" in page
    assert client.post(f"{A}/devices/{stocked.router.uid}/remove/").status_code == 302
    assert world.pool(world.osaka, world.advantage).in_use == 0
    assert client.post(f"{A}/devices/{stocked.router.uid}/remove/").status_code == 409
    assert "was removed on" in client.get(f"{A}/devices/{stocked.router.uid}/").content.decode()


def test_a_device_moves_with_its_use_and_each_side_reads_its_own_line(stocked: Stocked) -> None:
    world, client = stocked.world, stocked.world.client(stocked.world.admin)
    strict = client.post(f"{A}/devices/{stocked.router.uid}/move/", {"target": world.tokyo.uid})
    assert strict.status_code == 422
    assert "SEC-PLUS" in strict.content.decode()
    client.post(f"{A}/devices/{stocked.router.uid}/release/", {f"n-{world.security.uid}": "4"})
    assert client.post(f"{A}/devices/{stocked.router.uid}/move/", {"target": world.tokyo.uid}).status_code == 302
    assert world.pool(world.tokyo, world.advantage).in_use == 5
    assert world.client(world.partner).get(f"{A}/devices/{stocked.router.uid}/").status_code == 404
    lines = Event.objects.filter(kind="device.moved")
    assert {line.virtual_account_id for line in lines} == {world.tokyo.pk, world.osaka.pk}


def test_who_may_only_read_changes_nothing(stocked: Stocked) -> None:
    world, uid = stocked.world, stocked.router.uid
    for page in ("assign/", "release/", "reuse/", "edit/", "move/", "remove/"):
        assert world.client(world.viewer).post(f"{A}/devices/{uid}/{page}", {}).status_code == 403
        assert world.client(world.stranger).post(f"{A}/devices/{uid}/{page}", {}).status_code == 404
        assert world.client(world.partner).post(f"{A}/devices/{stocked.switch.uid}/{page}", {}).status_code == 404
