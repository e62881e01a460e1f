"""The list of alerts: the most urgent first, only what one may see, hidden for a while and shown again."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from daicho.core.clock import now
from daicho.domain.access.models import AccessRequest
from daicho.domain.access.rules import Role
from daicho.domain.alerts.models import Alert
from daicho.domain.alerts.queries import counts_by_virtual_account, open_major_count
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import SmartAccount
from tests.alerts.acts import device, make_short, open_alerts, run
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def alerts(clock: Any, world: World) -> World:
    """Osaka is short, a lot of Tokyo ends, two devices are twins, somebody asks for access."""
    world.deposit(world.storage, 12, world.tokyo)
    world.deposit(world.security, 7, world.tokyo, end=now() + dt.timedelta(days=12))
    make_short(world, world.osaka, world.storage, 20, 23, clock)
    for place in (world.tokyo, world.osaka):
        device(world, place, f"twin-{place.name}", product_id="C9500", serial="FCW2233A0B1")
    AccessRequest.objects.create(account=world.account, user=world.nobody, role=Role.ACCOUNT_VIEWER)
    run()
    return world


def page(world: World, person: str, rest: str = "") -> str:
    return (
        world.client(getattr(world, person)).get(f"/a/{world.account.identifier}/{rest or 'alerts/'}").content.decode()
    )


def test_the_most_urgent_comes_first_with_who_uses_it_and_what_covers_it(alerts: World) -> None:
    text = page(alerts, "admin")
    first = re.search(r"<tbody>.*?</tr>", text, re.S)
    assert first is not None
    assert "STO-STD is short of 3." in first[0]
    assert "Used by core-01 23." in text
    assert f"Spare: {alerts.tokyo.name} 12." in text
    assert "SEC-PLUS ends on" in text
    assert "Nobody asks for access." in text


def test_who_sees_only_osaka_sees_nothing_of_tokyo(alerts: World) -> None:
    text = page(alerts, "partner").replace("AOZORA Manufacturing", "")
    assert "STO-STD is short of 3." in text
    assert "twin-Osaka" in text
    for word in ("AOZORA", "SEC-PLUS", "asks for access", alerts.tokyo.uid):
        assert word not in text


@pytest.mark.parametrize(("person", "status"), [("viewer", 200), ("approver", 404), ("stranger", 404)])
def test_the_page_opens_to_who_reads_alerts(alerts: World, person: str, status: int) -> None:
    url = f"/a/{alerts.account.identifier}/alerts/"
    assert alerts.client(getattr(alerts, person)).get(url).status_code == status


def test_the_bell_counts_major_alerts_that_one_may_see(alerts: World) -> None:
    account = alerts.account
    assert open_major_count(alerts.as_(alerts.admin), account) == 1
    assert open_major_count(alerts.as_(alerts.partner), account) == 1
    assert open_major_count(alerts.as_(alerts.stranger), account) == 0
    SmartAccount.objects.filter(pk=account.pk).update(good_standing_until=None)
    run()
    assert open_major_count(alerts.as_(alerts.admin), account) == 2
    assert open_major_count(alerts.as_(alerts.partner), account) == 1
    assert counts_by_virtual_account(alerts.as_(alerts.partner), account) == {alerts.osaka.pk: 3}


@pytest.mark.parametrize(
    ("query", "words", "absent"),
    [
        ("severity=major", ["STO-STD is short"], ["SEC-PLUS"]),
        ("kind=ending", ["SEC-PLUS"], ["STO-STD is short"]),
        ("q=fcw2233", ["twin-Osaka"], ["SEC-PLUS"]),
        ("hidden=1", [], ["SEC-PLUS", "STO-STD"]),
    ],
)
def test_filters_narrow_the_list(alerts: World, query: str, words: list[str], absent: list[str]) -> None:
    text = page(alerts, "admin", f"alerts/?{query}")
    assert all(word in text for word in words)
    assert not any(word in text for word in absent)


def test_an_alert_is_hidden_shown_again_and_comes_back_by_itself(alerts: World, clock: Any) -> None:
    (alert,) = open_alerts("insufficient_licenses")
    browser = alerts.client(alerts.admin)
    base = f"/a/{alerts.account.identifier}/alerts"
    answer = browser.post(f"{base}/{alert.uid}/hide/", follow=True)
    assert "The alert is hidden until 24 Dec 2026." in answer.content.decode()
    assert "is short of" not in page(alerts, "viewer")
    assert "is short of" in page(alerts, "viewer", "alerts/?hidden=1")
    assert open_major_count(alerts.as_(alerts.admin), alerts.account) == 0

    browser.post(f"{base}/{alert.uid}/show/")
    assert "is short of" in page(alerts, "viewer")

    browser.post(f"{base}/{alert.uid}/hide/", {"until": "2026-11-26"})
    clock.move_to(dt.datetime(2026, 11, 26, 14, 59, tzinfo=dt.UTC))
    assert open_major_count(alerts.as_(alerts.admin), alerts.account) == 0
    clock.move_to(dt.datetime(2026, 11, 26, 15, 0, tzinfo=dt.UTC))
    assert open_major_count(alerts.as_(alerts.admin), alerts.account) == 1
    kinds = list(Event.objects.filter(subject_uid=alert.uid).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["alert.hidden", "alert.shown", "alert.hidden"]
    assert Event.objects.filter(kind="alert.hidden").first().virtual_account == alerts.osaka  # type: ignore[union-attr]


@pytest.mark.parametrize("until", ["2026-11-24", "2020-01-01", "2028-01-01", "soon"])
def test_an_alert_is_hidden_for_a_day_ahead_and_a_year_at_most(alerts: World, until: str) -> None:
    (alert,) = open_alerts("insufficient_licenses")
    url = f"/a/{alerts.account.identifier}/alerts/{alert.uid}/hide/"
    assert alerts.client(alerts.admin).post(url, {"until": until}).status_code == 422
    assert Alert.objects.get(pk=alert.pk).hidden_until is None


@pytest.mark.parametrize(
    ("person", "kind", "status"),
    [
        ("viewer", "insufficient_licenses", 403),
        ("user", "insufficient_licenses", 302),
        ("osaka_admin", "insufficient_licenses", 302),
        ("osaka_admin", "ending", 404),
        ("osaka_admin", "access_request_waiting", 404),
        ("user", "access_request_waiting", 404),
        ("viewer", "access_request_waiting", 403),
        ("stranger", "insufficient_licenses", 404),
    ],
)
def test_who_answers_a_kind_of_alert_hides_it(alerts: World, person: str, kind: str, status: int) -> None:
    (alert,) = open_alerts(kind)
    url = f"/a/{alerts.account.identifier}/alerts/{alert.uid}/hide/"
    assert alerts.client(getattr(alerts, person)).post(url).status_code == status


def test_the_list_reads_well_in_japanese(alerts: World) -> None:
    alerts.admin.language = "ja"
    alerts.admin.save()
    text = alerts.client(alerts.admin).get(f"/a/{alerts.account.identifier}/alerts/").content.decode()
    assert "STO-STDが3不足しています。" in text
    assert "SEC-PLUSは2026/12/06に期限を迎えます。" in text
