"""The pattern library in a browser: no finding of axe, no violation of the policy, and the parts work by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage

from tests.support.browser import browser, person

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps an event loop in this thread
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.portal.kit_urls"),
]
PAGES = ("/_patterns/", "/_patterns/list/?q=sec", "/_patterns/list/?none=1", "/account/login/", "/account/signup/")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def note(said: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        said.append(message.text)


@pytest.mark.parametrize(("language", "dark"), [("ja", False), ("en", True)], ids=["ja-light", "en-dark"])
def test_axe_finds_nothing(chromium: Browser, live_server: Any, language: Literal["ja", "en"], dark: bool) -> None:
    for phone in (False, True):
        context = person(chromium, language, dark=dark, phone=phone)
        page = context.new_page()
        page.set_default_navigation_timeout(30_000)
        said: list[str] = []
        page.on("console", partial(note, said))
        for path in PAGES:
            page.goto(live_server.url + path)
            assert not said, f"{path}: {said}"
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path} scrolls sideways by {wider} px"
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
            said.clear()  # axe itself writes a style, which the policy refuses
        context.close()


def test_a_list_filters_while_one_types_and_keeps_the_focus(chromium: Browser, live_server: Any) -> None:
    context = person(chromium, "en")
    page = context.new_page()
    page.goto(live_server.url + "/_patterns/list/")
    page.keyboard.press("/")
    page.keyboard.press("Tab")  # the search of the bar comes first, the filter of the list is reached as well
    page.locator("#q-samples").focus()
    page.keyboard.type("sec")
    page.wait_for_url("**/?q=sec")
    page.wait_for_function("document.getElementById('flash').textContent === '60 rows'")
    assert page.evaluate("document.activeElement.id") == "q-samples"
    context.close()


def test_a_dialog_begins_on_the_harmless_button_and_gives_the_focus_back(chromium: Browser, live_server: Any) -> None:
    context = person(chromium, "en")
    page = context.new_page()
    page.goto(live_server.url + "/_patterns/")
    opener = page.locator(".btn-danger[commandfor=remove-sample]")
    opener.click()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Escape")
    assert opener.evaluate("it => it === document.activeElement")
    context.close()


def test_a_combobox_is_used_by_keyboard_and_fills_its_select(chromium: Browser, live_server: Any) -> None:
    context = person(chromium, "en")
    page = context.new_page()
    page.goto(live_server.url + "/_patterns/")
    page.fill("#id_new-other", "vpn")
    page.locator("[role=option]", has_text="VPN-100").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value("#id_new-other") == "VPN-100"
    assert page.evaluate("document.getElementById('id_new-other-select').value") == "3"
    context.close()


def test_without_script_the_list_is_filtered_by_its_button(chromium: Browser, live_server: Any) -> None:
    context = person(chromium, "en", script=False)
    page = context.new_page()
    page.goto(live_server.url + "/_patterns/list/")
    page.fill("#q-samples", "sec")
    page.click(".filter-go")
    assert page.inner_text(".list-count") == "60 rows"
    context.close()
