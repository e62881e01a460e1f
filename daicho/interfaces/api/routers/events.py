"""The event log: who did what, with the seal that proves it (S3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.domain.access.commands.events import export_all_events, export_events
from daicho.domain.access.event_export import COLUMNS, as_object, cells, json_lines
from daicho.domain.access.policy import find_account, find_virtual_account
from daicho.domain.access.queries_events import (
    EventFilter,
    EventRow,
    EventSight,
    get_event,
    list_events,
    look_at_all_events,
    look_at_events,
    sealed_rows,
)
from daicho.domain.audit.seal import seal_pending
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Event log"])

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FileFormat = Literal["csv", "json", "xlsx"]


class EventParams(Schema):
    """Conditions on the log. `kind`: a whole kind (`license.transferred`) or what stands before its dot (`license`)."""

    q: Text = Field("", max_length=200)
    who: Text = Field("", max_length=200)
    kind: Text = Field("", max_length=48)
    subject: Text = Field("", max_length=40)
    act: uuid.UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def as_filter(self) -> EventFilter:
        return EventFilter(
            text=self.q,
            who=self.who,
            kind=self.kind,
            subject_uid=self.subject,
            act=self.act,
            since=self.since,
            until=self.until,
        )


class EventOut(Told):
    """One line. `digest`, `block` and `block_hash` are its seal, empty during the minute before it is sealed."""

    uid: str
    at: AwareDatetime
    kind: str
    act: uuid.UUID
    account: str
    virtual_account_uid: str
    virtual_account: str
    other_virtual_account_uid: str
    other_virtual_account: str
    other_hidden: bool
    actor_kind: str
    actor_name: str
    interface: str
    address: str
    subject: str
    subject_uid: str
    before: Any
    after: Any
    memo: str
    digest: str
    block: int | None
    block_hash: str


def event_out(row: EventRow) -> dict[str, Any]:
    return as_object(row) | {"at": row.at, "act": row.act, "block": row.block, "other_hidden": row.other_hidden}


@router.get("/accounts/{identifier}/events", response={200: Paged[EventOut], **PROBLEMS}, operation_id="listEvents")
def list_account_events(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    wanted: Query[EventParams],
    virtual_account: Annotated[Uid | None, Query()] = None,
) -> Any:
    """The lines that the caller may read, newest first."""
    sight = _sight(actor_of(request), identifier, virtual_account)
    page = list_events(sight, wanted.as_filter(), cursor=paging.cursor, size=paging.size, sealed=True)
    return paged(page, event_out)  # type: ignore[arg-type]


@router.get(
    "/accounts/{identifier}/events/export",
    response={200: bytes, **PROBLEMS},
    operation_id="exportEvents",
    openapi_extra={"responses": {200: {"content": {media: {} for media in MEDIA.values()}}}},
)
def export_account_events(
    request: HttpRequest,
    identifier: str,
    wanted: Query[EventParams],
    file_format: Annotated[FileFormat, Query(alias="format")] = "json",
    virtual_account: Annotated[Uid | None, Query()] = None,
) -> HttpResponse | StreamingHttpResponse:
    """A file of all that matches with digest, block and block hash; the log notes the export."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    place = find_virtual_account(actor, account, virtual_account) if virtual_account else None
    conditions = wanted.as_filter()
    sight = export_events(actor, account=account, virtual_account=place, wanted=conditions, file_format=file_format)
    return _file(sight, conditions, file_format)


@router.get("/accounts/{identifier}/events/{uid}", response={200: EventOut, **PROBLEMS}, operation_id="getEvent")
def get_account_event(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One line with its seal."""
    return event_out(get_event(_sight(actor_of(request), identifier, None), uid))


@router.get("/operator/events", response={200: Paged[EventOut], **PROBLEMS}, operation_id="listAllEvents")
def list_all_events(request: HttpRequest, paging: Query[PageParams], wanted: Query[EventParams]) -> Any:
    """The installation's lines and the accounts' own, without license lines; for the operator."""
    sight = look_at_all_events(actor_of(request))
    page = list_events(sight, wanted.as_filter(), cursor=paging.cursor, size=paging.size, sealed=True)
    return paged(page, event_out)  # type: ignore[arg-type]


@router.get(
    "/operator/events/export",
    response={200: bytes, **PROBLEMS},
    operation_id="exportAllEvents",
    openapi_extra={"responses": {200: {"content": {media: {} for media in MEDIA.values()}}}},
)
def export_installation_events(
    request: HttpRequest,
    wanted: Query[EventParams],
    file_format: Annotated[FileFormat, Query(alias="format")] = "json",
) -> HttpResponse | StreamingHttpResponse:
    """A file of the lines that the operator reads; the log notes the export."""
    conditions = wanted.as_filter()
    sight = export_all_events(actor_of(request), wanted=conditions, file_format=file_format)
    return _file(sight, conditions, file_format)


def _sight(actor: Actor, identifier: str, virtual_account: str | None) -> EventSight:
    account = find_account(actor, identifier)
    place = find_virtual_account(actor, account, virtual_account) if virtual_account else None
    return look_at_events(actor, account, place)


def _file(sight: EventSight, conditions: EventFilter, file_format: str) -> HttpResponse | StreamingHttpResponse:
    seal_pending()
    rows = sealed_rows(sight, conditions)
    if file_format == "xlsx":
        return FileResponse(tabular.xlsx_file(COLUMNS, map(cells, rows), sheet="events"), content_type=MEDIA["xlsx"])
    lines = json_lines(rows) if file_format == "json" else tabular.csv_lines(COLUMNS, map(cells, rows))
    return StreamingHttpResponse(_encoded(lines), content_type=MEDIA[file_format])


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)
