"""How states, numbers and dates read on screen, in both languages (design.md §3 and §8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from daicho.core import clock

NOTHING = "–"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class StateLook(NamedTuple):
    """The tint (one of the eight of design.md §3), icon and word of a state code."""

    tint: str
    icon: str
    word: str | Promise


ICON_OF = {
    "in_compliance": "circle-check",
    "short": "alert-triangle",
    "ending": "hourglass",
    "ended": "clock-x",
    "reserved": "lock",
    "evaluation": "flask",
    "waiting": "clock",
    "neutral": "circle-dashed",
}


def _look(tint: str, word: str | Promise) -> StateLook:
    return StateLook(tint, ICON_OF[tint], word)


STATES: dict[str, StateLook] = {
    # licenses
    "in_compliance": _look("in_compliance", gettext_lazy("In compliance")),
    "short": _look("short", gettext_lazy("Short")),
    "ending": _look("ending", gettext_lazy("Ending")),
    "ended": _look("ended", gettext_lazy("Ended")),
    "reserved": _look("reserved", gettext_lazy("Reserved")),
    "evaluation": _look("evaluation", gettext_lazy("Evaluation")),
    "waiting": _look("waiting", gettext_lazy("Waiting")),
    "not_started": _look("neutral", gettext_lazy("Not started")),
    "neutral": _look("neutral", gettext_lazy("Not started")),
    "in_force": _look("in_compliance", gettext_lazy("In force")),
    # devices
    "authorized": _look("in_compliance", gettext_lazy("Authorized")),
    "out_of_compliance": _look("short", gettext_lazy("Out of compliance")),
    "authorization_expired": _look("ended", gettext_lazy("Authorization expired")),
    "evaluation_expired": _look("ended", gettext_lazy("Evaluation expired")),
    "unregistered": _look("neutral", gettext_lazy("Unregistered")),
    "registered": _look("neutral", gettext_lazy("Registered")),
    "expired": _look("ended", gettext_lazy("Ended")),
    "replaced": _look("neutral", gettext_lazy("Replaced")),
    "removed": _look("neutral", gettext_lazy("Removed")),
    "none": _look("neutral", gettext_lazy("None")),
    # alerts
    "major": _look("short", gettext_lazy("Major")),
    "minor": _look("ending", gettext_lazy("Minor")),
    "informational": _look("waiting", gettext_lazy("Informational")),
    # openings, accounts, requests, agreements
    "draft": _look("neutral", gettext_lazy("Draft")),
    "held": _look("waiting", gettext_lazy("Held")),
    "awaiting_approver": _look("waiting", gettext_lazy("Awaiting the approver")),
    "awaiting_activation": _look("waiting", gettext_lazy("Awaiting activation")),
    "active": _look("in_compliance", pgettext_lazy("account state", "Active")),
    "suspended": _look("short", gettext_lazy("Suspended")),
    "closed": _look("neutral", pgettext_lazy("account state", "Closed")),
    "declined": _look("neutral", gettext_lazy("Declined")),
    "approved": _look("in_compliance", gettext_lazy("Approved")),
    "lapsed": _look("ended", gettext_lazy("Lapsed")),
    "pending": _look("waiting", pgettext_lazy("agreement state", "Pending")),
    "accepted": _look("in_compliance", gettext_lazy("Accepted")),
    # orders, mails, jobs
    "deposited": _look("in_compliance", gettext_lazy("Deposited")),
    "unassigned": _look("waiting", gettext_lazy("Unassigned")),
    "waiting_operator": _look("waiting", gettext_lazy("Waiting for the operator")),
    "waiting_agreement": _look("waiting", gettext_lazy("Waiting for the agreement")),
    "cancelled": _look("neutral", gettext_lazy("Cancelled")),
    "undone": _look("neutral", gettext_lazy("Undone")),
    "done": _look("in_compliance", gettext_lazy("Done")),
    "running": _look("waiting", gettext_lazy("Running")),
    "failed": _look("short", gettext_lazy("Failed")),
}


def state_look(code: str) -> StateLook:
    """The look of a code; an unknown code is shown as it is, calmly."""
    return STATES.get(code) or _look("neutral", code)


def state_text(code: str, number: int | None = None, text: str | Promise = "") -> str:
    """The word of a state with its number: a quantity, or days for what ends or is evaluated."""
    if text:
        return str(text)
    word = str(state_look(code).word)
    if number is None:
        return word
    if code == "ending":
        return ngettext("Ending in %(number)s day", "Ending in %(number)s days", number) % {"number": number}
    if code == "evaluation":
        return ngettext("Evaluation, %(number)s day left", "Evaluation, %(number)s days left", number) % {
            "number": number
        }
    return _("%(state)s %(number)s") % {"state": word, "number": num(abs(number))}


def num(value: Any) -> str:
    """1,234 in both languages; no value is –."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}"
    return number_format(value, use_l10n=True, force_grouping=True)


def balance(value: int | None) -> str:
    """Signed, with the ASCII minus that spreadsheets read: +12, 0, -3."""
    return NOTHING if value is None else f"{value:+,}" if value else "0"


def listed(items: Iterable[object]) -> str:
    """“Tokyo, Osaka”, 「東京、大阪」."""
    return _(", ").join(map(str, items))


def named(name: str, more: str) -> str:
    """“Hanako Sato (sato@example.co.jp)”, 「佐藤 花子（sato@example.co.jp）」; without a name the address."""
    return _("%(name)s (%(more)s)") % {"name": name, "more": more} if name else more


def _local(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    return timezone.localtime(value) if isinstance(value, dt.datetime) and timezone.is_aware(value) else value


def date(value: dt.date | dt.datetime | None) -> str:
    """2026/11/24 or 24 Nov 2026, in the zone that is active (the user's)."""
    if value is None:
        return NOTHING
    day = _local(value)
    if day.year >= 9999:
        return _("No end")
    if (get_language() or "").startswith("ja"):
        return f"{day.year:04}/{day.month:02}/{day.day:02}"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def datetime(value: dt.datetime | None, *, zone: bool = False) -> str:
    """2026/11/24 14:05, 24 Nov 2026, 14:05; with the zone's name where it differs from the account's."""
    if value is None:
        return NOTHING
    local = timezone.localtime(value)
    separator = " " if (get_language() or "").startswith("ja") else ", "
    return f"{date(local)}{separator}{local:%H:%M}" + (f" {local:%Z}" if zone else "")


def days_text(value: dt.date | dt.datetime) -> str:
    """あと12日, 今日まで, 12日前: days between today and a day, in the active zone."""
    local = _local(value)
    day = local.date() if isinstance(local, dt.datetime) else local
    days = (day - timezone.localtime(clock.now()).date()).days
    if days == 0:
        return _("until today")
    if days > 0:
        return ngettext("%(count)s day left", "%(count)s days left", days) % {"count": f"{days:,}"}
    return ngettext("%(count)s day ago", "%(count)s days ago", -days) % {"count": f"{-days:,}"}


def past_text(value: dt.datetime) -> str:
    """5分前, 3時間前, 12日前: how long ago something happened."""
    seconds = int((clock.now() - value).total_seconds())
    if seconds < 0:
        return days_text(value)
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", seconds // 60) % {"count": seconds // 60}
    if seconds < 86400:
        return ngettext("%(count)s hour ago", "%(count)s hours ago", seconds // 3600) % {"count": seconds // 3600}
    days = seconds // 86400
    return ngettext("%(count)s day ago", "%(count)s days ago", days) % {"count": f"{days:,}"}
