"""The bytes of the device protocol (docs/device-protocol.md), version 1: pure, without tables or settings."""

from daicho.domain.devices.wire.agreement import agree, mac_key
from daicho.domain.devices.wire.jwk import public_bytes, public_jwk, thumbprint, thumbprint_of
from daicho.domain.devices.wire.jws import sign, verify
from daicho.domain.devices.wire.messages import (
    SKEW_SECONDS,
    MalformedRequest,
    Signed,
    is_by_key,
    is_by_mac,
    next_key_message,
    proves_next_key,
    read_request,
)

__all__ = [
    "SKEW_SECONDS",
    "MalformedRequest",
    "Signed",
    "agree",
    "is_by_key",
    "is_by_mac",
    "mac_key",
    "next_key_message",
    "proves_next_key",
    "public_bytes",
    "public_jwk",
    "read_request",
    "sign",
    "thumbprint",
    "thumbprint_of",
    "verify",
]
