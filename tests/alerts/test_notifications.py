"""Everybody chooses how to hear of an account; further addresses are the account's own, and confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daicho.domain.alerts.models import ExtraAddress, NotificationSetting
from daicho.domain.alerts.queries import Notifications, my_notifications
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.alerts.acts import rendered
from tests.world import World

pytestmark = pytest.mark.django_db


def url(world: World, rest: str = "") -> str:
    return f"/a/{world.account.identifier}/notifications/{rest}"


def test_a_person_who_never_chose_has_the_usual_settings(world: World) -> None:
    assert my_notifications(world.as_(world.partner), world.account) == Notifications(True, True, (90, 30, 7), ())
    page = world.client(world.partner).get(url(world)).content.decode()
    assert "Further addresses" not in page


def test_settings_are_saved_with_an_event(clock: Any, world: World) -> None:
    answer = world.client(world.user).post(
        url(world), {"daily_summary": "on", "days": ["7", "60"], "kinds": ["ending", "ended"]}
    )
    assert answer.status_code == 302
    setting = NotificationSetting.objects.get(user=world.user)
    assert (setting.at_once, setting.daily_summary, setting.days) == (False, True, [60, 7])
    assert "insufficient_licenses" in setting.muted_kinds
    assert "ending" not in setting.muted_kinds
    event = Event.objects.get(kind="notification.changed")
    assert event.before["days"] == [90, 30, 7]
    assert event.after["days"] == [60, 7]


def test_days_that_nobody_offers_are_refused(world: World) -> None:
    answer = world.client(world.user).post(url(world), {"days": ["5"]})
    assert answer.status_code == 422
    assert not NotificationSetting.objects.filter(user=world.user).exists()


def test_an_address_of_the_domain_is_confirmed_by_its_link(clock: Any, world: World) -> None:
    answer = world.client(world.admin).post(
        url(world, "addresses/"), {"email": "IT@mail.aozora.example.co.jp", "language": "ja"}, follow=True
    )
    assert "it@mail.aozora.example.co.jp" in answer.content.decode()
    assert "Not confirmed yet" in answer.content.decode()
    mail = Mail.objects.get(template="extra_address_confirm")
    link = next(line for line in rendered(mail).text.splitlines() if line.startswith("http"))
    path = link.removeprefix("http://testserver")

    page = world.client(None).get(path)
    assert page.status_code == 200
    assert ExtraAddress.objects.get().confirmed_at is None, "opening the link changes nothing"
    assert "confirmed" in world.client(None).post(path).content.decode()
    assert ExtraAddress.objects.get().confirmed_at is not None
    assert world.client(None).post(path).status_code == 200, "again does nothing"
    assert Event.objects.filter(kind="extra_address.confirmed").count() == 1
    assert world.client(None).get(path.replace("confirm/", "confirm/x")).status_code == 404


def test_a_link_ends_after_a_week(clock: Any, world: World) -> None:
    world.client(world.admin).post(url(world, "addresses/"), {"email": "it@aozora.example.co.jp", "language": "en"})
    token = Mail.objects.get(template="extra_address_confirm").context["token"]
    clock.shift(dt.timedelta(days=7))
    answer = world.client(None).post(f"/notifications/confirm/{token}/")
    assert answer.status_code == 410
    assert ExtraAddress.objects.get().confirmed_at is None


@pytest.mark.parametrize("email", ["it@elsewhere.example.jp", "it@evilaozora.example.co.jp", "nonsense", ""])
def test_addresses_outside_the_domain_are_refused(world: World, email: str) -> None:
    answer = world.client(world.admin).post(url(world, "addresses/"), {"email": email, "language": "ja"})
    assert answer.status_code == 422
    assert not ExtraAddress.objects.exists()
    assert not Mail.objects.exists()


def test_an_address_is_listed_once_and_removed(world: World) -> None:
    browser = world.client(world.admin)
    assert (
        browser.post(url(world, "addresses/"), {"email": "it@aozora.example.co.jp", "language": "ja"}).status_code
        == 302
    )
    assert (
        browser.post(url(world, "addresses/"), {"email": "it@aozora.example.co.jp", "language": "ja"}).status_code
        == 422
    )
    uid = ExtraAddress.objects.get().uid
    assert world.client(world.user).post(url(world, f"addresses/{uid}/remove/")).status_code == 403
    assert world.client(world.stranger).post(url(world, f"addresses/{uid}/remove/")).status_code == 404
    assert browser.post(url(world, f"addresses/{uid}/remove/")).status_code == 302
    assert not ExtraAddress.objects.exists()
    assert Event.objects.filter(kind="extra_address.removed").count() == 1
