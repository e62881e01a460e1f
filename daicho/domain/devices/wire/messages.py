"""Signed requests: HTTP message signatures (RFC 9421) of exactly one form over a digest of the body (RFC 9530)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.domain.devices.wire.encoding import from_url

SKEW_SECONDS = 3_600
"""How far the clock of a device may be from ours."""
PARAMETERS = re.compile(
    r'daicho=(\("@method" "@path" "content-digest"\);created=(0|[1-9][0-9]{0,11});keyid="([A-Za-z0-9_.-]{1,80})";'
    r'alg="(ed25519|hmac-sha256)";nonce="([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")'
)
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
SIGNATURE = re.compile(r"daicho=:([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/]{85}[AQgw]==):")
LENGTHS = {"ed25519": 64, "hmac-sha256": 32}


class MalformedRequest(BusinessError):
    """The request is not written as the protocol writes it. `part`: what of it."""

    def __init__(self, part: str) -> None:
        super().__init__("malformed", 400, _("The request cannot be read: %(part)s."), part=part)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was read; whether its signature holds is asked with the key of `keyid` (`is_by_key`, `is_by_mac`).

    `what`: the last part of its path. `nonce` is its request id. `base`: the bytes that are signed.
    """

    what: str
    body: bytes
    keyid: str
    algorithm: str
    created: int
    nonce: uuid.UUID
    signature: bytes
    base: bytes
    address: str

    def skew(self, at: float) -> float:
        """Seconds by which the clock of its sender is ahead of `at` (seconds of the epoch)."""
        return self.created - at


def read_request(path: str, headers: Mapping[str, str], body: bytes, address: str) -> Signed:
    """A POST to `path`. `headers`: by names in lower case. Raises MalformedRequest; looks nothing up."""
    parameters = PARAMETERS.fullmatch(headers.get("signature-input", ""))
    if parameters is None:
        raise MalformedRequest("Signature-Input")
    digest = DIGEST.fullmatch(headers.get("content-digest", ""))
    if digest is None or base64.b64encode(hashlib.sha256(body).digest()).decode() != digest[1]:
        raise MalformedRequest("Content-Digest")
    written, created, keyid, algorithm, nonce = parameters.groups()
    found = SIGNATURE.fullmatch(headers.get("signature", ""))
    if found is None or len(signature := base64.b64decode(found[1])) != LENGTHS[algorithm]:
        raise MalformedRequest("Signature")
    return Signed(
        what=path.rpartition("/")[2], body=body, keyid=keyid, algorithm=algorithm, created=int(created),
        nonce=uuid.UUID(nonce), signature=signature, base=base_of(path, digest[0], written), address=address,
    )  # fmt: skip


def base_of(path: str, digest: str, parameters: str) -> bytes:
    """The signature base (RFC 9421, section 2.5)."""
    return (f'"@method": POST\n"@path": {path}\n"content-digest": {digest}\n"@signature-params": {parameters}').encode()


def is_by_mac(signed: Signed, key: bytes) -> bool:
    """Whether the holder of this MAC key signed it."""
    if signed.algorithm != "hmac-sha256":
        return False
    return hmac.compare_digest(hmac.digest(key, signed.base, "sha256"), signed.signature)


def is_by_key(signed: Signed, public: bytes) -> bool:
    """Whether the holder of the private half of this key signed it."""
    return signed.algorithm == "ed25519" and _holds(public, signed.signature, signed.base)


def next_key_message(uid: str, request_id: uuid.UUID) -> bytes:
    """What the next key of an instance signs, to show that its holder asks for it."""
    return f"daicho-next-key/1 {uid} {request_id}".encode()


def proves_next_key(public: bytes, proof: str, uid: str, request_id: uuid.UUID) -> bool:
    """Whether `proof` (base64url) is the next key's signature of that."""
    try:
        signature = from_url(proof)
    except ValueError:
        return False
    return _holds(public, signature, next_key_message(uid, request_id))


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
