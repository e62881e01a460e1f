"""Every page of the portal, with data, empty and with errors, in both themes: nothing for axe to find.

The addresses come from the resolver through tests/stranger/pages.py, so that a new page is looked at or fails there.
The same visit holds that a page has a title, does not scroll sideways on a phone, and speaks one language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Page

from daicho.domain.access.models import User
from daicho.domain.mailbox.models import Mail
from tests.journeys.conftest import Town
from tests.journeys.person import Person
from tests.opening.cast import continued
from tests.stranger.pages import BY_SECRET, PageAddress, addresses, matches
from tests.stranger.test_portal import address

PAGES = addresses()
NOT_FOR_READING = {
    "set_language",
    "patterns-options",
    "guide-pdf",
    "opening-standing",
    "opening-postal-code",
}  # parts, files
BEHIND_LINKS = {*BY_SECRET, "demo_mails-show"}
SENTENCE = re.compile(r"[A-Za-z]+ [a-z]{2,} [a-z]{2,}")  # three English words: no name, no unit, no code
OURS_IN_ENGLISH = ("AOZORA", "English", "Getting started", "password")
EVERYTHING = {"resultTypes": ["violations"]}
CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
AXE = Axe()


@pytest.fixture
def language() -> Iterator[str]:
    """Japanese: the longer words are the journeys' business, the leaks of English are this file's."""
    with translation.override("ja"):
        yield "ja"


def role_of(page: PageAddress) -> str:
    if page.is_of_operator:
        return "operator"
    if page.is_of_partner:
        return "reseller"
    if page.is_of_account or page.route.startswith(("opening/", "me/")):
        return "admin"
    return "nobody"


def of(role: str) -> list[PageAddress]:
    found = [page for page in PAGES if role_of(page) == role and page.name not in NOT_FOR_READING]
    if role != "admin":
        return [page for page in found if not (page.parameters and page.name.startswith(("account_", "mfa_")))]
    return [page for page in found if not page.is_of_virtual_account]


def look(one: Person, where: str, *, state: bool = False) -> list[str]:
    """What is wrong with the page that stands there; of a further state of a page seen already, only in the dark."""
    page: Page = one.page
    wrong = []
    title = page.title()
    if not title.strip() or title.strip() == "Daicho":
        wrong.append(f"its title is {title!r}")
    page.emulate_media(color_scheme="light")
    page.evaluate(AXE.axe_script)
    for theme, rules in (("dark", EVERYTHING),) if state else (("light", EVERYTHING), ("dark", CONTRAST)):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        page.evaluate("document.getAnimations().forEach(one => one.finish())")  # colours change in 100 ms
        found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", rules)
        wrong += [
            f"{theme}: {one_found['id']}: {one_found['nodes'][0]['html'][:160]}" for one_found in found["violations"]
        ]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wider > 0:
        widest = page.evaluate(
            """() => { const all = [...document.querySelectorAll('main *')];
            const right = one => one.getBoundingClientRect().right;
            return all.reduce((a, b) => right(b) >= right(a) ? b : a).outerHTML.slice(0, 200) }"""
        )
        wrong.append(f"it scrolls sideways by {wider} px on a phone: {widest}")
    page.set_viewport_size({"width": 1280, "height": 900})
    wrong += [f"English: {text!r}" for text in english(page)]
    one.said.clear()  # axe itself writes a style, which the policy refuses
    return [f"{where}: {line}" for line in wrong]


def english(page: Page) -> list[str]:
    """Sentences in English on a Japanese page, but for what is marked as English or was typed by somebody."""
    texts = page.evaluate(
        """() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) { const at = walk.currentNode.parentElement;
          if (!at.closest('[lang]:not(html), script, style, code, pre, textarea, .code')) found.push(walk.currentNode.data.trim()) }
        return found }"""
    )
    return [text[:120] for text in texts if SENTENCE.search(text) and not any(word in text for word in OURS_IN_ENGLISH)]


def visit(town: Town, role: str, pages: list[PageAddress], ids: dict[str, str]) -> list[str]:
    users: dict[str, User | None] = {
        "admin": town.world.admin, "operator": town.world.operator, "reseller": town.world.reseller, "nobody": None
    }  # fmt: skip
    one = town.person(users[role])
    wrong: list[str] = []
    for page in pages:
        if matches(page.name, BEHIND_LINKS):
            continue
        path = address(page, ids)
        answer = one.context.request.get(town.url + path, max_redirects=0)
        if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        if "attachment" in answer.headers.get("content-disposition", ""):
            continue
        one.go(path)
        said = list(one.said)
        wrong += [f"{page.name}: console: {line}" for line in said]
        wrong += look(one, page.name)
        wrong += look_at_errors(one, page.name, path)
    return wrong


def look_at_errors(one: Person, name: str, path: str) -> list[str]:
    """Send each form with required fields empty, where it has any, and look at what comes back."""
    form = one.page.locator("main form[method=post][novalidate]:has(.required)")
    if not form.count():
        return []
    one.go(path)
    with one.page.expect_response(lambda response: response.request.method == "POST") as answered:
        form.first.evaluate(
            """form => { for (const one of form.querySelectorAll('input:not([type=hidden], [type=radio], [type=checkbox]), textarea'))
            one.value = ''; const press = form.querySelector('.form-acts [type=submit], [type=submit]'); press.click() }"""
        )
    one.settle()
    if answered.value.status != 422:
        return []
    wrong = look(one, f"{name} with errors", state=True)
    if not one.page.locator(".field-error, .error-summary, [role=alert]").count():
        wrong.append(f"{name} with errors: no field says what is wrong")
    return wrong


@pytest.mark.parametrize(
    ("role", "part", "parts"),
    [("admin", 1, 3), ("operator", 1, 1), ("admin", 2, 3), ("admin", 3, 3), ("nobody", 1, 1), ("reseller", 1, 1)],
)
def test_axe_finds_nothing_on_pages_with_data_and_with_errors(town: Town, role: str, part: int, parts: int) -> None:
    wrong = visit(town, role, of(role)[part - 1 :: parts], town.victim.ids)
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)


def test_axe_finds_nothing_behind_the_links_of_mails(town: Town) -> None:
    matching, other = town.user(None, "Taro Yamada"), town.user(None, "Rin Abe")
    own, named = matching.email.partition("@")[2], town.domain()
    boss = town.user(None, "Ichiro Abe", email=f"abe@{named}")
    continued(matching, identifier=own)  # waits for activation
    continued(other, identifier=town.domain())  # held
    continued(town.user(None, "Ken Ito", email=f"ken@{named}"), identifier=named, approver=boss.email)
    secrets = town.victim.secrets
    links = {
        "opening-activate": town.letter(matching.email).link,
        "opening-reason": next(link for link in town.letter(other.email).links if "/opening/reason/" in link),
        "opening-approve": town.letter(boss.email).link,
        "invitations-offer": reverse("invitations-offer", args=[secrets["invitation"]]),
        "demo_mails-show": reverse("demo_mails-show", args=[Mail.objects.filter(state="sent").latest("pk").uid]),
        "notifications-confirm": reverse("notifications-confirm", args=[secrets["extra_address"]]),
    }
    known = {page.name for page in PAGES if matches(page.name, BEHIND_LINKS)}
    assert known == set(links), "every page that a mailed link opens is looked at here"
    wrong: list[str] = []
    for user in (None, boss):
        one = town.person(user)
        for name, link in links.items():
            one.go(link)
            wrong += look(one, name)
            wrong += look_at_errors(one, name, link)
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)


def test_axe_finds_nothing_on_empty_pages(town: Town) -> None:
    company = town.company()
    one = town.person(company.admin)
    wrong: list[str] = []
    for page in PAGES:
        if page.is_of_account and page.parameters == ("identifier",):
            path = f"/{page.route}".replace("<str:identifier>", company.account.identifier)
            answer = one.context.request.get(town.url + path, max_redirects=0)
            if answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html"):
                one.go(path)
                wrong += look(one, f"{page.name} empty", state=True)
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong)
