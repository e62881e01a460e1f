"""What devices print in the portal: pasted or uploaded, checked, chosen, taken over once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from daicho.domain.devices.models import Device
from daicho.domain.ledger.models import Use
from daicho.interfaces.cli import main as console
from tests.devices.printed_texts import LOG, STACK, SUMMARY
from tests.world import World

A = "/a/aozora.example.co.jp"


def test_a_log_is_pasted_checked_and_taken_over(world: World) -> None:
    client = world.client(world.admin)
    assert "Import what devices print" in client.get(f"{A}/devices/").content.decode()
    text = LOG.replace("network-advantage", "mystery").replace("Network Advantage", "Mystery")
    read = client.post(f"{A}/device-imports/", {"text": text, "virtual_account": world.osaka.uid})
    assert read.status_code == 302, read.content.decode()
    page = client.get(read["Location"]).content.decode()
    for words in ("osaka-core", "AOZ0000A001", "with 1 more of its stack", "Import 2 devices", "Not in the catalog"):
        assert words in page
    refused = client.post(read["Location"], {"act": "import"})
    assert refused.status_code == 422
    assert not Device.objects.exists()
    (field,) = re.findall(r'name="(l-[0-9a-f]{16})"[^>]*aria-invalid', page)
    keys = re.findall(r'name="(l-[0-9a-f]{16})"', page)
    looked = client.post(read["Location"], dict.fromkeys(keys, "=") | {"act": "check", field: "NET-PREM"})
    assert looked.content.decode().count("Chosen by you") == 1
    assert '<option value="NET-PREM" selected>' in looked.content.decode()
    assert "Choose the license, or leave it out" not in looked.content.decode()
    assert not Device.objects.exists()
    form = {"act": "import", field: "NET-PREM", "request_id": "33333333-3333-4333-8333-333333333333"}
    done = client.post(read["Location"], form, follow=True)
    assert "2 devices were registered, 2 counts of use were changed" in done.content.decode()
    assert sorted(Use.objects.values_list("tag__sku", "reported")) == [("NET-PREM", 2), ("STO-STD", 1)]
    (undo,) = re.findall(r'action="([^"]+/device-imports/undo/[^"]+)"', done.content.decode())
    assert "The import was undone" in client.post(undo, follow=True).content.decode()
    assert not Use.objects.filter(reported__gt=0).exists()


def test_a_file_in_any_encoding_updates_and_leaves_out(world: World) -> None:
    client = world.client(world.osaka_admin)
    for count in ("2", "4"):
        text = STACK.replace("C9300-24 Network Advantage", "NET-ADV").replace("Count: 2", f"Count: {count}")
        file = SimpleUploadedFile("大阪.log", text.replace("\n", "\r\n").encode("utf-16"))
        read = client.post(f"{A}/device-imports/", {"file": file, "virtual_account": world.osaka.uid})
        assert client.post(read["Location"], {"act": "import"}).status_code == 302
    assert (Device.objects.count(), Use.objects.get(tag=world.advantage).reported) == (1, 4)


def test_what_is_wrong_with_a_text_is_told_and_a_device_can_be_chosen(world: World) -> None:
    client = world.client(world.admin)
    for form in ({"text": " "}, {"text": "hello"}, {"file": SimpleUploadedFile("a.bin", b"\x00\x01")}):
        assert client.post(f"{A}/device-imports/", form).status_code == 422
    client.post(f"{A}/devices/new/", {"name": "leaf", "virtual_account": world.osaka.uid})
    device = Device.objects.get()
    read = client.post(f"{A}/device-imports/", {"text": SUMMARY + "  garbled (NET-ADV) lots IN USE\n"})
    page = client.get(read["Location"]).content.decode()
    assert "The device of line 1" in page
    assert "garbled (NET-ADV) lots IN USE" in page
    assert client.post(read["Location"], {"act": "import", "d-1": device.uid}).status_code == 422
    assert client.post(read["Location"], {"act": "import", "d-1": device.uid, "unread": "on"}).status_code == 302
    assert Use.objects.get(unit=device.unit).reported == 99
    assert world.client(world.viewer).get(f"{A}/device-imports/").status_code == 403
    options = client.get(f"{A}/device-imports/licenses/?q=premier").json()["options"]
    assert options == [{"value": "NET-PREM", "label": "NET-PREM Network Premier", "hint": ""}]


def test_programs_look_then_import_under_one_key(world: World) -> None:
    client, url = world.client(None), "/api/v1/accounts/aozora.example.co.jp/device-imports"
    head = {"HTTP_AUTHORIZATION": world.api_client(), "content_type": "application/json"}
    body: dict[str, object] = {"text": LOG.replace("network", "mystery").replace("Network", "Mystery")}
    refused = client.post(url, {**body, "virtual_account": world.osaka.uid}, **head)
    assert (refused.status_code, refused.json()["data"]["rows"][0]["code"]) == (422, "unknown_printed_license")
    looked = client.post(f"{url}/preview", body, **head).json()
    assert [(one["row"], one["code"]) for one in looked["problems"]] == [
        (4, "required"), (19, "unknown_printed_license"), (59, "required"),
    ]  # fmt: skip
    (key,) = [one["key"] for one in looked["names"] if one["by"] == "unknown"]
    whole = {**body, "virtual_account": world.osaka.uid, "licenses": {key: "NET-ESS"}}
    done = [client.post(url, whole, HTTP_IDEMPOTENCY_KEY="import-1", **head) for _ in range(2)]
    assert done[0].json() == done[1].json()
    assert [one["licenses"] for one in done[0].json()["devices"]] == [
        [{"sku": "NET-ESS", "before": 0, "after": 2}], [{"sku": "STO-STD", "before": 0, "after": 1}],
    ]  # fmt: skip
    assert Device.objects.count() == 2


def test_the_console_imports_too(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "core.log"
    file.write_text(LOG.replace("network", "mystery").replace("Network", "Mystery"))

    def say(*more: str) -> tuple[int, dict[str, Any]]:
        code = console.main(
            ["devices", "import-printed", str(file), "--account", world.account.identifier, "--json", *more]
        )
        return code, json.loads(capsys.readouterr().out)

    code, told = say("--virtual-account", "Osaka")
    assert (code, [one["code"] for one in told["errors"]]) == (1, ["unknown_printed_license"])
    (key,) = [one["key"] for one in told["names"] if one["by"] == "unknown"]
    known = ("--virtual-account", "Osaka", "--license", f"{key}=NET-ADV")
    assert [one["act"] for one in say(*known, "--dry-run")[1]["devices"]] == ["create", "create"]
    assert not Device.objects.exists()
    assert say(*known)[0] == 0
    assert [one["act"] for one in say("--leave-out-unknown")[1]["devices"]] == ["update", "update"]
    assert Use.objects.get(tag=world.advantage).reported == 2
