"""Public keys as JSON (RFC 8037) and their thumbprints (RFC 7638): Ed25519 to sign, X25519 to agree."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from daicho.domain.devices.wire.encoding import from_url, to_url

type Curve = Literal["Ed25519", "X25519"]
KEY_BYTES = 32


def public_jwk(public: bytes, curve: Curve = "Ed25519") -> dict[str, str]:
    """A public key of 32 bytes as JWK, its members in the order of a thumbprint."""
    return {"crv": curve, "kty": "OKP", "x": to_url(public)}


def public_bytes(jwk: Any, curve: Curve = "Ed25519") -> bytes:
    """The 32 bytes of a public JWK of this curve. Raises ValueError; also for a private one, which nobody may send."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "OKP" or jwk.get("crv") != curve or "d" in jwk:
        raise ValueError(f"not a public {curve} key")
    if not isinstance(jwk.get("x"), str) or len(public := from_url(jwk["x"])) != KEY_BYTES:
        raise ValueError(f"not {KEY_BYTES} bytes of base64url")
    return public


def thumbprint(public: bytes, curve: Curve = "Ed25519") -> str:
    """RFC 7638: SHA-256 of the required members without white space, in base64url."""
    return to_url(hashlib.sha256(f'{{"crv":"{curve}","kty":"OKP","x":"{to_url(public)}"}}'.encode()).digest())


def thumbprint_of(jwk: Any, curve: Curve = "Ed25519") -> str:
    """The thumbprint of a JWK. Raises ValueError as `public_bytes`."""
    return thumbprint(public_bytes(jwk, curve), curve)
