"""受払明細: what came in, went out and ended between two days, like a bank's statement."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.clock import today
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.statement import (
    Balance,
    Period,
    StatementLine,
    every_line,
    find_balances,
    list_statement,
)
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, DateFilter, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import (
    ENTRY_KINDS,
    PLACES,
    license_label,
    license_name,
    licenses_crumb,
    sight_of,
)
from daicho.interfaces.portal.web import Here, account_page

ACTS: dict[str, str | Promise] = ENTRY_KINDS | {
    "started": gettext_lazy("Started"),
    "ended": gettext_lazy("Ended"),
}
FISCAL_YEAR_BEGINS = 4
SUMMARY_ROWS = 20


def periods(day: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    """The periods that are one click away, of this day."""
    month = day.replace(day=1)
    last_month = (month - dt.timedelta(days=1)).replace(day=1)
    year = month.replace(month=FISCAL_YEAR_BEGINS, year=day.year - (day.month < FISCAL_YEAR_BEGINS))
    eve = dt.timedelta(days=1)
    return [
        (_("This month"), month, day),
        (_("Last month"), last_month, month - eve),
        (_("This fiscal year"), year, day),
        (_("Last fiscal year"), year.replace(year=year.year - 1), year - eve),
    ]


class StatementPage(ListPage):
    """What both views share: the period (this month unless said), the figures, the license that is asked for."""

    title = gettext_lazy("Statement")
    template = "licenses/statement.html"
    table_template = "licenses/statement_table.html"
    stamps = True
    here: Here
    sight: Sight
    empty = Empty(
        gettext_lazy("Nothing moved in this period"),
        gettext_lazy("Licenses that come in, go out or end between these days appear here."),
    )
    dates = (DateFilter("since", gettext_lazy("From date")), DateFilter("until", gettext_lazy("Until date")))

    @functools.cached_property
    def period(self) -> Period:
        this_day = today(self.here.account.time_zone)
        asked = [one.parse(self, [value for value in self.request.GET.getlist(one.key) if value]) for one in self.dates]
        since, until = asked[0] or (asked[1] or this_day).replace(day=1), asked[1] or this_day
        return Period(min(since, until), max(since, until))

    @functools.cached_property
    def balances(self) -> list[Balance]:
        return find_balances(self.sight, self.period)

    def chips(self, q: ListQuery) -> list[dict[str, str]]:
        """The period is no condition that could be lifted."""
        return super().chips(
            ListQuery(q.text, {key: q.filters[key] for key in q.filters if key not in ("since", "until")})
        )

    def _filter_field(self, f: Any, q: ListQuery) -> dict[str, Any]:
        field = super()._filter_field(f, q)
        if f.key in ("since", "until"):
            field |= {"value": getattr(self.period, f.key).isoformat(), "active": False}
        return field

    def days(self) -> dict[str, str]:
        return {"since": self.period.since.isoformat(), "until": self.period.until.isoformat()}

    def answer(self, current: str) -> HttpResponseBase:
        here, period = self.here, self.period
        q, kept = self.query(), self.days()
        if here.va is not None and self.sight.below:
            kept["below"] = "1"
        lines, licenses = (f"{here.url(name)}?{urlencode(kept)}" for name in ("statement-lines", "statement-licenses"))
        chosen = [one for one in self.balances if one.tag.uid == q.filters.get("license", one.tag.uid)]
        span = _("%(since)s to %(until)s") % {"since": words.date(period.since), "until": words.date(period.until)}
        zone = _("days in %(zone)s") % {"zone": here.account.time_zone}
        place = here.va.name if here.va is not None else _("All virtual accounts")
        context = {
            "facts": " · ".join((place, zone)),
            "span": span,
            "crumbs": [licenses_crumb(here), kit.Crumb(_("Statement"))],
            "ways": [
                kit.Tab(_("Lines"), lines, current=current == "statement-lines"),
                kit.Tab(_("By license"), licenses, current=current == "statement-licenses"),
            ],
            "spans": [
                {
                    "label": label,
                    "url": self.link(since=since.isoformat(), until=until.isoformat()),
                    "current": period == Period(since, until),
                }
                for label, since, until in periods(today(here.account.time_zone))
            ],
            "filtered": bool(q.text),
        }
        if current == "statement-lines":
            context |= {
                "summary": [{"balance": one, "name": license_name(one.tag)} for one in chosen[:SUMMARY_ROWS]],
                "more": max(0, len(chosen) - SUMMARY_ROWS),
                "licenses_url": licenses,
            }
        return self.response(context)


class LineList(StatementPage):
    key = "statement"
    default_sort = ""

    @property
    def filters(self) -> Any:  # type: ignore[override]
        choices = [(one.tag.uid, license_label(one.tag)) for one in self.balances]
        return (*self.dates, ChoiceFilter("license", gettext_lazy("License"), choices))

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        return [
            Column("at", gettext_lazy("Time"), kind="datetime"),
            Column("entry", gettext_lazy("No."), kind="code", value=lambda r: r.entry_uid,
                   link=lambda r: here.url("transfers-detail", entry=r.entry_uid)),
            Column("act", gettext_lazy("Act"), value=lambda r: str(ACTS[r.act]), phone=True),
            Column("sku", gettext_lazy("SKU"), kind="code", value=lambda r: r.tag.sku, phone=True),
            Column("license", gettext_lazy("License"), value=lambda r: license_name(r.tag), optional=True),
            Column("other", gettext_lazy("Other side"), value=other_side),
            Column("memo", gettext_lazy("Memo")),
            Column("in", gettext_lazy("In"), kind="num", value=lambda r: r.received or None, phone=True),
            Column("out", gettext_lazy("Out"), kind="num", value=lambda r: r.taken or None, phone=True),
            Column("ended", gettext_lazy("Ended"), kind="num", value=lambda r: r.ended or None, phone=True),
            Column("total", gettext_lazy("Running total"), kind="num", phone=True),
            Column("actor", gettext_lazy("Done by"), value=lambda r: r.actor_name, optional=True),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Any:
        return list_statement(
            self.sight, self.period, self.balances, tag_uid=q.filters.get("license", ""), cursor=q.cursor, size=q.size
        )

    def _rows(self, q: ListQuery, limit: int = sys.maxsize) -> Iterator[StatementLine]:
        found = every_line(self.sight, self.period, self.balances, tag_uid=q.filters.get("license", ""))
        return (line for _number, line in zip(range(limit), found, strict=False))


class LicenseTotals(StatementPage):
    key = "statement-licenses"
    default_sort = "sku"

    @property
    def filters(self) -> Any:  # type: ignore[override]
        return self.dates

    text_label = gettext_lazy("Filter by SKU or name")

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        lines, days = self.here.url("statement-lines"), self.days()

        def link(row: Balance) -> str:
            return f"{lines}?{urlencode(days | {'license': row.tag.uid})}"

        return [
            Column("sku", gettext_lazy("SKU"), kind="code", sort=True, value=lambda r: r.tag.sku, link=link),
            Column("license", gettext_lazy("License"), sort=True, value=lambda r: license_name(r.tag), phone=True),
            Column("opening", gettext_lazy("Opening"), kind="num", sort=True, phone=True),
            Column("in", gettext_lazy("In"), kind="num", sort=True, value=lambda r: r.received),
            Column("out", gettext_lazy("Out"), kind="num", sort=True, value=lambda r: r.taken),
            Column("ended", gettext_lazy("Ended"), kind="num", sort=True),
            Column("closing", gettext_lazy("Closing"), kind="num", sort=True, phone=True),
        ]

    def fetch(self, q: ListQuery) -> Page:
        return Page.of(self.balances, q, self.columns)


def other_side(line: StatementLine) -> str:
    if line.hidden:
        return _("another virtual account")
    if line.other_kind or line.other is None:
        return str(PLACES.get(line.other_kind, line.other_kind))
    return str(line.other.name)


def _show(request: HttpRequest, here: Here, page: type[StatementPage], current: str) -> HttpResponseBase:
    timezone.activate(ZoneInfo(here.account.time_zone))  # the days of a statement are the account's
    return page(request, here=here, sight=sight_of(request, here)).answer(current)


@account_page(Permission.LICENSES_VIEW)
def lines(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _show(request, here, LineList, "statement-lines")


@account_page(Permission.LICENSES_VIEW)
def licenses(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _show(request, here, LicenseTotals, "statement-licenses")
