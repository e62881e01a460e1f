"""Certificates of instances, and the MAC key that is agreed with each."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, NamedTuple

from daicho.core.errors import BusinessError
from daicho.core.sealing import seal
from daicho.domain.devices import signing, wire
from daicho.domain.devices.hot.credentials import PURPOSE
from daicho.domain.devices.timers import certificate_life, contact_within, renewal_age


class Agreed(NamedTuple):
    """Our half of an agreement, to be sent, and the key of both, sealed."""

    ours: bytes
    sealed: bytes


def agree(theirs: bytes, request_id: uuid.UUID, uid: str, generation: int) -> Agreed | BusinessError:
    """Agree on a MAC key; `malformed` for a key with which nothing can be agreed."""
    try:
        ours, key = wire.agree(theirs, request_id, uid, generation)
    except ValueError:
        return wire.MalformedRequest("agreement_key")
    return Agreed(ours, seal(PURPOSE, key))


def certificate(
    uid: str, request_id: uuid.UUID, at: dt.datetime, *, thumbprint: str, product_id: str, serial: str, ours: bytes,
    generation: int,
) -> dict[str, Any]:  # fmt: skip
    """The payload of a certificate that begins now."""
    within = contact_within(at, uid, is_short=False, next_change_at=None)
    return {
        "iss": signing.issuer(),
        "sub": uid,
        "jti": str(request_id),
        "iat": int(at.timestamp()),
        "exp": int((at + certificate_life()).timestamp()),
        "renew_from": int((at + renewal_age()).timestamp()),
        "thumbprint": thumbprint,
        "product_id": product_id,
        "serial": serial,
        "agreement_key": wire.public_jwk(ours, "X25519"),
        "mac_generation": generation,
        "contact_within": int(within.total_seconds()),
    }
