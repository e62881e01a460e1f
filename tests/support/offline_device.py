"""A device without network, written from docs/device-protocol.md (Air-gapped) alone: it shares no code with the server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def times(a: int, b: int) -> int:
    """Multiplication in GF(32), modulo x^5 + x^2 + 1."""
    product = 0
    for bit in range(5):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(8, 4, -1):
        if product >> bit & 1:
            product ^= 0b100101 << (bit - 5)
    return product


def check(line: int, symbols: list[int]) -> int:
    found, power = 0, 1
    for symbol in [*symbols, *[0] * (24 - len(symbols)), line + 1]:
        power = times(power, 2)
        found ^= times(symbol, power)
    return found


def to_text(content: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in content)
    bits += "0" * (-len(bits) % 5)
    symbols = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    lines = []
    for number, start in enumerate(range(0, len(symbols), 24)):
        line = symbols[start : start + 24]
        line += [0] * (-(len(line) + 1) % 5)
        line.append(check(number, line))
        text = "".join(SIGNS[symbol] for symbol in line)
        lines.append("-".join(text[at : at + 5] for at in range(0, len(text), 5)))
    return "\n".join(lines)


def from_text(text: str) -> bytes:
    signs = [SIGNS.index(sign) for sign in text.upper() if sign in SIGNS]
    bits = ""
    for number, start in enumerate(range(0, len(signs), 25)):
        line = signs[start : start + 25]
        assert check(number, line[:-1]) == line[-1], f"line {number + 1}"
        bits += "".join(f"{symbol:05b}" for symbol in line[:-1])
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value % 128 + 128]), value // 128
    return found + bytes([value])


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    value, place = 0, 1
    while content[at] > 127:
        value, place, at = value + (content[at] - 128) * place, place * 128, at + 1
    return value + content[at] * place, at + 1


def on_curve25519(public: bytes) -> X25519PublicKey:
    prime, y = 2**255 - 19, int.from_bytes(public, "little") % 2**255
    return X25519PublicKey.from_public_bytes(((1 + y) * pow(1 - y, -1, prime) % prime).to_bytes(32, "little"))


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class OfflineDevice:
    """`server_keys`: public keys by the version of the key set that made them known, pinned when the device was set up."""

    product_id: str = "EXR-24"
    serial: str = "SN-0001"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    nonce: bytes = field(default_factory=lambda: os.urandom(8))
    server_keys: dict[int, bytes] = field(default_factory=dict)
    installed: dict[str, Any] = field(default_factory=dict)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def thumbprint(self) -> str:
        jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url(self.public)}"}}'
        return base64url(hashlib.sha256(jwk.encode()).digest())

    @property
    def identity(self) -> bytes:
        product, serial = self.product_id.encode(), self.serial.encode()
        return self.public + self.nonce + bytes([len(product)]) + product + bytes([len(serial)]) + serial

    def request_code(self, wanted: dict[str, int] | None = None) -> str:
        content = b"\x11" + self.identity + bytes([len(wanted or {})])
        for name, quantity in (wanted or {}).items():
            content += hashlib.sha256(name.encode()).digest()[:4] + varint(quantity)
        return to_text(content + hashlib.sha256(content).digest()[:2])

    def request_file(self, wanted: dict[str, int], name: str = "") -> str:
        lines = [{"tag": tag, "quantity": quantity} for tag, quantity in wanted.items()]
        told = {"daicho": "air-gapped-request/1", "code": self.request_code(), "name": name, "licenses": lines}
        return json.dumps(told)

    def take_code(self, code: str, names: list[str]) -> dict[str, Any]:
        """Install a typed authorization; `names`: the licenses that the software knows."""
        content = from_text(code)
        assert content[0] == 0x21
        key_version, at = read_varint(content, 1)
        number, at = read_varint(content, at)
        iat, count, at = int.from_bytes(content[at : at + 4], "big"), content[at + 4], at + 5
        by_mark = {hashlib.sha256(name.encode()).digest()[:4]: name for name in names}
        lines = []
        for _line in range(count):
            mark = content[at : at + 4]
            quantity, at = read_varint(content, at + 4)
            end = int.from_bytes(content[at : at + 4], "big") * 60
            at += 4
            lines.append({"tag": by_mark.get(mark, mark.hex()), "quantity": quantity, "end": end or None})
        key = Ed25519PublicKey.from_public_bytes(self.server_keys[key_version])
        key.verify(content[at : at + 64], b"daicho-authorization-code/1\n" + self.identity + content[:at])
        return self._install({"key_version": key_version, "number": number, "iat": iat, "licenses": lines})

    def take_file(self, text: str) -> dict[str, Any]:
        """Install an authorization file; the key sets in it are walked from the pinned version on by who needs to."""
        told = json.loads(text)
        assert told["daicho"] == "air-gapped-authorization/1"
        head, payload, signature = told["authorization"].split(".")
        assert json.loads(unbase64url(head))["typ"] == "daicho-reservation+jws"
        found = json.loads(unbase64url(payload))
        key = Ed25519PublicKey.from_public_bytes(self.server_keys[found["key_version"]])
        key.verify(unbase64url(signature), f"{head}.{payload}".encode())
        assert (found["thumbprint"], found["nonce"]) == (self.thumbprint, self.nonce.hex())
        return self._install(found)

    def confirmation_code(self) -> str:
        return self._proof(0x31, b"daicho-installed/1\n", self.installed)

    def return_code(self) -> str:
        """Erase the authorization, and prove it. A new request takes a new nonce."""
        erased, self.installed = self.installed, {}
        return self._proof(0x41, b"daicho-returned/1\n", erased)

    def _install(self, found: dict[str, Any]) -> dict[str, Any]:
        assert found["number"] > self.installed.get("number", 0), "an earlier authorization"
        self.installed = found
        return found

    def proof_key(self, key_version: int) -> bytes:
        secret = hashlib.sha512(self.private.private_bytes_raw()).digest()[:32]
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(on_curve25519(self.server_keys[key_version]))
        return HKDF(SHA256(), 32, self.nonce, f"daicho-air-gapped/1 {self.thumbprint}".encode()).derive(shared)

    def _proof(self, kind: int, said: bytes, about: dict[str, Any]) -> str:
        message = said + self.identity + about["number"].to_bytes(4, "big")
        mac = hmac.digest(self.proof_key(about["key_version"]), message, "sha256")
        return to_text(bytes([kind]) + varint(about["number"]) + mac[:10])
