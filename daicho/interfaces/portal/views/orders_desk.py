"""The desk at which orders are recorded: a partner company's, or the operator's. Pages differ only in their addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.actor import Actor
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.orders.commands.cancel import cancel_line
from daicho.domain.orders.queries.lines import (
    LineRow,
    get_any_line,
    get_any_order,
    get_company_line,
    get_company_order,
    list_all_lines,
    list_company_lines,
    list_waiting_lines,
)
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import orders_parts as parts
from daicho.interfaces.portal.views.licenses_parts import KINDS, license_label
from daicho.interfaces.portal.web import Here, operator_page, partner_page, request_id_of

if TYPE_CHECKING:
    from daicho.domain.access.models import PartnerCompany
    from daicho.domain.orders.models import Order

type DeskView = Callable[..., HttpResponseBase]

PARTNER = {
    "list": "partner-orders", "order": "partner-order", "new": "partner-order-new", "import": "partner-import",
    "preview": "partner-import-preview", "bad": "partner-import-bad", "template": "partner-import-template",
    "cancel": "partner-line-cancel",
}  # fmt: skip
OPERATOR = {
    "list": "operator_orders-list", "order": "operator_orders-order", "new": "operator_orders-new",
    "import": "operator_orders-import", "preview": "operator_orders-preview", "bad": "operator_orders-bad",
    "template": "operator_orders-template", "cancel": "operator_orders-cancel",
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """Who records: a partner company, or the operator (None)."""

    here: Here
    company: PartnerCompany | None

    @property
    def actor(self) -> Actor:
        return self.here.actor

    @property
    def frame(self) -> str:
        return "frames/partner.html" if self.company is not None else "frames/operator.html"

    def url(self, page: str, **kwargs: Any) -> str:
        if self.company is not None:
            return self.here.url(PARTNER[page], **kwargs)
        return reverse(OPERATOR[page], kwargs=kwargs)

    def order(self, uid: str) -> tuple[Order, list[LineRow]]:
        if self.company is not None:
            return get_company_order(self.actor, self.company, uid)
        return get_any_order(self.actor, uid)

    def line(self, uid: str) -> LineRow:
        if self.company is not None:
            return get_company_line(self.actor, self.company, uid)
        return get_any_line(self.actor, uid)


def both_desks(view: DeskView) -> tuple[DeskView, DeskView]:
    """The same page at a partner's desk and at the operator's."""

    def at_partner(request: HttpRequest, here: Here, **kwargs: Any) -> HttpResponseBase:
        return view(request, Desk(here, here.company), **kwargs)

    def at_operator(request: HttpRequest, here: Here, **kwargs: Any) -> HttpResponseBase:
        return view(request, Desk(here, None), **kwargs)

    return partner_page(at_partner), operator_page(OperatorPermission.ORDERS)(at_operator)


class DeskList(ListPage):
    """What was recorded here: 登録履歴 of a partner, all orders for the operator."""

    key = "recorded"
    title = lazy("Recorded orders")
    text_label = lazy("Filter by order number, SKU, license or customer")
    default_sort = "-recorded"
    default_size = 50
    desk: Desk

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.filters = parts.filters()
        self.empty = Empty(
            lazy("No orders recorded yet"),
            lazy("Record an order by hand, or import many from a file."),
            kit.Action(self.desk.url("new"), lazy("Record an order")),
        )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def detail(row: LineRow) -> str:
            return self.desk.url("order", uid=row.line.order.uid)

        return list(parts.columns(detail, customer=True, partner=self.desk.company is None))

    def fetch(self, q: ListQuery) -> Any:
        asked: dict[str, Any] = {
            "filters": parts.filters_of(q), "sort": q.sort, "descending": q.descending, "cursor": q.cursor,
            "size": q.size, "count": True,
        }  # fmt: skip
        if self.desk.company is not None:
            return list_company_lines(self.desk.actor, self.desk.company, **asked)
        return list_all_lines(self.desk.actor, **asked)


def operator_tabs(actor: Actor, current: str) -> list[kit.Tab]:
    """All orders · the lines that wait for the operator."""
    return [
        kit.Tab(_("Orders"), reverse("operator_orders-list"), current == "list"),
        kit.Tab(
            _("Waiting for you"),
            reverse("operator_orders-waiting"),
            current == "waiting",
            count=len(list_waiting_lines(actor)) or None,
        ),
    ]


def recorded(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The list of recorded lines."""
    return DeskList(request, desk=desk).response(
        {
            "frame": desk.frame,
            "tabs": operator_tabs(desk.actor, "list") if desk.company is None else [],
            "primary": kit.Action(desk.url("new"), _("Record an order"), "plus"),
            "actions": [kit.MenuItem(_("Import orders"), desk.url("import"), "upload")],
        }
    )


def order(request: HttpRequest, desk: Desk, uid: str) -> HttpResponseBase:
    """One recorded order, with what may be cancelled."""
    found, rows = desk.order(uid)
    facts = [
        kit.Fact(_("Customer"), found.account.name),
        kit.Fact(_("Domain identifier"), found.account.identifier),
        kit.Fact(_("Customer's order number"), found.customer_reference),
        kit.Fact(_("Ordered on"), words.date(found.ordered_on) if found.ordered_on else ""),
        kit.Fact(_("Recorded by"), found.recorded_by_name),
        kit.Fact(_("Recorded"), words.datetime(found.created_at)),
        kit.Fact(_("Memo"), found.memo),
    ]
    if desk.company is None:
        facts.insert(0, kit.Fact(_("Recorded by the company"), parts.recorder_of(rows[0])))
    context = {
        "frame": desk.frame,
        "order": found,
        "facts": facts,
        "crumbs": [kit.Crumb(_("Recorded orders"), desk.url("list"))],
        "lines": [
            {
                "row": row,
                "license": license_label(row.line.tag),
                "kind": KINDS[row.line.kind],
                "state": parts.state_of(row),
                "where": row.line.virtual_account.name if row.line.virtual_account is not None else "",
                "exchange": parts.exchange_text(row),
                "lot_url": lot_url(desk, row),
                "cancel": desk.url("cancel", uid=row.uid) if row.status != "cancelled" else "",
            }
            for row in rows
        ],
    }
    return render(request, "desk/order.html", context)


def lot_url(desk: Desk, row: LineRow) -> str:
    """The operator's page of what the line brought, or of what stands in its place now."""
    lot = row.exchange.lot if row.exchange is not None else row.line.lot
    if desk.company is not None or lot is None:
        return ""
    kwargs = {"identifier": row.line.account.identifier, "lot": lot.uid}
    return reverse("operator_lots-detail", kwargs=kwargs)


def cancel(request: HttpRequest, desk: Desk, uid: str) -> HttpResponseBase:
    """Cancel a line, and say what could not be cancelled."""
    row = desk.line(uid)
    back = HttpResponseRedirect(desk.url("order", uid=row.line.order.uid))
    if request.method != "POST":
        return back
    try:
        done = cancel_line(
            desk.actor, line=row.line, request_id=request_id_of(request), memo=request.POST.get("memo", "")
        )
    except BusinessError as error:
        if error.http_status == 404:
            raise
        kit.tell(request, "error", error.text())
        return back
    if done.left:
        text = ngettext(
            "%(count)s cancelled; %(left)s stays, because it is in use, set aside or lent.",
            "%(count)s cancelled; %(left)s stay, because they are in use, set aside or lent.",
            done.left,
        )
        counts = {"count": words.num(done.cancelled), "left": words.num(done.left)}
        kit.tell(request, "caution", text % counts)
    else:
        text = ngettext("%(count)s license was cancelled.", "%(count)s licenses were cancelled.", done.cancelled)
        kit.tell(request, "done", text % {"count": words.num(done.cancelled)})
    return back
