"""Devices that register by themselves, tokens of every state, and a failed one that was replaced."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import NewDevice
from daicho.domain.devices import hot, wire
from daicho.domain.devices.commands.tokens import issue_tokens, revoke_token, secret_of
from daicho.domain.devices.wire.messages import base_of
from daicho.interfaces.cli.demo.devices import Workshop
from daicho.interfaces.cli.demo.orders import EAST, GROUP_ONE

# Virtual account, name, product, what it asks for.
SELF_REGISTERED: tuple[tuple[str, str, str, dict[str, int]], ...] = (
    (GROUP_ONE, "hq-lab-01", "KX-48P", {"NET-ESS": 2}),
    (GROUP_ONE, "hq-lab-02", "KX-48P", {"NET-ESS": 2}),
    (EAST, "dc1-leaf-01", "KC-9500", {"SEC-STD": 1}),
    ("大阪支店", "osk-leaf-01", "KC-9500", {}),
    ("福岡支店", "fuk-leaf-01", "KC-9500", {}),
)


class DemoDevice:
    """A device that speaks the protocol, without a network."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.uid, self.mac, self.sequence = "", b"", 0

    def register(self, secret: str, name: str, product_id: str, serial: str) -> None:
        once, request_id = X25519PrivateKey.generate(), uuid.uuid4()
        body = {
            "token": secret, "public_key": wire.public_jwk(self.public),
            "agreement_key": wire.public_jwk(once.public_key().public_bytes_raw(), "X25519"),
            "product_id": product_id, "serial": serial, "name": name, "software": {"name": "KumoOS", "version": "17.3"},
            "agent": {"name": "daicho-agent", "version": "0.1.0"},
        }  # fmt: skip
        signed = self._signed("register", body, request_id, "ed25519", wire.thumbprint(self.public), self.private.sign)
        certificate = self._opened(hot.register_many([signed])[0], "certificate")
        theirs = X25519PublicKey.from_public_bytes(wire.public_bytes(certificate["agreement_key"], "X25519"))
        self.uid = certificate["sub"]
        self.mac = wire.mac_key(once.exchange(theirs), request_id, self.uid, certificate["mac_generation"])

    def authorize(self, wanted: dict[str, int]) -> None:
        self.sequence += 1
        lines = [{"tag": sku, "quantity": quantity} for sku, quantity in wanted.items()]
        signed = self._signed(
            "authorize", {"sequence": self.sequence, "licenses": lines}, uuid.uuid4(), "hmac-sha256", f"{self.uid}.1",
            lambda base: hmac.digest(self.mac, base, "sha256"),
        )  # fmt: skip
        self._opened(hot.authorize_many([signed])[0], "authorization")

    def _signed(
        self, what: str, body: dict[str, Any], request_id: uuid.UUID, algorithm: str, keyid: str, sign: Any
    ) -> wire.Signed:
        content, created = json.dumps(body).encode(), int(now().timestamp())
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
        parameters = f'("@method" "@path" "content-digest");created={created};keyid="{keyid}";alg="{algorithm}";nonce="{request_id}"'
        base = base_of(f"/device/v1/{what}", digest, parameters)
        return wire.Signed(what, content, keyid, algorithm, created, request_id, sign(base), base, "192.0.2.10")

    def _opened(self, reply: hot.Reply, what: str) -> dict[str, Any]:
        if isinstance(reply.document, BusinessError):
            raise reply.document
        payload = reply.document[what].split(".")[1]
        told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return told


def let_devices_register(workshop: Workshop) -> None:
    """Tokens, the devices that used them, and a device that failed."""
    company, administrator = workshop.company, workshop.cast.administrator

    def token(place: str, description: str, **options: Any) -> Any:
        (made,) = issue_tokens(
            administrator, account=company.account, virtual_accounts=[company[place]], request_id=uuid.uuid4(),
            description=description, **options,
        )  # fmt: skip
        return made

    tokens = {place: token(place, f"{place} 新規機器", uses=20) for place in {row[0] for row in SELF_REGISTERED}}
    token("本社", "本社 検証機", days=5, uses=1)
    wrong = token("名古屋支店", "誤って発行")
    revoke_token(administrator, account=company.account, uid=wrong.uid)
    for number, (place, name, product, wanted) in enumerate(SELF_REGISTERED):
        device = DemoDevice()
        device.register(secret_of(tokens[place]), name, product, f"KMN3A{number:05d}")
        if wanted:
            device.authorize(wanted)
    replace_device(
        administrator, account=company.account, failed_uid=workshop.devices["fuk-sw-03"].uid, request_id=uuid.uuid4(),
        successor=NewDevice(product_id="KX-48", serial="KMN3AFFFF1"), memo="電源故障 RMA 2026-1187",
    )  # fmt: skip
