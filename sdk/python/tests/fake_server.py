"""A server in a few lines that speaks the device protocol, breaks on demand, and checks what it is sent by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daicho_agent.errors import ServerUnreachableError
from daicho_agent.transport import Answer

DAY = 86_400
START = 1_800_000_000
INPUT = re.compile(
    r'daicho=(\("@method" "@path" "content-digest"\);created=([0-9]+);keyid="([^"]+)";alg="([^"]+)";nonce="([^"]+)")'
)


def url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unurl(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def jwk_of(curve: str, public: bytes) -> dict[str, str]:
    return {"crv": curve, "kty": "OKP", "x": url(public)}


def thumbprint(jwk: dict[str, str]) -> str:
    return url(hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest())


class Instance:
    def __init__(self, uid: str, jwk: dict[str, str]) -> None:
        self.uid, self.jwk, self.next_jwk = uid, jwk, None
        self.macs: dict[int, bytes] = {}
        self.generation = 0
        self.sequence = 0
        self.last: tuple[str, bytes, dict[str, Any]] | None = None  # request id, body, answer
        self.counts: dict[str, int] = {}
        self.evaluation = 0
        self.removed = ""


class FakeServer:
    """`owned`: tag → how many there are (a tag in `enforced` is refused beyond that)."""

    def __init__(self) -> None:
        self.time = float(START)
        self.issuer = "https://daicho.test"
        self.token, self.uses = "TOKEN", 0
        self.signing: list[Ed25519PrivateKey] = []
        self.sets: list[str] = []
        self.instances: dict[str, Instance] = {}
        self.owned: dict[str, int] = {}
        self.enforced: set[str] = set()
        self.answers: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []  # what, request id
        self.down = False
        self.lose = 0  # so many answers are lost, after their request was done
        self.rotate()

    # Keys

    def rotate(self) -> None:
        """Another signing key; its set holds the former one too, and is signed by it."""
        self.signing.append(Ed25519PrivateKey.generate())
        jwks = [jwk_of("Ed25519", key.public_key().public_bytes_raw()) for key in self.signing[-2:]]
        payload = {
            "iss": self.issuer,
            "iat": int(self.time),
            "version": len(self.signing),
            "keys": [{**jwk, "kid": thumbprint(jwk)} for jwk in jwks],
        }
        self.sets.append(self.document("keys", payload, key=self.signing[-2:][0]))

    @property
    def pin(self) -> str:
        return thumbprint(jwk_of("Ed25519", self.signing[0].public_key().public_bytes_raw()))

    def document(self, what: str, payload: dict[str, Any], *, key: Ed25519PrivateKey | None = None) -> str:
        key = key or self.signing[-1]
        kid = thumbprint(jwk_of("Ed25519", key.public_key().public_bytes_raw()))
        head = {"alg": "EdDSA", "kid": kid, "typ": f"daicho-{what}+jws"}
        signed = f"{url(json.dumps(head).encode())}.{url(json.dumps(payload).encode())}"
        return f"{signed}.{url(key.sign(signed.encode()))}"

    # Transport

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self.down:
            raise ServerUnreachableError("{server} cannot be reached: {reason}", server=self.issuer, reason="down")
        if method == "GET":
            since = int(path.partition("since=")[2])
            return Answer(200, {"keys": self.sets[since:]})
        answer = self._answer(path, body or b"", headers)
        if self.lose:
            self.lose -= 1
            raise ServerUnreachableError("{server} cannot be reached: {reason}", server=self.issuer, reason="lost")
        return answer

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        what = path.rpartition("/")[2]
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        found = INPUT.fullmatch(headers["Signature-Input"])
        assert found is not None
        assert headers["Content-Digest"] == digest
        parameters, created, keyid, algorithm, request_id = found.groups()
        base = f'"@method": POST\n"@path": {path}\n"content-digest": {digest}\n"@signature-params": {parameters}'
        signature = base64.b64decode(headers["Signature"].removeprefix("daicho=:").removesuffix(":"))
        self.requests.append((what, request_id))
        wanted = json.loads(body)
        instance = self._instance(algorithm, keyid, wanted)
        if instance is None:
            return problem(401, "unknown_instance")
        if not self._is_signed(instance, algorithm, keyid, base.encode(), signature):
            return problem(401, "bad_signature")
        if abs(int(created) - self.time) > 3600:
            told = self.document("time", {"iss": self.issuer, "iat": int(self.time), "jti": request_id})
            return Answer(401, {"code": "clock_skew", "time": told})
        if instance.removed:
            return problem(410, instance.removed)
        if what == "register":
            return self._register(instance, request_id, wanted)
        if wanted["sequence"] <= instance.sequence:
            if instance.last and instance.last[:2] == (request_id, body):
                return Answer(200, instance.last[2])
            return problem(409, "sequence_used", data={"last_sequence": instance.sequence})
        act = {"authorize": self._authorize, "renew-certificate": self._renew, "deregister": self._deregister}[what]
        answer = act(instance, request_id, wanted)
        if answer.status == 200:
            instance.sequence, instance.last = wanted["sequence"], (request_id, body, answer.document)
        return answer

    def _instance(self, algorithm: str, keyid: str, wanted: dict[str, Any]) -> Instance | None:
        if algorithm == "hmac-sha256":
            uid, _, generation = keyid.partition(".")
            found = self.instances.get(uid)
            return found if found and int(generation) in found.macs else None
        for one in self.instances.values():
            if keyid in {thumbprint(one.jwk), thumbprint(one.next_jwk or one.jwk)}:
                return one
        if "public_key" in wanted and thumbprint(wanted["public_key"]) == keyid:
            return Instance(f"i{len(self.instances):012}", wanted["public_key"])
        return None

    def _is_signed(self, instance: Instance, algorithm: str, keyid: str, base: bytes, signature: bytes) -> bool:
        if algorithm == "hmac-sha256":
            generation = int(keyid.partition(".")[2])
            good = hmac.compare_digest(hmac.digest(instance.macs[generation], base, "sha256"), signature)
            if good and generation == instance.generation:
                instance.macs = {generation: instance.macs[generation]}
                instance.jwk, instance.next_jwk = instance.next_jwk or instance.jwk, None
            return good
        key = instance.jwk if thumbprint(instance.jwk) == keyid else instance.next_jwk
        try:
            Ed25519PublicKey.from_public_bytes(unurl(key["x"])).verify(signature, base)
        except InvalidSignature:
            return False
        return True

    # Acts

    def _register(self, instance: Instance, request_id: str, wanted: dict[str, Any]) -> Answer:
        if request_id in self.answers:
            return Answer(201, self.answers[request_id])
        if wanted["token"] != self.token:
            return problem(401, "unknown_token")
        self.uses += 1
        self.instances[instance.uid] = instance
        instance.macs = {}
        state = self._authorization(instance, request_id, instance.sequence, [], "none")
        certificate = self._certificate(instance, request_id, wanted, instance.jwk)
        self.answers[request_id] = {"certificate": certificate, "keys": self.sets, "authorization": state}
        return Answer(201, self.answers[request_id])

    def _certificate(self, instance: Instance, request_id: str, wanted: dict[str, Any], jwk: dict[str, str]) -> str:
        private = X25519PrivateKey.generate()
        instance.generation += 1
        shared = private.exchange(X25519PublicKey.from_public_bytes(unurl(wanted["agreement_key"]["x"])))
        info = f"daicho-device-mac/1 {instance.uid} {instance.generation}".encode()
        instance.macs[instance.generation] = HKDF(SHA256(), 32, uuid.UUID(request_id).bytes, info).derive(shared)
        now = int(self.time)
        payload = {
            "iss": self.issuer,
            "sub": instance.uid,
            "jti": request_id,
            "iat": now,
            "exp": now + 365 * DAY,
            "renew_from": now + 180 * DAY,
            "thumbprint": thumbprint(jwk),
            "product_id": wanted.get("product_id", "EXR-24"),
            "serial": wanted.get("serial", "SN-1"),
            "agreement_key": jwk_of("X25519", private.public_key().public_bytes_raw()),
            "mac_generation": instance.generation,
            "contact_within": 30 * DAY,
        }
        return self.document("certificate", payload)

    def _authorize(self, instance: Instance, request_id: str, wanted: dict[str, Any]) -> Answer:
        instance.evaluation = wanted["evaluation_seconds"]
        asked = {line["tag"]: line["quantity"] for line in wanted["licenses"]}
        lines = []
        for tag, quantity in asked.items():
            others = sum(one.counts.get(tag, 0) for one in self.instances.values() if one is not instance)
            missing = max(0, others + quantity - self.owned.get(tag, 0))
            if tag not in self.owned:
                lines.append({"tag": tag, "quantity": 0, "status": "refused", "code": "unknown_tag"})
            elif missing and tag in self.enforced:
                lines.append(
                    {"tag": tag, "quantity": 0, "status": "refused", "code": "not_enough_licenses", "missing": missing}
                )
            elif missing:
                lines.append({"tag": tag, "quantity": quantity, "status": "short", "missing": missing})
            else:
                lines.append({"tag": tag, "quantity": quantity, "status": "authorized"})
        instance.counts = {line["tag"]: line["quantity"] for line in lines}
        state = "none" if not lines else "authorized"
        if any(line["status"] == "short" for line in lines):
            state = "out_of_compliance"
        document = self._authorization(instance, request_id, wanted["sequence"], lines, state)
        return Answer(200, {"authorization": document})

    def _authorization(
        self, instance: Instance, request_id: str, sequence: int, lines: list[dict[str, Any]], state: str
    ) -> str:
        now = int(self.time)
        payload = {
            "iss": self.issuer,
            "sub": instance.uid,
            "jti": request_id,
            "iat": now,
            "exp": now + 90 * DAY,
            "sequence": sequence,
            "state": state,
            "licenses": lines,
            "contact_within": DAY // 2 if state == "out_of_compliance" else 30 * DAY,
            "keys_version": len(self.sets),
        }
        return self.document("authorization", payload)

    def _renew(self, instance: Instance, request_id: str, wanted: dict[str, Any]) -> Answer:
        message = f"daicho-next-key/1 {instance.uid} {request_id}".encode()
        Ed25519PublicKey.from_public_bytes(unurl(wanted["next_public_key"]["x"])).verify(
            unurl(wanted["proof"]), message
        )
        instance.next_jwk = wanted["next_public_key"]
        document = self._certificate(instance, request_id, wanted, instance.next_jwk)
        return Answer(200, {"certificate": document})

    def _deregister(self, instance: Instance, request_id: str, wanted: dict[str, Any]) -> Answer:
        payload = {
            "iss": self.issuer,
            "sub": instance.uid,
            "jti": request_id,
            "iat": int(self.time),
            "sequence": wanted["sequence"],
            "state": "removed",
        }
        instance.counts = {}
        return Answer(200, {"receipt": self.document("receipt", payload)})


def problem(status: int, code: str, **members: Any) -> Answer:
    return Answer(status, {"status": status, "code": code, "title": code.replace("_", " "), **members})
