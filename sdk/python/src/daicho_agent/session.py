"""The acts of the device protocol on a state whose lock the caller holds (docs/device-protocol.md).

Each request is stored before it is sent, so that whatever happens then, the same one can be sent again.
"""

from __future__ import annotations

import json
import random
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from daicho_agent import keys
from daicho_agent.backoff import delay
from daicho_agent.documents import KeyChain, UnknownKeyError
from daicho_agent.errors import (
    IdentityConflictError,
    NotRegisteredError,
    RefusedError,
    ServerUnreachableError,
    UntrustedError,
)
from daicho_agent.signing import Signer, signed_headers
from daicho_agent.state import Pending, State, Store
from daicho_agent.transport import Answer, Transport
from daicho_agent.version import VERSION

BASE = "/device/v1"
NEAR = 300.0  # seconds: a clock this near to the server's is taken as right
LONGEST_WAIT = 15.0  # seconds that one act waits before it tries again; a daemon comes back later
HEALED_BY_RENEWAL = frozenset({"bad_signature", "certificate_expired", "unknown_instance"})
ENDS_THE_IDENTITY = frozenset({"unknown_instance", "instance_removed", "instance_replaced", "bad_signature"})


@dataclass
class Session:
    """One device and its server."""

    state: State
    store: Store
    transport: Transport
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    chance: random.Random
    attempts: int = 3
    chain: KeyChain = field(init=False)

    def __post_init__(self) -> None:
        self.chain = KeyChain(self.state.pin, self.state.key_sets)

    def now(self) -> float:
        return max(self.clock() + self.state.clock_offset, self.state.newest)

    # Acts

    def register(self, token: str) -> None:
        """Prove the own key, agree on a MAC key, and keep the certificate. The same again after a lost answer."""
        state = self.state
        body = {
            "token": token,
            "public_key": keys.public_jwk(state.private_key),
            "product_id": state.product_id,
            "serial": state.serial,
            "name": state.name,
            "software": self._software(),
            "agent": {"name": "daicho-agent", "version": VERSION},
        }
        pending = self._begin("register", body, agrees=True)
        answer = self._send(pending, Signer.device(state.private_key))
        self._learn_keys(answer["keys"])
        thumbprint = keys.thumbprint(keys.public_jwk(state.private_key))
        certificate = self._opened(answer["certificate"], "certificate", jti=pending.request_id, thumbprint=thumbprint)
        authorization = self._opened(answer["authorization"], "authorization", sub=certificate["sub"])
        self._install(pending, certificate, answer["certificate"])
        state.authorization = answer["authorization"]
        state.sequence = max(state.sequence, authorization["sequence"])
        state.conflict, state.stopped = None, ""
        self._reached(authorization)
        self._finish()

    def authorize(self) -> dict[str, Any]:
        """Ask for all that is wanted; the same list again renews. The payload of the new authorization."""
        self._ensure_registered()
        try:
            return self._authorize()
        except RefusedError as refused:
            if refused.code not in HEALED_BY_RENEWAL:
                raise
            self.renew_certificate()
            return self._authorize()

    def renew_certificate(self) -> None:
        """A new certificate, a new MAC key, and a new key of the device's own; until it is used the former ones hold."""
        self._ensure_registered()
        pending = self._finish_others("renew-certificate") or self._begin_renewal()
        document = self._send(pending, Signer.device(self.state.private_key))["certificate"]
        thumbprint = keys.thumbprint(keys.public_jwk(pending.next_private_key))
        certificate = self._opened(
            document, "certificate", jti=pending.request_id, sub=self.state.instance, thumbprint=thumbprint
        )
        self.state.private_key = pending.next_private_key
        self._install(pending, certificate, document)
        self._reached(certificate)
        self._finish()

    def deregister(self) -> None:
        """Leave: all use returns. Afterwards the device has no identity but its key."""
        self._ensure_registered()
        pending = self._finish_others("deregister") or self._begin("deregister", {"sequence": self._next_sequence()})
        receipt = self._send(pending, self._agreed())["receipt"]
        self._opened(receipt, "receipt", jti=pending.request_id, sub=self.state.instance)
        state = self.state
        state.instance = state.certificate = state.mac_key = state.authorization = ""
        state.wanted, state.mac_generation, state.next_contact = {}, 0, 0.0
        self._finish()

    # Steps

    def _authorize(self) -> dict[str, Any]:
        state = self.state
        self._finish_others("authorize")
        licenses = [{"tag": tag, "quantity": quantity} for tag, quantity in sorted(state.wanted.items())]
        pending = state.pending
        if pending is None or json.loads(pending.body)["licenses"] != licenses:
            body = {
                "sequence": self._next_sequence(),
                "licenses": licenses,
                "evaluation_seconds": int(state.evaluation_seconds),
                "software": self._software(),
            }
            pending = self._begin("authorize", body)
        document = self._send(pending, self._agreed())["authorization"]
        payload = self._opened(
            document, "authorization", jti=pending.request_id, sub=state.instance, sequence=pending.sequence
        )
        state.authorization = document
        self._reached(payload)
        self._finish()
        if payload["keys_version"] > self.chain.version:
            self._walk()
            self.store.save(state)
        return payload

    def _begin_renewal(self) -> Pending:
        state = self.state
        following, request_id = keys.new_signing_key(), str(uuid.uuid4())
        proven = f"daicho-next-key/1 {state.instance} {request_id}".encode("ascii")
        body = {
            "sequence": self._next_sequence(),
            "next_public_key": keys.public_jwk(following),
            "proof": keys.encode(keys.signing_key(following).sign(proven)),
        }
        return self._begin("renew-certificate", body, agrees=True, request_id=request_id, next_private_key=following)

    def _begin(
        self, what: str, body: dict[str, Any], *, agrees: bool = False, request_id: str = "", next_private_key: str = ""
    ) -> Pending:
        """A request, stored; the one that is pending already, if it says the same."""
        pending = self.state.pending
        if pending is not None and pending.what == what:
            former = json.loads(pending.body)
            former.pop("agreement_key", None)
            if former == body:
                return pending
        agreement = keys.new_agreement_key() if agrees else ""
        if agrees:
            body = {**body, "agreement_key": keys.agreement_jwk(agreement)}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        identity = request_id or str(uuid.uuid4())
        self.state.pending = Pending(what, identity, text, self.state.sequence, agreement, next_private_key)
        self.store.save(self.state)
        return self.state.pending

    def _finish_others(self, what: str) -> Pending | None:
        """The pending request of this kind. One of another kind is brought to its end first; it holds keys."""
        pending = self.state.pending
        if pending is None or pending.what == what:
            return pending
        if pending.what == "renew-certificate":
            self.renew_certificate()
        elif pending.what == "deregister":
            self.deregister()
            raise NotRegisteredError
        self.state.pending = None
        return None

    def _finish(self) -> None:
        self.state.pending = None
        self.state.failures, self.state.last_error = 0, ""
        self.store.save(self.state)

    def _install(self, pending: Pending, certificate: dict[str, Any], document: str) -> None:
        generation = certificate["mac_generation"]
        self.state.instance = certificate["sub"]
        self.state.certificate = document
        self.state.mac_generation = generation
        self.state.mac_key = keys.agreed_mac_key(
            pending.agreement_key, certificate["agreement_key"], pending.request_id, certificate["sub"], generation
        )

    def _reached(self, payload: dict[str, Any]) -> None:
        """The server's clock is known again, and when to come back: at a random moment in the second half."""
        state = self.state
        self._set_clock(payload["iat"])
        state.last_contact = self.now()
        if "contact_within" in payload:
            state.next_contact = state.last_contact + payload["contact_within"] * self.chance.uniform(0.5, 1.0)

    def _set_clock(self, server_time: float) -> None:
        offset = server_time - self.clock()
        self.state.clock_offset = offset if abs(offset) > NEAR else 0.0
        self.state.newest = float(server_time)

    def _next_sequence(self) -> int:
        self.state.sequence += 1
        return self.state.sequence

    def _software(self) -> dict[str, str]:
        return {"name": self.state.software_name, "version": self.state.software_version}

    def _agreed(self) -> Signer:
        return Signer.agreed(self.state.instance, self.state.mac_generation, self.state.mac_key)

    def _ensure_registered(self) -> None:
        if not self.state.is_registered:
            raise NotRegisteredError
        if self.state.conflict is not None:
            raise IdentityConflictError

    # The wire

    def _send(self, pending: Pending, signer: Signer) -> dict[str, Any]:
        """The server's answer to a stored request, which is sent up to `attempts` times as it is."""
        path = f"{BASE}/{pending.what}"
        body = pending.body.encode()
        prefix = urllib.parse.urlsplit(self.state.server).path.rstrip("/")
        corrected = False
        tries = 0
        while True:
            created = round(self.clock() + self.state.clock_offset)
            headers = signed_headers(prefix + path, body, signer, created=created, request_id=pending.request_id)
            try:
                answer = self._answered("POST", path, body, headers)
            except ServerUnreachableError as problem:
                tries += 1
                wait = max(problem.after, delay(tries, self.chance))
                if tries >= self.attempts or wait > LONGEST_WAIT or problem.code == "certificate_untrusted":
                    raise
                self.sleep(wait)
                continue
            if answer.status < 400:
                return answer.document
            code = str(answer.document.get("code", ""))
            if code == "clock_skew" and not corrected:
                corrected = True
                payload = self._opened(str(answer.document.get("time", "")), "time", jti=pending.request_id)
                self._set_clock(payload["iat"])
                continue
            self._refused(pending, answer, code)

    def _refused(self, pending: Pending, answer: Answer, code: str) -> None:
        document = answer.document
        if code == "sequence_used":
            data = document.get("data") or {}
            self.state.conflict = int(data.get("last_sequence", self.state.sequence))
            self.state.pending = None
            self.store.save(self.state)
            raise IdentityConflictError
        if pending.what != "register" and code in ENDS_THE_IDENTITY:
            self.state.stopped = code
        self.state.pending = None
        self.store.save(self.state)
        title = str(document.get("detail") or document.get("title") or code)
        raise RefusedError(code or "refused", title, status=answer.status, document=document)

    def _answered(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        sent = {"Accept": "application/json", "User-Agent": f"daicho-agent/{VERSION}", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        answer = self.transport.send(method, path, body, sent)
        if answer.status == 429 or answer.status >= 500:
            code = str(answer.document.get("code", "server_error"))
            text = "The server cannot answer now ({code}, HTTP {status})."
            raise ServerUnreachableError(text, code=code, after=answer.retry_after, status=answer.status)
        return answer

    def _opened(self, document: str, what: str, **expected: Any) -> dict[str, Any]:
        """The payload of a document that has just arrived; key sets that are not known yet are fetched first."""
        typ = f"daicho-{what}+jws"
        try:
            return self.chain.open(document, typ, fresh=True, **expected)
        except UnknownKeyError:
            self._walk()
            return self.chain.open(document, typ, fresh=True, **expected)

    def _walk(self) -> None:
        answer = self._answered("GET", f"{BASE}/keys?since={self.chain.version}", None, {})
        if answer.status >= 400:
            raise UntrustedError("no_keys", "The server does not tell its keys (HTTP {status}).", status=answer.status)
        self._learn_keys(answer.document.get("keys", []))

    def _learn_keys(self, key_sets: list[str]) -> None:
        if self.chain.extend(key_sets):
            self.state.key_sets = self.chain.key_sets
            self.state.pin = self.chain.pin
