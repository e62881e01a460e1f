"""How a request is signed: HTTP message signatures (RFC 9421) in the one form of the device protocol."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from daicho_agent import keys


@dataclass(frozen=True)
class Signer:
    """Who signs: `ed25519` with the device's private key, or `hmac-sha256` with the agreed key."""

    algorithm: str
    keyid: str
    key: str

    @classmethod
    def device(cls, private_key: str) -> Signer:
        return cls("ed25519", keys.thumbprint(keys.public_jwk(private_key)), private_key)

    @classmethod
    def agreed(cls, instance: str, generation: int, mac_key: str) -> Signer:
        return cls("hmac-sha256", f"{instance}.{generation}", mac_key)

    def sign(self, base: bytes) -> bytes:
        if self.algorithm == "ed25519":
            return keys.signing_key(self.key).sign(base)
        return hmac.digest(keys.decode(self.key), base, "sha256")


def content_digest(body: bytes) -> str:
    return f"sha-256=:{_base64(hashlib.sha256(body).digest())}:"


def parameters(signer: Signer, created: int, request_id: str) -> str:
    """What stands behind `daicho=` in Signature-Input."""
    return (
        f'("@method" "@path" "content-digest");created={created};keyid="{signer.keyid}"'
        f';alg="{signer.algorithm}";nonce="{request_id}"'
    )


def signature_base(path: str, digest: str, signed: str) -> bytes:
    lines = ('"@method": POST', f'"@path": {path}', f'"content-digest": {digest}', f'"@signature-params": {signed}')
    return "\n".join(lines).encode()


def signed_headers(path: str, body: bytes, signer: Signer, *, created: int, request_id: str) -> dict[str, str]:
    """The three header fields that make `body` a request of the signer; `path` as the server sees it."""
    digest = content_digest(body)
    signed = parameters(signer, created, request_id)
    signature = signer.sign(signature_base(path, digest, signed))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"daicho={signed}",
        "Signature": f"daicho=:{_base64(signature)}:",
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
