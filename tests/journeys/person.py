"""Somebody in front of a browser: finds things by their words in his language, and counts what he does.

One click, one field filled in, one choice, one file is one interaction. Typing an address counts nothing; the link of a
mail is a click. Whatever the console says as an error, and every refusal by the Content-Security-Policy, is kept in
`said` and fails the test that closes the person.
"""

from __future__ import annotations

import faulthandler
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page
from playwright.sync_api import Error as BrowserError

from tests.support.browser import person

TIMEOUT = int(os.environ.get("JOURNEY_SECONDS", "30")) * 1000  # a busy machine is slow, not wrong
REFUSED_AS_EXPECTED = re.compile(r"status of 4(0[349]|22)\b")  # the answer to a form with an error is 422


class Person:
    def __init__(self, chromium: Browser, base: str, language: str = "ja", **options: Any) -> None:
        self.context = person(chromium, language, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(TIMEOUT)
        self.context.set_default_navigation_timeout(4 * TIMEOUT)  # the first page of a run loads the whole portal
        self.page: Page = self.context.new_page()
        self.base = base
        self.language = language
        self.acts: list[str] = []
        self.said: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("dialog", lambda dialog: dialog.accept())  # "leave this page?" of a changed form
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSED_AS_EXPECTED.search(message.text):
            self.said.append(f"{self.page.url}: {message.text}")

    # What a person does.

    def go(self, address: str) -> None:
        """Type an address."""
        where = address if address.startswith("http") else self.base + address
        try:
            self.page.goto(where)
        except BrowserError as error:  # the answer of the form before it still led elsewhere
            if "Timeout" in error.message:
                faulthandler.dump_traceback(sys.__stderr__, all_threads=True)  # what the server was doing meanwhile
            if "interrupted by another navigation" not in error.message:
                raise
            self.page.wait_for_load_state()
            self.page.goto(where)

    def open_link(self, address: str) -> None:
        """Click the link of a mail."""
        self.acts.append("link in a mail")
        self.go(address)

    def click(self, words: str, *, within: str = "") -> None:
        self.acts.append(f"click {words}")
        self.find(words, within=within).click()
        self.settle()

    def press(self, selector: str) -> None:
        """Click what has no words of its own."""
        self.acts.append(f"click {selector}")
        self.page.locator(selector).locator("visible=true").first.click()
        self.settle()

    def fill(self, label: str, value: str) -> None:
        self.acts.append(f"fill {label}")
        self.field(label).fill(value)

    def choose(self, label: str, option: str) -> None:
        """One choice out of a list, whether the browser's own or one that is searched by typing."""
        self.acts.append(f"choose {label}")
        field = self.field(label)
        if field.evaluate("it => it.tagName") == "SELECT":
            values = field.evaluate("it => [...it.options].map(o => [o.value, o.label])")
            field.select_option(next(value for value, text in values if option in text))
            return
        field.click()
        field.fill(option)
        self.page.get_by_role("option").filter(has_text=option).first.click()

    def tick(self, label: str) -> None:
        self.acts.append(f"tick {label}")
        self.page.get_by_label(label).locator("visible=true").first.check()

    def give_file(self, path: Path) -> None:
        self.acts.append(f"give {path.name}")
        self.page.set_input_files("input[type=file]", path)

    # What a person finds.

    def find(self, words: str, *, within: str = "") -> Locator:
        """The button, link or menu entry with these words: in an open dialog or menu first, then in the page."""
        name = str(words)
        places = [within] if within else ["dialog[open]", ":popover-open", "main", "body"]
        deadline = time.monotonic() + TIMEOUT / 1000
        while True:
            for place in places:
                for exact in (True, False):
                    scope = self.page.locator(place)
                    found = scope.get_by_role("button", name=name, exact=exact)
                    found = found.or_(scope.get_by_role("link", name=name, exact=exact))
                    found = found.or_(scope.locator("summary").filter(has_text=name)).locator("visible=true")
                    try:
                        if found.count():
                            return found.first
                    except BrowserError:  # the page is just changing
                        break
            if time.monotonic() > deadline:
                raise AssertionError(f"no button or link {name!r} on {self.page.url}:\n{self.words()}")
            self.page.wait_for_timeout(50)

    def field(self, label: str) -> Locator:
        found = self.page.locator("main, dialog[open]").get_by_label(str(label)).locator("visible=true")
        try:
            found.first.wait_for()
        except BrowserError:
            raise AssertionError(f"no field {label!r} on {self.page.url}:\n{self.words()}") from None
        return found.first

    def settle(self) -> None:
        """Until the page that a click led to stands."""
        self.page.wait_for_load_state("load")

    def see(self, words: str, *, within: str = "main, dialog[open]") -> None:
        """These words are to be seen, now or in a moment."""
        try:
            self.page.locator(within).get_by_text(str(words)).locator("visible=true").first.wait_for()
        except BrowserError:
            raise AssertionError(f"{words!r} is not to be seen on {self.page.url}:\n{self.words()}") from None

    def until(self, expression: str) -> None:
        """Wait for a JavaScript expression to become true (the policy forbids playwright's own way)."""
        deadline = time.monotonic() + TIMEOUT / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} did not become true on {self.page.url}"
            self.page.wait_for_timeout(50)

    def sees(self, words: str) -> bool:
        return str(words) in self.words()

    def words(self) -> str:
        return self.page.locator("main").first.inner_text()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base)

    @property
    def count(self) -> int:
        return len(self.acts)

    def counted(self, what: str, at_most: int) -> None:
        """Print the number, so that it can be read in the report of the run, and hold it."""
        print(f"\n{what} ({self.language}): {self.count} interactions: {'; '.join(self.acts)}")
        assert self.count <= at_most, f"{what}: {self.count} interactions, {at_most} are allowed: {self.acts}"

    def close(self) -> None:
        self.context.close()
        assert not self.said, "the browser's console says: " + "\n".join(self.said)
