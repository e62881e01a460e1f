"""A person at a browser without scripts: follows links, fills in and sends the forms that are on the page, and counts.

One field filled in is one, one click is one, as S8 counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Page(HTMLParser):
    """The links and forms of a page, as a browser would send them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self._link = self._button = self._select = self._area = None
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        form = self.forms[-1] if self.forms else None
        if tag == "form":
            self.forms.append(Form(a.get("action", ""), a.get("method", "get").lower()))
        elif tag == "a":
            self._link, self._words = a.get("href", ""), []
        elif tag == "button":
            self._button, self._words = (a.get("name", ""), a.get("value", ""), a.get("type", "submit")), []
        elif form is None:
            return
        elif tag == "input" and "name" in a:
            kind = a.get("type", "text")
            if kind not in ("radio", "checkbox") or "checked" in a:
                form.values[a["name"]] = a.get("value", "on" if kind == "checkbox" else "")
        elif tag == "textarea":
            self._area = a["name"]
            form.values[a["name"]] = ""
        elif tag == "select":
            self._select = a.get("name")
        elif tag == "option" and self._select and ("selected" in a or self._select not in form.values):
            form.values[self._select] = a.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self._words.append(data)
        if self._area and self.forms:
            self.forms[-1].values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        words = " ".join("".join(self._words).split())
        if tag == "a" and self._link is not None:
            self.links.setdefault(words, self._link)
            self._link = None
        elif tag == "button" and self._button is not None:
            if self.forms and self._button[2] == "submit":
                self.forms[-1].buttons.append((words, self._button[0], self._button[1]))
            self._button = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None


class Visitor:
    """`fields` and `clicks` count what the person did since the start."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.fields = self.clicks = 0
        self.url = ""
        self.response: Any = None
        self._typed: dict[str, str] = {}

    @property
    def count(self) -> int:
        return self.fields + self.clicks

    @property
    def page(self) -> _Page:
        return _Page(self.response.content.decode())

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.page.text).split())

    def open(self, url: str) -> None:
        """Type an address or press a link in a mail: not counted by itself."""
        self._arrive(self.client.get(url, follow=True), url)

    def follow(self, words: str) -> None:
        self.clicks += 1
        self.open(self.page.links[words])

    def fill(self, **values: str) -> None:
        """One field each; radio buttons are clicks, and one each as well."""
        self.fields += len(values)
        self._typed |= values

    def press(self, words: str) -> None:
        self.clicks += 1
        for form in self.page.forms:
            for label, name, value in form.buttons:
                if label == words:
                    data = form.values | self._typed | ({name: value} if name else {})
                    target = form.action or self.url
                    answer = self.client.post(target, data, follow=True)
                    self._arrive(answer, target)
                    return
        raise AssertionError(f"no button {words!r} on {self.url}: {[f.buttons for f in self.page.forms]}")

    def _arrive(self, response: Any, url: str) -> None:
        self.response, self._typed = response, {}
        self.url = response.redirect_chain[-1][0] if response.redirect_chain else url
