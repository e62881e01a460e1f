"""One lot: where it lies, and its ledger columns (management number, certificate number, purchasing department, …)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.core import downloads, money
from daicho.core.errors import NotFound
from daicho.domain.access import policy
from daicho.domain.ledger.attachments import MOST_BYTES
from daicho.domain.ledger.commands.lot_details import change_lot_details, import_lot_details
from daicho.domain.ledger.commands.lot_files import attach_lot_file, remove_lot_file
from daicho.domain.ledger.queries.details_file import read_details_file
from daicho.domain.ledger.queries.lot_details import LotView, view_lot
from daicho.domain.ledger.queries.lot_files import list_lot_files, read_lot_file
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.lot_details import LotDetailsOut, details_out
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import LotOut, lot_out, sight_of
from daicho.interfaces.api.schemas import Text, Told, Uid

if TYPE_CHECKING:
    from daicho.domain.ledger.models import LotAttachment

router = Router(tags=["Licenses"])

Short = Annotated[Text, Field(max_length=100)]


class LotViewOut(Told):
    """A lot. `rows`: where it lies as far as the caller sees it; `details`: null where one of its places is out of sight."""

    uid: str
    sku: str
    rows: list[LotOut]
    unassigned: int
    details: LotDetailsOut | None


class LotDetailsIn(Schema):
    """What is to be written down; what is left out stays. An amount needs a currency; null takes the amount away."""

    management_number: Short = ""
    certificate_number: Short = ""
    department: Short = ""
    storage_place: Short = ""
    note: Annotated[Text, Field(max_length=500)] = ""
    amount: Annotated[int, Field(ge=0, le=money.MOST)] | None = None
    currency: Annotated[Text, Field(max_length=3)] = ""


class LotDetailsImportOut(Told):
    """How many lots the file changed (or would change), and how many said the same already."""

    changed: int
    unchanged: int


class LotFileOut(Told):
    """A file attached to a lot. `size` in bytes."""

    uid: str
    name: str
    media_type: str
    size: int
    sha256: str
    added_at: dt.datetime
    added_by: str


def file_out(attachment: LotAttachment) -> dict[str, Any]:
    file = attachment.file
    return {
        "uid": attachment.uid,
        "name": attachment.name,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "added_at": attachment.added_at,
        "added_by": attachment.added_by_name,
    }


def view_out(found: LotView) -> dict[str, Any]:
    return {
        "uid": found.lot.uid,
        "sku": found.lot.tag.sku,
        "rows": [lot_out(row) for row in found.rows],
        "unassigned": found.unassigned,
        "details": details_out(found.details, company=found.sees_company) if found.details is not None else None,
    }


@router.get("/accounts/{identifier}/lots/{uid}", response={200: LotViewOut, **PROBLEMS}, operation_id="getLot")
def get_lot(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One lot: where it lies, and its ledger columns."""
    return view_out(view_lot(sight_of(request, identifier, lists=False), uid))


@router.get(
    "/accounts/{identifier}/lots/{uid}/details",
    response={200: LotDetailsOut, **PROBLEMS},
    operation_id="getLotDetails",
)
def get_details(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """The ledger columns of a lot; 404 for who does not see every place of it."""
    return _details(request, identifier, uid)


@router.patch(
    "/accounts/{identifier}/lots/{uid}/details",
    response={200: LotDetailsOut, **PROBLEMS},
    operation_id="changeLotDetails",
)
def change_details(request: HttpRequest, identifier: str, uid: Uid, body: LotDetailsIn) -> Any:
    """Write down ledger columns of a lot; needs the right to manage licenses in every place of it."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    change_lot_details(actor, account=account, lot_uid=uid, changes=body.model_dump(exclude_unset=True))
    return _details(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/lot-details-imports",
    response={200: LotDetailsImportOut, **PROBLEMS},
    operation_id="importLotDetails",
)
def import_details(request: HttpRequest, identifier: str, file: File[UploadedFile], preview: bool = False) -> Any:
    """Write down the ledger columns of up to 10,000 lots from a CSV or XLSX file, all or none; bad rows are named.

    `preview=true` only checks the file.
    """
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    content = file.read()
    if preview:
        found = read_details_file(actor, account=account, content=content)
        found.ensure_clean()
        return {"changed": len(found.changes), "unchanged": found.unchanged}
    return import_lot_details(actor, account=account, content=content)


def _details(request: HttpRequest, identifier: str, uid: str) -> dict[str, Any]:
    found = view_lot(sight_of(request, identifier, lists=False), uid)
    if found.details is None:
        raise NotFound
    return details_out(found.details, company=found.sees_company)


@router.get(
    "/accounts/{identifier}/lots/{uid}/files", response={200: list[LotFileOut], **PROBLEMS}, operation_id="listLotFiles"
)
def get_files(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """The files attached to a lot, oldest first; 404 for who has no role in the whole account."""
    return [file_out(one) for one in list_lot_files(sight_of(request, identifier, lists=False), uid)]


@router.post(
    "/accounts/{identifier}/lots/{uid}/files", response={201: LotFileOut, **PROBLEMS}, operation_id="attachLotFile"
)
def attach_file(request: HttpRequest, identifier: str, uid: Uid, file: File[UploadedFile]) -> Any:
    """Attach a file: PDF, PNG, JPEG, text, CSV, XLSX or DOCX by its content, at most 10 MB, at most 20 a lot."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    content = file.read(MOST_BYTES + 1)
    made = attach_lot_file(actor, account=account, lot_uid=uid, name=file.name or "", content=content)
    return Status(201, file_out(made))


@router.get(
    "/accounts/{identifier}/lots/{uid}/files/{file}",
    response={200: bytes, **PROBLEMS},
    operation_id="getLotFile",
    openapi_extra={"responses": {200: {"content": {"application/octet-stream": {}}}}},
)
def get_file(request: HttpRequest, identifier: str, uid: Uid, file: Uid) -> StreamingHttpResponse:
    """The file itself, under its own media type."""
    found, parts = read_lot_file(sight_of(request, identifier, lists=False), uid, file)
    answer = StreamingHttpResponse(parts, content_type=found.file.media_type)
    for name, value in downloads.headers(found.name, found.file.size).items():
        answer[name] = value
    return answer


@router.delete(
    "/accounts/{identifier}/lots/{uid}/files/{file}", response={204: None, **PROBLEMS}, operation_id="removeLotFile"
)
def remove_file(request: HttpRequest, identifier: str, uid: Uid, file: Uid) -> Any:
    """Take a file off a lot for good; the event log keeps its name and digest."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    remove_lot_file(actor, account=account, lot_uid=uid, file_uid=file)
    return Status(204, None)
