"""期限: what ends, what has ended, what breaks then? (S2)"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.ends import DAYS, EndCriteria, EndRow, end_summary, list_ends
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_lots import order_url
from daicho.interfaces.portal.views.licenses_parts import KINDS, license_name, sight_of
from daicho.interfaces.portal.web import Here, account_page

MAIL_LINES = 30


def within(page: ListPage) -> list[tuple[str, str]]:
    return [(str(days), ngettext("%(count)s day", "%(count)s days", days) % {"count": days}) for days in DAYS]


def end_state(row: EndRow) -> kit.State:
    if row.row.state == "ended":
        return kit.State("ended")
    return kit.State("ending", row.row.days_left)


class EndList(ListPage):
    """What ends within the chosen days, or what has ended since; the next first."""

    key = "ending"
    title = gettext_lazy("End dates")
    text_label = gettext_lazy("Filter by license, order or virtual account")
    stamps = True
    here: Here
    sight: Sight
    ended = False
    template = "ends/list.html"
    found: Sequence[EndRow] = ()

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        if self.ended:
            self.key = "ended"
        days = int(self.query().filters.get("days", "90"))
        what = (
            ngettext("Nothing has ended within %(count)s day", "Nothing has ended within %(count)s days", days)
            if self.ended
            else ngettext("No license ends within %(count)s day", "No license ends within %(count)s days", days)
        )
        self.empty = Empty(what % {"count": days}, kind="nothing_wrong")

    filters = (
        ChoiceFilter("days", gettext_lazy("Within"), within),
        ChoiceFilter("kind", gettext_lazy("Kind"), list(KINDS.items())),
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        columns = [
            Column("license", gettext_lazy("License"), kind="code", value=lambda r: r.row.lot.tag.sku,
                   link=lambda r: here.url("licenses-detail", tag=r.row.lot.tag.uid, va=r.virtual_account.uid)),
            Column("name", gettext_lazy("Name"), optional=True, value=lambda r: license_name(r.row.lot.tag)),
            Column("state", gettext_lazy("State"), kind="state", value=end_state, phone=True),
            Column("end", gettext_lazy("End"), kind="date", value=lambda r: r.row.end_on, phone=True),
            Column("days_left", gettext_lazy("Days left"), kind="num", optional=True, value=lambda r: None if self.ended else r.row.days_left),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.virtual_account.name, phone=True),
            Column("quantity", gettext_lazy("Quantity"), kind="num", value=lambda r: r.row.quantity),
            Column("in_use", gettext_lazy("In use"), kind="num"),
            Column("balance_after", gettext_lazy("Balance after that day"), kind="balance", phone=True),
            Column("order", gettext_lazy("Order"), kind="code", value=lambda r: r.row.lot.order_number,
                   link=lambda r: order_url(here, r.row.lot.order_number)),
            Column("kind", gettext_lazy("Kind"), optional=True, value=lambda r: KINDS[r.row.lot.kind]),
            Column("lot", gettext_lazy("Lot"), kind="code", optional=True, value=lambda r: r.row.lot.uid),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def row_note(self, row: EndRow) -> str:
        """What ends before it has even begun here is on the list, too: say that it does not count yet."""
        if row.row.state != "not_started":
            return ""
        return _("Has not started yet: counts from %(day)s.") % {"day": words.date(row.row.start_on)}

    def criteria(self, q: ListQuery) -> EndCriteria:
        days = int(q.filters.get("days", "90"))
        return EndCriteria(days=days, ended=self.ended, text=q.text, kind=q.filters.get("kind", ""))

    @functools.cached_property
    def to_renew(self) -> Sequence[EndRow]:
        """What a request for renewal names: the first that match; in a large account what the page shows."""
        if self.ended or self.sight.is_large:
            return () if self.ended else self.found
        return list_ends(self.sight, self.criteria(self.query()), size=200, count=False).rows

    def renewal(self) -> str:
        """The request as a text to copy."""
        return renewal_text(self.here, self.to_renew) if self.to_renew else ""

    def mail_url(self) -> str:
        """The request as a mail to a partner."""
        subject = _("Renewal of licenses (%(identifier)s)") % {"identifier": self.here.account.identifier}
        body = renewal_text(self.here, self.to_renew[:MAIL_LINES])
        return f"mailto:?subject={quote(subject)}&body={quote(body.replace(chr(10), chr(13) + chr(10)))}"

    def breaks(self) -> int:
        """How many pools become short."""
        return len({row.pool.pk for row in self.to_renew if row.pool and row.short_after})

    def fetch(self, q: ListQuery) -> Page:
        page = list_ends(self.sight, self.criteria(q), cursor=q.cursor, size=q.size)
        self.found = page.rows
        return Page(page.rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def renewal_text(here: Here, rows: Sequence[EndRow]) -> str:
    """A plain list for a partner: what to renew, until when, how many; by license, end and order."""
    lines = [
        _("Renewal request of %(account)s (%(identifier)s)")
        % {"account": here.account.name, "identifier": here.account.identifier},
        "",
    ]
    for row in rows:
        lines.append(
            _("%(end)s  %(sku)s %(name)s  quantity %(quantity)s  order %(order)s  virtual account %(virtual_account)s")
            % {
                "end": words.date(row.row.end_on),
                "sku": row.row.lot.tag.sku,
                "name": license_name(row.row.lot.tag),
                "quantity": f"{row.row.quantity:,}",
                "order": row.row.lot.order_number or words.NOTHING,
                "virtual_account": row.virtual_account.name,
            }
        )
    return "\n".join(lines)


@account_page(Permission.LICENSES_VIEW)
def ending(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _answer(request, here, ended=False)


@account_page(Permission.LICENSES_VIEW)
def ended(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _answer(request, here, ended=True)


def _count(sight: Sight) -> int | None:
    """How many lots end within 90 days; in a large account the list itself says it."""
    return None if sight.is_large else end_summary(sight).lots or None


def _answer(request: HttpRequest, here: Here, *, ended: bool) -> HttpResponseBase:
    sight = sight_of(request, here)
    page = EndList(request, here=here, sight=sight, ended=ended)
    context: dict[str, Any] = {
        "tabs": [
            kit.Tab(_("Ending"), here.url("ends-list"), current=not ended, count=_count(sight)),
            kit.Tab(_("Ended"), here.url("ends-ended"), current=ended),
        ],
        "actions": [kit.MenuItem(_("Set the days of notice"), here.url("notifications-settings", va=None), "bell")],
    }
    return page.response(context)
