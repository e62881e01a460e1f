"""What the parts of the kit are fed with: plain data for templates, messages with links, form widgets.

Page builders write `from daicho.interfaces.portal import components as kit`; docs/kit.md is the cheat sheet.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise

type Text = str | Promise

BANNER_KINDS = {"info": "info-circle", "done": "circle-check", "caution": "alert-triangle", "error": "alert-circle"}
MESSAGE_LEVELS = {
    "info": messages.INFO,
    "done": messages.SUCCESS,
    "caution": messages.WARNING,
    "error": messages.ERROR,
}


@dataclass(frozen=True)
class NavItem:
    """An entry of the left navigation; `count` stands in a badge, `current` marks the page."""

    url: str
    label: Text
    icon: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class NavGroup:
    items: Sequence[NavItem]
    label: Text = ""


@dataclass(frozen=True)
class Choice:
    """One line of the account switcher or the virtual account selector; `depth` draws the tree, `hint` the path."""

    label: Text
    url: str
    hint: Text = ""
    current: bool = False
    depth: int = 0
    count: int | None = None


@dataclass(frozen=True)
class MenuItem:
    """An act in a menu: a link, a one-button form (`post`), or the opener of a dialog."""

    label: Text
    url: str = ""
    icon: str = ""
    post: bool = False
    dialog: str = ""
    unavailable: Text = ""
    danger: bool = False


@dataclass(frozen=True)
class Action:
    """The primary button of a page."""

    url: str
    label: Text
    icon: str = ""
    unavailable: Text = ""


@dataclass(frozen=True)
class Banner:
    kind: str
    text: Text
    url: str = ""
    label: Text = ""
    dismissible: bool = False

    @property
    def icon(self) -> str:
        return BANNER_KINDS[self.kind]


@dataclass(frozen=True)
class Support:
    name: Text = ""
    mail: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Crumb:
    label: Text
    url: str = ""


@dataclass(frozen=True)
class Tab:
    label: Text
    url: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Step:
    """A step of a wizard; `state` is done, current or later."""

    label: Text
    state: str = "later"
    url: str = ""


@dataclass(frozen=True)
class Fact:
    label: Text
    value: Any
    hint: Text = ""
    url: str = ""


@dataclass(frozen=True)
class Effect:
    """What an act changes, in numbers: a pool's balance before and after, and the state it leads to."""

    label: Text
    before: int
    after: int
    state: str = ""


@dataclass(frozen=True)
class Event:
    at: datetime
    who: Text
    what: Text
    before: Text = ""
    after: Text = ""
    url: str = ""


@dataclass(frozen=True)
class Node:
    """A node of a tree, such as a virtual account; `count` are its alerts."""

    label: Text
    url: str = ""
    hint: Text = ""
    count: int | None = None
    children: Sequence[Node] = ()
    state: str = ""
    current: bool = False


@dataclass(frozen=True)
class RowError:
    """A row of a file that cannot be taken: its number (from 1, the head counts), column and reason."""

    row: int
    column: Text
    text: Text


@dataclass(frozen=True)
class State:
    """A state with its number or its own word, for state columns of lists."""

    code: str
    number: int | None = None
    text: Text = ""


@dataclass
class Progress:
    """A job as the job part shows it. `total` None: not known yet; `state`: a code of words.STATES in place of the usual ones."""

    done: int
    total: int | None
    failed: int = 0
    running: bool = True
    result_url: str = ""
    failed_url: str = ""
    title: Text = ""
    notes: Sequence[Text] = field(default_factory=tuple)
    state: str = ""
    state_text: Text = ""


def tell(request: HttpRequest, kind: str, text: Text, *, link: tuple[str, Text] | None = None, undo: str = "") -> None:
    """Put the result of an act on top of the next page: info, done, caution or error; with a link and an undo act.

    `undo` is the URL of a POST that counters the act.
    """
    extra: dict[str, str] = {"kind": kind}
    if link:
        extra |= {"url": link[0], "label": str(link[1])}
    if undo:
        extra["undo"] = undo
    messages.add_message(request, MESSAGE_LEVELS[kind], str(text), extra_tags=json.dumps(extra), fail_silently=True)


def narrow(value: str) -> str:
    """Half-width digits and hyphens out of what people type: full width, any dash, any minus, surrounding spaces."""
    text = unicodedata.normalize("NFKC", value).strip()
    return "".join("-" if char in "‐‑‒–—―−ー" else char for char in text)


class Quantity(forms.NumberInput):
    """A whole number; digits in full width and thousands separators are accepted."""

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "numeric", "autocomplete": "off", "class": "num", **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = data.get(name)
        return narrow(value).replace(",", "") if isinstance(value, str) else value


class DateInput(forms.DateInput):
    """A day; the browser's own picker, ISO 8601 on the wire, `2026/11/24` is understood as well."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = data.get(name)
        return narrow(value).replace("/", "-").replace(".", "-") if isinstance(value, str) else value


class Combobox(forms.Select):
    """A choice out of many, found by typing; an ordinary select where scripts do not run.

    `source` answers `?q=` with `{"options": [{"value", "label", "hint"}], "more": bool}`.
    """

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), source: str = "") -> None:
        own = {"data-combobox": source or "own", **(attrs or {})}
        super().__init__(own, choices)


# The icons of the sprite; bin/vendor-assets cuts it, a test compares.
ICONS = frozenset(
    """
adjustments alert-circle alert-triangle arrow-back-up arrow-left arrow-right arrows-exchange bell book building
building-bank calendar-due certificate chart-bar check checks chevron-down chevron-left chevron-right chevron-up
circle-check circle-dashed circle-x clipboard-check clock clock-x columns copy cpu database device-desktop device-floppy
dots download edit external-link eye eye-off file-certificate file-text file-type-csv file-type-xls filter flask flag
hash help help-circle history home hourglass info-circle key language layout-sidebar-left-collapse
layout-sidebar-left-expand license link list-check lock lock-open logout mail menu-2 message-circle minus moon package
pencil plug plus printer qrcode receipt refresh report-analytics rotate search send server settings shield-check
shield-lock shopping-cart sitemap sort-ascending sort-descending arrows-sort star sun tag ticket trash upload user
user-check user-plus users users-group video world x
""".split()
)
