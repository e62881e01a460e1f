"""Write down many devices at once, from the file that the list of devices exports."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, Forbidden
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_good_standing, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.records import add, uid_of, written_before
from daicho.domain.devices.errors import RowProblem, RowsRefused, missing_column, too_many_devices
from daicho.domain.devices.models import Device
from daicho.domain.devices.rules import COLUMNS, MAX_ROWS, DeviceFields, read_fields
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One row of the file that can be taken. `twice`: product ID and serial stand already in the file or in sight."""

    number: int
    fields: DeviceFields
    virtual_account: VirtualAccount
    twice: bool


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """What a file says: the rows that can be taken, and the problems of the others."""

    rows: list[DeviceRow]
    problems: list[RowProblem]


@command(permission=Permission.DEVICES_MANAGE, events=("device.created",))
def create_devices_from_csv(
    actor: Actor,
    *,
    account: SmartAccount,
    content: bytes,
    virtual_account: VirtualAccount | None = None,
    request_id: uuid.UUID,
) -> list[Device]:
    """Write down the devices of a CSV or XLSX file, all or none; up to 10,000 rows.

    `virtual_account` holds for rows that name none. The same request again writes nothing and returns the first answer.
    Raises RowsRefused, `missing_column`, `too_many_rows`, and what `tabular.read` raises.
    """
    file = read_device_file(actor, account=account, content=content, virtual_account=virtual_account)
    if file.problems:
        raise RowsRefused(file.problems)
    uids = [uid_of(account, request_id, row.number) for row in file.rows]
    if written_before(account, uids[0], file.rows[0].fields) is not None:
        return list(Device.objects.filter(account=account, uid__in=uids).order_by("pk"))
    return [
        add(actor, account, row.virtual_account, row.fields, None, uid)
        for row, uid in zip(file.rows, uids, strict=True)
    ]


def read_device_file(
    actor: Actor, *, account: SmartAccount, content: bytes, virtual_account: VirtualAccount | None = None
) -> DeviceFile:
    """Check a file without writing: the dry run before `create_devices_from_csv`, with the same door and errors."""
    scope = ensure_may(actor, Permission.DEVICES_VIEW, account, virtual_account)
    if not scope.allows_somewhere(Permission.DEVICES_MANAGE):
        raise Forbidden(Permission.DEVICES_MANAGE)
    if not actor.is_system:
        ensure_good_standing(account)
    table = tabular.read(content)
    if len(table) - 1 > MAX_ROWS:
        raise too_many_devices(MAX_ROWS)
    head = _columns(table[0] if table else [])
    allowed = scope.virtual_account_ids(Permission.DEVICES_MANAGE)
    living = VirtualAccount.objects.filter(account=account, deleted_at=None)
    by_name = {va.name_key: va for va in (living if allowed is None else living.filter(pk__in=allowed))}
    problems: list[RowProblem] = []
    rows: list[DeviceRow] = []
    seen = _known(account, scope.virtual_account_ids(Permission.DEVICES_VIEW))
    for number, cells in enumerate(table[1:], 2):
        if not any(cells):
            continue
        given = {key: cells[at] if at < len(cells) else "" for key, at in head.items()}
        row = _row(number, given, by_name, virtual_account, allowed, seen, problems)
        if row is not None:
            rows.append(row)
    if not rows and not problems:
        raise BusinessError("no_rows", 422, _("The file holds no device."))
    return DeviceFile(rows, problems)


def _columns(head: list[str]) -> dict[str, int]:
    at = {name_key(label): place for place, label in reversed(list(enumerate(head)))}
    found = {key: at[label] for key, labels in COLUMNS.items() for label in reversed(labels) if label in at}
    if not {"name", "serial", "product_id"} & set(found):
        raise missing_column("name")
    return found


def _known(account: SmartAccount, visible: set[int] | None) -> set[tuple[str, str]]:
    devices = Device.objects.filter(account=account, removed_at=None).exclude(serial="")
    if visible is not None:
        devices = devices.filter(unit__virtual_account__in=visible)
    return set(devices.values_list("product_id", "serial"))


def _row(
    number: int,
    given: dict[str, str],
    by_name: dict[str, VirtualAccount],
    fallback: VirtualAccount | None,
    allowed: set[int] | None,
    seen: set[tuple[str, str]],
    problems: list[RowProblem],
) -> DeviceRow | None:
    place = by_name.get(name_key(given["virtual_account"])) if given.get("virtual_account") else fallback
    if place is None or (allowed is not None and place.pk not in allowed):
        problems.append(RowProblem(number, "virtual_account", _unknown_place(given.get("virtual_account", ""))))
        return None
    try:
        fields = read_fields(
            given.get("name", ""), given.get("product_id", ""), given.get("serial", ""), given.get("note", "")
        )
    except FieldErrors as refused:
        problems.extend(RowProblem(number, column, error) for column, error in refused.errors.items())
        return None
    identity = (fields.product_id, fields.serial)
    twice = bool(fields.serial) and identity in seen
    seen.add(identity)
    return DeviceRow(number, fields, place, twice)


def _unknown_place(name: str) -> BusinessError:
    if not name:
        return BusinessError("required", 422, _("Enter the virtual account."))
    return BusinessError(
        "unknown_virtual_account",
        422,
        _("There is no virtual account “%(name)s” in which you may add devices."),
        name=name,
    )
