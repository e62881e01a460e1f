"""What may be done with a reservation in which state, and what comes of it: this one table (docs/device-protocol.md,
Air-gapped), read by commands, pages and tests."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daicho.domain.devices.errors import reservation_state
from daicho.domain.devices.models import Reservation

S = Reservation.State


class ReservationAct(StrEnum):
    """`show`: its authorization is given out. `withdraw`: it was not installed, as somebody states. `bind`: to the key of
    the device that has taken the place of its own."""

    SHOW = "show"
    CONFIRM = "confirm"
    CHANGE = "change"
    WITHDRAW = "withdraw"
    RETURN = "return"
    UNDO = "undo"
    BIND = "bind"


A = ReservationAct
TABLE: Final[dict[str, dict[ReservationAct, Reservation.State]]] = {
    S.PREPARED: {A.SHOW: S.WAITING, A.UNDO: S.UNDONE},
    S.WAITING: {A.SHOW: S.WAITING, A.CONFIRM: S.INSTALLED, A.WITHDRAW: S.WITHDRAWN, A.RETURN: S.RETURNED},
    S.INSTALLED: {A.SHOW: S.INSTALLED, A.CHANGE: S.CHANGING, A.RETURN: S.RETURNED},
    S.CHANGING: {A.SHOW: S.CHANGING, A.CONFIRM: S.INSTALLED, A.WITHDRAW: S.INSTALLED, A.RETURN: S.RETURNED},
    S.RETURNED: {},
    S.WITHDRAWN: {},
    S.UNDONE: {},
}
AFTER_REPLACEMENT: Final[dict[ReservationAct, Reservation.State]] = {A.BIND: S.WAITING}
"""Of an open reservation whose device was replaced: the new one cannot use what was made for the key of the old one."""


def acts_of(reservation: Reservation) -> dict[ReservationAct, Reservation.State]:
    """What may be done now."""
    is_open = reservation.state in Reservation.OPEN
    if is_open and reservation.bound_unit_id != reservation.holder.unit_id:
        return AFTER_REPLACEMENT
    return TABLE[reservation.state]


def state_after(reservation: Reservation, act: ReservationAct) -> Reservation.State:
    """The state that follows. Raises `reservation_state` where the act is not possible."""
    after = acts_of(reservation).get(act)
    if after is None:
        raise reservation_state(reservation.state, act)
    return after
