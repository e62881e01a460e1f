"""The test vectors of the codes for devices without network: `python -m tests.support.air_gapped_vectors` writes
tests/vectors/air-gapped.json.

What the device makes is made by the device of the tests, what the server makes by the server; keys, nonce and times are fixed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = Path(__file__).parent.parent / "vectors" / "air-gapped.json"
AT = 1_798_761_600  # 2027-01-01
ISSUER = "https://licenses.example.co.jp"
UID = "0123456789abc"
NONCE = bytes.fromhex("0011223344556677")
WANTED = {"NET-ADV": 20, "regid.2026-01.jp.example.ROUTE-ADV,1.0_3c5f5b0a-0000-4000-8000-000000000001": 1}


def seed(name: str) -> bytes:
    return hashlib.sha256(f"daicho air-gapped test vectors: {name}".encode()).digest()


def main() -> None:
    FILE.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n")


def vectors() -> dict[str, Any]:
    from daicho.domain.devices import air_gapped, codes, wire
    from tests.support.offline_device import OfflineDevice

    server = Ed25519PrivateKey.from_private_bytes(seed("server key"))
    public = server.public_key().public_bytes_raw()
    kid = wire.thumbprint(public)
    key_set = wire.sign(
        "keys", {"iss": ISSUER, "iat": AT, "version": 1, "keys": [wire.public_jwk(public) | {"kid": kid}]}, kid, server
    )
    device = OfflineDevice(
        "EXR-24", "SN-0001", Ed25519PrivateKey.from_private_bytes(seed("device key")), NONCE, {1: public}
    )
    code = device.request_code(WANTED)
    request = air_gapped.read_request(code)
    end = dt.datetime.fromtimestamp(AT + 31_536_000, dt.UTC)
    granted = [air_gapped.Grant("NET-ADV", 20, end), air_gapped.Grant(list(WANTED)[1], 1, None)]
    authorizations = []
    for number, grants in ((1, granted), (2, granted[:1])):
        typed = air_gapped.authorization_code(request, number, 1, AT, grants, server)
        payload = air_gapped.document(
            ISSUER, UID, request, number, 1, AT, [(grant, f"SKU-{at}") for at, grant in enumerate(grants)]
        )
        jws = wire.sign("reservation", payload, kid, server)
        device.take_code(typed, list(WANTED))
        authorizations.append({
            "number": number,
            "licenses": device.installed["licenses"],
            "signed_bytes": air_gapped.signed_bytes(request, codes.read(typed)[: _length(typed)]).hex(),
            "code": typed,
            "file": {"daicho": "air-gapped-authorization/1", "authorization": jws, "keys": [key_set], "code": typed},
            "payload": payload,
            "confirmation_code": device.confirmation_code(),
        })  # fmt: skip
    proof_key = device.proof_key(1).hex()
    other = OfflineDevice(private=Ed25519PrivateKey.from_private_bytes(seed("other device")), nonce=NONCE)
    first = authorizations[0]["code"]
    return {
        "protocol": "daicho-air-gapped/1",
        "issuer": ISSUER,
        "now": AT,
        "server": {"private": seed("server key").hex(), "public": public.hex(), "key_version": 1, "key_set": key_set},
        "device": {
            "private": seed("device key").hex(), "public": device.public.hex(), "thumbprint": device.thumbprint,
            "nonce": NONCE.hex(), "product_id": device.product_id, "serial": device.serial, "identity": device.identity.hex(),
        },
        "text": [{"bytes": part.hex(), "code": codes.write(part)} for part in (b"\x00", b"\xff" * 15, bytes(range(40)))],
        "marks": {name: air_gapped.mark(name).hex() for name in WANTED},
        "request": {"wanted": WANTED, "code": code, "bytes": codes.read(code).hex()},
        "authorizations": authorizations,
        "proof_key": proof_key,
        "return_code": device.return_code(),
        "refused": [
            {"why": "for another device", "to": "install", "code": air_gapped.authorization_code(
                air_gapped.read_request(other.request_code()), 1, 1, AT, granted, server)},
            {"why": "one sign of line 2 is wrong", "to": "install", "code": _spoiled(first)},
            {"why": "two lines changed places", "to": "install", "code": "\n".join(reversed(first.split("\n")))},
            {"why": "number 1 after number 2", "to": "install", "code": first, "after": 2},
        ],
    }  # fmt: skip


def _length(typed: str) -> int:
    """Of the payload before the signature: what the code says about itself."""
    from tests.support.offline_device import from_text, read_varint

    content = from_text(typed)
    _version, at = read_varint(content, 1)
    _number, at = read_varint(content, at)
    count, at = content[at + 4], at + 5
    for _line in range(count):
        _quantity, at = read_varint(content, at + 4)
        at += 4
    return at


def _spoiled(code: str) -> str:
    lines = code.split("\n")
    lines[1] = ("1" if lines[1][0] != "1" else "2") + lines[1][1:]
    return "\n".join(lines)


if __name__ == "__main__":
    import django

    django.setup()
    main()
