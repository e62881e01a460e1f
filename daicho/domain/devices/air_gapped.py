"""What the codes between an offline device and Daicho say, and how each side proves itself: pure (docs/device-protocol.md,
Air-gapped; decision 0019)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daicho.domain.devices import codes
from daicho.domain.devices.errors import code_of_another_kind, code_unreadable
from daicho.domain.devices.wire import thumbprint

REQUEST, AUTHORIZATION, CONFIRMATION, RETURN = 0x11, 0x21, 0x31, 0x41
"""The first byte of a code: its kind, and version 1."""
KEY, NONCE, MARK, PROOF, SUM = 32, 8, 4, 10, 2
MOST_TEXT, MOST_WANTED = 64, 15
PRIME = 2**255 - 19
FILE_KINDS = {REQUEST: "request", CONFIRMATION: "confirmation", RETURN: "return"}


class Wanted(NamedTuple):
    """A license that the device asks for: by its mark in a code, by its name in a file."""

    mark: bytes
    quantity: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """Who asks: a device, by the key that it made, and a nonce that it used for nothing else. At most 64 bytes of product
    ID and serial number each."""

    public_key: bytes
    nonce: bytes
    product_id: str
    serial: str
    wanted: tuple[Wanted, ...] = ()
    name: str = ""

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.public_key)

    @property
    def identity(self) -> bytes:
        """What everything about this request is bound to."""
        return self.public_key + self.nonce + _text(self.product_id) + _text(self.serial)


class Grant(NamedTuple):
    """So many of a license until an end (None: for ever). `name`: regid or SKU, as the device calls it."""

    name: str
    quantity: int
    end_at: dt.datetime | None


class Proof(NamedTuple):
    """What a device says it has done with the authorization of this number."""

    number: int
    mac: bytes


def mark(name: str) -> bytes:
    """How a code names a license: the first 4 bytes of the SHA-256 of its regid or SKU."""
    return hashlib.sha256(name.encode()).digest()[:MARK]


# ── the request ──


def request_code(request: DeviceRequest) -> str:
    """The request code, as the device prints it."""
    content = bytes([REQUEST]) + request.identity + bytes([len(request.wanted)])
    for one in request.wanted:
        content += one.mark + _varint(one.quantity)
    return codes.write(content + hashlib.sha256(content).digest()[:SUM])


def read_request(text: str) -> DeviceRequest:
    """A request code as it was typed, scanned or pasted, or the text of the device's request file. Raises `code_unreadable`,
    `code_line_wrong`, `code_of_another_kind`."""
    code, told = _opened(text, REQUEST)
    content = codes.read(code)
    reader = _Reader(content, REQUEST)
    public_key, nonce = reader.take(KEY), reader.take(NONCE)
    product_id, serial = reader.text(), reader.text()
    wanted = tuple(Wanted(reader.take(MARK), reader.varint()) for _ in range(reader.take(1)[0]))
    said = content[: reader.at]
    if reader.take(SUM) != hashlib.sha256(said).digest()[:SUM] or not reader.is_over or not _is_key(public_key):
        raise code_unreadable()
    return DeviceRequest(public_key, nonce, product_id, serial, _named(told) or wanted, str(told.get("name", ""))[:100])


def _named(told: dict[str, Any]) -> tuple[Wanted, ...]:
    lines = told.get("licenses", [])
    if not isinstance(lines, list) or len(lines) > 1_000:
        raise code_unreadable()
    found = []
    for line in lines:
        if not isinstance(line, dict) or not isinstance(line.get("tag"), str) or type(line.get("quantity")) is not int:
            raise code_unreadable()
        found.append(Wanted(mark(line["tag"]), line["quantity"], line["tag"]))
    return tuple(found)


# ── the authorization ──


def authorization_code(
    request: DeviceRequest, number: int, key_version: int, iat: int, grants: Sequence[Grant], private: Ed25519PrivateKey
) -> str:
    """The typed form of an authorization, "" where it would take more than 40 groups or two licenses share a mark."""
    if len({mark(one.name) for one in grants}) < len({one.name for one in grants}) or len(grants) > 255:
        return ""
    payload = bytes([AUTHORIZATION]) + _varint(key_version) + _varint(number) + iat.to_bytes(4, "big")
    payload += bytes([len(grants)])
    for one in grants:
        minutes = int(one.end_at.timestamp()) // 60 if one.end_at is not None else 0
        payload += mark(one.name) + _varint(one.quantity) + minutes.to_bytes(4, "big")
    if len(payload) + 64 > 3 * codes.TYPED_LINES * codes.GROUPS:
        return ""
    return codes.write(payload + private.sign(signed_bytes(request, payload)))


def signed_bytes(request: DeviceRequest, payload: bytes) -> bytes:
    """What the signature of a typed authorization is over: the payload, and for whom it is."""
    return b"daicho-authorization-code/1\n" + request.identity + payload


def document(
    issuer: str,
    uid: str,
    request: DeviceRequest,
    number: int,
    key_version: int,
    iat: int,
    grants: Sequence[tuple[Grant, str]],
) -> dict[str, Any]:
    """The payload of the same authorization as a file (`daicho-reservation+jws`). `grants`: each with its SKU."""
    return {
        "iss": issuer,
        "sub": uid,
        "iat": iat,
        "number": number,
        "key_version": key_version,
        "thumbprint": request.thumbprint,
        "nonce": request.nonce.hex(),
        "product_id": request.product_id,
        "serial": request.serial,
        "state": "reserved",
        "licenses": [
            {
                "tag": one.name, "sku": sku, "quantity": one.quantity, "status": "reserved",
                "end": int(one.end_at.timestamp()) if one.end_at is not None else None,
            }
            for one, sku in grants
        ],
    }  # fmt: skip


# ── confirmation and return ──


def proof_key(server: Ed25519PrivateKey, request: DeviceRequest) -> bytes:
    """The key that only this device and the server can make: X25519 between the device's key and the server's that signed
    the authorization, both taken to Curve25519. Raises ValueError for a key that agrees on nothing."""
    seed = hashlib.sha512(server.private_bytes_raw()).digest()[:KEY]
    shared = X25519PrivateKey.from_private_bytes(seed).exchange(
        X25519PublicKey.from_public_bytes(on_curve25519(request.public_key))
    )
    return HKDF(SHA256(), 32, salt=request.nonce, info=f"daicho-air-gapped/1 {request.thumbprint}".encode()).derive(
        shared
    )


def on_curve25519(public: bytes) -> bytes:
    """An Ed25519 public key as X25519 public key: u = (1 + y) / (1 − y) (RFC 7748, section 4.1). Raises ValueError."""
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if y >= PRIME or y == 1:
        raise ValueError("not a key")
    return ((1 + y) * pow(1 - y, -1, PRIME) % PRIME).to_bytes(KEY, "little")


def proof(kind: int, key: bytes, request: DeviceRequest, number: int) -> bytes:
    """The first 80 bits of the HMAC by which the device says that it has installed, or erased, authorization `number`."""
    said = {CONFIRMATION: b"daicho-installed/1\n", RETURN: b"daicho-returned/1\n"}[kind]
    message = said + request.identity + number.to_bytes(4, "big")
    return hmac.digest(key, message, "sha256")[:PROOF]


def proof_code(kind: int, number: int, mac: bytes) -> str:
    """The confirmation or return code, as the device prints it."""
    return codes.write(bytes([kind]) + _varint(number) + mac)


def read_proof(kind: int, text: str) -> Proof:
    """A confirmation or return code, or the device's file of it. Raises as `read_request`; whether it holds is asked with
    the key (`proof`)."""
    reader = _Reader(codes.read(_opened(text, kind)[0]), kind)
    found = Proof(reader.varint(), reader.take(PROOF))
    if not reader.is_over or found.number >= 1 << 32:
        raise code_unreadable()
    return found


# ── bytes ──


class _Reader:
    def __init__(self, content: bytes, kind: int) -> None:
        self.content, self.at = content, 1
        if content[:1] != bytes([kind]):
            known = content and content[0] in (REQUEST, AUTHORIZATION, CONFIRMATION, RETURN)
            raise code_of_another_kind() if known else code_unreadable()

    @property
    def is_over(self) -> bool:
        """Whether nothing follows but the zeros that fill the last group."""
        rest = self.content[self.at :]
        return not any(rest) and len(rest) < codes.GROUP

    def take(self, count: int) -> bytes:
        part = self.content[self.at : self.at + count]
        if len(part) < count:
            raise code_unreadable()
        self.at += count
        return part

    def varint(self) -> int:
        value = shift = 0
        while shift < 63:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
        raise code_unreadable()

    def text(self) -> str:
        length = self.take(1)[0]
        try:
            text = self.take(length).decode()
        except UnicodeDecodeError:
            raise code_unreadable() from None
        if length > MOST_TEXT or not text.isprintable():
            raise code_unreadable()
        return text


def _opened(text: str, kind: int) -> tuple[str, dict[str, Any]]:
    """The code in what was given, and what the device's file tells beside it."""
    if not text.lstrip("\ufeff \r\n\t").startswith("{"):
        return text, {}
    try:
        told = json.loads(text.lstrip("\ufeff"))
    except ValueError:
        raise code_unreadable() from None
    what = str(told.get("daicho", ""))
    if what != f"air-gapped-{FILE_KINDS[kind]}/1":
        raise code_of_another_kind() if what.startswith("air-gapped-") else code_unreadable()
    return str(told.get("code", "")), told


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    found = bytearray()
    while value >= 128:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _text(text: str) -> bytes:
    content = text.encode()
    return bytes([len(content)]) + content


def _is_key(public: bytes) -> bool:
    try:
        on_curve25519(public)
    except ValueError:
        return False
    return True
