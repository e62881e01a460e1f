"""Charts drawn by the server as SVG: shares, sparkline, bars. Each has a title and, where it matters, its table."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from daicho.interfaces.portal import words
from daicho.interfaces.portal.markup import format_html
from daicho.interfaces.portal.templatetags.kit_base import part, stable_id

register = template.Library()

BAR_WIDTH = 360


@register.simple_tag(takes_context=True)
def share_bar(context: Context, purchased: int, in_use: int, reserved: int = 0, label: Any = "") -> SafeString:
    """How much of what was bought is in use and reserved; what is beyond it stands out beyond the frame."""
    total = max(purchased, in_use + reserved, 1)
    scale = 200 / total
    covered = min(in_use, max(purchased - reserved, 0))
    title = _("%(label)s %(in_use)s in use, %(reserved)s reserved of %(purchased)s purchased") % {
        "label": label, "in_use": words.num(in_use), "reserved": words.num(reserved), "purchased": words.num(purchased),
    }  # fmt: skip
    return part(
        context, "share_bar",
        title=title.strip(), used=round(covered * scale, 1), held=round(reserved * scale, 1), held_at=round(2 + covered * scale, 1),
        over=round(max(in_use - covered, 0) * scale, 1), over_at=round(2 + (covered + reserved) * scale, 1), frame=round(purchased * scale, 1),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def spark(context: Context, values: Sequence[int], title: Any) -> SafeString:
    """A line of a few values, without axes; the title names its first, last, least and greatest value."""
    values = list(values) or [0]
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = 116 / max(len(values) - 1, 1)
    points = [(round(2 + i * step, 1), round(22 - 20 * (value - low) / span, 1)) for i, value in enumerate(values)]
    text = _("%(title)s: from %(first)s to %(last)s, least %(low)s, greatest %(high)s") % {
        "title": title, "first": words.num(values[0]), "last": words.num(values[-1]),
        "low": words.num(low), "high": words.num(high),
    }  # fmt: skip
    return part(context, "spark", title=text, points=" ".join(f"{x},{y}" for x, y in points), end=points[-1])


@register.simple_tag(takes_context=True)
def bar_chart(
    context: Context,
    bars: Sequence[Any],
    title: Any,
    value_label: Any = "",
    label_label: Any = "",
    signed: bool = False,
) -> SafeString:
    """Horizontal bars of (label, value) or (label, value, url), negative ones to the left, and the same as a table."""
    rows = [(str(bar[0]), int(bar[1]), bar[2] if len(bar) > 2 else "") for bar in bars]
    low, high = min([0, *(v for _l, v, _u in rows)]), max([0, *(v for _l, v, _u in rows)])
    scale = BAR_WIDTH / ((high - low) or 1)
    zero = round(-low * scale, 1)
    show = words.balance if signed else words.num
    drawn = [
        {
            "label": label, "value": value, "text": show(value), "url": url, "y": i * 28,
            "x": round(zero + min(value, 0) * scale, 1), "width": max(round(abs(value) * scale, 1), 1 if value else 0),
            "negative": value < 0,
        }
        for i, (label, value, url) in enumerate(rows)
    ]  # fmt: skip
    return part(
        context, "bar_chart",
        title=title, bars=drawn, zero=zero, width=BAR_WIDTH, height=len(rows) * 28, id=stable_id("chart", title),
        value_label=value_label or _("Value"), label_label=label_label or _("Item"),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def time_series(
    context: Context, title: Any, days: Sequence[dt.date], series: Sequence[tuple[Any, Sequence[int]]]
) -> SafeString:
    """Lines over days, drawn by uPlot (the page loads `uplot_assets`), and the same numbers as a table below."""
    data = {
        "day": _("Day"),
        "days": [calendar.timegm(day.timetuple()) for day in days],
        "series": [{"label": str(label), "values": list(values)} for label, values in series],
    }
    rows = [(day, [values[i] for _label, values in series]) for i, day in enumerate(days)]
    labels = [label for label, _values in series]
    return part(context, "time_series", title=title, data=data, id=stable_id("series", title), rows=rows, labels=labels)


@register.simple_tag
def uplot_assets() -> SafeString:
    """The style and script of uPlot, for the page that draws a time series."""
    return format_html(
        '<link rel="stylesheet" href="{}"><script defer src="{}"></script><script defer src="{}"></script>',
        static("vendor/uplot.min.css"), static("vendor/uplot.min.js"), static("series.js"),
    )  # fmt: skip
