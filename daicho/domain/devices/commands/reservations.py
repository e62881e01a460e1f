"""Licenses are reserved for a device without network, its authorization is given out, and undone before that (S7)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.db import take_turns
from daicho.core.errors import invalid
from daicho.core.ids import derived_uuid
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices.air_gapped import DeviceRequest
from daicho.domain.devices.commands.records import add, lock_device, uid_of
from daicho.domain.devices.errors import nothing_reserved
from daicho.domain.devices.models import Device, Reservation, ReservationAuthorization
from daicho.domain.devices.reservation_states import ReservationAct as Did
from daicho.domain.devices.reserving import (
    authorize,
    done_before,
    ensure_free,
    go_on,
    held_now,
    known_device,
    lock_reservation,
    note,
    settle_undone,
    wishes_of,
)
from daicho.domain.devices.rules import read_fields
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses, show_authorization
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.rules import Choice
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

__all__ = ["ReserveLine", "reserve_for_device", "show_reservation_codes", "undo_reservation"]


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.made", "license.reserved", "device.created"))
def reserve_for_device(
    actor: Actor,
    *,
    account: SmartAccount,
    request: DeviceRequest,
    request_id: uuid.UUID,
    lines: Sequence[ReserveLine] = (),
    virtual_account: VirtualAccount | None = None,
    name: str = "",
    memo: str = "",
) -> Reservation:
    """Reserve licenses for an offline device by its request code, and make its authorization.

    The device with this product ID and serial number is taken, or written down in `virtual_account`. Without `lines` the
    reservation is universal: all that the device asks for, of whatever lots last longest. The same request again returns
    the first answer. Raises not_enough_licenses, request_code_used, device_is_reserved, request_id_reused (409),
    nothing_reserved, FieldErrors (422).
    """
    content = [request.thumbprint, request.nonce.hex(), virtual_account.uid if virtual_account else "", name,
               [[line.tag.uid, line.quantity, line.lot_uid] for line in lines]]  # fmt: skip
    device = known_device(actor, account, request)
    place = device.unit.virtual_account if device is not None else virtual_account
    if place is None:
        raise invalid("virtual_account", "required", _("Choose the virtual account of the device."))
    ensure_may(actor, Permission.LICENSES_MANAGE, account, place)
    take_turns(f"reservation {request.thumbprint}")
    if (before := done_before(account, request_id, "reserve", content)) is not None:
        return before
    device = lock_device(actor, account, device.uid) if device is not None else _write_down(
        actor, account, place, request, name, request_id
    )  # fmt: skip
    ensure_free(device.unit_id, request)
    wishes, _unknown = wishes_of(request)
    wanted = list(lines) or [ReserveLine(wish.tag, wish.quantity) for wish in wishes]
    if not wanted:
        raise nothing_reserved()
    reserved = reserve_licenses(
        actor, account=account, unit=device.unit, request_id=derived_uuid("reserve", request_id), lines=wanted,
        choice=Choice.SOONEST_END if lines else Choice.LONGEST_TERM, memo=memo,
    )  # fmt: skip
    reservation = Reservation.objects.create(
        account=account, holder=reserved.holder, bound_unit=device.unit, entry=reserved.entry, is_universal=not lines,
        public_key=request.public_key, thumbprint=request.thumbprint, nonce=request.nonce.hex(),
        product_id=request.product_id, serial=request.serial, created_by=actor.name[:200], memo=memo[:500],
        names={str(wish.tag.pk): wish.name for wish in wishes if wish.name != wish.tag.sku},
    )  # fmt: skip
    authorize(reservation)
    after = {"licenses": held_now(reservation), "universal": reservation.is_universal}
    note(actor, reservation, "reserve", request_id, content, "reservation.made", after, memo)
    return reservation


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.shown",))
def show_reservation_codes(
    actor: Actor, *, account: SmartAccount, uid: str, request_id: uuid.UUID
) -> ReservationAuthorization:
    """Give out the authorization of a reservation, again at any time; from the first time on it can no longer be undone.

    Raises reservation_state (409) when the reservation is over.
    """
    reservation = lock_reservation(actor, account, uid)
    last = ReservationAuthorization.objects.filter(reservation=reservation).order_by("-number")[0]
    if done_before(account, request_id, Did.SHOW, [uid, last.number]) is not None:
        return last
    go_on(reservation, Did.SHOW)
    reservation.save()
    show_authorization(reservation.holder)
    if last.shown_at is None:
        last.shown_at = now()
        last.save(update_fields=["shown_at"])
    note(
        actor,
        reservation,
        Did.SHOW,
        request_id,
        [uid, last.number],
        "reservation.shown",
        {"authorization_number": last.number},
    )
    return last


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.undone", "license.undone"))
def undo_reservation(
    actor: Actor, *, account: SmartAccount, uid: str, request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Undo a reservation whose authorization nobody has seen: its licenses are spare again.

    Raises reservation_state (409) once the authorization was shown.
    """
    reservation = lock_reservation(actor, account, uid)
    if done_before(account, request_id, Did.UNDO, [uid]) is not None or settle_undone(reservation):
        return reservation
    go_on(reservation, Did.UNDO)
    reservation.save()
    undo_entry(
        actor, account=account, entry_uid=reservation.entry.uid, request_id=derived_uuid("undo", request_id), memo=memo
    )
    note(actor, reservation, Did.UNDO, request_id, [uid], "reservation.undone", {}, memo)
    return reservation


def _write_down(
    actor: Actor, account: SmartAccount, place: VirtualAccount, request: DeviceRequest, name: str, request_id: uuid.UUID
) -> Device:
    ensure_may(actor, Permission.DEVICES_MANAGE, account, place)
    fields = read_fields(name or request.name, request.product_id, request.serial)
    return add(actor, account, place, fields, None, uid_of(account, request_id))
