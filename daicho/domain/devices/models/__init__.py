"""What uses licenses, and how it proves who it is."""

from daicho.domain.devices.models.instances import ALIVE, Instance
from daicho.domain.devices.models.keys import SigningKey
from daicho.domain.devices.models.printed import PrintedImport
from daicho.domain.devices.models.records import Device
from daicho.domain.devices.models.reservations import Reservation, ReservationAct, ReservationAuthorization
from daicho.domain.devices.models.tokens import RegistrationToken

__all__ = [
    "ALIVE",
    "Device", "Instance", "PrintedImport", "RegistrationToken", "Reservation", "ReservationAct", "ReservationAuthorization", "SigningKey",
]  # fmt: skip
