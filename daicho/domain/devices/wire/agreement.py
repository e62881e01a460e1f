"""How device and server come to the same MAC key: X25519 (RFC 7748) and HKDF with SHA-256 (RFC 5869)."""

from __future__ import annotations

import uuid

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daicho.domain.devices.wire.jwk import KEY_BYTES


def agree(
    theirs: bytes, request_id: uuid.UUID, uid: str, generation: int, private: X25519PrivateKey | None = None
) -> tuple[bytes, bytes]:
    """Our public key, made for this agreement alone, and the MAC key. Raises ValueError for a key that agrees on nothing."""
    ours = private or X25519PrivateKey.generate()
    shared = ours.exchange(X25519PublicKey.from_public_bytes(theirs))  # ValueError where all bits of it are zero
    return ours.public_key().public_bytes_raw(), mac_key(shared, request_id, uid, generation)


def mac_key(shared: bytes, request_id: uuid.UUID, uid: str, generation: int) -> bytes:
    """The key of 32 bytes that signs the requests of the instance `uid` in this generation."""
    info = f"daicho-device-mac/1 {uid} {generation}".encode()
    return HKDF(SHA256(), KEY_BYTES, salt=request_id.bytes, info=info).derive(shared)
