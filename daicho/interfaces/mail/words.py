"""How values read in a mail: dates with weekday and zone, numbers, people and companies (design.md §8)."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, ngettext

WEEKDAYS = "月火水木金土日"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def japanese() -> bool:
    return (get_language() or "en").startswith("ja")


def _instant(value: Any) -> dt.datetime:
    instant = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return timezone.localtime(instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC))


def _date(value: Any) -> dt.date:
    if isinstance(value, str):
        value = dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
    return _instant(value).date() if isinstance(value, dt.datetime) else value


def date(value: Any) -> str:
    """2026/12/06 · 6 Dec 2026, for tables."""
    if not value:
        return "–"
    day = _date(value)
    return f"{day:%Y/%m/%d}" if japanese() else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def day(value: Any) -> str:
    """2026/12/06(日) · 6 Dec 2026, in sentences."""
    return f"{date(value)}({WEEKDAYS[_date(value).weekday()]})" if value and japanese() else date(value)


def moment(value: Any) -> str:
    """2026/12/01(火)14:05 JST · 1 Dec 2026, 14:05 JST, in the recipient's zone."""
    if not value:
        return "–"
    instant = _instant(value)
    zone = instant.tzname() or ""
    zone = zone if zone.isalpha() else f"UTC{zone}"
    between = "" if japanese() else ", "
    return f"{day(instant)}{between}{instant:%H:%M} {zone}"


def number(value: Any) -> str:
    """1,234; – without a value."""
    return "–" if value in (None, "") else f"{value:,}"


def signed(value: Any) -> str:
    """+12, 0, -3."""
    return "–" if value in (None, "") else f"{value:+,}" if value else "0"


def days(value: int) -> str:
    """12日 · 12 days."""
    return f"{value:,}日" if japanese() else ngettext("%(count)d day", "%(count)d days", value) % {"count": value}


def person(name: str, email: str = "") -> str:
    """佐藤 花子 様 · Hanako Sato; without a name the address."""
    return f"{name or email} 様" if japanese() else name or email


def salutation(name: str, email: str = "") -> str:
    """The first line of a mail."""
    return person(name, email) if japanese() else f"Dear {name or email},"


def company(name: str) -> str:
    """株式会社サンプル 御中, where no person is named."""
    return f"{name} 御中" if japanese() else name


FORMATS: dict[str, Callable[[Any], str]] = {"text": str, "date": date, "num": number, "signed": signed, "days": days}
RIGHT = {"num", "signed"}


def width(text: str) -> int:
    """Columns that a text takes in a mail: full-width characters count twice (Unicode UAX #11)."""
    return sum(
        2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text if not unicodedata.combining(sign)
    )


def columns(rows: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> str:
    """A table of aligned columns; each line begins with a space, which tells the HTML twin that it is a table.

    A head is `Word=key:format`, formats: text (default), date, num, signed, days; numbers stand right, and so does
    what ends in `>`.
    """
    parsed = []
    for head in heads:
        word, _, rest = head.partition("=")
        key, _, form = rest.partition(":")
        right = form.endswith(">") or form in RIGHT
        parsed.append((word, key, form.removesuffix(">") or "text", right))
    lines = [[word for word, *_ in parsed]]
    lines += [[FORMATS[form](row.get(key, "")) for _, key, form, _ in parsed] for row in rows]
    widths = [max(width(line[place]) for line in lines) for place in range(len(parsed))]
    return "\n".join(
        " " + "  ".join(_fill(cell, widths[place], right=parsed[place][3]) for place, cell in enumerate(line)).rstrip()
        for line in lines
    )


def _fill(cell: str, to: int, *, right: bool) -> str:
    blank = " " * (to - width(cell))
    return blank + cell if right else cell + blank
