"""Registration tokens in the portal, by program and by console: issued, shown to those who may issue, revoked."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from daicho.domain.audit.models import Event
from daicho.domain.devices.commands.tokens import secret_of
from daicho.domain.devices.models import RegistrationToken
from daicho.interfaces.cli import main as console
from tests.devices.conftest import Fleet
from tests.world import World

A = "/a/aozora.example.co.jp"
API = "/api/v1/accounts/aozora.example.co.jp/registration-tokens"


def test_tokens_for_several_places_are_issued_and_one_is_shown_and_revoked(world: World) -> None:
    client = world.client(world.admin)
    assert "Registration tokens" in client.get(f"{A}/devices/").content.decode()
    form = {"virtual_accounts": [world.osaka.uid, world.tokyo.uid], "description": "Switches", "days": 30, "uses": 5}
    done = client.post(f"{A}/tokens/new/", form, follow=True)
    assert "2 tokens were issued." in done.content.decode()
    token = RegistrationToken.objects.get(virtual_account=world.osaka)
    here = f"{A}/tokens/{token.uid}/"
    page = client.get(here).content.decode()
    assert "5 / 5" in page
    assert secret_of(token) not in page
    shown = client.post(f"{here}show/").content.decode()
    assert secret_of(token) in shown
    assert "<svg" in shown
    file = client.post(f"{here}show/", {"as": "file"})
    assert file.content.decode() == f"{secret_of(token)}\n"
    assert Event.objects.filter(kind="token.shown").count() == 2
    revoked = client.post(f"{here}revoke/", follow=True)
    assert "The token was revoked." in revoked.content.decode()
    assert client.get(f"{A}/tokens/?state=revoked").content.decode().count("Switches") >= 1
    assert "Switches" not in client.get(f"{A}/va/{world.osaka.uid}/tokens/?state=open").content.decode()


def test_limits_are_told_at_the_field(world: World) -> None:
    client = world.client(world.admin)
    for wrong in ({"days": 366}, {"uses": 0}, {"uses": "many"}, {"virtual_accounts": []}, {"virtual_accounts": ["no"]}):
        form = {"virtual_accounts": [world.osaka.uid], "days": 30, "uses": 5} | wrong
        assert client.post(f"{A}/tokens/new/", form).status_code == 422
    assert not RegistrationToken.objects.exists()


def test_who_may_not_issue_sees_no_secret_and_nothing_of_other_places(fleet: Fleet) -> None:
    world = fleet.world
    token = fleet.token(world.osaka, description="Osaka only")
    viewer = world.client(world.viewer)
    assert viewer.get(f"{A}/tokens/").status_code == 404
    assert viewer.get(f"{A}/tokens/{token.uid}/").status_code == 404
    assert viewer.post(f"{A}/tokens/{token.uid}/show/").status_code == 403
    elsewhere = fleet.token(world.tokyo, description="Tokyo only")
    partner = world.client(world.partner)
    assert "Tokyo only" not in partner.get(f"{A}/tokens/").content.decode()
    assert partner.get(f"{A}/tokens/{elsewhere.uid}/").status_code == 404
    assert partner.post(f"{A}/tokens/{elsewhere.uid}/revoke/").status_code == 404


def test_the_devices_that_used_it_are_named(fleet: Fleet) -> None:
    token = fleet.token()
    fleet.register(token, serial="SN-77")
    assert "SN-77" in fleet.world.client(fleet.world.admin).get(f"{A}/tokens/{token.uid}/").content.decode()


def test_programs_and_the_console_issue_and_revoke(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    client, headers = Client(), {"Authorization": world.api_client(), "Idempotency-Key": "tokens-1"}
    body = {"virtual_accounts": [world.osaka.uid], "uses": 3, "description": "x"}
    made = client.post(API, body, content_type="application/json", headers=headers)
    assert made.status_code == 201, made.content
    assert client.post(API, body, content_type="application/json", headers=headers).json() == made.json()
    (row,) = made.json()["items"]
    assert (row["state"], row["max_uses"]) == ("open", 3)
    headers["Idempotency-Key"] = "tokens-2"
    shown = client.post(f"{API}/{row['uid']}/show", headers=headers).json()
    assert shown["token"] == secret_of(RegistrationToken.objects.get())
    headers["Idempotency-Key"] = "tokens-3"
    gone = client.post(f"{API}/{row['uid']}/revoke", {}, content_type="application/json", headers=headers).json()
    assert gone["state"] == "revoked"
    assert client.get(f"{API}?state=open", headers=headers).json()["items"] == []
    account = ["--account", world.account.identifier, "--json"]
    assert console.main(["devices", "issue-token", world.osaka.name, *account]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["token"] == secret_of(RegistrationToken.objects.get(uid=answer["uid"]))
    assert console.main(["devices", "revoke-token", answer["uid"], *account]) == 0
    capsys.readouterr()
    assert console.main(["device-keys", "rotate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2
    assert console.main(["device-keys", "show"]) == 0
    assert capsys.readouterr().out.count("\n") == 2
