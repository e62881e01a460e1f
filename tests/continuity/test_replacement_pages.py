"""The replacement as people, programs and the console do it (S4)."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client

from daicho.domain.continuity.models import Replacement
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.records import change_device, create_device, move_device
from daicho.domain.devices.models import Device
from daicho.interfaces.cli import main as console
from tests.world import World

A = "/a/aozora.example.co.jp"


@pytest.fixture
def failed(world: World) -> Device:
    world.deposit(world.storage, 5, world.osaka)
    device = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(),
        name="osaka-sw-07", product_id="C9300", serial="FCW-1",
    )  # fmt: skip
    assign_to_device(
        world.as_(world.admin), account=world.account, device_uid=device.uid, lines=[UseLine(world.storage, 2)],
        request_id=uuid.uuid4(),
    )  # fmt: skip
    return device


def test_a_label_is_typed_checked_and_takes_over(world: World, failed: Device) -> None:
    client = world.client(world.osaka_admin)
    assert "Replace (failed)" in client.get(f"{A}/devices/{failed.uid}/").content.decode()
    here = f"{A}/devices/{failed.uid}/replace/"
    page = client.get(here).content.decode()
    assert 'value="C9300"' in page
    assert "STO-STD" in page
    form = {"serial": "", "product_id": "C9300", "name": "osaka-sw-07", "device": ""}
    refused = client.post(here, form | {"act": "check"})
    assert refused.status_code == 422
    assert "Enter the serial number of the new device" in refused.content.decode()
    form["serial"] = "FCW-2"
    checked = client.post(here, form | {"act": "check"}).content.decode()
    assert "osaka-sw-07 is taken off the account and refused if it comes back." in checked
    assert not Replacement.objects.exists()
    changed = client.post(here, form | {"act": ""})
    assert (changed.status_code, 'value="FCW-2"' in changed.content.decode()) == (200, True)
    done = client.post(here, form | {"act": "replace", "request_id": str(uuid.uuid4())}, follow=True)
    assert "osaka-sw-07 was replaced" in done.content.decode()
    made = Replacement.objects.get()
    assert made.successor.serial == "FCW-2"
    assert made.failed.name in client.get(f"{A}/replacements/?q=FCW-2").content.decode()
    assert "This device failed and was replaced by:" in client.get(f"{A}/devices/{failed.uid}/").content.decode()
    move_device(
        world.as_(world.admin), account=world.account, device_uid=made.successor.uid, target=world.tokyo,
        request_id=uuid.uuid4(),
    )  # fmt: skip
    change_device(world.as_(world.admin), account=world.account, device_uid=made.successor.uid, name="secret name")
    for page in ("replacements/", f"replacements/{made.uid}/", f"devices/{failed.uid}/"):
        shown = client.get(f"{A}/{page}").content.decode()
        assert ("secret name" in shown, "another virtual account" in shown) == (False, True)
    again = client.get(here)
    assert "This device is off the account" in again.content.decode()


def test_a_spare_device_is_chosen_from_the_list(world: World, failed: Device) -> None:
    spare = create_device(
        world.as_(world.admin),
        account=world.account,
        virtual_account=world.tokyo,
        request_id=uuid.uuid4(),
        name="spare",
    )
    here = f"{A}/devices/{failed.uid}/replace/"
    form = {"device": spare.uid, "act": "check"}
    checked = world.client(world.admin).post(here, form).content.decode()
    assert f"The new device comes from {world.tokyo.name} to {world.osaka.name}." in checked
    hidden = world.client(world.osaka_admin).post(here, form)
    assert (hidden.status_code, "Choose one of the devices." in hidden.content.decode()) == (422, True)
    assert world.client(world.viewer).get(here).status_code == 403


def test_programs_and_the_console_replace(world: World, failed: Device, capsys: pytest.CaptureFixture[str]) -> None:
    client, headers = Client(), {"Authorization": world.api_client(), "Idempotency-Key": "replace-1"}
    made = client.post(
        f"/api/v1/accounts/{world.account.identifier}/devices/{failed.uid}/replace", {"serial": "FCW-2"},
        content_type="application/json", headers=headers,
    )  # fmt: skip
    assert made.status_code == 201, made.content
    answer = made.json()
    assert answer["moved"] == [{"sku": "STO-STD", "quantity": 2, "reserved": 0}]
    listed = client.get(f"/api/v1/accounts/{world.account.identifier}/replacements", headers=headers).json()
    assert [row["uid"] for row in listed["items"]] == [answer["uid"]]
    new = answer["successor"]["uid"]
    arguments = ["devices", "replace", new, "--serial", "FCW-3", "--account", world.account.identifier, "--json"]
    assert console.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["moved"][0]["quantity"] == 2
