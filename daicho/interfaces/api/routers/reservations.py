"""Reservations for devices without network (S7): codes back and forth."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from daicho.core.text import name_key
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.devices.commands.reservation_steps import (
    HeldLot,
    bind_reservation,
    change_reserved,
    confirm_reservation,
    return_reserved,
    withdraw_reservation,
)
from daicho.domain.devices.commands.reservations import (
    ReserveLine,
    reserve_for_device,
    show_reservation_codes,
    undo_reservation,
)
from daicho.domain.devices.queries.reservations import (
    ReservationRow,
    codes_from,
    get_reservation,
    list_reservations,
    read_asked,
)
from daicho.domain.ledger.queries.errors import unknown_license
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import named
from daicho.interfaces.api.schemas import MemoIn, Named, Quantity, Text, Told, Uid

router = Router(tags=["Devices"])

Code = Annotated[str, Field(min_length=1, max_length=100_000, description="The code as typed, or the device's file.")]
Filter = Literal[
    "unfinished", "prepared", "waiting", "installed", "changing", "unbound", "returned", "withdrawn", "undone"
]


class ReservedLotOut(Told):
    """`quantity` is held now, `new` once a change is confirmed."""

    sku: str
    lot: str
    quantity: int
    new: int
    end_on: dt.date | None


class ReservedDeviceOut(Told):
    uid: str
    name: str
    product_id: str
    serial: str


class ReservationOut(Told):
    """State: prepared (no code was fetched), waiting (for the confirmation code), installed, changing (for that of a change),
    unbound (its device was replaced: bind it to the new one), returned, withdrawn (half-way, by a statement), undone.

    `authorization_number`: of the last authorization; `installed_number`: of the one that the device confirmed, 0 for none.
    """

    uid: str
    device: ReservedDeviceOut
    virtual_account: Named
    state: str
    since: dt.datetime
    universal: bool
    thumbprint: str
    authorization_number: int
    installed_number: int
    licenses: list[ReservedLotOut]
    acts: list[str]
    statement: str
    created_at: dt.datetime
    created_by: str


class AuthorizationOut(Told):
    """`code`: the typed form, "" where it would take more than 40 groups. `file`: what the device reads as a file."""

    number: int
    code: str
    file: dict[str, Any]


class AskedLine(Told):
    sku: str
    quantity: int


class AskedOut(Told):
    """What a request code says. `device`: handle of the one that is known, if you see it; `unknown`: lines that the catalog
    does not know; `used`: a reservation was made with this code."""

    product_id: str
    serial: str
    thumbprint: str
    device: str | None
    licenses: list[AskedLine]
    unknown: int
    used: bool


class ReserveLineIn(Schema):
    sku: Annotated[Text, Field(min_length=1, max_length=100)]
    quantity: Quantity
    lot: Annotated[str, Field(max_length=16)] = Field("", description="Handle of a lot; empty: those that end soonest.")


class CodeIn(MemoIn):
    code: Code


class ReserveIn(CodeIn):
    """`virtual_account`: where a device that is not known is written down. Without `licenses` the reservation is universal:
    all that the device asks for, of the lots that last longest."""

    virtual_account: Annotated[str, Field(max_length=16)] = ""
    name: Annotated[Text, Field(max_length=100)] = ""
    licenses: list[ReserveLineIn] = Field([], max_length=1_000)


class LotIn(Schema):
    lot: Uid
    quantity: int = Field(ge=0, le=2**53 - 1)


class ReservedChangeIn(MemoIn):
    """The complete list: what it does not name is given back once the device confirms."""

    lots: list[LotIn] = Field(min_length=1, max_length=1_000)


class StatementIn(MemoIn):
    statement: Annotated[Text, Field(max_length=500)] = ""


class ReservationParams(PageParams):
    state: Filter | None = Field(None, description="Without it: those that are open.")
    text: str = Field(
        "", max_length=200, description="Words of the device's name, serial, product ID or virtual account."
    )


def reservation_out(row: ReservationRow) -> dict[str, Any]:
    one, device = row.reservation, row.device
    return {
        "uid": one.uid,
        "device": {"uid": device.uid, "name": device.name, "product_id": device.product_id, "serial": device.serial},
        "virtual_account": named(row.virtual_account),
        "state": row.state,
        "since": one.state_since,
        "universal": one.is_universal,
        "thumbprint": one.thumbprint,
        "authorization_number": one.number,
        "installed_number": one.installed_number,
        "licenses": [
            {
                "sku": line.tag.sku,
                "lot": line.lot.uid,
                "quantity": line.quantity,
                "new": line.new,
                "end_on": line.end_on,
            }
            for line in row.lines
        ],
        "acts": sorted(row.acts),
        "statement": one.statement,
        "created_at": one.created_at,
        "created_by": one.created_by,
    }


@router.get(
    "/accounts/{identifier}/reservations",
    response={200: Paged[ReservationOut], **PROBLEMS},
    operation_id="listReservations",
)
def get_list(request: HttpRequest, identifier: str, params: Query[ReservationParams]) -> Any:
    """Reservations with what they hold, what changed last first."""
    sight = look(actor_of(request), policy.find_account(actor_of(request), identifier))
    page = list_reservations(
        sight, state=params.state or "", text=params.text, cursor=params.cursor, size=params.size, count=False
    )
    return paged(page, reservation_out)


@router.post(
    "/accounts/{identifier}/reservations/read-code",
    response={200: AskedOut, **PROBLEMS},
    operation_id="readRequestCode",
)
def post_read(request: HttpRequest, identifier: str, body: CodeIn) -> Any:
    """What a request code says; nothing is written."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    look(actor, account)
    asked = read_asked(actor, account, body.code)
    return {
        "product_id": asked.request.product_id,
        "serial": asked.request.serial,
        "thumbprint": asked.request.thumbprint,
        "device": asked.device.uid if asked.device is not None else None,
        "licenses": [{"sku": tag.sku, "quantity": quantity} for tag, quantity in asked.wishes],
        "unknown": asked.unknown,
        "used": asked.is_used,
    }


@router.post(
    "/accounts/{identifier}/reservations", response={201: ReservationOut, **PROBLEMS}, operation_id="reserveForDevice"
)
def post_reserve(request: HttpRequest, identifier: str, body: ReserveIn) -> Any:
    """Reserve licenses for an offline device by its request code; `…/authorization` gives what to carry to it."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    place = (
        policy.get_virtual_account(actor, account, body.virtual_account, Permission.LICENSES_MANAGE)
        if body.virtual_account
        else None
    )
    tags = tags_by_sku([line.sku for line in body.licenses])
    lines = []
    for line in body.licenses:
        if (tag := tags.get(name_key(line.sku))) is None:
            raise unknown_license(line.sku)
        lines.append(ReserveLine(tag, line.quantity, line.lot or None))
    made = reserve_for_device(
        actor, account=account, request=read_asked(actor, account, body.code).request, virtual_account=place,
        lines=lines, name=body.name, memo=body.memo, request_id=request_id_of(request),
    )  # fmt: skip
    return Status(201, _told(request, identifier, made.uid))


@router.get(
    "/accounts/{identifier}/reservations/{uid}",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="getReservation",
)
def get_one(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One reservation, without its codes."""
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/authorization",
    response={200: AuthorizationOut, **PROBLEMS},
    operation_id="showReservationAuthorization",
)
def post_authorization(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """The last authorization, as often as it is needed. Once it was fetched, the reservation cannot be undone any more."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    codes = codes_from(show_reservation_codes(actor, account=account, uid=uid, request_id=request_id_of(request)))
    return {"number": codes.number, "code": codes.text, "file": json.loads(codes.file)}


@router.post(
    "/accounts/{identifier}/reservations/{uid}/confirm",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="confirmReservation",
)
def post_confirm(request: HttpRequest, identifier: str, uid: Uid, body: CodeIn) -> Any:
    """Take the confirmation code that the device shows after it has installed the authorization."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    confirm_reservation(
        actor, account=account, uid=uid, code=body.code, memo=body.memo, request_id=request_id_of(request)
    )
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/change",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="changeReservation",
)
def post_change(request: HttpRequest, identifier: str, uid: Uid, body: ReservedChangeIn) -> Any:
    """Choose anew what the device holds; until it confirms, the larger of old and new stays reserved."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    change_reserved(
        actor, account=account, uid=uid, lots=[HeldLot(line.lot, line.quantity) for line in body.lots], memo=body.memo,
        request_id=request_id_of(request),
    )  # fmt: skip
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/return",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="returnReservation",
)
def post_return(request: HttpRequest, identifier: str, uid: Uid, body: CodeIn) -> Any:
    """Take the return code of a device that has erased its authorization; its licenses are spare again."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return_reserved(actor, account=account, uid=uid, code=body.code, memo=body.memo, request_id=request_id_of(request))
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/withdraw",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="withdrawReservation",
)
def post_withdraw(request: HttpRequest, identifier: str, uid: Uid, body: StatementIn) -> Any:
    """Cancel half-way by the statement of an administrator that the last authorization was not installed."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    withdraw_reservation(
        actor, account=account, uid=uid, statement=body.statement, memo=body.memo, request_id=request_id_of(request)
    )
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/undo",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="undoReservation",
)
def post_undo(request: HttpRequest, identifier: str, uid: Uid, body: MemoIn) -> Any:
    """Undo a reservation whose authorization was never fetched."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    undo_reservation(actor, account=account, uid=uid, memo=body.memo, request_id=request_id_of(request))
    return _told(request, identifier, uid)


@router.post(
    "/accounts/{identifier}/reservations/{uid}/bind",
    response={200: ReservationOut, **PROBLEMS},
    operation_id="bindReservation",
)
def post_bind(request: HttpRequest, identifier: str, uid: Uid, body: CodeIn) -> Any:
    """Bind what a failed device held to the one that replaced it, by the new one's request code."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    asked = read_asked(actor, account, body.code)
    bind_reservation(
        actor, account=account, uid=uid, request=asked.request, memo=body.memo, request_id=request_id_of(request)
    )
    return _told(request, identifier, uid)


def _told(request: HttpRequest, identifier: str, uid: str) -> dict[str, Any]:
    actor = actor_of(request)
    return reservation_out(get_reservation(actor, policy.find_account(actor, identifier), uid))
