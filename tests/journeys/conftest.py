"""One running portal with one browser for all journeys; every journey brings companies and people of its own.

Nothing is emptied between journeys: what one leaves behind is another company's, as in an installation.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client, override_settings
from django.utils import translation
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from daicho.core.clock import now
from daicho.domain.access.models import User
from daicho.domain.access.rules import Role
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.check import check_ledger
from daicho.domain.mailbox.models import Mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from daicho.interfaces.jobs.periodic import JOBS
from daicho.interfaces.mail.sender import send_due
from tests.journeys.person import Person
from tests.stranger.victim import Victim, make_victim
from tests.support.browser import browser
from tests.world import grant, make_account, make_user, make_virtual_account, make_world

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps an event loop in this thread
LINK = re.compile(r"https?://[^\s<>「」、。（）]+")
NUMBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/journeys/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.sqlite)


@dataclass
class Letter:
    """A mail as its reader gets it."""

    subject: str
    text: str

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.text)

    @property
    def link(self) -> str:
        return self.links[0]


@dataclass
class Company:
    """A company with an active account, its administrator, and virtual accounts for two places."""

    account: SmartAccount
    admin: User
    default: VirtualAccount
    tokyo: VirtualAccount
    osaka: VirtualAccount

    @property
    def url(self) -> str:
        return f"/a/{self.account.identifier}/"


class Town:
    """Where the journeys happen: the portal, its people, its post."""

    def __init__(self, url: str, chromium: Browser, victim: Victim) -> None:
        self.url = url
        self.chromium = chromium
        self.victim = victim
        self.world = victim.world
        self.people: list[Person] = []

    def person(self, user: User | None = None, *, language: str = "", **options: Any) -> Person:
        """Somebody at an own browser; logged in already when he is known."""
        one = Person(self.chromium, self.url, language or translation.get_language() or "ja", **options)
        self.people.append(one)
        if user is not None:
            User.objects.filter(pk=user.pk).update(language=one.language)
            client = Client()
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            one.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.url}])
        return one

    def domain(self) -> str:
        return f"town{next(NUMBERS)}.example"  # registrable, each one its own

    def company(self, name: str = "") -> Company:
        language = translation.get_language() or "ja"
        domain = self.domain()
        tokyo, osaka = {"ja": ("東京本社", "大阪支店")}.get(language, ("Tokyo HQ", "Osaka branch"))
        account = make_account(domain, name or {"ja": "株式会社みなと"}.get(language, "Minato Inc."))
        admin = self.user(account, "Hanako Sato")
        return Company(
            account,
            admin,
            VirtualAccount.objects.get(account=account, is_default=True),
            make_virtual_account(account, tokyo, visibility=VirtualAccount.Visibility.PUBLIC),
            make_virtual_account(account, osaka),
        )

    def user(
        self,
        account: SmartAccount | None,
        name: str,
        role: Role | None = Role.ACCOUNT_ADMINISTRATOR,
        place: VirtualAccount | None = None,
        email: str = "",
    ) -> User:
        language = translation.get_language() or "ja"
        address = email or f"user{next(NUMBERS)}@{account.identifier if account else self.domain()}"
        user = make_user(address, name, language=language)
        if account is not None and role is not None:
            grant(user, role, account, place)
        return user

    def deposit(self, tag: LicenseTag, quantity: int, place: VirtualAccount, **fields: Any) -> None:
        self.world.deposit(tag, quantity, place, **fields)

    def work(self, *names: str) -> None:
        """What the worker does within a minute."""
        for job in JOBS:
            if not names or job.name in names:
                job.run()

    def letters(self, to: str) -> list[Letter]:
        """The mails that this person has got, oldest first."""
        send_due()
        rows = Mail.objects.filter(to=to, state=Mail.State.SENT).order_by("pk")
        return [Letter(mail.shown["subject"], mail.shown["text"]) for mail in rows if mail.shown]

    def letter(self, to: str) -> Letter:
        """The newest mail that this person has got."""
        found = self.letters(to)
        waiting = Mail.objects.filter(to=to).exclude(state=Mail.State.SENT).values_list("template", "last_error")
        assert found, f"{to} has got no mail; waiting: {list(waiting)}"
        return found[-1]

    def in_days(self, days: int) -> dt.datetime:
        return now() + dt.timedelta(days=days)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="package")
def whole_town(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    chromium: Browser,
) -> Iterator[Town]:
    """A database file of its own: the ledger's tables cannot be emptied again, and need not be."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setitem(connections.databases["default"], "NAME", str(tmp_path_factory.mktemp("town") / "town.sqlite3"))
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        server = LiveServer("localhost")
        with override_settings(SITE_URL=server.url):
            yield Town(server.url, chromium, make_victim(make_world()))
        server.stop()
        connection.close()


@pytest.fixture(params=["ja", "en"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


@pytest.fixture
def town(whole_town: Town, language: str) -> Iterator[Town]:
    """The town for one journey: afterwards every browser is closed, its console was empty, and the ledger is sound."""
    yield whole_town
    people, whole_town.people = whole_town.people, []
    for one in people:
        one.context.close()
    said = [line for one in people for line in one.said]
    assert not said, "the browser's console says:\n" + "\n".join(said)
    findings = check_ledger()
    assert not findings, "the ledger is broken:\n" + "\n".join(str(finding) for finding in findings)
