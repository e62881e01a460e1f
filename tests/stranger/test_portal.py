"""No page tells a stranger, a viewer of one virtual account or an outsider that somebody else's thing exists.

Every address is called with the victim's real handles and with handles that never existed: the answers must be the
same bytes (request id, CSRF token, nonce and the handle itself masked), whatever the method, and nothing may change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from daicho.core.ids import new_uid
from daicho.domain.access.models import User
from tests.stranger import rows
from tests.stranger.pages import BY_SECRET, OPEN_TO_ALL, OWN, PLAIN, PageAddress, addresses, handles, matches
from tests.stranger.victim import SECRET_WORD, Victim, log_everybody_in, make_victim
from tests.world import World, make_world

pytestmark = pytest.mark.django_db
PAGES = addresses()
OF_ACCOUNT = [page for page in PAGES if page.is_of_account]
OF_OPERATOR = [page for page in PAGES if page.is_of_operator]
OF_PARTNER = [page for page in PAGES if page.is_of_partner]
OF_OWNER = [
    page
    for page in PAGES
    if page.parameters
    and page.route.startswith(("opening/", "me/"))
    and not matches(page.name, BY_SECRET | OPEN_TO_ALL)
]
MASKS = [
    (re.compile(r'(name="csrfmiddlewaretoken" value=|X-CSRFToken": ?|csrf[^"]{0,20}content=)"[^"]*"'), r"\1"),
    (re.compile(r'&quot;X-CSRFToken&quot;: &quot;[^&]*&quot;'), ""),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d(:\d\d)?|\d\d? \w{3} \d{4}, \d\d:\d\d|\b[0-9A-F]{8}\b|\d\d:\d\d:\d\d"), "<time>"),
    (re.compile(r'datetime="[^"]*"'), ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def victim(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Victim]:
    """One victim for all tests of this file: none of them may change it."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_victim(make_world())
        log_everybody_in(made)
        yield made
        transaction.set_rollback(True)


def names(pages: list[PageAddress]) -> list[str]:
    return [f"{page.name}{'@va' if page.is_of_virtual_account else ''}" for page in pages]


def address(page: PageAddress, ids: Mapping[str, str]) -> str:
    values = {parameter: ids[name] for parameter, name in handles(page).items()}
    values |= {parameter: PLAIN[parameter] for parameter in page.parameters if parameter in PLAIN}
    return reverse(page.name, kwargs=values)


def unknown(page: PageAddress, ids: Mapping[str, str], but: tuple[str, ...] = ()) -> dict[str, str]:
    """Handles that never existed, in the shape of the real ones; `but` stay real."""
    made = {"identifier": "never.example.jp"}
    return {name: ids[name] if name in but else made.get(name, new_uid()) for name in set(handles(page).values())}


def masked(response: HttpResponseBase, used: Mapping[str, str]) -> tuple[int, str]:
    text = getattr(response, "content", b"").decode()
    for value in used.values():
        text = text.replace(value, "<handle>")
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return response.status_code, text


def assert_same_as_never_existed(
    client: Client, page: PageAddress, victim: Victim, *, but: tuple[str, ...] = ()
) -> None:
    never = unknown(page, victim.ids, but)
    real = {name: victim.ids[name] for name in never}
    before = rows.fingerprint()
    for method in ("get", "post"):
        found = masked(getattr(client, method)(address(page, victim.ids)), real)
        absent = masked(getattr(client, method)(address(page, never)), never)
        told = found[0] == 404 or (method == "get" and found[0] == 405) or page.name in SAME_FOR_ALL
        assert told, f"{method} {page.route}: {found[0]}"
        assert found == absent, f"{method} {page.route} tells the two apart"
        assert SECRET_WORD not in found[1].lower(), f"{method} {page.route} shows the victim's words"
    assert rows.fingerprint() == before, f"{page.route} changed something"


def test_every_address_of_the_portal_is_known_to_this_test() -> None:
    for page in PAGES:
        known = (
            page.is_of_account
            or page.is_of_operator
            or page.is_of_partner
            or page in OF_OWNER
            or matches(page.name, OPEN_TO_ALL | OWN | BY_SECRET)
        )
        assert known, f"{page.name} ({page.route}) is in no list of tests/stranger/pages.py"
        if not matches(page.name, OPEN_TO_ALL | OWN | BY_SECRET):
            handles(page)


@pytest.mark.parametrize("page", OF_ACCOUNT, ids=names(OF_ACCOUNT))
def test_a_stranger_finds_no_page_of_the_account(page: PageAddress, victim: Victim) -> None:
    assert_same_as_never_existed(victim.world.client(victim.world.stranger), page, victim)


VA_PAGES = [page for page in OF_ACCOUNT if page.is_of_virtual_account]


@pytest.mark.parametrize("page", VA_PAGES, ids=names(VA_PAGES))
def test_a_partner_finds_no_page_of_another_virtual_account(page: PageAddress, victim: Victim) -> None:
    client = victim.world.client(victim.world.partner)
    assert_same_as_never_existed(client, page, victim, but=("identifier",))


@pytest.mark.parametrize(
    "page", OF_ACCOUNT + OF_OPERATOR + OF_PARTNER, ids=names(OF_ACCOUNT + OF_OPERATOR + OF_PARTNER)
)
def test_who_is_not_logged_in_is_asked_to_log_in(page: PageAddress, victim: Victim) -> None:
    before = rows.fingerprint()
    for method in ("get", "post"):
        response = getattr(victim.world.client(None), method)(address(page, victim.ids))
        if method == "get" and response.status_code == 405:
            continue  # a page that is only posted to
        assert response.status_code == 302, f"{method} {page.route}: {response.status_code}"
        assert response["Location"].startswith("/account/login/")
    assert rows.fingerprint() == before


@pytest.mark.parametrize("page", OF_OPERATOR, ids=names(OF_OPERATOR))
def test_an_administrator_finds_no_page_of_the_operator(page: PageAddress, victim: Victim) -> None:
    assert_same_as_never_existed(victim.world.client(victim.world.stranger), page, victim)


@pytest.mark.parametrize("page", OF_PARTNER, ids=names(OF_PARTNER))
def test_an_administrator_finds_no_page_of_a_partner_company(page: PageAddress, victim: Victim) -> None:
    assert_same_as_never_existed(victim.world.client(victim.world.stranger), page, victim)


@pytest.mark.parametrize("page", OF_OWNER, ids=names(OF_OWNER))
def test_nobody_sees_somebody_elses_opening(page: PageAddress, victim: Victim) -> None:
    assert_same_as_never_existed(victim.world.client(victim.world.stranger), page, victim)


def owner_of(page: PageAddress, world: World) -> User:
    if page.is_of_operator:
        return world.operator
    return world.reseller if page.is_of_partner else world.admin


OWNED = OF_ACCOUNT + OF_OPERATOR + OF_PARTNER + OF_OWNER


@pytest.mark.parametrize("page", OWNED, ids=names(OWNED))
def test_the_owner_opens_it(page: PageAddress, victim: Victim) -> None:
    """So that a 404 above means the door and not a wrong address: 405 where a page is only posted to."""
    response = victim.world.client(owner_of(page, victim.world)).get(address(page, victim.ids))
    if page.name in NEEDS_A_STEP_BEFORE:
        assert response.status_code in (200, 302, 404, 422)
    else:
        assert response.status_code in (200, 302, 405), f"{page.route}: {response.status_code}"


# A page that asks anybody the same questions, whether there is such an account or not.
SAME_FOR_ALL = {"me-access-ask"}
# Pages that exist only in the middle of an act; the act's own test opens them.
NEEDS_A_STEP_BEFORE = {
    "devices-import-check", "device_imports-check", "partner-import-preview", "partner-import-bad", "operator_orders-preview",
    "operator_orders-bad",
}  # fmt: skip
