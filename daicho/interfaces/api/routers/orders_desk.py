"""Where orders are recorded and decided: a partner company's desk, and the operator's (S20)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.orders import sheet
from daicho.domain.orders.commands.allowances import set_allowance
from daicho.domain.orders.commands.cancel import cancel_line
from daicho.domain.orders.commands.imports import import_orders, is_large, keep_large, preview_import, preview_large
from daicho.domain.orders.commands.order_jobs import start_order_file
from daicho.domain.orders.commands.record import Recorded, ensure_may_record, record_order
from daicho.domain.orders.commands.waiting import approve_lines, decline_lines
from daicho.domain.orders.queries import lines as read
from daicho.domain.orders.queries.companies import allowances_of, search_destinations
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.jobs import JobOut, started
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.orders import Kind, LineFilters, LineOut, line_out
from daicho.interfaces.api.schemas import MemoIn, Quantity, Text, Told, Uid

if TYPE_CHECKING:
    from daicho.core.actor import Actor
    from daicho.domain.access.models import PartnerCompany

router = Router(tags=["Orders"])

Domain = Annotated[Text, Field(min_length=1, max_length=253)]


class OrderLineIn(Schema):
    """A line of an order. `virtual_account` is a name; without one the customer assigns the licenses later."""

    line: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    sku: Text = Field(min_length=1, max_length=100)
    quantity: Quantity
    kind: Kind = "perpetual"
    billing: Literal["prepaid", "usage"] = "prepaid"
    start_on: dt.date | None = None
    end_on: dt.date | None = None
    virtual_account: Text = Field("", max_length=100)


class OrderIn(Schema):
    """An order of the account `identifier`. The same order again does nothing."""

    number: Text = Field(min_length=1, max_length=64)
    identifier: Domain
    lines: list[OrderLineIn] = Field(min_length=1, max_length=10_000)
    ordered_on: dt.date | None = None
    customer_reference: Text = Field("", max_length=100)
    memo: Text = Field("", max_length=500)


class RecordedOut(Told):
    """`new` lines by where they went; `repeated` ones had been recorded before."""

    order: str
    new: int
    repeated: int
    landing: dict[str, int]


class DestinationOut(Told):
    identifier: str
    account_name: str
    virtual_account: str
    public: bool


class CancelledOut(Told):
    """How many were cancelled, and how many stay because they are in use, set aside or lent."""

    cancelled: int
    left: int


class DecisionIn(Schema):
    lines: list[Uid] = Field(min_length=1, max_length=500)


class LineDeclineIn(DecisionIn):
    reason: Text = Field(min_length=1, max_length=500)


class DecidedOut(Told):
    decided: int


class AllowanceOut(Told):
    """How many of a license a company may deposit in a calendar month without the operator."""

    sku: str
    name: str
    monthly_quantity: int
    used: int
    left: int


class AllowanceIn(Schema):
    """0 ends the allowance."""

    sku: Text = Field(min_length=1, max_length=100)
    monthly_quantity: int = Field(ge=0, le=2**53 - 1)


class ImportPreviewOut(Told):
    """What importing the file would do.

    With `errors` it would be refused whole; if `as_job`, each line alone, and only the first `looked_at` rows were looked at.
    """

    rows: int
    looked_at: int
    as_job: bool
    orders: int
    new_lines: int
    repeated_lines: int
    landing: dict[str, int]
    errors: list[dict[str, Any]]


class ImportedOrdersOut(Told):
    orders: int
    new: int
    repeated: int
    landing: dict[str, int]


def landing_of(done: Recorded) -> dict[str, int]:
    states = ("deposited", "unassigned", "waiting_agreement", "waiting_operator")
    return {state: done.count(state) for state in states}


def order_input(body: OrderIn) -> OrderInput:
    lines = [LineInput(**(one.dict() | {"line": one.line if one.line is not None else ""})) for one in body.lines]
    return OrderInput(**(body.dict() | {"lines": lines}))


def recorded_out(done: Recorded) -> dict[str, Any]:
    return {
        "order": done.orders[0].uid,
        "new": len(done.new),
        "repeated": done.repeated,
        "landing": landing_of(done),
    }


# The partner's desk.


@router.post("/partner/{company}/orders", response={201: RecordedOut, **PROBLEMS}, operation_id="recordPartnerOrder")
def record_partner_order(request: HttpRequest, company: str, body: OrderIn) -> Any:
    """Record a customer's order; beyond the company's allowance its lines wait for the operator."""
    actor = actor_of(request)
    found = policy.get_company(actor, company)
    return Status(201, recorded_out(record_order(actor, company=found, order=order_input(body))))


@router.get(
    "/partner/{company}/order-lines", response={200: Paged[LineOut], **PROBLEMS}, operation_id="listPartnerOrderLines"
)
def list_partner_lines(
    request: HttpRequest, company: str, paging: Query[PageParams], filters: Query[LineFilters]
) -> Any:
    """What the company recorded, newest first."""
    actor = actor_of(request)
    page = read.list_company_lines(
        actor,
        policy.get_company(actor, company),
        filters=filters.as_filters(),
        cursor=paging.cursor,
        size=paging.size,
    )
    return paged(page, line_out)


@router.get(
    "/partner/{company}/order-lines/{uid}", response={200: LineOut, **PROBLEMS}, operation_id="getPartnerOrderLine"
)
def get_partner_line(request: HttpRequest, company: str, uid: str) -> Any:
    """One line that the company recorded."""
    actor = actor_of(request)
    return line_out(read.get_company_line(actor, policy.get_company(actor, company), uid))


@router.post(
    "/partner/{company}/order-lines/{uid}/cancel", response={200: CancelledOut, **PROBLEMS},
    operation_id="cancelPartnerOrderLine",
)  # fmt: skip
def cancel_partner_line(request: HttpRequest, company: str, uid: str, body: MemoIn) -> Any:
    """Cancel a line as far as it is free, and say what is left."""
    actor = actor_of(request)
    line = read.get_company_line(actor, policy.get_company(actor, company), uid).line
    return cancel_line(actor, line=line, request_id=request_id_of(request), memo=body.memo)


@router.get(
    "/partner/{company}/destinations", response={200: list[DestinationOut], **PROBLEMS},
    operation_id="searchPartnerDestinations",
)  # fmt: skip
def search_partner_destinations(
    request: HttpRequest, company: str, identifier: Domain, text: Annotated[Text, Field(max_length=100)] = ""
) -> Any:
    """Public virtual accounts of an account by typing; a private one by its exact name."""
    actor = actor_of(request)
    return search_destinations(actor, policy.get_company(actor, company), identifier=identifier, text=text)


@router.get(
    "/partner/{company}/allowances",
    response={200: list[AllowanceOut], **PROBLEMS},
    operation_id="listPartnerAllowances",
)
def list_partner_allowances(request: HttpRequest, company: str) -> Any:
    """What the company may deposit on its own this month."""
    actor = actor_of(request)
    return allowances_of(actor, policy.get_company(actor, company))


@router.post(
    "/partner/{company}/order-imports/preview", response={200: ImportPreviewOut, **PROBLEMS},
    operation_id="previewPartnerOrderImport",
)  # fmt: skip
def preview_partner_import(request: HttpRequest, company: str, file: File[UploadedFile]) -> Any:
    """What a CSV or XLSX file would do, with every bad row; writes nothing."""
    actor = actor_of(request)
    return preview_of(actor, policy.get_company(actor, company), file)


@router.post(
    "/partner/{company}/order-imports",
    response={201: ImportedOrdersOut, 202: JobOut, **PROBLEMS},
    operation_id="importPartnerOrders",
)
def import_partner_orders(request: HttpRequest, company: str, file: File[UploadedFile]) -> Any:
    """Record all orders of a file, or none. Of more than 10,000 lines or 4 MB: 202 and a job, each line alone."""
    actor = actor_of(request)
    return import_or_start(request, actor, policy.get_company(actor, company), file)


def preview_of(actor: Actor, company: PartnerCompany | None, file: UploadedFile) -> dict[str, Any]:
    """What the file would do, whatever its size."""
    ensure_may_record(actor, company)
    if is_large(file.file, file.size or 0):
        return sheet.as_data(preview_large(actor, company=company, content=file.chunks()))
    return sheet.as_data(preview_import(actor, company=company, content=file.read()))


def import_or_start(request: HttpRequest, actor: Actor, company: PartnerCompany | None, file: UploadedFile) -> Any:
    """Record the file at once, or start the job that does."""
    ensure_may_record(actor, company)
    if not is_large(file.file, file.size or 0):
        return Status(201, imported_out(import_orders(actor, company=company, content=file.read())))
    kept = keep_large(actor, company=company, name=file.name or "orders", content=file.chunks())
    return started(start_order_file(actor, company=company, request_id=request_id_of(request), file=kept))


def imported_out(done: Recorded) -> dict[str, Any]:
    return {
        "orders": len(done.orders),
        "new": len(done.new),
        "repeated": done.repeated,
        "landing": landing_of(done),
    }


# The operator.


@router.post("/operator/orders", response={201: RecordedOut, **PROBLEMS}, operation_id="recordOrder")
def record_operator_order(request: HttpRequest, body: OrderIn) -> Any:
    """Record a customer's order and deposit its licenses."""
    return Status(201, recorded_out(record_order(actor_of(request), company=None, order=order_input(body))))


@router.get("/operator/order-lines", response={200: Paged[LineOut], **PROBLEMS}, operation_id="listAllOrderLines")
def list_all_lines(request: HttpRequest, paging: Query[PageParams], filters: Query[LineFilters]) -> Any:
    """What anybody recorded, newest first."""
    page = read.list_all_lines(actor_of(request), filters=filters.as_filters(), cursor=paging.cursor, size=paging.size)
    return paged(page, line_out)


@router.post(
    "/operator/order-lines/{uid}/cancel", response={200: CancelledOut, **PROBLEMS}, operation_id="cancelOrderLine"
)
def cancel_any_line(request: HttpRequest, uid: str, body: MemoIn) -> Any:
    """Cancel a line as far as it is free, and say what is left."""
    actor = actor_of(request)
    line = read.get_any_line(actor, uid).line
    return cancel_line(actor, line=line, request_id=request_id_of(request), memo=body.memo)


@router.post("/operator/order-lines/approve", response={200: DecidedOut, **PROBLEMS}, operation_id="approveOrderLines")
def approve(request: HttpRequest, body: DecisionIn) -> Any:
    """Let lines of partners land that wait for the operator."""
    actor = actor_of(request)
    lines = [read.get_any_line(actor, uid).line for uid in body.lines]
    return {"decided": len(approve_lines(actor, lines=lines))}


@router.post("/operator/order-lines/decline", response={200: DecidedOut, **PROBLEMS}, operation_id="declineOrderLines")
def decline(request: HttpRequest, body: LineDeclineIn) -> Any:
    """Refuse lines of partners that wait for the operator, with a reason for the partner."""
    actor = actor_of(request)
    lines = [read.get_any_line(actor, uid).line for uid in body.lines]
    return {"decided": len(decline_lines(actor, lines=lines, reason=body.reason))}


@router.put(
    "/operator/partners/{company}/allowances",
    response={200: list[AllowanceOut], **PROBLEMS},
    operation_id="setAllowance",
)
def put_allowance(request: HttpRequest, company: str, body: AllowanceIn) -> Any:
    """Set how many of a license a partner company may deposit in a month on its own; answers all its allowances."""
    actor = actor_of(request)
    found = policy.get_company(actor, company)
    set_allowance(actor, company=found, sku=body.sku, monthly_quantity=body.monthly_quantity)
    return allowances_of(actor, found)


@router.post(
    "/operator/order-imports/preview", response={200: ImportPreviewOut, **PROBLEMS}, operation_id="previewOrderImport"
)
def preview_operator_import(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """What a CSV or XLSX file would do, with every bad row; writes nothing."""
    return preview_of(actor_of(request), None, file)


@router.post(
    "/operator/order-imports", response={201: ImportedOrdersOut, 202: JobOut, **PROBLEMS}, operation_id="importOrders"
)
def import_operator_orders(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """Record all orders of a file, or none. Of more than 10,000 lines or 4 MB: 202 and a job, each line alone."""
    return import_or_start(request, actor_of(request), None, file)
