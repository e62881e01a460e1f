"""Keys and their encodings: Ed25519 to sign, X25519 to agree, JWK (RFC 8037), thumbprints (RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def encode(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The reverse of `encode`; raises ValueError for anything but the one correct writing."""
    if not isinstance(text, str) or not BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(content) != text:
        raise ValueError("not the one writing in base64url")
    return content


def new_signing_key() -> str:
    """A fresh Ed25519 private key, as the state keeps it."""
    return encode(Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def new_agreement_key() -> str:
    """A fresh X25519 private key, as the state keeps it until the answer has come."""
    return encode(X25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def signing_key(private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(decode(private))


def public_jwk(private: str) -> dict[str, str]:
    """The public half of a signing key."""
    return _jwk("Ed25519", signing_key(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def agreement_jwk(private: str) -> dict[str, str]:
    """The public half of an agreement key."""
    key = X25519PrivateKey.from_private_bytes(decode(private)).public_key()
    return _jwk("X25519", key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638, of a key of type OKP."""
    text = f'{{"crv":"{jwk["crv"]}","kty":"OKP","x":"{jwk["x"]}"}}'
    return encode(hashlib.sha256(text.encode()).digest())


def verifying_key(jwk: dict[str, str]) -> Ed25519PublicKey:
    """The key of a JWK; raises ValueError unless it is a public Ed25519 key."""
    return Ed25519PublicKey.from_public_bytes(_public_bytes(jwk, "Ed25519"))


def agreed_mac_key(private: str, other: dict[str, str], request_id: str, subject: str, generation: int) -> str:
    """The key that both sides know and that never travelled (docs/device-protocol.md, Register)."""
    public = X25519PublicKey.from_public_bytes(_public_bytes(other, "X25519"))
    shared = X25519PrivateKey.from_private_bytes(decode(private)).exchange(public)
    info = f"daicho-device-mac/1 {subject} {generation}".encode("ascii")
    return encode(HKDF(SHA256(), 32, salt=uuid.UUID(request_id).bytes, info=info).derive(shared))


def _jwk(curve: str, public: bytes) -> dict[str, str]:
    return {"crv": curve, "kty": "OKP", "x": encode(public)}


def _public_bytes(jwk: dict[str, str], curve: str) -> bytes:
    if not isinstance(jwk, dict) or jwk.get("kty") != "OKP" or jwk.get("crv") != curve or "d" in jwk:
        raise ValueError(f"not a public key of {curve}")
    public = decode(jwk.get("x", ""))
    if len(public) != 32:
        raise ValueError("not a key of 32 bytes")
    return public
