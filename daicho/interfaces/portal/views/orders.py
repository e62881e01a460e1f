"""注文: what was bought, where did it land? And what waits to be assigned (S19, S20)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError
from daicho.domain.access.queries_events import latest_events
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.entries import acts_on_lots
from daicho.domain.orders.commands.assign import undo_assignment
from daicho.domain.orders.queries.account import order_card
from daicho.domain.orders.queries.lines import LineRow, get_order, list_account_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import sentence, who
from daicho.interfaces.portal.lists import BulkAct, Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import orders_parts as parts
from daicho.interfaces.portal.views.licenses_parts import KINDS, license_label, license_name
from daicho.interfaces.portal.web import Here, account_page, request_id_of

LINES_TOLD = 200  # of an order, whose events stand on its page


def tabs(here: Here, current: str) -> list[kit.Tab]:
    """All that was bought · what waits to be assigned · how to order."""
    found = [kit.Tab(_("Orders"), here.url("orders-list"), current == "list")]
    if here.scope.allows(Permission.ORDERS_VIEW):
        found.append(kit.Tab(_("Unassigned"), here.url("orders-unassigned", va=None), current == "unassigned"))
    found.append(kit.Tab(_("How to order"), here.url("orders-card"), current == "card"))
    return found


class OrderList(ListPage):
    """Lines of orders that the reader may see."""

    key = "orders"
    title = lazy("Orders")
    text_label = lazy("Filter by order number, SKU or license")
    default_sort = "-recorded"
    default_size = 50
    row_id = "uid"
    here: Here

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.filters = parts.filters()
        self.empty = Empty(
            lazy("No orders yet"),
            lazy("Tell your partner the domain identifier and the virtual account. The order appears here when it is recorded."),
            kit.Action(self.here.url("orders-card"), lazy("How to order")),
        )  # fmt: skip

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def detail(row: LineRow) -> str:
            return self.here.url("orders-detail", uid=row.line.order.uid)

        return list(parts.columns(detail, customer=False, partner=True))

    def bulk_acts(self) -> list[BulkAct]:
        if not self.here.scope.allows(Permission.ORDERS_ASSIGN):
            return []
        return [BulkAct("assign", lazy("Assign what is unassigned"), self.here.url("orders-assign-start", va=None))]

    def fetch(self, q: ListQuery) -> Any:
        return list_account_lines(
            self.here.actor,
            self.here.account,
            virtual_account=self.here.va,
            filters=parts.filters_of(q),
            sort=q.sort,
            descending=q.descending,
            cursor=q.cursor,
            size=q.size,
            count=True,
        )


@account_page(Permission.ORDERS_VIEW)
def orders(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of what was bought."""
    context: dict[str, Any] = {"tabs": tabs(here, "list")}
    return OrderList(request, here=here).response(context)


class UnassignedList(ListPage):
    """Lines that wait for somebody to say where they belong."""

    key = "unassigned"
    title = lazy("Unassigned licenses")
    text_label = lazy("Filter by order number, SKU or license")
    default_sort = "recorded"
    default_size = 50
    row_id = "uid"
    empty = Empty(
        lazy("Nothing is unassigned"),
        lazy("Every license that was ordered lies in a virtual account."),
        kind="nothing_wrong",
    )
    here: Here

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.filters = [one for one in parts.filters() if one.key != "status"]

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def detail(row: LineRow) -> str:
            return self.here.url("orders-detail", uid=row.line.order.uid)

        return [
            Column("number", lazy("Order number"), sort=True, value=lambda r: r.line.order.number, link=detail, phone=True),
            Column("line", lazy("Line"), kind="num", value=lambda r: r.line.line_number),
            Column("license", lazy("License"), value=lambda r: license_name(r.line.tag), phone=True),
            Column("sku", lazy("SKU"), kind="code", sort=True, value=lambda r: r.line.tag.sku),
            Column("unassigned", lazy("Unassigned"), kind="num", phone=True),
            Column("quantity", lazy("Ordered"), kind="num", sort=True),
            Column("end", lazy("End"), kind="until", sort=True, value=lambda r: r.line.end_on),
            Column("recorded", lazy("Recorded"), kind="datetime", sort=True, value=lambda r: r.line.created_at),
            Column("partner", lazy("Partner"), value=parts.recorder_of),
        ]  # fmt: skip

    def bulk_acts(self) -> list[BulkAct]:
        if not self.here.scope.allows(Permission.ORDERS_ASSIGN):
            return []
        return [BulkAct("assign", lazy("Assign"), self.here.url("orders-assign-start", va=None))]

    def fetch(self, q: ListQuery) -> Any:
        return list_account_lines(
            self.here.actor,
            self.here.account,
            filters=replace(parts.filters_of(q), status="unassigned"),
            sort=q.sort,
            descending=q.descending,
            cursor=q.cursor,
            size=q.size,
            count=True,
        )


@account_page(Permission.ORDERS_VIEW)
def unassigned(request: HttpRequest, here: Here) -> HttpResponseBase:
    """What waits to be assigned."""
    return UnassignedList(request, here=here).response({"tabs": tabs(here, "unassigned")})


@account_page(Permission.ORDERS_VIEW)
def card(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The two names that a customer tells a partner (S20)."""
    found = order_card(here.actor, here.account, here.va)
    lines = [(_("Domain identifier"), found.identifier), (_("Virtual account"), found.virtual_account)]
    return render(
        request, "orders/card.html", {"card": found, "lines": lines, "tabs": tabs(here, "card"), "title": _("How to order")}
    )  # fmt: skip


@account_page(Permission.ORDERS_VIEW)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One order: its lines and where each lies now."""
    order, rows = get_order(here.actor, here.account, uid)
    told = next((row for row in rows if row.is_own), rows[0])
    waiting = [row for row in rows if row.unassigned]
    facts = [
        kit.Fact(_("Partner"), parts.recorder_of(rows[0])),
        kit.Fact(_("Customer's order number"), told.customer_reference),
        kit.Fact(_("Ordered on"), words.date(order.ordered_on) if order.ordered_on else ""),
        kit.Fact(_("Recorded"), words.datetime(order.created_at)),
        kit.Fact(_("Memo"), told.memo),
    ]
    context = {
        "order": order,
        "rows": [_line_of(here, row) for row in rows],
        "facts": facts,
        "crumbs": [kit.Crumb(_("Orders"), here.url("orders-list"))],
        "assign_url": _assign_url(here, waiting) if waiting and here.scope.allows(Permission.ORDERS_ASSIGN) else "",
        "unassigned": sum(row.unassigned for row in waiting),
        "events": _events(here, order.uid, rows),
    }
    return render(request, "orders/detail.html", context)


def _events(here: Here, order_uid: str, rows: list[LineRow]) -> list[kit.Event]:
    """What happened to the order, its lines and its licenses last, as far as the reader may read the event log."""
    if not here.may(Permission.EVENTS_VIEW):
        return []
    told = rows[:LINES_TOLD]
    acts = acts_on_lots(row.line.lot_id for row in told if row.line.lot_id is not None)
    subjects = (order_uid, *(row.uid for row in told), *acts)
    found: dict[tuple[Any, str], kit.Event] = {}  # an act writes a line for each place it touches
    for event in latest_events(here.actor, here.account, here.va, subject_uids=subjects, limit=30):
        text = sentence(event)
        found.setdefault((event.act, text), kit.Event(event.at, who(event), text))
    return list(found.values())[:10]


def _line_of(here: Here, row: LineRow) -> dict[str, Any]:
    url = ""
    if row.line.lot_id is not None and here.may(Permission.LICENSES_VIEW):
        place = next((p.virtual_account for p in row.places if p.virtual_account is not None), None)
        url = here.url("licenses-detail", tag=row.line.tag.uid) if place is not None else ""
    return {
        "row": row,
        "license": license_label(row.line.tag),
        "url": url,
        "state": parts.state_of(row),
        "where": parts.destination_text(row),
        "not_started": sum(part.quantity for part in row.places if part.place == "pending"),
        "kind": KINDS[row.line.kind],
        "exchange": parts.exchange_text(row),
        "exchange_url": here.url("lots-detail", va=None, lot=row.exchange.lot.uid)
        if row.exchange is not None and here.scope.allows(Permission.LICENSES_VIEW)
        else "",
    }


def _assign_url(here: Here, rows: list[LineRow]) -> str:
    query = "&".join(f"row={row.uid}" for row in rows[:200])
    return f"{here.url('orders-assign', va=None)}?{query}"


@require_POST
@account_page(Permission.ORDERS_ASSIGN)
def undo(request: HttpRequest, here: Here, entry: str) -> HttpResponseBase:
    """Take an assignment back."""
    back = HttpResponseRedirect(here.url("orders-unassigned", va=None))
    try:
        undo_assignment(here.actor, account=here.account, entry_uid=entry, request_id=request_id_of(request))
    except BusinessError as error:
        if error.http_status == 404:
            raise
        kit.tell(request, "error", error.text())
        return back
    kit.tell(request, "done", _("The assignment was undone. The licenses are unassigned again."))
    return back


def told_assigned(request: HttpRequest, here: Here, count: int, entry: str) -> None:
    """The banner after an assignment, with its undo."""
    text = ngettext("%(count)s license was assigned.", "%(count)s licenses were assigned.", count)
    kit.tell(
        request,
        "done",
        text % {"count": words.num(count)},
        link=(here.url("licenses-list", va=None), _("Open the licenses")),
        undo=here.url("orders-undo", va=None, entry=entry),
    )
