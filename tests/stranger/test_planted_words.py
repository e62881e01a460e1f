"""The victim's words and prime numbers show up nowhere for whoever may not see them: lists, exports, suggestions, mails.

The partner holds Osaka alone; Tokyo's words are planted. The stranger holds another company; all of the victim's are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from daicho.domain.access.models import User
from daicho.domain.alerts import watch
from daicho.domain.mailbox.models import Mail
from daicho.interfaces.mail.sender import send_due
from tests.stranger.openings import add_openings_and_more
from tests.stranger.pages import addresses
from tests.stranger.test_api import CALLS, OPERATIONS, names_in_path
from tests.stranger.victim import Victim, log_everybody_in, make_victim
from tests.world import PLANTED, RANDOM, make_world

pytestmark = pytest.mark.django_db
LISTS = [page for page in addresses() if page.is_of_account and page.parameters == ("identifier",)]
READS = [
    name
    for name, (method, _) in OPERATIONS.items()
    if method == "GET" and not CALLS[name].is_public and set(names_in_path(name).values()) <= {"identifier"}
]
# Osaka's partner may read the account's name, who moved licenses to Osaka, and the order they were bought with.
OF_TOKYO = re.compile(
    rf"{PLANTED} (Tokyo|Empty|waits|order|sync|newcomer|asker)|{PLANTED}-(2|core|9500)|{PLANTED}0001|\b(7,?919|7,?801|104,?729|15,?485,?8\d\d)\b",
    re.IGNORECASE,
)
OF_ACCOUNT = re.compile(rf"{PLANTED}|\b(7,?919|7,?801|104,?729|15,?485,?8\d\d)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def victim(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Victim]:
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_victim(make_world())
        add_openings_and_more(made)
        log_everybody_in(made)
        yield made
        transaction.set_rollback(True)


def text_of(response: HttpResponseBase) -> str:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined,arg-type]
    return f"{dict(response.headers)}\n{content.decode(errors='replace')}"


def assert_clean(response: HttpResponseBase, planted: re.Pattern[str], where: str) -> None:
    text = RANDOM.sub("", text_of(response))
    found = planted.search(text)
    assert found is None, f"{where} shows {found[0]!r}: …{text[max(0, found.start() - 80) : found.end() + 40]}…"


def seen_by_partner(victim: Victim, path: str) -> None:
    response = victim.world.client(victim.world.partner).get(path)
    assert response.status_code in (200, 302, 403, 404, 405), f"{path}: {response.status_code}"
    assert_clean(response, OF_TOKYO, path)


@pytest.mark.parametrize("page", LISTS, ids=[page.name for page in LISTS])
@pytest.mark.parametrize("query", ["", "?export=csv", "?q=AOZORA", "?q=7919", "?state=short"])
def test_a_partner_reads_only_of_his_virtual_account(query: str, page: object, victim: Victim) -> None:
    path = reverse(page.name, kwargs={"identifier": victim.ids["identifier"]})  # type: ignore[attr-defined]
    response = victim.world.client(victim.world.partner).get(path + query)
    assert response.status_code in (200, 302, 403, 404, 405, 422), f"{path}: {response.status_code}"
    if query.startswith("?q="):  # what he typed himself stands in the search box; what it would find does not
        found = text_of(response)
        assert f"{PLANTED} Tokyo" not in found
        assert f"{PLANTED}-core" not in found
    else:
        assert_clean(response, OF_TOKYO, path + query)


@pytest.mark.parametrize("name", READS)
def test_a_partners_program_reads_only_of_his_virtual_account(name: str, victim: Victim) -> None:
    path = OPERATIONS[name][1].replace("{identifier}", victim.ids["identifier"])
    query = CALLS[name].query.replace("<identifier>", victim.ids["identifier"])
    if not query.startswith("typed"):
        seen_by_partner(victim, path + (f"?{query}" if query else ""))


@pytest.mark.parametrize("page", LISTS, ids=[page.name for page in LISTS])
def test_a_strangers_own_pages_know_nothing_of_the_victim(page: object, victim: Victim) -> None:
    world = victim.world
    path = reverse(page.name, kwargs={"identifier": world.other_account.identifier})  # type: ignore[attr-defined]
    for query in ("", "?export=csv"):
        assert_clean(world.client(world.stranger).get(path + query), OF_ACCOUNT, path + query)


@pytest.mark.parametrize("name", READS)
def test_a_strangers_own_lists_of_the_api_know_nothing_of_the_victim(name: str, victim: Victim) -> None:
    world = victim.world
    if CALLS[name].who in ("operator", "reseller"):
        return
    path = OPERATIONS[name][1].replace("{identifier}", world.other_account.identifier)
    assert_clean(world.client(world.stranger).get(path), OF_ACCOUNT, path)


def test_no_mail_to_an_outsider_holds_the_victims_words(victim: Victim) -> None:
    watch.run()
    send_due(limit=500)
    planted = {victim.world.partner.email: OF_TOKYO, victim.world.stranger.email: OF_ACCOUNT}
    assert User.objects.filter(email__in=planted).count() == 2
    for mail in Mail.objects.filter(to__in=planted):
        assert planted[mail.to].search(f"{mail.rendered} {mail.context}") is None, mail.template
