"""Import what devices print about their licenses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.printed_import import import_printed_licenses
from daicho.domain.devices.commands.printed_undo import undo_printed_import
from daicho.domain.devices.printed_plan import Choices, DevicePlan, Plan, plan_import
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import RowErrorOut, Text, Told, Uid

router = Router(tags=["Devices"])

MOST = 10 * 1024 * 1024


class PrintedIn(Schema):
    """What devices printed, and what was decided about it.

    `virtual_account`: handle, where new devices go. `licenses`: SKU by the key of a printed license (as the preview
    names it), "" leaves it out. `devices`: handle of a device by the line at which a printed one begins.
    `leave_out_unknown`: licenses that are not in the catalog are left out. `accept_unread`: import although lines
    could not be read. `absent_to_zero`: what a device uses here and did not print is set to 0.
    """

    text: Annotated[str, Field(min_length=1, max_length=MOST)]
    virtual_account: Annotated[Text, Field(max_length=16)] = ""
    licenses: dict[Annotated[Text, Field(max_length=16)], Annotated[Text, Field(max_length=100)]] = Field(
        default_factory=dict, max_length=10_000
    )
    devices: dict[Annotated[str, Field(pattern=r"^\d{1,7}$")], Annotated[Text, Field(max_length=16)]] = Field(
        default_factory=dict, max_length=2_000
    )
    leave_out_unknown: bool = False
    accept_unread: bool = False
    absent_to_zero: bool = False
    memo: Annotated[Text, Field(max_length=500)] = ""


class UseCountOut(Told):
    sku: str
    before: int
    after: int


class PrintedDeviceOut(Told):
    """`act`: create, update, or itself (it registered and reports by itself; nothing is taken)."""

    line: int
    uid: str | None
    act: Literal["create", "update", "itself"]
    matched_by: str
    name: str
    product_id: str
    serial: str
    stack: list[str]
    software: str
    licenses: list[UseCountOut]


class PrintedNameOut(Told):
    """`by`: regid, sku, name, chosen, left_out, unknown."""

    key: str
    name: str
    tag: str
    regid: str
    description: str
    used: int
    sku: str | None
    by: str
    candidates: list[str]
    lines: list[int]


class PassageOut(Told):
    """`why`: unread, unknown (no output of licenses), nothing (an output that holds no licenses)."""

    first: int
    last: int
    why: str
    text: str


class PrintedPreviewOut(Told):
    """`problems` stand in the way of the import."""

    devices: list[PrintedDeviceOut]
    names: list[PrintedNameOut]
    passages: list[PassageOut]
    problems: list[RowErrorOut]


class ImportedDeviceOut(Told):
    uid: str
    act: str
    licenses: list[UseCountOut]


class PrintedImportOut(Told):
    uid: str
    at: dt.datetime
    undone_at: dt.datetime | None
    devices: list[ImportedDeviceOut]


def _arguments(request: HttpRequest, identifier: str, body: PrintedIn) -> dict[str, Any]:
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    uid = body.virtual_account
    place = policy.get_virtual_account(actor, account, uid, Permission.DEVICES_MANAGE) if uid else None
    choices = Choices(
        licenses=body.licenses,
        devices={int(line): device for line, device in body.devices.items()},
        leave_out_unknown=body.leave_out_unknown,
        unread=body.accept_unread,
        absent=body.absent_to_zero,
    )
    content = body.text.encode("utf-8", "replace")
    return {"account": account, "content": content, "virtual_account": place, "choices": choices}


def _device(plan: DevicePlan) -> Mapping[str, Any]:
    return {
        "line": plan.printed.line,
        "uid": plan.device.uid if plan.device is not None else None,
        "act": plan.act,
        "matched_by": plan.matched,
        "name": plan.fields.name,
        "product_id": plan.fields.product_id,
        "serial": plan.fields.serial,
        "stack": [serial for _, serial in plan.printed.members],
        "software": plan.printed.software,
        "licenses": [{"sku": line.tag.sku, "before": line.before, "after": line.after} for line in plan.lines],
    }


def _preview(plan: Plan) -> Mapping[str, Any]:
    return {
        "devices": [_device(one) for one in plan.devices],
        "names": [
            {
                "key": one.printed.key, "name": one.printed.name, "tag": one.printed.tag, "regid": one.printed.regid,
                "description": one.printed.description, "used": one.used,
                "sku": one.tag.sku if one.tag is not None else None, "by": one.by,
                "candidates": [tag.sku for tag in one.candidates], "lines": one.lines[:100],
            }
            for one in plan.names
        ],
        "passages": [
            {"first": one.first, "last": one.last, "why": one.why, "text": one.text} for one in plan.passages
        ],
        "problems": [one.plain() for one in plan.problems],
    }  # fmt: skip


@router.post(
    "/accounts/{identifier}/device-imports/preview",
    response={200: PrintedPreviewOut, **PROBLEMS},
    operation_id="previewDeviceImport",
)
def post_preview(request: HttpRequest, identifier: str, body: PrintedIn) -> Any:
    """What importing a text would do: devices, use before and after, what each printed name means. Writes nothing."""
    return _preview(plan_import(actor_of(request), **_arguments(request, identifier, body)))


@router.post(
    "/accounts/{identifier}/device-imports",
    response={201: PrintedImportOut, **PROBLEMS},
    operation_id="importPrintedLicenses",
)
def post_import(request: HttpRequest, identifier: str, body: PrintedIn) -> Any:
    """Take over what devices printed (`show license …`): their records and what they use, all of it or nothing."""
    made = import_printed_licenses(
        actor_of(request), request_id=request_id_of(request), memo=body.memo, **_arguments(request, identifier, body)
    )
    return Status(201, _imported(made))


@router.post(
    "/accounts/{identifier}/device-imports/{uid}/undo",
    response={200: PrintedImportOut, **PROBLEMS},
    operation_id="undoDeviceImport",
)
def post_undo(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """Take an import back, whole or not at all, once: counts of before return, new records are removed."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return _imported(undo_printed_import(actor, account=account, uid=uid, request_id=request_id_of(request)))


def _imported(made: Any) -> dict[str, Any]:
    return {"uid": made.uid, "at": made.at, "undone_at": made.undone_at, "devices": made.answer}
