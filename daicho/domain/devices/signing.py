"""The keys with which the installation signs what devices are granted, and the chain of key sets that makes them known."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.db import take_turns
from daicho.core.sealing import seal, unseal
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.devices import wire
from daicho.domain.devices.models import SigningKey
from daicho.domain.devices.timers import key_notice

PURPOSE = "device signing key"
FRESH_SECONDS = 60.0
"""How long a process may go on with the keys that it has read."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs now, and all key sets in the order of their versions."""

    kid: str
    private: Ed25519PrivateKey
    version: int
    sets: tuple[tuple[int, str], ...]
    read_at: float

    def sign(self, what: str, payload: Mapping[str, Any]) -> str:
        """A document `daicho-<what>+jws`."""
        return wire.sign(what, payload, self.kid, self.private)


_lock = Lock()
_known: list[Signer] = []


def signer() -> Signer:
    """The key that signs now. The first one is made when it is first needed; keys are read again once a minute."""
    known = next(iter(_known), None)  # another thread may just forget it
    if known is not None and 0 <= time.monotonic() - known.read_at < FRESH_SECONDS:
        return known
    with _lock:
        read = _read()
        _known[:] = [read]
        return read


def forget() -> None:
    """Read the keys again the next time that one is needed."""
    _known.clear()


def key_sets(since: int = 0) -> list[str]:
    """The signed key sets after this version, in order."""
    return [document for version, document in signer().sets if version > since]


def signed_time(nonce: str) -> str:
    """Our time, signed: what a device with a wrong clock goes by."""
    return signer().sign("time", {"iss": issuer(), "iat": int(now().timestamp()), "jti": nonce})


def issuer() -> str:
    """Who signs: the address of the installation."""
    return str(settings.SITE_URL)


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as the operator sees it."""

    kid: str
    version: int
    created_at: dt.datetime
    signs_from: dt.datetime
    is_signing: bool


def list_keys(actor: Actor) -> list[KeyState]:
    """The keys, newest first."""
    ensure_operator(actor, OperatorPermission.CATALOG)
    signing = signer().kid
    rows = SigningKey.objects.order_by("-version")
    return [KeyState(row.kid, row.version, row.created_at, row.signs_from, row.kid == signing) for row in rows]


@command(permission=OperatorPermission.CATALOG, events=("device_keys.rotated",))
def rotate_keys(actor: Actor, *, at_once: bool = False) -> SigningKey:
    """Make a new key known to devices; it signs after the notice of the settings, or at once where the old one has leaked.

    Devices verify it by the chain of key sets, whenever they come. With notice the former keys stay good; at once they
    are retired: whoever has walked on takes nothing new that they sign. Other processes follow within a minute.
    """
    ensure_operator(actor, OperatorPermission.CATALOG)
    signer()
    take_turns("device signing keys")
    last = SigningKey.objects.order_by("-version").first()
    if at_once:
        SigningKey.objects.filter(retired_at=None).update(retired_at=now())
    made = _make(last, now() if at_once else now() + key_notice())
    record(
        actor,
        "device_keys.rotated",
        subject=made.kid,
        after={"version": made.version, "signs_from": made.signs_from.isoformat()},
    )
    transaction.on_commit(forget)
    return made


def _read() -> Signer:
    rows = list(SigningKey.objects.order_by("version")) or [_first()]
    at = now()
    signing = [row for row in rows if row.signs_from <= at][-1]
    private = Ed25519PrivateKey.from_private_bytes(unseal(PURPOSE, bytes(signing.private_key_sealed)))
    sets = tuple((row.version, row.key_set) for row in rows)
    return Signer(signing.kid, private, rows[-1].version, sets, time.monotonic())


def _first() -> SigningKey:
    with transaction.atomic():
        take_turns("device signing keys")
        return SigningKey.objects.order_by("version").first() or _make(None, now())


def _make(last: SigningKey | None, signs_from: dt.datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    kid, version = wire.thumbprint(public), last.version + 1 if last else 1
    known = [bytes(row.public_key) for row in SigningKey.objects.filter(retired_at=None).order_by("version")]
    keys = [wire.public_jwk(key) | {"kid": wire.thumbprint(key)} for key in [*known, public]]
    payload = {"iss": issuer(), "iat": int(now().timestamp()), "version": version, "keys": keys}
    by, by_kid = private, kid
    if last is not None:
        by, by_kid = Ed25519PrivateKey.from_private_bytes(unseal(PURPOSE, bytes(last.private_key_sealed))), last.kid
    return SigningKey.objects.create(
        kid=kid, version=version, public_key=public, private_key_sealed=seal(PURPOSE, private.private_bytes_raw()),
        key_set=wire.sign("keys", payload, by_kid, by), signs_from=signs_from,
    )  # fmt: skip


def signer_of_row() -> tuple[Signer, SigningKey]:
    """The key that signs now with its row: what is carried by hand names it by the version that made it known."""
    found = signer()
    row = SigningKey.objects.filter(kid=found.kid).first()
    if row is None:  # another database than the one that was read, as after a restore
        forget()
        found = signer()
        row = SigningKey.objects.get(kid=found.kid)
    return found, row


def private_half(key: SigningKey) -> Ed25519PrivateKey:
    """The private half of a key, also of a former one: what an offline device agrees with."""
    return Ed25519PrivateKey.from_private_bytes(unseal(PURPOSE, bytes(key.private_key_sealed)))
