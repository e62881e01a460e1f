"""Take an import of what devices printed back: whole or not at all, once."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.core.ids import derived_uuid
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.devices.commands.records import change_device, fields_of, lock_devices, remove_device, uses_of
from daicho.domain.devices.models import Device, Instance, PrintedImport
from daicho.domain.devices.printed_plan import CREATE
from daicho.domain.ledger.reporting import Reported, report_uses
from daicho.domain.tenancy.models import SmartAccount


@command(permission=Permission.DEVICES_MANAGE, events=("device.removed", "device.changed", "license.reported"))
def undo_printed_import(actor: Actor, *, account: SmartAccount, uid: str, request_id: uuid.UUID) -> PrintedImport:
    """Take an import of what devices printed back: counts and words of before return, new records are removed.

    Whole or not at all; undone once, it stays undone. Raises NotFound, Forbidden, `import_changed` (409: what it wrote
    was changed since).
    """
    found = PrintedImport.objects.select_for_update().filter(account=account, uid=uid).first()
    if found is None:
        raise NotFound
    devices = _locked(actor, account, found)
    if found.undone_at is not None:
        return found
    skus = {line["sku"] for told in found.answer for line in told["licenses"]}
    tags = {tag.sku: tag for tag in tags_by_sku(sorted(skus)).values()}
    reports: list[Reported] = []
    for number, told in enumerate(found.answer):
        device = devices[told["uid"]]
        _ensure_as_written(device, told)
        request = derived_uuid("undo", request_id, number)
        if told["act"] == CREATE:
            remove_device(actor, account=account, device_uid=device.uid, request_id=request)
            continue
        if told["fields"]:
            before = told["fields"][0]
            change_device(actor, account=account, device_uid=device.uid, **before)
        lines = [(tags[line["sku"]], line["before"]) for line in told["licenses"]]
        if lines:
            reports.append(Reported(device.unit, request, lines, device.name))
    report_uses(actor, reports)
    found.undone_at = now()
    found.save(update_fields=["undone_at"])
    return found


def _locked(actor: Actor, account: SmartAccount, found: PrintedImport) -> dict[str, Device]:
    """The devices of the import; who may not change one of them learns nothing of the import."""
    uids = [told["uid"] for told in found.answer]
    devices: dict[str, Device] = {}
    for uid, device in zip(uids, lock_devices([(actor, account, uid) for uid in uids]), strict=True):
        if isinstance(device, Device):
            devices[uid] = device
        elif device.http_status != 409:
            raise device
        elif found.undone_at is None:
            raise import_changed(Device.objects.get(account=account, uid=uid).name)
    return devices


def _ensure_as_written(device: Device, told: dict[str, Any]) -> None:
    now_used = dict(uses_of(device.unit).values_list("tag__sku", "reported"))
    written = {line["sku"]: line["after"] for line in told["licenses"]}
    same = all(now_used.get(sku, 0) == count for sku, count in written.items())
    if told["act"] == CREATE:
        same = same and all(sku in written for sku in now_used)
    if told["fields"]:
        same = same and fields_of(device).plain() == told["fields"][1]
    if not same or Instance.objects.filter(device=device, registration="registered").exists():
        raise import_changed(device.name)


def import_changed(name: str) -> BusinessError:
    return BusinessError(
        "import_changed", 409,
        _("What the import wrote for %(device)s was changed since, so it can no longer be undone as a whole."), device=name,
    )  # fmt: skip
