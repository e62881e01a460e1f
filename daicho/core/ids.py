"""Identifiers that nobody can count or guess, and request ids that come out the same every time."""

from __future__ import annotations

import base64
import secrets
import uuid

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u
UID_LENGTH = 13
NAMESPACE = uuid.UUID("6b1f5f52-7c2e-5d0b-9f43-2a3d0c5e8a11")


def new_uid() -> str:
    """A public handle of 65 random bits: what URLs and the API show instead of a running number."""
    bits = secrets.randbits(5 * UID_LENGTH)
    return "".join([ALPHABET[bits >> shift & 31] for shift in range(0, 5 * UID_LENGTH, 5)])


_BASE32 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())


def new_uids(count: int) -> list[str]:
    """So many handles as `new_uid` makes, from one read of the machine's randomness."""
    signs = base64.b32encode(secrets.token_bytes(10 * count)).translate(_BASE32).decode()
    return [signs[start : start + UID_LENGTH] for start in range(0, 16 * count, 16)]


def derived_uuid(*parts: object) -> uuid.UUID:
    """The same id for the same parts, always (RFC 9562, version 5): an act by the clock is done once."""
    return uuid.uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))


def new_secret() -> str:
    """256 random bits for a link or an API client, safe in URLs."""
    return secrets.token_urlsafe(32)
