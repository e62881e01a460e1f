"""Take over what devices printed: their records and what they use (facts, never refused for lack)."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import IntegrityError, transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.text import fingerprint, name_key
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.devices.commands.records import add, lock_devices, uid_of
from daicho.domain.devices.errors import RowsRefused, request_id_reused
from daicho.domain.devices.models import Device, PrintedImport
from daicho.domain.devices.printed_plan import CREATE, ITSELF, Choices, DevicePlan, Plan, fields_of, plan_import
from daicho.domain.ledger.reporting import Reported, report_uses
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@command(permission=Permission.DEVICES_MANAGE, events=("device.created", "device.changed", "license.reported"))
def import_printed_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    content: bytes,
    request_id: uuid.UUID,
    virtual_account: VirtualAccount | None = None,
    choices: Choices | None = None,
    memo: str = "",
) -> PrintedImport:
    """Take over from what devices printed which devices there are and what they use, all of it or nothing.

    New devices go to `virtual_account`. Counts are facts: they may exceed what is there. A device that registered
    reports by itself and is left alone. The same request again changes nothing and returns the first answer. Raises
    RowsRefused with the lines in the way, `request_id_reused`, and what `plan_import` raises.
    """
    choices = choices or Choices()
    plan = plan_import(actor, account=account, content=content, virtual_account=virtual_account, choices=choices)
    asked = fingerprint([
        hashlib.sha256(content).hexdigest(), virtual_account.uid if virtual_account else "",
        sorted(choices.licenses.items()), sorted(choices.devices.items()),
        choices.leave_out_unknown, choices.unread, choices.absent,
    ])  # fmt: skip
    made, is_new = _claim(account, request_id, asked)
    if not is_new:
        return made
    if plan.problems:
        raise RowsRefused(plan.problems)
    made.answer = _write(actor, account, virtual_account, plan, request_id, memo)
    made.save(update_fields=["answer"])
    return made


def _claim(account: SmartAccount, request_id: uuid.UUID, asked: str) -> tuple[PrintedImport, bool]:
    try:
        with transaction.atomic():
            return PrintedImport.objects.create(account=account, request_id=request_id, fingerprint=asked), True
    except IntegrityError:
        first = PrintedImport.objects.get(account=account, request_id=request_id)
    if first.fingerprint != asked:
        raise request_id_reused()
    return first, False


def _write(
    actor: Actor, account: SmartAccount, place: VirtualAccount | None, plan: Plan, request_id: uuid.UUID, memo: str
) -> list[dict[str, Any]]:
    locked = _lock(actor, account, plan)
    reports: list[Reported] = []
    answer: list[dict[str, Any]] = []
    for number, one in enumerate(plan.devices):
        if one.act == ITSELF:
            continue
        if one.act == CREATE and place is not None:
            device = add(actor, account, place, one.fields, None, uid_of(account, request_id, number))
        else:
            device = locked[one.device.uid if one.device else ""]
            if one.is_changed:
                _change(actor, account, device, one, memo)
        lines = [(line.tag, line.after) for line in one.counts]
        if lines:
            reports.append(Reported(device.unit, derived_uuid("printed", request_id, number), lines, device.name))
        answer.append(_told(one, device))
    report_uses(actor, reports, memo=memo)
    return answer


def _lock(actor: Actor, account: SmartAccount, plan: Plan) -> dict[str, Device]:
    uids = [one.device.uid for one in plan.devices if one.device is not None and one.act != ITSELF]
    found = lock_devices([(actor, account, uid) for uid in uids])
    for device in found:
        if isinstance(device, BusinessError):
            raise device
    return {device.uid: device for device in found if isinstance(device, Device)}


def _change(actor: Actor, account: SmartAccount, device: Device, plan: DevicePlan, memo: str) -> None:
    before, fields = fields_of(device), plan.fields
    device.name, device.name_key = fields.name, name_key(fields.name)[:200]
    device.product_id, device.serial = fields.product_id, fields.serial
    device.save(update_fields=["name", "name_key", "product_id", "serial"])
    record(
        actor, "device.changed", account=account, virtual_account=device.unit.virtual_account, subject=device.name,
        subject_uid=device.uid, before=before.plain(), after=fields.plain(), memo=memo,
    )  # fmt: skip


def _told(plan: DevicePlan, device: Device) -> dict[str, Any]:
    """What is kept of a device: enough to show what was done, and to undo it."""
    return {
        "uid": device.uid,
        "act": plan.act,
        "fields": [fields_of(plan.device).plain(), plan.fields.plain()] if plan.is_changed and plan.device else [],
        "licenses": [
            {"sku": line.tag.sku, "before": line.before, "after": line.after}
            for line in plan.lines
            if line.before != line.after
        ],
    }
