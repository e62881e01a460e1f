"""予約 in the portal: from the request code to the return, as a person does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.audit.models import Event
from daicho.domain.devices.models import Reservation, SigningKey
from daicho.interfaces.cli import main as console
from tests.devices.test_reservations import Room, room
from tests.support.offline_device import OfflineDevice

__all__ = ["room"]
A = "/a/aozora.example.co.jp"
API = "/api/v1/accounts/aozora.example.co.jp/reservations"


@pytest.fixture
def client(room: Room) -> Client:
    return room.world.client(room.world.osaka_admin)


def carried(room: Room, client: Client, here: str) -> None:
    """The authorization is shown, and carried to the device as a file."""
    assert "Show the authorization code" in client.get(f"{here}codes/").content.decode()
    shown = client.post(f"{here}codes/", follow=True).content.decode()
    assert "<svg" in shown
    file = client.get(f"{here}file/").content.decode()
    assert json.loads(file)["code"].split("\n")[0] in shown
    room.device.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
    room.device.take_file(file)


def test_from_the_request_code_to_the_return(room: Room, client: Client) -> None:
    wrong = client.post(f"{A}/va/{room.world.osaka.uid}/reservations/new/", {"code": "00000-00000"})
    assert wrong.status_code == 422
    assert "Line 1 of the code is mistyped." in wrong.content.decode()
    asked = client.post(f"{A}/va/{room.world.osaka.uid}/reservations/new/", {"code": room.device.request_code()})
    choose = asked["Location"]
    page = client.get(choose).content.decode()
    assert "Virtual account" in page
    assert room.lot.uid in page
    cell = f"n-{room.lot.uid}"
    too_many = client.post(choose, {cell: "21", "act": "check"})
    assert too_many.status_code == 422
    assert "At most 20 can be reserved of this lot." in too_many.content.decode()
    check = client.post(choose, {cell: "１０", "act": "check", "name": "vault", "memo": "Ringi 42"})["Location"]
    page = client.get(check).content.decode()
    assert "Reserve 10 licenses" in page
    form = {"request_id": page.split('name="request_id" value="')[1].split('"')[0]}
    codes = client.post(check, form)["Location"]
    assert client.post(check, form)["Location"] == codes
    reservation = Reservation.objects.get()
    here = f"{A}/va/{room.world.osaka.uid}/reservations/{reservation.uid}/"
    carried(room, client, here)
    confirmation = room.device.confirmation_code()
    other = client.post(f"{here}confirm/", {"code": OfflineDevice().request_code()})
    assert other.status_code == 422
    assert "This is another kind of code." in other.content.decode()
    done = client.post(f"{here}confirm/", {"code": confirmation}, follow=True).content.decode()
    assert "The device has installed its authorization." in done
    listed = client.get(f"{A}/reservations/").content.decode()
    assert "vault" in listed
    assert "NET-ADV 10" in listed
    assert "vault" not in client.get(f"{A}/reservations/?state=unfinished").content.decode()
    device = client.get(f"{A}/devices/{reservation.holder.unit.device.uid}/").content.decode()
    assert f"reservations/{reservation.uid}/" in device
    changed = client.post(f"{here}change/", {cell: "4"}, follow=True).content.decode()
    assert "The change was prepared." in changed
    assert "vault" in client.get(f"{A}/reservations/?state=unfinished&q=vault").content.decode()
    carried(room, client, here)
    client.post(f"{here}confirm/", {"code": room.device.confirmation_code()})
    page = client.get(f"{here}return/").content.decode()
    assert "NET-ADV 4 become spare." in page
    file = SimpleUploadedFile("return.json", json.dumps({"daicho": "air-gapped-return/1", "code": room.device.return_code()}).encode())  # fmt: skip
    done = client.post(f"{here}return/", {"file": file}, follow=True).content.decode()
    assert "The licenses of the device were returned" in done
    assert "Nothing is reserved any more." in done
    assert room.figures() == (25, 0)


def test_a_device_that_says_what_it_wants_needs_no_lots_chosen(room: Room, client: Client) -> None:
    code = room.device.request_file({"NET-ADV": 22, "NOT-SOLD": 1}, name="vault-1")
    choose = client.post(f"{A}/reservations/new/", {"code": code})["Location"]
    page = client.get(choose).content.decode()
    assert "All that the device asks for (NET-ADV 22)" in page
    assert "The device asks for 1 license that the catalog does not know." in page
    assert f'name="n-{room.lot.uid}" value="20"' in page
    check = client.post(choose, {"choice": "universal", "act": "check"})["Location"]
    client.post(check)
    made = Reservation.objects.get()
    assert made.is_universal
    assert room.figures() == (3, 22)
    client.post(f"{A}/reservations/{made.uid}/undo/")
    assert room.figures() == (25, 0)


def test_half_way_cancel_asks_an_administrator_for_a_statement(room: Room, client: Client) -> None:
    world = room.world
    reservation = room.reserve_ten()
    here = f"{A}/reservations/{reservation.uid}/"
    carried(room, client, here)
    user = world.client(world.user)
    assert "Only an administrator" in user.get(f"{here}withdraw/").content.decode()
    assert user.post(f"{here}withdraw/", {"statement": "It was never switched on."}).status_code == 403
    assert client.post(f"{here}withdraw/", {"statement": "no"}).status_code == 422
    done = client.post(f"{here}withdraw/", {"statement": "It was never switched on."}, follow=True).content.decode()
    assert "It was never switched on." in done
    assert Event.objects.filter(kind="reservation.withdrawn").count() == 1


def test_who_only_reads_sees_reservations_but_no_codes(room: Room) -> None:
    world = room.world
    reservation = room.reserve_ten()
    room.install(reservation)
    viewer, here = world.client(world.viewer), f"{A}/reservations/{reservation.uid}/"
    page = viewer.get(here).content.decode()
    assert "NET-ADV" in page
    for part in ("codes/", "file/", "confirm/", "withdraw/"):
        assert part not in page
        assert viewer.get(here + part).status_code == 403
    assert viewer.get(f"{A}/reservations/new/").status_code == 403


def test_by_program_lists_are_filtered_and_paged(room: Room) -> None:
    world = room.world
    first = room.reserve_ten()
    room.device = OfflineDevice(serial="SN-0002")
    room.install(room.reserve_ten())
    headers = {"Authorization": world.api_client()}
    page = Client().get(f"{API}?size=1", headers=headers).json()
    assert [one["state"] for one in page["items"]] == ["waiting"]
    rest = Client().get(f"{API}?size=1&cursor={page['next']}", headers=headers).json()
    assert [(one["uid"], one["acts"]) for one in rest["items"]] == [(first.uid, ["show", "undo"])]
    assert Client().get(f"{API}?text=sn-0002&state=prepared", headers=headers).json()["items"] == []
    refused = Client().post(
        f"{API}/read-code", {"code": "1"}, content_type="application/json", headers=headers | {"Accept-Language": "ja"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "code_line_wrong")


def test_at_the_console_codes_go_by_files(room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> Any:
        assert console.main(["reservations", *words, "--account", "aozora.example.co.jp", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    request, authorization, code = tmp_path / "request.json", tmp_path / "authorization.json", tmp_path / "code.txt"
    request.write_text(room.device.request_file({"NET-ADV": 3}))
    made = said("reserve", str(request), "--virtual-account", "Osaka")
    said("authorization", str(authorization), made["uid"])
    room.device.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
    room.device.take_file(authorization.read_text())
    code.write_text(room.device.confirmation_code())
    assert said("confirm", str(code), made["uid"])["state"] == "installed"
    (listed,) = said("list")
    assert (listed["state"], listed["licenses"][0]["quantity"]) == ("installed", 3)
    code.write_text(room.device.return_code())
    assert said("return", str(code), made["uid"])["state"] == "returned"
    assert said("list", "--state", "unfinished") == []
