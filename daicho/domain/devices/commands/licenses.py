"""Licenses on a device: assigned, released, used again on another one (S1, S19). The ledger counts; here stands the device."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices.commands.records import lock_device, lock_devices
from daicho.domain.devices.errors import transfer_needs_approval
from daicho.domain.devices.models import Device
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.use import (
    UseAsk,
    UseLine,
    assign_licenses,
    release_licenses,
    reuse_licenses,
    use_many,
)
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

__all__ = [
    "Device", "SeatAsk", "UseLine", "assign_many", "assign_to_device", "release_from_device", "reuse_on_device", "use_spare_on_device",
]  # fmt: skip


@command(permission=Permission.LICENSES_MANAGE, events=("license.used",))
def assign_to_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    lines: Sequence[UseLine],
    request_id: uuid.UUID,
    memo: str = "",
) -> Device:
    """Assign spare licenses of the device's virtual account to it, all lines or none.

    Raises not_enough_licenses, request_id_reused, device_removed (409), bad_quantity (422).
    """
    device = lock_device(actor, account, device_uid)
    assign_licenses(
        actor, account=account, unit=device.unit, request_id=request_id, lines=lines, memo=memo, subject=device.name
    )
    return device


@command(permission=Permission.LICENSES_MANAGE, events=("license.released",))
def release_from_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    lines: Sequence[UseLine],
    request_id: uuid.UUID,
    memo: str = "",
) -> Device:
    """Release licenses that a device uses, so that they are spare again.

    Raises bad_quantity (422: more than it uses), request_id_reused, device_removed (409).
    """
    device = lock_device(actor, account, device_uid)
    release_licenses(
        actor, account=account, unit=device.unit, request_id=request_id, lines=lines, memo=memo, subject=device.name
    )
    return device


@dataclass(frozen=True, slots=True)
class SeatAsk:
    """What one of many wants: the arguments of `assign_to_device` (act TAKE) or `release_from_device` (act GIVE)."""

    actor: Actor
    account: SmartAccount
    device_uid: str
    act: Act
    lines: Sequence[UseLine]
    request_id: uuid.UUID
    memo: str = ""


def assign_many(asks: Sequence[SeatAsk]) -> list[Device | BusinessError | None]:
    """Assign to and release from devices in the caller's transaction for many that wait for one another, in order.

    Each is whole or not at all, and a refused one fails nobody. None: a request that was made before, for the single
    command to answer.
    """
    found = lock_devices([(one.actor, one.account, one.device_uid) for one in asks])
    answers: list[Device | BusinessError | None] = list(found)
    devices = {number: device for number, device in enumerate(found) if isinstance(device, Device)}
    done = use_many([
        UseAsk(one.actor, one.account, device.unit, one.request_id, one.act, one.lines, one.memo, device.name)
        for number, device in devices.items()
        for one in (asks[number],)
    ])  # fmt: skip
    for (number, device), one in zip(devices.items(), done, strict=True):
        answers[number] = device if one is True else one or None
    return answers


@command(permission=Permission.LICENSES_MANAGE, events=("license.reused",))
def reuse_on_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    target_uid: str,
    lines: Sequence[UseLine],
    request_id: uuid.UUID,
    memo: str = "",
) -> Entry:
    """Take licenses from one device and use them on another, in one act; between virtual accounts they are transferred.

    Raises not_enough_licenses, request_id_reused, device_removed (409), bad_quantity, same_device (422).
    """
    # One order for all, so that two re-uses in opposite directions wait for each other instead of deadlocking.
    locked = {uid: lock_device(actor, account, uid) for uid in sorted({device_uid, target_uid})}
    source, target = locked[device_uid].unit, locked[target_uid].unit
    return reuse_licenses(
        actor, account=account, source=source, target=target, request_id=request_id, lines=lines, memo=memo
    )


@dataclass(frozen=True, slots=True)
class Used:
    """The device, and the transfer that brought the licenses to it, if one was needed."""

    device: Device
    entry: Entry | None


@command(permission=Permission.LICENSES_MANAGE, events=("license.transferred", "license.used"))
def use_spare_on_device(
    actor: Actor,
    *,
    account: SmartAccount,
    device_uid: str,
    tag: LicenseTag,
    quantity: int,
    source: VirtualAccount,
    request_id: uuid.UUID,
    memo: str = "",
) -> Used:
    """Use spare licenses of any virtual account on a device: they are transferred to its virtual account if need be (S1).

    One act, all or nothing. Raises not_enough_licenses, transfer_needs_approval, request_id_reused, device_removed
    (409), bad_quantity (422).
    """
    device = lock_device(actor, account, device_uid)
    ensure_may(actor, Permission.LICENSES_MANAGE, account, source)
    place, entry = device.unit.virtual_account, None
    if source.pk != place.pk:
        outcome = transfer_licenses(
            actor, account=account, request_id=derived_uuid(request_id, "transfer"), memo=memo,
            moves=[Move(source, place, tag, quantity)],
        )  # fmt: skip
        if outcome.entry is None:
            raise transfer_needs_approval()
        entry = outcome.entry
    assign_licenses(
        actor, account=account, unit=device.unit, request_id=request_id, lines=[UseLine(tag, quantity)], memo=memo,
        subject=device.name,
    )  # fmt: skip
    return Used(device, entry)
