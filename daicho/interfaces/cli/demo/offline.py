"""Devices without network, with a reservation in each state."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daicho.domain.devices import air_gapped, signing
from daicho.domain.devices.air_gapped import DeviceRequest, Wanted
from daicho.domain.devices.commands.reservation_steps import (
    HeldLot,
    change_reserved,
    confirm_reservation,
    return_reserved,
)
from daicho.domain.devices.commands.reservations import reserve_for_device, show_reservation_codes
from daicho.domain.devices.queries.reservations import get_reservation
from daicho.interfaces.cli.demo.devices import Workshop
from daicho.interfaces.cli.demo.orders import GROUP_ONE

# Virtual account, name, product, what it asks for, how far it is.
OFFLINE: tuple[tuple[str, str, str, dict[str, int], str], ...] = (
    (GROUP_ONE, "hq-vault-01", "KX-48P", {"NET-ESS": 2}, "installed"),
    (GROUP_ONE, "hq-vault-02", "KX-48P", {"NET-ESS": 3}, "changing"),
    ("川崎工場 第一製造部", "kws1-line-01", "KX-48", {"NET-ADV": 2}, "waiting"),
    (GROUP_ONE, "hq-vault-03", "KX-48P", {"NET-ESS": 1}, "prepared"),
    ("川崎工場 第一製造部", "kws1-line-00", "KX-48", {"NET-ADV": 1}, "returned"),
)


def reserve_for_offline_devices(workshop: Workshop) -> None:
    """Reserve for each, and carry its codes as far as it is."""
    for number, (place, name, product, wanted, state) in enumerate(OFFLINE):
        asked = tuple(Wanted(air_gapped.mark(sku), quantity, sku) for sku, quantity in wanted.items())
        public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        request = DeviceRequest(public, secrets.token_bytes(8), product, f"KMN3B{number:05d}", asked, name)
        _carry(workshop, place, request, state)


def _carry(workshop: Workshop, place: str, request: DeviceRequest, state: str) -> None:
    company, administrator = workshop.company, workshop.cast.administrator
    made = reserve_for_device(
        administrator, account=company.account, virtual_account=company[place], request=request, request_id=uuid.uuid4(),
        memo="オフライン区画",
    )  # fmt: skip

    def act(command: Any, **given: Any) -> None:
        command(administrator, account=company.account, uid=made.uid, request_id=uuid.uuid4(), **given)

    def proof(kind: int) -> str:
        key = air_gapped.proof_key(signing.signer().private, request)
        return air_gapped.proof_code(kind, 1, air_gapped.proof(kind, key, request, 1))

    if state == "prepared":
        return
    act(show_reservation_codes)
    if state == "waiting":
        return
    act(confirm_reservation, code=proof(air_gapped.CONFIRMATION))
    if state == "returned":
        act(return_reserved, code=proof(air_gapped.RETURN))
    elif state == "changing":
        (line,) = get_reservation(administrator, company.account, made.uid).lines
        act(change_reserved, lots=[HeldLot(line.lot.uid, line.quantity + 1)])
        act(show_reservation_codes)
