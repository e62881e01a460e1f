"""A session ends 12 hours after its last use and 7 days after log-in (product.md, Numbers)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory

from daicho.interfaces.portal.middleware import SessionLimitsMiddleware

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 24, 0, 0, tzinfo=dt.UTC)


@pytest.fixture
def user():
    return get_user_model().objects.create_user("sato@example.co.jp", "a long enough password")


@pytest.fixture
def visit(client, user):
    """One request of the logged-in person; whether the session still holds, and whether it was written."""

    def visit() -> tuple[bool, bool]:
        request = RequestFactory().get("/")
        request.session = SessionStore(client.cookies["sessionid"].value)
        request.user = user if "_auth_user_id" in request.session else AnonymousUser()
        SessionLimitsMiddleware(lambda _: HttpResponse())(request)
        if request.session.modified and request.session.session_key:
            request.session.save()
        return "_auth_user_id" in request.session, request.session.modified

    return visit


def test_use_keeps_a_session_alive_beyond_twelve_hours(client, user, visit) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(user)
        for _ in range(4):
            assert visit()[0]
            clock.shift(dt.timedelta(hours=11))
        clock.shift(dt.timedelta(hours=2))
        assert not visit()[0]


def test_after_seven_days_even_a_busy_session_ends(client, user, visit) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(user)
        for _ in range(21):
            assert visit()[0]
            clock.shift(dt.timedelta(hours=8))
        clock.shift(1)
        assert not visit()[0]


def test_reading_pages_writes_the_session_at_most_every_five_minutes(client, user, visit) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(user)
        visit()
        clock.shift(299)
        assert visit() == (True, False)
        clock.shift(1)
        assert visit() == (True, True)
