"""Every page of openings, agreements, accounts, guides and help answers in both languages, in every state."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from daicho.core.clock import now
from daicho.domain.accounts.commands.agreements import accept_agreement, publish_agreement
from daicho.domain.accounts.commands.contests import contest_account
from daicho.domain.accounts.commands.decisions import ask_opening_reason
from daicho.domain.accounts.commands.guides import GuideInput, add_guide
from daicho.interfaces.portal.help_topics import TOPICS
from tests.opening import cast
from tests.world import World, actor

pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "ja")


def browser(user, language: str) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.cookies["django_language"] = language
    if user is not None:
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def published(world: World, **days: int):
    texts = {
        "title_ja": "アカウント合意書",
        "title_en": "Account agreement",
        "text_ja": "# 第1条\n\n本文",
        "text_en": "# 1\n\nText",
    }
    return publish_agreement(actor(world.operator), effective_at=now() + dt.timedelta(**days), **texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_for_everybody(language: str) -> None:
    client = browser(None, language)
    for url in ("/", "/guide/", "/help/", "/opening/activate/none/", "/opening/reason/none/", "/opening/approve/none/"):
        response = client.get(url)
        assert response.status_code == (404 if "none" in url else 200), url
        assert f'lang="{language}"' in response.content.decode()
    for topic in TOPICS:
        assert client.get(f"/help/{topic}/").status_code == 200, topic
    assert client.get("/help/nothing/").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_is_a_pdf_in_both_languages_too(language: str) -> None:
    response = Client().get(f"/guide/smart-account-guide.{language}.pdf")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_names_this_installation(language: str) -> None:
    words = browser(None, language).get("/guide/").content.decode()
    for part in ("http://testserver", "support@vendor.example", "03-0000-0000"):
        assert part in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_the_requester_in_every_state(world: World, language: str) -> None:
    hana = cast.hana()
    client = browser(hana, language)
    assert client.get("/opening/").status_code == 200
    assert client.get("/opening/find/").status_code == 200
    assert client.get("/opening/contest/").status_code == 200
    opening = cast.drafted(hana, identifier="else.example.com", approver="boss@else.example.com")
    for step in ("company", "authority", "account", "address", "check"):
        assert client.get(f"/opening/{opening.uid}/{step}/").status_code == 200, step
    assert client.get(f"/opening/{opening.uid}/standing/?identifier=sample.example.jp").status_code == 200
    assert client.get(f"/opening/{opening.uid}/postal-code/?country=JP&postal_code=060-8520").status_code == 200
    assert client.get(f"/opening/{opening.uid}/postal-code/?country=JP&postal_code=004-0000").status_code == 200
    answer = client.post(f"/opening/{opening.uid}/check/", follow=True)
    assert answer.status_code == 200
    opening.refresh_from_db()
    assert opening.state == "held"
    assert client.get(f"/opening/reason/{cast.secret_for(hana.email)}/").status_code == 200
    assert client.get(f"/opening/{opening.uid}/").status_code == 200
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_the_operator(world: World, language: str) -> None:
    rin = cast.rin()
    held = cast.continued(rin)
    ask_opening_reason(actor(world.operator), opening_uid=held.uid, question="Why?")
    contest = contest_account(actor(rin), identifier="aozora.example.co.jp", reason="It is ours.")
    agreement = published(world)
    guide = GuideInput("Basics", "https://videos.example/1", "en", "video", minutes=20, login_needed=True, is_main=True)
    added = add_guide(actor(world.operator), guide=guide)
    client = browser(world.operator, language)
    pages = [
        "/operator/", "/operator/openings/", f"/operator/openings/{held.uid}/", f"/operator/contests/{contest.uid}/",
        "/operator/accounts/", "/operator/accounts/aozora.example.co.jp/", "/operator/customers/import/",
        "/operator/customers/sample.csv", "/operator/agreements/", "/operator/agreements/publish/",
        f"/operator/agreements/{agreement.uid}/", "/operator/guides/", "/operator/guides/add/",
        f"/operator/guides/{added.uid}/",
    ]  # fmt: skip
    stranger = browser(world.stranger, language)
    for url in pages:
        assert client.get(url).status_code == 200, url
        assert stranger.get(url).status_code == 404, url
    looked = client.post("/operator/accounts/aozora.example.co.jp/licenses/", {"look-reason": "ticket 7"})
    assert looked.status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_the_agreement(world: World, language: str) -> None:
    first = published(world)
    accept_agreement(actor(world.admin), account=world.account, agreement_uid=first.uid, language="ja")
    second = published(world, days=30)
    base = f"/a/{world.account.identifier}/agreements/"
    client = browser(world.approver, language)
    for url in (base, f"{base}{first.uid}/", f"{base}{second.uid}/"):
        assert client.get(url).status_code == 200, url
    for file_format in ("pdf", "txt"):
        file = client.get(f"{base}{first.uid}/agreement.{file_format}")
        assert file.status_code == 200
        assert "attachment" in file["Content-Disposition"]
    assert browser(world.osaka_admin, language).get(base).status_code == 404
    assert browser(world.stranger, language).get(base).status_code == 404
    assert client.post(f"{base}{second.uid}/").status_code == 302
    assert client.get(f"/a/{world.account.identifier}/settings/").status_code == 200


@pytest.mark.parametrize(
    ("url", "topic"),
    [
        ("/a/{}/agreements/", "agreements"),
        ("/a/{}/licenses/", "licenses"),
        ("/opening/find/", "opening"),
        ("/help/", ""),
    ],
)
def test_help_stands_beside_each_page(world: World, url: str, topic: str) -> None:
    page = browser(world.admin, "en").get(url.format(world.account.identifier)).content.decode()
    assert f'href="/help/{topic}/"' in page if topic else 'href="/help/"' in page
