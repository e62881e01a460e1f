"""A reservation goes on: its codes are brought back, it is changed, bound anew, returned, or was never installed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.db import take_turns
from daicho.core.ids import derived_uuid
from daicho.core.text import tidy
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices import air_gapped
from daicho.domain.devices.air_gapped import DeviceRequest
from daicho.domain.devices.errors import nothing_reserved, statement_needed
from daicho.domain.devices.models import Reservation, ReservationAuthorization
from daicho.domain.devices.reservation_states import ReservationAct as Did
from daicho.domain.devices.reservation_states import state_after
from daicho.domain.devices.reserving import (
    S,
    authorize,
    done_before,
    ensure_free,
    ensure_proven,
    go_on,
    held_now,
    lock_reservation,
    note,
    tell_instance,
)
from daicho.domain.ledger.commands import reservation as ledger
from daicho.domain.ledger.commands.reservation import HeldLot
from daicho.domain.tenancy.models import SmartAccount

__all__ = [
    "HeldLot", "bind_reservation", "change_reserved", "confirm_reservation", "return_reserved", "withdraw_reservation",
]  # fmt: skip
LEAST_STATEMENT = 10


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.confirmed", "license.returned"))
def confirm_reservation(
    actor: Actor, *, account: SmartAccount, uid: str, code: str, request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Take the confirmation code of a device: it has installed its authorization; what only the former one held is spare.

    The same code again changes nothing. Raises code_not_by_device, code_of_another_kind, code_line_wrong (422),
    reservation_state (409).
    """
    reservation = lock_reservation(actor, account, uid)
    proof = air_gapped.read_proof(air_gapped.CONFIRMATION, code)
    content = [uid, proof.number, proof.mac.hex()]
    if done_before(account, request_id, Did.CONFIRM, content) is not None:
        return reservation
    if reservation.state == S.INSTALLED and proof.number == reservation.installed_number:
        ensure_proven(reservation, air_gapped.CONFIRMATION, proof, [proof.number])
        return reservation
    state_after(reservation, Did.CONFIRM)
    ensure_proven(reservation, air_gapped.CONFIRMATION, proof, [reservation.number])
    tell_instance(reservation, reserved=True)
    if reservation.state == S.CHANGING:
        ledger.confirm_change(
            actor, account=account, holder=reservation.holder, request_id=derived_uuid("confirm", request_id), memo=memo
        )
    go_on(reservation, Did.CONFIRM)
    reservation.installed_number = proof.number
    reservation.save()
    note(
        actor,
        reservation,
        Did.CONFIRM,
        request_id,
        content,
        "reservation.confirmed",
        {"authorization_number": proof.number},
        memo,
    )
    return reservation


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.changed", "license.reserved"))
def change_reserved(
    actor: Actor, *, account: SmartAccount, uid: str, lots: Sequence[HeldLot], request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Choose anew what a device holds: the complete list of lots. It holds the larger of old and new until it confirms.

    Raises not_enough_licenses, reservation_state (409), nothing_reserved, bad_quantity (422).
    """
    reservation = lock_reservation(actor, account, uid)
    content = [uid, sorted([lot.lot_uid, lot.quantity] for lot in lots)]
    if done_before(account, request_id, Did.CHANGE, content) is not None:
        return reservation
    if not any(lot.quantity for lot in lots):
        raise nothing_reserved()
    go_on(reservation, Did.CHANGE)
    ledger.change_reservation(
        actor,
        account=account,
        holder=reservation.holder,
        request_id=derived_uuid("change", request_id),
        lots=lots,
        memo=memo,
    )
    reservation.number += 1
    reservation.save()
    authorize(reservation)
    after = {"authorization_number": reservation.number, "licenses": held_now(reservation)}
    note(actor, reservation, Did.CHANGE, request_id, content, "reservation.changed", after, memo)
    return reservation


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.returned", "license.returned"))
def return_reserved(
    actor: Actor, *, account: SmartAccount, uid: str, code: str, request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Take the return code of a device, which has erased its authorization: all that was reserved is spare again.

    The same code again changes nothing. Raises as `confirm_reservation`.
    """
    reservation = lock_reservation(actor, account, uid)
    proof = air_gapped.read_proof(air_gapped.RETURN, code)
    content = [uid, proof.number, proof.mac.hex()]
    if done_before(account, request_id, Did.RETURN, content) is not None:
        return reservation
    numbers = [reservation.installed_number, reservation.number]
    if reservation.state == S.RETURNED:
        ensure_proven(reservation, air_gapped.RETURN, proof, numbers)
        return reservation
    state_after(reservation, Did.RETURN)
    ensure_proven(reservation, air_gapped.RETURN, proof, numbers)
    after = {"authorization_number": proof.number, "licenses": held_now(reservation)}
    tell_instance(reservation, reserved=False)
    ledger.return_reservation(
        actor, account=account, holder=reservation.holder, request_id=derived_uuid("return", request_id), memo=memo
    )
    go_on(reservation, Did.RETURN)
    reservation.save()
    note(actor, reservation, Did.RETURN, request_id, content, "reservation.returned", after, memo)
    return reservation


@command(permission=Permission.TRANSFERS_APPROVE, events=("reservation.withdrawn", "license.returned"))
def withdraw_reservation(
    actor: Actor, *, account: SmartAccount, uid: str, statement: str, request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Cancel half-way: an administrator states that the last authorization was not installed; its licenses are spare again.

    The statement (10–500 characters) stays in the event log. A change that nobody has seen needs none, nor an administrator.
    Raises statement_needed (422), reservation_state (409).
    """
    reservation = lock_reservation(actor, account, uid)
    said, content = tidy(statement), [uid, tidy(statement)]
    if done_before(account, request_id, Did.WITHDRAW, content) is not None:
        return reservation
    before = reservation.state
    state_after(reservation, Did.WITHDRAW)
    last = ReservationAuthorization.objects.get(reservation=reservation, number=reservation.number)
    if last.shown_at is not None:
        ensure_may(actor, Permission.TRANSFERS_APPROVE, account, reservation.holder.unit.virtual_account)
        if not LEAST_STATEMENT <= len(said) <= 500:
            raise statement_needed()
    settle = ledger.withdraw_change if before == S.CHANGING else ledger.return_reservation
    settle(
        actor, account=account, holder=reservation.holder, request_id=derived_uuid("withdraw", request_id), memo=memo
    )
    go_on(reservation, Did.WITHDRAW)
    reservation.statement = said
    reservation.save()
    after = {"authorization_number": reservation.number, "statement": said}
    note(actor, reservation, Did.WITHDRAW, request_id, content, "reservation.withdrawn", after, memo)
    return reservation


@command(permission=Permission.LICENSES_MANAGE, events=("reservation.bound", "license.returned"))
def bind_reservation(
    actor: Actor, *, account: SmartAccount, uid: str, request: DeviceRequest, request_id: uuid.UUID, memo: str = ""
) -> Reservation:
    """Bind what a failed device held to its replacement, by the request code of the new one: a new authorization follows.

    Raises reservation_state (409) where no replacement took over, request_code_used (409).
    """
    reservation = lock_reservation(actor, account, uid)
    content = [uid, request.thumbprint, request.nonce.hex()]
    if done_before(account, request_id, Did.BIND, content) is not None:
        return reservation
    take_turns(f"reservation {request.thumbprint}")
    ensure_free(None, request)
    was_changing = reservation.state == S.CHANGING
    go_on(reservation, Did.BIND)
    if was_changing:
        ledger.confirm_change(
            actor, account=account, holder=reservation.holder, request_id=derived_uuid("bind", request_id), memo=memo
        )
    reservation.bound_unit = reservation.holder.unit
    reservation.public_key, reservation.thumbprint = request.public_key, request.thumbprint
    reservation.nonce, reservation.product_id, reservation.serial = (
        request.nonce.hex(),
        request.product_id,
        request.serial,
    )
    reservation.number += 1
    reservation.installed_number = 0
    reservation.save()
    authorize(reservation)
    after = {"authorization_number": reservation.number, "serial": request.serial, "licenses": held_now(reservation)}
    note(actor, reservation, Did.BIND, request_id, content, "reservation.bound", after, memo)
    return reservation
