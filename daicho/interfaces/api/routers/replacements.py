"""A failed device is replaced at once (S4)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import (
    NewDevice,
    get_replacement,
    list_replacements,
    successor_in_sight,
)
from daicho.domain.devices.queries.devices import look_at_devices
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import named
from daicho.interfaces.api.schemas import MemoIn, Named, Text, Told, Uid

router = Router(tags=["Devices"])

Label = Annotated[Text, Field(max_length=100)]


class ReplaceIn(MemoIn):
    """The device that comes: `device`, one that is registered already, or what stands on the label of a new one.

    Without a name it is called like the failed one.
    """

    device: Annotated[str, Field(max_length=16)] = ""
    serial: Label = ""
    product_id: Label = ""
    name: Label = ""


class MovedOut(Told):
    """What went over: so many in use, and so many set aside."""

    sku: str
    quantity: int
    reserved: int


class ReplacementOut(Told):
    """`failed`, `successor`: the devices; the latter null where it has moved since out of the caller's sight."""

    uid: str
    failed: Named
    successor: Named | None
    virtual_account: Named
    moved: list[MovedOut]
    memo: str
    at: dt.datetime
    by: str


class ReplacementParams(PageParams):
    text: str = Field("", max_length=100, description="Words in the name or serial number of either device.")


def replacement_out(sight: Sight, made: Any) -> dict[str, Any]:
    new = successor_in_sight(sight, made)
    return {
        "uid": made.uid,
        "failed": named(made.failed),
        "successor": named(new) if new else None,
        "virtual_account": named(made.virtual_account),
        "moved": made.moved,
        "memo": made.memo,
        "at": made.at,
        "by": made.by,
    }


@router.post(
    "/accounts/{identifier}/devices/{uid}/replace",
    response={201: ReplacementOut, **PROBLEMS},
    operation_id="replaceDevice",
)
def post_replace(request: HttpRequest, identifier: str, uid: Uid, body: ReplaceIn) -> Any:
    """Let another device take over all that a failed one used and held; the failed one is refused if it comes back."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    made = replace_device(
        actor, account=account, failed_uid=uid, request_id=request_id_of(request), memo=body.memo,
        successor=NewDevice(body.device, body.name, body.product_id, body.serial),
    )  # fmt: skip
    return Status(201, replacement_out(look_at_devices(actor, account), made))


@router.get(
    "/accounts/{identifier}/replacements",
    response={200: Paged[ReplacementOut], **PROBLEMS},
    operation_id="listReplacements",
)
def get_list(request: HttpRequest, identifier: str, params: Query[ReplacementParams]) -> Any:
    """Which devices were replaced by which, newest first."""
    actor = actor_of(request)
    sight = look_at_devices(actor, policy.find_account(actor, identifier))
    page = list_replacements(sight, text=params.text, cursor=params.cursor, size=params.size)
    return paged(page, lambda made: replacement_out(sight, made))


@router.get(
    "/accounts/{identifier}/replacements/{uid}",
    response={200: ReplacementOut, **PROBLEMS},
    operation_id="getReplacement",
)
def get_one(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One replacement."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return replacement_out(look_at_devices(actor, account), get_replacement(actor, account, uid))
