"""Hand-kept device records and the licenses on them (S1, S19)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.core.text import name_key
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.devices.commands.csv_import import create_devices_from_csv
from daicho.domain.devices.commands.licenses import (
    UseLine,
    assign_to_device,
    release_from_device,
    reuse_on_device,
    use_spare_on_device,
)
from daicho.domain.devices.commands.records import change_device, create_device, move_device, remove_device
from daicho.domain.devices.queries.devices import (
    DeviceCriteria,
    DeviceRow,
    duplicates_of,
    get_device,
    list_devices,
    look_at_devices,
)
from daicho.domain.devices.queries.seats import Seated
from daicho.domain.ledger.queries.errors import unknown_license
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import named
from daicho.interfaces.api.schemas import MemoIn, Named, Quantity, Text, Told, Uid

router = Router(tags=["Devices"])

Name = Annotated[Text, Field(max_length=100)]
Note = Annotated[Text, Field(max_length=500)]


class UseOut(Told):
    """So many of a license on a device; `balance`: of its virtual account."""

    sku: str
    quantity: int
    since: dt.datetime
    balance: int


class DeviceOut(Told):
    """State: out_of_compliance, in_compliance, none (uses nothing), removed."""

    uid: str
    name: str
    product_id: str
    serial: str
    note: str
    virtual_account: Named
    state: str
    licenses: list[UseOut]
    created_at: dt.datetime
    removed_at: dt.datetime | None


class DeviceDetailOut(DeviceOut):
    """`duplicates`: handles of other devices in sight with the same product ID and serial number."""

    duplicates: list[str]


class DeviceIn(Schema):
    """A device to write down. Without a name its serial number, then its product ID stands for it."""

    virtual_account: Uid
    name: Name = ""
    product_id: Name = ""
    serial: Name = ""
    note: Note = ""
    product: Annotated[str, Field(max_length=16)] = Field("", description="Handle of a product of the catalog.")


class DeviceChange(Schema):
    """What is given changes; what is left out stays."""

    name: Name | None = None
    product_id: Name | None = None
    serial: Name | None = None
    note: Note | None = None
    product: Annotated[str, Field(max_length=16)] | None = None


class UseLineIn(Schema):
    sku: Annotated[Text, Field(min_length=1, max_length=100)]
    quantity: Quantity


class LinesIn(Schema):
    lines: list[UseLineIn] = Field(min_length=1, max_length=1_000)
    memo: Note = ""


class UseIn(Schema):
    """Spare licenses of `source` (any virtual account) for a device."""

    sku: Annotated[Text, Field(min_length=1, max_length=100)]
    quantity: Quantity
    source: Uid
    memo: Note = ""


class ReuseIn(LinesIn):
    """`target`: the device to use them on."""

    target: Uid


class DeviceMoveIn(Schema):
    virtual_account: Uid
    memo: Note = ""


class ImportOut(Told):
    created: int
    devices: list[str]


def device_out(row: DeviceRow) -> dict[str, Any]:
    device = row.device
    return {
        "uid": device.uid,
        "name": device.name,
        "product_id": device.product_id,
        "serial": device.serial,
        "note": device.note,
        "virtual_account": named(row.virtual_account),
        "state": row.state,
        "licenses": [
            {"sku": use.tag.sku, "quantity": use.reported, "since": use.since, "balance": use.pool.balance}
            for use in row.uses
        ],
        "created_at": device.created_at,
        "removed_at": device.removed_at,
    }


def seat_out(seat: Seated) -> dict[str, Any]:
    """As `detail_out`."""
    device = seat.device
    return {
        "uid": device.uid,
        "name": device.name,
        "product_id": device.product_id,
        "serial": device.serial,
        "note": device.note,
        "virtual_account": named(device.unit.virtual_account),
        "state": seat.state,
        "licenses": [
            {"sku": use.sku, "quantity": use.quantity, "since": use.since, "balance": use.balance} for use in seat.uses
        ],
        "created_at": device.created_at,
        "removed_at": device.removed_at,
        "duplicates": seat.duplicates,
    }


def detail_out(request: HttpRequest, account: Any, uid: str) -> dict[str, Any]:
    actor = actor_of(request)
    row = get_device(actor, account, uid)
    others = duplicates_of(look_at_devices(actor, account), row.device) if row.device.serial else []
    return device_out(row) | {"duplicates": [other.uid for other in others]}


def lines_of(lines: list[UseLineIn]) -> list[UseLine]:
    return lines_among(lines, tags_by_sku([line.sku for line in lines]))


def lines_among(lines: list[UseLineIn], tags: Mapping[str, Any]) -> list[UseLine]:
    """The lines with these licenses (by the key of their SKU)."""
    found = []
    for line in lines:
        tag = tags.get(name_key(line.sku))
        if tag is None:
            raise unknown_license(line.sku)
        found.append(UseLine(tag, line.quantity))
    return found


@router.get("/accounts/{identifier}/devices", response={200: Paged[DeviceOut], **PROBLEMS}, operation_id="listDevices")
def get_devices(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    text: Annotated[Text, Field(max_length=200)] = "",
    state: Literal["out_of_compliance", "in_compliance", "none", "removed"] | None = None,
    sku: Annotated[Text, Field(max_length=100)] = "",
    serial: Name = "",
    duplicates: bool = False,
    virtual_account: Annotated[str, Field(max_length=16)] = "",
    below: bool = False,
) -> Any:
    """Devices with what they use, by name. Removed ones only with `state=removed`."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    place = (
        policy.get_virtual_account(actor, account, virtual_account, Permission.DEVICES_VIEW)
        if virtual_account
        else None
    )
    sight = look_at_devices(actor, account, place, below=below)
    criteria = DeviceCriteria(text=text, state=state or "", sku=sku, serial=serial, duplicates=duplicates)
    return paged(list_devices(sight, criteria, cursor=paging.cursor, size=paging.size, count=False), device_out)


@router.post("/accounts/{identifier}/devices", response={201: DeviceDetailOut, **PROBLEMS}, operation_id="createDevice")
def post_device(request: HttpRequest, identifier: str, body: DeviceIn) -> Any:
    """Write down a device in a virtual account."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    place = policy.get_virtual_account(actor, account, body.virtual_account, Permission.DEVICES_MANAGE)
    device = create_device(
        actor, account=account, virtual_account=place, request_id=request_id_of(request), name=body.name,
        product_id=body.product_id, serial=body.serial, note=body.note, product_uid=body.product,
    )  # fmt: skip
    return Status(201, detail_out(request, account, device.uid))


@router.post(
    "/accounts/{identifier}/devices/import", response={201: ImportOut, **PROBLEMS}, operation_id="importDevices"
)
def import_devices(
    request: HttpRequest,
    identifier: str,
    file: File[UploadedFile],
    virtual_account: Annotated[str, Field(max_length=16)] = "",
) -> Any:
    """Write down up to 10,000 devices from a CSV or XLSX file, all or none; bad rows are named."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    place = (
        policy.get_virtual_account(actor, account, virtual_account, Permission.DEVICES_MANAGE)
        if virtual_account
        else None
    )
    made = create_devices_from_csv(
        actor, account=account, content=file.read(), virtual_account=place, request_id=request_id_of(request)
    )
    return Status(201, {"created": len(made), "devices": [device.uid for device in made]})


@router.get(
    "/accounts/{identifier}/devices/{uid}", response={200: DeviceDetailOut, **PROBLEMS}, operation_id="getDevice"
)
def get_one(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One device, what it uses, and others that look like the same."""
    return detail_out(request, policy.find_account(actor_of(request), identifier), uid)


@router.patch(
    "/accounts/{identifier}/devices/{uid}", response={200: DeviceDetailOut, **PROBLEMS}, operation_id="changeDevice"
)
def patch_device(request: HttpRequest, identifier: str, uid: Uid, body: DeviceChange) -> Any:
    """Correct what is written down about a device."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    device = get_device(actor, account, uid, Permission.DEVICES_MANAGE).device
    given = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    product = given.pop("product", None)
    kept = {name: getattr(device, name) for name in ("name", "product_id", "serial", "note")}
    change_device(actor, account=account, device_uid=uid, product_uid=product, **(kept | given))
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/move", response={200: DeviceDetailOut, **PROBLEMS}, operation_id="moveDevice"
)
def post_move(request: HttpRequest, identifier: str, uid: Uid, body: DeviceMoveIn) -> Any:
    """Move a device with its use to another virtual account."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    target = policy.get_virtual_account(actor, account, body.virtual_account, Permission.DEVICES_MANAGE)
    move_device(
        actor, account=account, device_uid=uid, target=target, request_id=request_id_of(request), memo=body.memo
    )
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/remove",
    response={200: DeviceDetailOut, **PROBLEMS},
    operation_id="removeDevice",
)
def post_remove(request: HttpRequest, identifier: str, uid: Uid, body: MemoIn) -> Any:
    """Take a device off the account; what it used becomes spare."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    remove_device(actor, account=account, device_uid=uid, request_id=request_id_of(request), memo=body.memo)
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/assign",
    response={200: DeviceDetailOut, **PROBLEMS},
    operation_id="assignLicenses",
)
def post_assign(request: HttpRequest, identifier: str, uid: Uid, body: LinesIn) -> Any:
    """Assign spare licenses of the device's virtual account to it, all lines or none."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    assign_to_device(
        actor, account=account, device_uid=uid, lines=lines_of(body.lines), request_id=request_id_of(request),
        memo=body.memo,
    )  # fmt: skip
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/release",
    response={200: DeviceDetailOut, **PROBLEMS},
    operation_id="releaseLicenses",
)
def post_release(request: HttpRequest, identifier: str, uid: Uid, body: LinesIn) -> Any:
    """Release licenses that a device uses, so that they are spare again."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    release_from_device(
        actor, account=account, device_uid=uid, lines=lines_of(body.lines), request_id=request_id_of(request),
        memo=body.memo,
    )  # fmt: skip
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/use",
    response={200: DeviceDetailOut, **PROBLEMS},
    operation_id="useSpareLicenses",
)
def post_use(request: HttpRequest, identifier: str, uid: Uid, body: UseIn) -> Any:
    """Use spare licenses of any virtual account on a device: transferred and assigned in one act (S1)."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    source = policy.get_virtual_account(actor, account, body.source, Permission.LICENSES_MANAGE)
    line = lines_of([UseLineIn(sku=body.sku, quantity=body.quantity)])[0]
    use_spare_on_device(
        actor, account=account, device_uid=uid, tag=line.tag, quantity=line.quantity, source=source,
        request_id=request_id_of(request), memo=body.memo,
    )  # fmt: skip
    return detail_out(request, account, uid)


@router.post(
    "/accounts/{identifier}/devices/{uid}/reuse",
    response={200: DeviceDetailOut, **PROBLEMS},
    operation_id="reuseLicenses",
)
def post_reuse(request: HttpRequest, identifier: str, uid: Uid, body: ReuseIn) -> Any:
    """Take licenses from this device and use them on another one, in one act; answers with the other device (S1)."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    reuse_on_device(
        actor, account=account, device_uid=uid, target_uid=body.target, lines=lines_of(body.lines),
        request_id=request_id_of(request), memo=body.memo,
    )  # fmt: skip
    return detail_out(request, account, body.target)
