"""Alerts, notifications and failed mails by the API, and failed mails at the console."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daicho.domain.alerts.models import Alert, ExtraAddress
from daicho.domain.mailbox.commands import claim_next, mail_refused, post_mail
from daicho.domain.mailbox.models import Mail
from daicho.interfaces.cli.main import main
from tests.alerts.acts import make_short, run
from tests.world import World

pytestmark = pytest.mark.django_db


def call(world: World, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
    browser = world.client(None)
    header = kwargs.pop("header", None) or world.api_client(**kwargs)
    return getattr(browser, method)(
        f"/api/v1/{path}", data=json.dumps(body or {}), content_type="application/json", HTTP_AUTHORIZATION=header
    )


def read(world: World, path: str, **kwargs: Any) -> Any:
    return world.client(None).get(f"/api/v1/{path}", HTTP_AUTHORIZATION=world.api_client(**kwargs))


def test_an_alert_is_read_hidden_and_shown(clock: Any, world: World) -> None:
    world.deposit(world.storage, 12, world.tokyo)
    make_short(world, world.osaka, world.storage, 20, 23, clock)
    run()
    base = f"accounts/{world.account.identifier}/alerts"
    (alert, *_) = read(world, base).json()["items"]
    assert (alert["kind"], alert["missing"], alert["virtual_account"]) == ("insufficient_licenses", 3, "Osaka")
    assert alert["used_by"][0]["device"] == "core-01"
    assert alert["spares"] == [{"virtual_account": world.tokyo.name, "sku": "STO-STD", "quantity": 12}]

    hidden = call(world, "post", f"{base}/{alert['uid']}/hide", {"until": "2026-12-01"})
    assert hidden.status_code == 200
    assert hidden.json()["hidden_until"] is not None
    assert read(world, f"{base}?severity=major").json()["items"] == []
    assert len(read(world, f"{base}?hidden=true").json()["items"]) == 1
    shown = call(world, "post", f"{base}/{alert['uid']}/show")
    assert shown.json()["hidden_until"] is None
    refused = call(world, "post", f"{base}/{alert['uid']}/hide", {"until": "2020-01-01"})
    assert refused.status_code == 422
    assert Alert.objects.get(uid=alert["uid"]).hidden_until is None


def test_a_person_sets_notifications_and_a_program_has_none(world: World) -> None:
    path = f"/api/v1/accounts/{world.account.identifier}/notifications"
    browser = world.client(world.user)
    body = {"at_once": False, "daily_summary": True, "days": [7, 1], "muted_kinds": ["ended"]}
    changed = browser.put(path, data=json.dumps(body), content_type="application/json")
    assert changed.status_code == 200
    assert browser.get(path).json() == {**body, "days": [7, 1]}
    body["days"] = [5]
    assert browser.put(path, data=json.dumps(body), content_type="application/json").status_code == 422
    assert read(world, f"accounts/{world.account.identifier}/notifications").status_code == 401


def test_further_addresses_are_added_listed_and_removed(world: World) -> None:
    base = f"accounts/{world.account.identifier}/extra-addresses"
    added = call(world, "post", base, {"email": "it@aozora.example.co.jp"})
    assert added.status_code == 201
    assert [one["email"] for one in read(world, base).json()] == ["it@aozora.example.co.jp"]
    token = Mail.objects.get(template="extra_address_confirm").context["token"]
    assert call(world, "post", "extra-addresses/confirm", {"token": token}).status_code == 204
    assert ExtraAddress.objects.get().confirmed_at is not None
    assert call(world, "delete", f"{base}/{added.json()['uid']}").status_code == 204
    assert call(world, "post", base, {"email": "it@evil.example.jp"}).status_code == 422


def test_failed_mails_are_listed_and_sent_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    mail = post_mail("daily_summary", to="gone@aozora.example.co.jp")
    claim = claim_next(domain="testserver")
    assert claim is not None
    mail_refused(claim, "550 no such user", for_good=True)

    browser = world.client(world.operator)
    (listed,) = browser.get("/api/v1/operator/mails").json()
    assert (listed["uid"], listed["last_error"]) == (mail.uid, "550 no such user")
    assert read(world, "operator/mails").status_code == 404
    assert main(["mail", "list"]) == 0
    assert "550 no such user" in capsys.readouterr().out
    assert main(["mail", "retry", mail.uid]) == 0
    mail.refresh_from_db()
    assert mail.state == Mail.State.WAITING
    assert main(["mail", "retry", "nonsense"]) == 1
    assert main(["mail", "retry", "--json"]) == 0
