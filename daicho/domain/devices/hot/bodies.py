"""What requests say, read strictly: members that are not known are ignored, known ones must be what they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.devices import wire
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.rules import DeviceFields, read_fields

MOST_LINES = 1_000
LONGEST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Software:
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    token: str
    public_key: bytes
    agreement_key: bytes
    fields: DeviceFields
    software: Software
    agent: Software


@dataclass(frozen=True, slots=True)
class Wish:
    """The complete list: what was written as tag → quantity, in the order of the request."""

    sequence: int
    licenses: dict[str, int]
    evaluation_seconds: int | None
    software: Software | None


@dataclass(frozen=True, slots=True)
class Renewal:
    sequence: int
    agreement_key: bytes
    next_public_key: bytes | None
    proof: str


def read_registration(body: bytes) -> Registration:
    """Raises `malformed` with the part that cannot be read."""
    given = _object(body)
    token = _text(given, "token", 200)
    fields = {name: _text(given, name, 100) for name in ("name", "product_id", "serial")}
    try:
        cleaned = read_fields(fields["name"], fields["product_id"], fields["serial"])
    except FieldErrors as error:
        raise wire.MalformedRequest(next(iter(error.errors))) from None
    return Registration(
        token, _key(given, "public_key", "Ed25519"), _key(given, "agreement_key", "X25519"), cleaned,
        _software(given, "software") or Software(), _software(given, "agent") or Software(),
    )  # fmt: skip


def read_wish(body: bytes) -> Wish:
    """Raises `malformed`, `too_many_lines`, `tag_twice`."""
    given = _object(body)
    lines = given.get("licenses")
    if not isinstance(lines, list):
        raise wire.MalformedRequest("licenses")
    if len(lines) > MOST_LINES:
        raise refuse("too_many_lines", limit=MOST_LINES)
    wanted: dict[str, int] = {}
    for line in lines:
        tag, quantity = (line.get("tag"), line.get("quantity")) if isinstance(line, dict) else (None, None)
        if not isinstance(tag, str) or not 0 < len(tag) <= 300 or type(quantity) is not int:
            raise wire.MalformedRequest("licenses")
        if tag in wanted:
            raise refuse("tag_twice", tag=tag)
        wanted[tag] = quantity
    seconds = given.get("evaluation_seconds")
    if seconds is not None and not (type(seconds) is int and 0 <= seconds < 2**31):
        raise wire.MalformedRequest("evaluation_seconds")
    return Wish(_sequence(given), wanted, seconds, _software(given, "software"))


def read_renewal(body: bytes) -> Renewal:
    """Raises `malformed`."""
    given = _object(body)
    following = _key(given, "next_public_key", "Ed25519") if given.get("next_public_key") is not None else None
    proof = _text(given, "proof", 100) if following is not None else ""
    return Renewal(_sequence(given), _key(given, "agreement_key", "X25519"), following, proof)


def read_sequence(body: bytes) -> int:
    """Of a request that says nothing else. Raises `malformed`."""
    return _sequence(_object(body))


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError:
        raise wire.MalformedRequest("JSON") from None
    if not isinstance(given, dict):
        raise wire.MalformedRequest("JSON")
    return given


def _sequence(given: dict[str, Any]) -> int:
    sequence = given.get("sequence")
    if type(sequence) is not int or not 1 <= sequence <= LONGEST:
        raise wire.MalformedRequest("sequence")
    return sequence


def _text(given: dict[str, Any], name: str, limit: int) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > limit or not value.isprintable():
        raise wire.MalformedRequest(name)
    return value


def _key(given: dict[str, Any], name: str, curve: Literal["Ed25519", "X25519"]) -> bytes:
    try:
        return wire.public_bytes(given.get(name), curve)
    except ValueError:
        raise wire.MalformedRequest(name) from None


def _software(given: dict[str, Any], name: str) -> Software | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wire.MalformedRequest(name)
    return Software(_text(value, "name", 100), _text(value, "version", 100))


type Read[B] = B | BusinessError
