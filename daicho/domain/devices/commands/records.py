"""Keep the record of a device: write it down, correct it, move it, take it off."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.db import is_postgres
from daicho.core.errors import BusinessError, NotFound, invalid
from daicho.core.ids import ALPHABET, UID_LENGTH, derived_uuid
from daicho.core.statements import among, fetch
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.catalog.models import Product
from daicho.domain.devices.commands.instances import put_off
from daicho.domain.devices.errors import device_is_reserved, device_removed, device_replaced, request_id_reused
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.reserving import has_reservation
from daicho.domain.devices.rules import DeviceFields, read_fields
from daicho.domain.ledger.commands.use import UseLine, create_unit, move_unit, release_licenses
from daicho.domain.ledger.models import Unit, Use
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@command(permission=Permission.DEVICES_MANAGE, events=("device.created",))
def create_device(
    actor: Actor,
    *,
    account: SmartAccount,
    virtual_account: VirtualAccount,
    request_id: uuid.UUID,
    name: str,
    product_id: str = "",
    serial: str = "",
    note: str = "",
    product_uid: str = "",
) -> Device:
    """Write down a device in a virtual account, so that licenses can be assigned to it (S19).

    The same product ID and serial number may stand twice in an account: `queries.duplicates_of` reports it. The same
    request again returns the first device. Raises FieldErrors, `request_id_reused`.
    """
    ensure_may(actor, Permission.DEVICES_MANAGE, account, virtual_account)
    fields = read_fields(name, product_id, serial, note)
    uid = uid_of(account, request_id)
    if (first := written_before(account, uid, fields)) is not None:
        return first
    return add(actor, account, virtual_account, fields, find_product(product_uid), uid)


@command(permission=Permission.DEVICES_MANAGE, events=("device.changed",))
def change_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    name: str,
    product_id: str = "",
    serial: str = "",
    note: str = "",
    product_uid: str | None = None,
) -> Device:
    """Correct what is written down about a device. `product_uid`: None leaves the catalog product, "" takes it off."""
    device = lock_device(actor, account, device_uid)
    fields = read_fields(name, product_id, serial, note)
    before = fields_of(device)
    device.name, device.name_key = fields.name, name_key(fields.name)[:200]
    device.product_id, device.serial, device.note = fields.product_id, fields.serial, fields.note
    if product_uid is not None:
        device.catalog_product = find_product(product_uid)
    device.save()
    after = fields_of(device)
    if before != after:
        record(
            actor, "device.changed", account=account, virtual_account=device.unit.virtual_account,
            subject=device.name, subject_uid=device.uid, before=before.plain(), after=after.plain(),
        )  # fmt: skip
    return device


@command(permission=Permission.DEVICES_MANAGE, events=("device.moved",))
def move_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    target: VirtualAccount,
    request_id: uuid.UUID,
    memo: str = "",
) -> Device:
    """Move a device with all its use to another virtual account; refused where that makes an enforced license short."""
    device = lock_device(actor, account, device_uid)
    source = device.unit.virtual_account
    ensure_may(actor, Permission.DEVICES_MANAGE, account, target)
    if source.pk == target.pk:
        return device
    move_unit(actor, account=account, unit=device.unit, target=target, request_id=request_id, memo=memo)
    device.unit.refresh_from_db()
    for here, there in ((source, target), (target, source)):
        record(
            actor, "device.moved", account=account, virtual_account=here, other_virtual_account=there,
            subject=device.name, subject_uid=device.uid, after={"direction": "out" if here.pk == source.pk else "in"},
            memo=memo, act=request_id,
        )  # fmt: skip
    return device


@command(permission=Permission.DEVICES_MANAGE, events=("device.removed",))
def remove_device(
    actor: Actor, *, account: SmartAccount, device_uid: str, request_id: uuid.UUID, memo: str = ""
) -> Device:
    """Take a device off the account; every license it used becomes free. Its history stays.

    Raises device_is_reserved (409) while licenses are reserved for it."""
    device = lock_device(actor, account, device_uid)
    if has_reservation(device.unit_id):
        raise device_is_reserved()
    put_off([device], Instance.Registration.REMOVED)
    lines = [UseLine(use.tag, use.reported) for use in uses_of(device.unit).select_related("tag")]
    if lines:
        release_licenses(
            actor, account=account, unit=device.unit, request_id=request_id, lines=lines, memo=memo, subject=device.name
        )
    device.removed_at = now()
    device.save(update_fields=["removed_at"])
    record(
        actor, "device.removed", account=account, virtual_account=device.unit.virtual_account, subject=device.name,
        subject_uid=device.uid, before=fields_of(device).plain(), memo=memo, act=request_id,
        after={"released": {line.tag.sku: line.quantity for line in lines}},
    )  # fmt: skip
    return device


def uid_of(account: SmartAccount, request_id: uuid.UUID, number: int = 0) -> str:
    """The handle that a request gives to its device (or to that of a row of its file), so that it is written once."""
    value, signs = derived_uuid("device", account.uid, request_id, number).int, []
    for _position in range(UID_LENGTH):
        value, sign = divmod(value, len(ALPHABET))
        signs.append(ALPHABET[sign])
    return "".join(signs)


def written_before(account: SmartAccount, uid: str, fields: DeviceFields) -> Device | None:
    """The device that the same request wrote. Raises `request_id_reused` if it said something else."""
    first = Device.objects.filter(account=account, uid=uid).select_related("unit", "unit__virtual_account").first()
    if first is not None and fields_of(first) != fields:
        raise request_id_reused()
    return first


def add(
    actor: Actor,
    account: SmartAccount,
    virtual_account: VirtualAccount,
    fields: DeviceFields,
    product: Product | None,
    uid: str,
) -> Device:
    """Write one device and its event; the caller has asked the door."""
    unit = create_unit(account, virtual_account, Unit.Kind.RECORD)
    device = Device.objects.create(
        uid=uid, account=account, unit=unit, catalog_product=product, name_key=name_key(fields.name)[:200],
        **fields.plain(),
    )  # fmt: skip
    record(
        actor, "device.created", account=account, virtual_account=virtual_account, subject=device.name,
        subject_uid=device.uid, after=fields.plain(),
    )  # fmt: skip
    return device


def lock_device(actor: Actor, account: SmartAccount, uid: str, *, standing: bool = True) -> Device:
    """A living device that the actor may change. Raises NotFound, Forbidden, `device_removed`."""
    (device,) = lock_devices([(actor, account, uid)], standing=standing)
    if isinstance(device, BusinessError):
        raise device
    return device


def lock_devices(
    asked: Sequence[tuple[Actor, SmartAccount, str]], *, standing: bool = True
) -> list[Device | BusinessError]:
    """The device that each of many may change, or why not. Locked by handle, so that two who want the same do not
    wait for each other."""
    lock = " FOR UPDATE" if is_postgres() else ""
    condition, parameters = among("uid", sorted({uid for _, _, uid in asked}))
    by_uid = {device.uid: device for device in fetch(Device, f"WHERE {condition} ORDER BY uid{lock}", parameters)}
    condition, parameters = among("id", {device.unit_id for device in by_uid.values()})
    units = {unit.pk: unit for unit in fetch(Unit, f"WHERE {condition}", parameters)}
    condition, parameters = among("id", {unit.virtual_account_id for unit in units.values()})
    places = {place.pk: place for place in fetch(VirtualAccount, f"WHERE {condition}", parameters)}
    for device in by_uid.values():
        device.unit = units[device.unit_id]
        device.unit.virtual_account = places[device.unit.virtual_account_id]
    return [_changeable(actor, account, by_uid.get(uid), standing) for actor, account, uid in asked]


def _changeable(actor: Actor, account: SmartAccount, device: Device | None, standing: bool) -> Device | BusinessError:
    if device is None or device.account_id != account.pk:
        return NotFound()
    try:
        ensure_may(actor, Permission.DEVICES_MANAGE, account, device.unit.virtual_account, standing=standing)
    except BusinessError as refusal:
        return refusal
    if device.removed_at is None:
        return device
    return device_removed() if device.replaced_by_id is None else device_replaced()


def find_product(uid: str) -> Product | None:
    if not uid:
        return None
    product = Product.objects.filter(uid=uid).first()
    if product is None:
        raise invalid("product", "unknown_product", _("This product is not in the catalog."))
    return product


def fields_of(device: Device) -> DeviceFields:
    return DeviceFields(device.name, device.product_id, device.serial, device.note)


def uses_of(unit: Unit) -> QuerySet[Use]:
    return Use.objects.filter(unit=unit, reported__gt=0)
