"""What was bought, as customers read and assign it (S19, S20)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.orders.commands.assign import LinePart, assign_lines, undo_assignment
from daicho.domain.orders.queries import lines as read
from daicho.domain.orders.queries.account import order_card
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import MemoIn, Named, Quantity, Text, Told, Uid

router = Router(tags=["Orders"])

LineStatus = Literal["waiting_operator", "waiting_agreement", "unassigned", "deposited", "cancelled"]
Kind = Literal["perpetual", "term", "subscription", "demo"]


class LinePlaceOut(Told):
    """Where a part of a line lies; `virtual_account` null: unassigned."""

    virtual_account: Named | None
    place: str
    quantity: int


class LineOut(Told):
    """A line, with figures as far as the caller may see them."""

    uid: str
    order: str
    order_number: str
    line: int
    identifier: str
    partner: str | None
    sku: str
    quantity: int
    kind: str
    billing: str
    start_on: dt.date | None
    end_on: dt.date | None
    status: str
    unassigned: int
    cancelled: int
    exchanged: int
    exchanged_for: str | None
    destination: Named | None
    places: list[LinePlaceOut]
    decision_reason: str
    recorded_at: dt.datetime
    customer_reference: str
    memo: str


class PartIn(Schema):
    """So many of a line for a virtual account."""

    line: Uid
    quantity: Quantity
    virtual_account: Uid


class AssignIn(Schema):
    parts: list[PartIn] = Field(min_length=1, max_length=10_000)
    memo: Text = Field("", max_length=500)


class AssignmentOut(Told):
    """The number of the act in the ledger: by it the act is undone."""

    entry: str


class CardOut(Told):
    """The two names to order by."""

    identifier: str
    account_name: str
    virtual_account: str
    public: bool


class LineFilters(Schema):
    """Query parameters of every list of lines."""

    text: Text = Field("", max_length=200)
    status: LineStatus | None = None
    kind: Kind | None = None
    since: dt.date | None = None

    def as_filters(self) -> read.Filters:
        return read.Filters(self.text, self.status or "", self.since, self.kind or "")


def line_out(row: read.LineRow) -> dict[str, Any]:
    line, order = row.line, row.line.order
    return {
        "uid": line.uid, "order": order.uid, "order_number": order.number, "line": line.line_number,
        "identifier": line.account.identifier, "partner": order.company.name if order.company is not None else None,
        "sku": line.tag.sku, "quantity": row.quantity, "kind": line.kind, "billing": line.billing,
        "start_on": line.start_on, "end_on": line.end_on, "status": row.status, "unassigned": row.unassigned,
        "cancelled": row.cancelled, "exchanged": row.exchanged,
        "exchanged_for": row.exchange.lot.uid if row.exchange is not None else None,
        "destination": row.destination, "decision_reason": line.decision_reason if row.is_own else "",
        "recorded_at": line.created_at, "customer_reference": row.customer_reference, "memo": row.memo,
        "places": [
            {"virtual_account": place.virtual_account, "place": place.place, "quantity": place.quantity}
            for place in row.places
        ],
    }  # fmt: skip


# The customer's orders.


@router.get(
    "/accounts/{identifier}/order-lines", response={200: Paged[LineOut], **PROBLEMS}, operation_id="listOrderLines"
)
def list_lines(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    filters: Query[LineFilters],
    virtual_account: str | None = None,
) -> Any:
    """What was bought for an account: every line that the caller may see, newest first."""
    actor = actor_of(request)
    account = policy.get_account(actor, identifier, Permission.ORDERS_VIEW)
    place = (
        policy.get_virtual_account(actor, account, virtual_account, Permission.ORDERS_VIEW) if virtual_account else None
    )
    page = read.list_account_lines(
        actor, account, virtual_account=place, filters=filters.as_filters(), cursor=paging.cursor, size=paging.size
    )
    return paged(page, line_out)


@router.get(
    "/accounts/{identifier}/order-lines/{uid}", response={200: LineOut, **PROBLEMS}, operation_id="getOrderLine"
)
def get_line(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One line, and where it lies now."""
    actor = actor_of(request)
    account = policy.get_account(actor, identifier, Permission.ORDERS_VIEW)
    return line_out(read.get_line(actor, account, uid))


@router.get("/accounts/{identifier}/order-card", response={200: CardOut, **PROBLEMS}, operation_id="getOrderCard")
def get_card(request: HttpRequest, identifier: str, virtual_account: str | None = None) -> Any:
    """The domain identifier and the virtual account's name: what a customer tells a partner."""
    actor = actor_of(request)
    account = policy.get_account(actor, identifier, Permission.ORDERS_VIEW)
    place = (
        policy.get_virtual_account(actor, account, virtual_account, Permission.ORDERS_VIEW) if virtual_account else None
    )
    return order_card(actor, account, place)


@router.post(
    "/accounts/{identifier}/assignments", response={201: AssignmentOut, **PROBLEMS}, operation_id="assignOrderLines"
)
def create_assignment(request: HttpRequest, identifier: str, body: AssignIn) -> Any:
    """Assign unassigned lines to virtual accounts, whole or split, in one act."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    lines = read.lines_by_uid(actor, account, {part.line for part in body.parts})
    places = {
        uid: policy.get_virtual_account(actor, account, uid, Permission.ORDERS_VIEW)
        for uid in sorted({part.virtual_account for part in body.parts})
    }
    parts = [LinePart(lines[part.line], places[part.virtual_account], part.quantity) for part in body.parts]
    entry = assign_lines(actor, account=account, request_id=request_id_of(request), parts=parts, memo=body.memo)
    return Status(201, {"entry": entry.uid})


@router.post(
    "/accounts/{identifier}/assignments/{entry}/undo",
    response={201: AssignmentOut, **PROBLEMS},
    operation_id="undoAssignment",
)
def create_undo(request: HttpRequest, identifier: str, entry: str, body: MemoIn) -> Any:
    """Take an assignment back: the licenses are unassigned again, all or none."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    done = undo_assignment(actor, account=account, entry_uid=entry, request_id=request_id_of(request), memo=body.memo)
    return Status(201, {"entry": done.uid})
