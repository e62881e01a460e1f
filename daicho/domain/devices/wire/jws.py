"""Documents that the server signs: compact JWS (RFC 7515) with Ed25519 (RFC 8037), and nothing else of that family."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from daicho.domain.devices.wire.encoding import from_url, to_url


def sign(what: str, payload: Mapping[str, Any], kid: str, private: Ed25519PrivateKey) -> str:
    """A document `daicho-<what>+jws`. The payload is written as it is given: UTF-8, no white space."""
    signed = f"{_head(what, kid)}.{to_url(_json(payload))}"
    return f"{signed}.{to_url(private.sign(signed.encode()))}"


def verify(what: str, document: str, keys: Mapping[str, bytes]) -> dict[str, Any]:
    """The payload of a document of this kind, signed by one of `keys` (kid → public key). Raises ValueError."""
    parts = document.split(".")
    if len(parts) != 3:
        raise ValueError("not a compact JWS")
    head = json.loads(from_url(parts[0]))
    if not isinstance(head, dict) or set(head) != {"alg", "kid", "typ"}:
        raise ValueError("a head of other members")
    if head["alg"] != "EdDSA" or head["typ"] != f"daicho-{what}+jws":
        raise ValueError("another kind of document")
    if not isinstance(head["kid"], str) or (public := keys.get(head["kid"])) is None:
        raise ValueError("signed by an unknown key")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(from_url(parts[2]), f"{parts[0]}.{parts[1]}".encode())
    except InvalidSignature:
        raise ValueError("not signed by this key") from None
    payload = json.loads(from_url(parts[1]))
    if not isinstance(payload, dict):
        raise ValueError("not a document")
    return payload


@functools.lru_cache(maxsize=64)
def _head(what: str, kid: str) -> str:
    return to_url(_json({"alg": "EdDSA", "kid": kid, "typ": f"daicho-{what}+jws"}))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
