"""What the server signs, and whom the device believes: verified offline, by key sets walked from a pinned one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature

from daicho_agent import keys
from daicho_agent.errors import UntrustedError

Jwk = dict[str, str]


class UnknownKeyError(UntrustedError):
    """The document names a key that the device does not know (yet)."""

    def __init__(self, kid: str) -> None:
        super().__init__("unknown_key", "The document is signed by a key that this device does not know.", kid=kid)


class KeyChain:
    """The server's key sets from the pinned one to the newest that this device has walked to."""

    def __init__(self, pin: str, key_sets: Sequence[str] = ()) -> None:
        self.pin = pin
        self.key_sets: list[str] = []
        self.version = 0
        self.issuer = ""
        self._newest: dict[str, Jwk] = {}
        self._all: dict[str, Jwk] = {}
        self.extend(key_sets)

    def extend(self, key_sets: Sequence[str]) -> bool:
        """Take each set that is the next one and is signed by the newest that is held; says whether any was taken.

        The first must contain the pinned key and be signed by it; without a pin it is believed as it is (over TLS).
        """
        before = self.version
        for key_set in key_sets:
            payload = _opened(key_set, "daicho-keys+jws", self._newest or None)
            if payload.get("version") != self.version + 1:
                if isinstance(payload.get("version"), int) and payload["version"] <= self.version:
                    continue
                raise UntrustedError("broken_chain", "The server's key sets do not follow one another.")
            if self.issuer and payload.get("iss") != self.issuer:
                raise _wrong("iss")
            found = {keys.thumbprint(jwk): jwk for jwk in payload["keys"]}
            if not self._newest:
                self.pin = self.pin or _header(key_set)["kid"]
                if self.pin not in found or _header(key_set)["kid"] != self.pin:
                    text = "The server's key is not the one that this device was told to trust ({pin})."
                    raise UntrustedError("wrong_pin", text, pin=self.pin)
            self.issuer = payload["iss"]
            self.version += 1
            self.key_sets.append(key_set)
            self._newest = found
            self._all |= found
        return self.version > before

    def open(self, document: str, typ: str, *, fresh: bool, **expected: Any) -> dict[str, Any]:
        """The payload of a document of that type, with exactly the expected members (`sub`, `jti`).

        `fresh`: it has just arrived, so only keys of the newest set may have signed it. Raises UntrustedError.
        """
        payload = _opened(document, typ, self._newest if fresh else self._all)
        for name, value in {"iss": self.issuer, **expected}.items():
            if payload.get(name) != value:
                raise _wrong(name)
        return payload


def _header(document: str) -> dict[str, str]:
    try:
        header = json.loads(keys.decode(document.split(".")[0]))
    except (ValueError, AttributeError) as problem:
        raise _unreadable(problem) from problem
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"} or header["alg"] != "EdDSA":
        raise _unreadable("header")
    return header


def _opened(document: str, typ: str, trusted: dict[str, Jwk] | None) -> dict[str, Any]:
    """The payload, after its signature was verified; `trusted` None: by the key that the payload names itself."""
    header = _header(document)
    if header["typ"] != typ:
        raise _unreadable(f"typ {header['typ']}")
    try:
        signed, _, signature = document.rpartition(".")
        payload = json.loads(keys.decode(signed.split(".", 1)[1]))
        if not isinstance(payload, dict):
            raise ValueError("not an object")
        if trusted is None:
            trusted = {keys.thumbprint(jwk): jwk for jwk in payload["keys"]}
        if header["kid"] not in trusted:
            raise UnknownKeyError(header["kid"])
        keys.verifying_key(trusted[header["kid"]]).verify(keys.decode(signature), signed.encode())
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise _unreadable(problem) from problem
    except InvalidSignature as problem:
        raise UntrustedError("bad_signature", "The signature of the server's document is wrong.") from problem
    return payload


def _unreadable(reason: object) -> UntrustedError:
    return UntrustedError("unreadable_document", "The server's document cannot be read ({reason}).", reason=reason)


def _wrong(name: str) -> UntrustedError:
    text = "The server's document does not answer what was asked ({name})."
    return UntrustedError("wrong_document", text, name=name)
