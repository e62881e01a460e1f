"""A failed device is replaced by its owner alone, at once (S4)."""

from __future__ import annotations

import uuid
from typing import Any

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.text import fingerprint
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.continuity.errors import same_device
from daicho.domain.continuity.models import Replacement
from daicho.domain.continuity.queries.replacement import (
    NewDevice,
    fields_of_new,
    known_by_label,
    needs_to_register,
    what_goes_over,
)
from daicho.domain.devices.commands.instances import put_off
from daicho.domain.devices.commands.records import add, lock_devices, uid_of
from daicho.domain.devices.commands.tokens import issue_tokens
from daicho.domain.devices.errors import request_id_reused
from daicho.domain.devices.models import Device, Instance, RegistrationToken
from daicho.domain.ledger.commands.replace import replace_unit
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

TOKEN_DAYS = 7


@command(
    permission=Permission.DEVICES_MANAGE, events=("device.replaced", "device.created", "license.used", "token.issued")
)
def replace_device(
    actor: Actor,
    *,
    account: SmartAccount,
    failed_uid: str,
    successor: NewDevice,
    request_id: uuid.UUID,
    memo: str = "",
) -> Replacement:
    """Let another device take over all that a failed one used and held, at once and without the operator (S4).

    The failed one is taken off and refused if it comes back. A new one that is typed is written down where the failed
    one was, with its name unless another is given; one with this product ID and serial that the actor may change is
    taken. Goes on without a valid agreement. The same request again returns the first answer. Raises
    not_enough_licenses (an enforced license that the new one uses already), device_replaced, device_removed,
    request_id_reused (409), same_device, FieldErrors (422).
    """
    content = fingerprint([failed_uid, successor.plain(), memo])
    ensure_may(actor, Permission.DEVICES_VIEW, account)
    before = (
        Replacement.objects.filter(account=account, request_id=request_id).select_related("virtual_account").first()
    )
    if before is not None:
        ensure_may(actor, Permission.DEVICES_VIEW, account, before.virtual_account)
        if before.fingerprint != content:
            raise request_id_reused()
        return before
    failed, new = _both(actor, account, failed_uid, successor, request_id)
    place = failed.unit.virtual_account
    needs_token = needs_to_register(failed, new)
    put_off([failed], Instance.Registration.REPLACED)
    moved = what_goes_over(failed)
    replace_unit(
        actor, account=account, failed=failed.unit, successor=new.unit,
        request_id=derived_uuid(request_id, "replace"), memo=memo, called=(failed.name, new.name),
    )  # fmt: skip
    failed.removed_at, failed.replaced_by = now(), new
    failed.save(update_fields=["removed_at", "replaced_by"])
    token = _token(actor, account, place, failed, new, request_id) if needs_token else None
    made = Replacement.objects.create(
        account=account, virtual_account=place, failed=failed, successor=new, token=token, moved=[line.plain() for line in moved],
        memo=memo[:500], request_id=request_id, fingerprint=content, by=actor.name[:200],
    )  # fmt: skip
    record(
        actor, "device.replaced", account=account, virtual_account=place, subject=failed.name,
        subject_uid=failed.uid, memo=memo, act=request_id,
        before=_told(failed), after=_told(new) | {"moved": {line.sku: line.quantity for line in moved}},
    )  # fmt: skip
    return made


def _token(
    actor: Actor, account: SmartAccount, place: VirtualAccount, failed: Device, new: Device, request_id: uuid.UUID
) -> RegistrationToken:
    """What the new device registers with: one use, a week, as much as the failed one was allowed."""
    exports = Instance.objects.filter(device=failed, allows_export_controlled=True).exists()
    (token,) = issue_tokens(
        actor, account=account, virtual_accounts=[place], request_id=derived_uuid(request_id, "token"), uses=1,
        days=TOKEN_DAYS, description=new.serial or new.name, allows_export_controlled=exports, standing=False,
    )  # fmt: skip
    return token


def _both(
    actor: Actor, account: SmartAccount, failed_uid: str, successor: NewDevice, request_id: uuid.UUID
) -> tuple[Device, Device]:
    """The failed device and the new one, locked in one order, the new one written down if need be."""
    known = successor.uid or known_by_label(actor, account, successor)
    if failed_uid == known:
        raise same_device()
    wanted = sorted({failed_uid, known} - {""})
    found = dict(
        zip(wanted, lock_devices([(actor, account, uid) for uid in wanted], standing=False), strict=True)
    )  # fmt: skip
    failed = _alive(found[failed_uid])
    if known:
        return failed, _alive(found[known])
    fields = fields_of_new(successor, failed)
    uid = uid_of(account, request_id)
    return failed, add(actor, account, failed.unit.virtual_account, fields, failed.catalog_product, uid)


def _alive(found: Device | BusinessError) -> Device:
    if isinstance(found, BusinessError):
        raise found
    return found


def _told(device: Device) -> dict[str, Any]:
    return {"name": device.name, "product_id": device.product_id, "serial": device.serial, "device": device.uid}
