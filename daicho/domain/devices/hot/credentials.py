"""Who asks: the rows of instances by what their requests are signed with, in one query for a batch, and whether it is they."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.db import is_postgres
from daicho.core.errors import BusinessError
from daicho.core.sealing import SealBrokenError, unseal
from daicho.core.statements import among, ask, instant
from daicho.domain.devices import signing, wire
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.models import ALIVE, Instance
from daicho.domain.tenancy.models import SmartAccount

PURPOSE = "device mac key"
COLUMNS = (
    "id", "uid", "account_id", "device_id", "registration", "authorization", "authorization_since", "evaluation_seconds",
    "allows_export_controlled", "thumbprint", "public_key", "mac_key_sealed", "mac_generation", "former_mac_key_sealed",
    "former_mac_generation", "former_public_key", "former_thumbprint", "certificate_from", "certificate_until",
    "registration_request_id", "registration_created", "last_contact_at", "last_sequence", "last_request_id",
    "last_fingerprint", "software_name", "software_version", "reused_sequence_at",
)  # fmt: skip
INSTANTS = ("authorization_since", "certificate_from", "certificate_until", "last_contact_at", "reused_sequence_at")
UUIDS = ("registration_request_id", "last_request_id")
_SELECT = (
    f"SELECT {', '.join(f'i.{name}' for name in COLUMNS)}, d.uid, d.name, d.product_id, d.serial, d.unit_id,"  # noqa: S608
    " u.virtual_account_id, u.uid, a.state FROM devices_instance AS i JOIN devices_device AS d ON d.id = i.device_id"
    " JOIN ledger_unit AS u ON u.id = d.unit_id JOIN tenancy_smartaccount AS a ON a.id = i.account_id"
)
MORE = ("device_uid", "name", "product_id", "serial", "unit_id", "virtual_account_id", "unit_uid", "account_state")


@dataclass(slots=True, eq=False)
class Row:
    """An instance with its device, unit and account, as plain values; what changes is written back by its own act."""

    id: int
    uid: str
    account_id: int
    device_id: int
    registration: str
    authorization: str
    authorization_since: dt.datetime
    evaluation_seconds: int
    allows_export_controlled: bool
    thumbprint: str
    public_key: bytes
    mac_key_sealed: bytes
    mac_generation: int
    former_mac_key_sealed: bytes | None
    former_mac_generation: int | None
    former_public_key: bytes | None
    former_thumbprint: str
    certificate_from: dt.datetime
    certificate_until: dt.datetime
    registration_request_id: uuid.UUID
    registration_created: int
    last_contact_at: dt.datetime
    last_sequence: int
    last_request_id: uuid.UUID | None
    last_fingerprint: str
    software_name: str
    software_version: str
    reused_sequence_at: dt.datetime | None
    device_uid: str
    name: str
    product_id: str
    serial: str
    unit_id: int
    virtual_account_id: int
    unit_uid: str
    account_state: str
    last_answer: str | None = None  # kilobytes that only a repetition needs: read when it comes

    @property
    def is_alive(self) -> bool:
        return self.registration in ALIVE

    def actor(self, address: str) -> Actor:
        """Who acts, as the event log keeps it."""
        return device_actor(self.name, address)

    def mac_key(self, generation: int) -> bytes | None:
        """The key of this generation, if it is good."""
        sealed = None
        if generation == self.mac_generation:
            sealed = self.mac_key_sealed
        elif generation == self.former_mac_generation:
            sealed = self.former_mac_key_sealed
        return _unsealed(sealed) if sealed else None


def device_actor(name: str, address: str) -> Actor:
    """A device that acts, from this address."""
    return Actor(ActorKind.DEVICE, name, interface="device", address=address)


@functools.lru_cache(maxsize=20_000)
def _unsealed(sealed: bytes) -> bytes | None:
    try:
        return unseal(PURPOSE, sealed)
    except SealBrokenError:
        return None


def read_rows(column: str, values: Iterable[Any], *, lock: bool = False) -> list[Row]:
    """The instances whose `column` (i.uid, i.thumbprint …) is among these, in the order in which all lock them."""
    condition, parameters = among(column, sorted(set(values)))
    clause = " FOR NO KEY UPDATE OF i" if lock and is_postgres() else ""
    return [_row(row) for row in ask(f"{_SELECT} WHERE {condition} ORDER BY i.id{clause}", parameters)]


def _row(values: Sequence[Any]) -> Row:
    given = dict(zip((*COLUMNS, *MORE), values, strict=True))
    for name in INSTANTS:
        given[name] = instant(given[name])
    for name in UUIDS:
        if isinstance(given[name], str):
            given[name] = uuid.UUID(given[name])
    for name in ("public_key", "mac_key_sealed", "former_mac_key_sealed", "former_public_key"):
        if given[name] is not None:
            given[name] = bytes(given[name])
    given["allows_export_controlled"] = bool(given["allows_export_controlled"])
    return Row(**given)


def split_keyid(keyid: str) -> tuple[str, int]:
    """`<uid>.<generation>`; generation 0, which is nobody's, where it is not written so."""
    uid, _, generation = keyid.rpartition(".")
    return uid, int(generation) if generation.isdecimal() and len(generation) < 10 else 0


def refuse_skew(signed: wire.Signed) -> BusinessError | None:
    """`clock_skew` with our signed time, if the clock of its sender is too far from ours."""
    if abs(signed.skew(now().timestamp())) <= wire.SKEW_SECONDS:
        return None
    return refuse("clock_skew", time=signing.signed_time(str(signed.nonce)))


def identify(requests: Sequence[wire.Signed], *, lock: bool = False) -> list[Row | BusinessError]:
    """Whose requests these are, each signed by its MAC key; or why that is not known."""
    keys = [split_keyid(signed.keyid) for signed in requests]
    rows = {row.uid: row for row in read_rows("i.uid", (uid for uid, _ in keys), lock=lock)}
    found: list[Row | BusinessError] = []
    for signed, (uid, generation) in zip(requests, keys, strict=True):
        row = rows.get(uid)
        key = row.mac_key(generation) if row is not None else None
        if row is None or key is None:
            found.append(refuse("unknown_instance"))
        elif not wire.is_by_mac(signed, key):
            found.append(refuse("bad_signature"))
        else:
            found.append(refuse_skew(signed) or row)
    return found


def refuse_life(row: Row, at: dt.datetime, *, renews: bool = False) -> BusinessError | None:
    """What its life refuses, in the order of the ladder. `renews`: it asks for a new certificate."""
    match row.registration:
        case Instance.Registration.REMOVED:
            return refuse("instance_removed")
        case Instance.Registration.REPLACED:
            return refuse("instance_replaced")
    if not renews and row.certificate_until <= at:
        return refuse("certificate_expired")
    if row.account_state != SmartAccount.State.ACTIVE:
        return refuse("account_suspended")
    return None
