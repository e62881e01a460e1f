"""What a line of the event log says, in words: one sentence for every kind of audit/kinds.py, and before → after.

The sentence leaves out who did it and when: lists and timelines show these beside it. Sentences take their values from
the line's subject, its `after` and, where that is silent, its `before`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.domain.access.queries_events import EventRow
from daicho.domain.alerts.kinds import KINDS
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_words import FIELD_WORDS, SENTENCES, VALUE_WORDS

NOTHING = words.NOTHING
LONGEST_VALUE = 200
EMPTY: tuple[Any, ...] = (None, "", [], {})
# What only the sentence needs, or programs.
UNTOLD = frozenset({"at", "direction", "kind", "text_hash"})
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class Values(dict[str, Any]):
    """The values of a sentence; what a line does not hold reads –."""

    def __missing__(self, key: str) -> str:
        return NOTHING


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a line says of before and after, in words."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return _("%(name)s: %(value)s") % {"name": self.label, "value": self.after}
        return _("%(name)s: %(before)s → %(after)s") % {
            "name": self.label,
            "before": self.before,
            "after": self.after or NOTHING,
        }


def sentence(row: EventRow) -> str:
    """What happened, in the active language; raises KeyError for a kind without a sentence."""
    return _pattern(row) % _values(row)


def _pattern(row: EventRow) -> str:
    given = SENTENCES[row.kind]
    if isinstance(given, Mapping):
        direction = row.after.get("direction", "") if isinstance(row.after, dict) else ""
        given = given.get(direction) or given[""]
    return str(given)


def who(row: EventRow) -> str:
    """Who did it; what the installation does by the clock has no person."""
    return _("Automatic") if row.actor_kind == "system" and row.interface == "jobs" else row.actor_name


def _values(row: EventRow) -> Values:
    values = Values()
    for side in (row.before, row.after):
        if isinstance(side, dict):
            values |= {key: value_text(key, value) for key, value in side.items()}
    values["subject"] = row.subject or NOTHING
    values["place"] = row.virtual_account.name if row.virtual_account else _("the account")
    values["other"] = row.other.name if row.other else _("another virtual account")
    return values


def changes(row: EventRow) -> list[Change]:
    """Before and after, thing by thing; what did not change, or what the sentence says, is left out."""
    before = row.before if isinstance(row.before, dict) else {}
    after = row.after if isinstance(row.after, dict) else {}
    if not before and not after and (row.before or row.after):
        return [Change(str(field_word("value")), value_text("", row.before), value_text("", row.after))]
    told = UNTOLD | set(PLACEHOLDER.findall(_pattern(row)))
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        same = key in before and key in after and old == new
        nothing = old in EMPTY and new in EMPTY
        gone = key in before and key not in after and bool(after)
        if (key in told and key not in before) or key in UNTOLD or same or nothing or gone:
            continue
        found.append(Change(str(field_word(key)), value_text(key, old) if key in before else "", value_text(key, new)))
    return found


def changes_text(row: EventRow) -> str:
    """All changes in one cell of a list."""
    return _("; ").join(map(str, changes(row)))


def field_word(key: str) -> str | Promise:
    """The word of a field; a field without one is shown by its name."""
    return FIELD_WORDS.get(key) or key.replace("_", " ")


def value_text(key: str, value: Any) -> str:
    """A value in words: yes and no, dates, numbers, roles and states, lists."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in EMPTY:
        return NOTHING
    if isinstance(value, int):
        return words.balance(value) if key == "balance" else words.num(value)
    if isinstance(value, list):
        return _shorten(_(", ").join(value_text(key, one) for one in value))
    if isinstance(value, dict):
        return _shorten(_(", ").join(f"{field_word(name)} {value_text(name, one)}" for name, one in value.items()))
    text = str(value)
    if known := VALUE_WORDS.get((key, text)):
        return str(known)
    if key == "state" and text in words.STATES:
        return words.state_text(text)
    if key in ("kind", "muted_kinds") and text in KINDS:
        return str(KINDS[text].label)
    return _date_text(text, last=key == "ends_at") or _shorten(text)


def _date_text(text: str, *, last: bool = False) -> str:
    """A day or an instant in words, "" for any other text; `last`: an end, of which people read the last day."""
    if not (len(text) >= 10 and text[4:5] == "-" and text[7:8] == "-"):
        return ""
    try:
        if len(text) == 10:
            return words.date(dt.date.fromisoformat(text))
        instant = dt.datetime.fromisoformat(text)
        return words.date(instant - dt.timedelta(microseconds=1)) if last else words.datetime(instant, zone=True)
    except ValueError:
        return ""


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def timeline(rows: Sequence[EventRow]) -> list[kit.Event]:
    """Lines of the log for a detail page: `{% timeline events more=… %}`."""
    return [moment(row) for row in rows]


def moment(row: EventRow, url: str = "") -> kit.Event:
    """One line of a timeline; before and after only where something was replaced."""
    replaced = [change for change in changes(row) if change.before]
    before, after = ((_(", ").join(f"{c.label} {getattr(c, side)}" for c in replaced)) for side in ("before", "after"))
    return kit.Event(row.at, who(row), sentence(row), before=before, after=after, url=url)


GROUP_WORDS: dict[str, str | Promise] = {
    "access": lazy("Access requests"),
    "account": lazy("Smart Account"),
    "agreement": lazy("Account agreement"),
    "alert": lazy("Alerts"),
    "api_client": lazy("API clients"),
    "catalog": lazy("Catalog"),
    "customer_file": lazy("Customer file"),
    "device": lazy("Devices"),
    "device_keys": lazy("Keys for devices"),
    "extra_address": lazy("Further addresses"),
    "grant": lazy("Rights"),
    "guide": lazy("Guides"),
    "hand_over": lazy("Hand-overs"),
    "invitation": lazy("Invitations"),
    "job": lazy("Jobs"),
    "license": lazy("Licenses"),
    "log": lazy("Event log"),
    "mail": lazy("Mail"),
    "notification": lazy("Notifications"),
    "opening": lazy("Openings"),
    "operator": lazy("Operator"),
    "order": lazy("Orders"),
    "partner": lazy("Partner companies"),
    "reservation": lazy("Reservations"),
    "support": lazy("Support"),
    "token": lazy("Registration tokens"),
    "user": lazy("Users"),
    "virtual_account": lazy("Virtual accounts"),
}
INTERFACE_WORDS: dict[str, str | Promise] = {
    "portal": lazy("Portal"),
    "api": lazy("API"),
    "cli": lazy("Console"),
    "jobs": lazy("Worker"),
    "mail": lazy("Mail"),
    "device": lazy("Device"),
}
