"""A device for tests, vectors and benchmarks: docs/device-protocol.md once more, knowing nothing of the server's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BASE = "/device/v1"


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes
    base: bytes


@dataclass
class Client:
    """One instance. `offset`: of the server's clock to ours."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    uid: str = ""
    generation: int = 0
    mac: bytes = b""
    sequence: int = 0
    offset: float = 0
    once: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    @property
    def jwk(self) -> dict[str, str]:
        return jwk(self.private.public_key().public_bytes_raw())

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.jwk)

    def register(self, token: str, product_id: str, serial: str, **more: Any) -> tuple[Request, uuid.UUID]:
        """The request and its id. A one-time key is made for it."""
        self.once, request_id = X25519PrivateKey.generate(), uuid.uuid4()
        body = {
            "token": token, "public_key": self.jwk, "agreement_key": self.agreement_key, "product_id": product_id,
            "serial": serial, "name": "", "software": {"name": "ExampleOS", "version": "17.3"},
            "agent": {"name": "bench", "version": "1"},
        } | more  # fmt: skip
        return self.by_key("register", body, request_id), request_id

    def renew(self, request_id: uuid.UUID | None = None) -> tuple[Request, uuid.UUID]:
        self.once, request_id = X25519PrivateKey.generate(), request_id or uuid.uuid4()
        self.sequence += 1
        body = {"sequence": self.sequence, "agreement_key": self.agreement_key}
        return self.by_key("renew-certificate", body, request_id), request_id

    def authorize(self, wanted: dict[str, int], request_id: uuid.UUID | None = None, **more: Any) -> Request:
        self.sequence += 1
        lines = [{"tag": tag, "quantity": quantity} for tag, quantity in wanted.items()]
        return self.by_mac("authorize", {"sequence": self.sequence, "licenses": lines} | more, request_id)

    def deregister(self, request_id: uuid.UUID | None = None) -> Request:
        self.sequence += 1
        return self.by_mac("deregister", {"sequence": self.sequence}, request_id)

    @property
    def agreement_key(self) -> dict[str, str]:
        return jwk(self.once.public_key().public_bytes_raw(), "X25519")

    def by_key(self, what: str, body: Any, request_id: uuid.UUID | None = None, at: float | None = None) -> Request:
        keyid = self.thumbprint
        return sign(what, body, keyid, "ed25519", request_id or uuid.uuid4(), self._at(at), self.private.sign)

    def by_mac(self, what: str, body: Any, request_id: uuid.UUID | None = None, at: float | None = None) -> Request:
        def signed(base: bytes) -> bytes:
            return hmac.digest(self.mac, base, "sha256")

        keyid = f"{self.uid}.{self.generation}"
        return sign(what, body, keyid, "hmac-sha256", request_id or uuid.uuid4(), self._at(at), signed)

    def take(self, certificate: dict[str, Any]) -> None:
        """What a (verified) certificate says of us."""
        self.uid, self.generation = certificate["sub"], certificate["mac_generation"]
        theirs = X25519PublicKey.from_public_bytes(unurl(certificate["agreement_key"]["x"]))
        self.mac = derive(self.once.exchange(theirs), uuid.UUID(certificate["jti"]), self.uid, self.generation)

    def _at(self, at: float | None) -> int:
        return int(time.time() + self.offset if at is None else at)


def sign(what: str, body: Any, keyid: str, algorithm: str, request_id: uuid.UUID, at: int, signer: Any) -> Request:
    path = f"{BASE}/{what}"
    content = body if isinstance(body, bytes) else dumps(body)
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
    parameters = (
        f'("@method" "@path" "content-digest");created={at};keyid="{keyid}";alg="{algorithm}";nonce="{request_id}"'
    )
    base = f'"@method": POST\n"@path": {path}\n"content-digest": {digest}\n"@signature-params": {parameters}'.encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Digest": digest,
        "Signature-Input": f"daicho={parameters}",
        "Signature": f"daicho=:{base64.b64encode(signer(base)).decode()}:",
    }
    return Request(path, headers, content, base)


def derive(shared: bytes, request_id: uuid.UUID, uid: str, generation: int) -> bytes:
    info = f"daicho-device-mac/1 {uid} {generation}".encode()
    return HKDF(SHA256(), 32, salt=request_id.bytes, info=info).derive(shared)


def opened(document: str, keys: list[dict[str, str]], what: str) -> dict[str, Any]:
    """The payload of a document that one of these keys signed."""
    head, payload, signature = document.split(".")
    told = json.loads(unurl(head))
    assert (told["alg"], told["typ"]) == ("EdDSA", f"daicho-{what}+jws")
    (key,) = [key for key in keys if key["kid"] == told["kid"]]
    Ed25519PublicKey.from_public_bytes(unurl(key["x"])).verify(unurl(signature), f"{head}.{payload}".encode())
    found: dict[str, Any] = json.loads(unurl(payload))
    return found


def unsigned(document: str) -> dict[str, Any]:
    """The payload of a document, believed."""
    found: dict[str, Any] = json.loads(unurl(document.split(".")[1]))
    return found


def walked(documents: list[str]) -> list[dict[str, str]]:
    """The keys of the last of these key sets, each signed by the one before, the first by itself."""
    keys: list[dict[str, str]] = unsigned(documents[0])["keys"]
    for number, document in enumerate(documents, 1):
        told = opened(document, keys, "keys")
        assert told["version"] == number, told
        keys = told["keys"]
    return keys


def jwk(public: bytes, curve: str = "Ed25519") -> dict[str, str]:
    return {"crv": curve, "kty": "OKP", "x": url(public)}


def thumbprint(key: dict[str, str]) -> str:
    named = {name: key[name] for name in ("crv", "kty", "x")}
    return url(hashlib.sha256(dumps(named)).digest())


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unurl(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
