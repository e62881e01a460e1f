"""What a digest and a block's hash are made of. Pure; whoever keeps an export can compute them again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any

FIRST_HASH = "0" * 64
"""What the first block names as the hash before it."""


def digest_of(fields: dict[str, Any]) -> str:
    """SHA-256 of an event's columns as JSON: keys sorted, ASCII, no white space, instants in UTC as ISO 8601."""
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def block_hash(number: int, sealed_at: dt.datetime, previous_hash: str, digests: Iterable[str]) -> str:
    """SHA-256 of number, time, previous hash and the digests in the order of their events' ids, a line each."""
    sealed = hashlib.sha256(f"{number}\n{_plain(sealed_at)}\n{previous_hash}\n".encode())
    for digest in digests:
        sealed.update(f"{digest}\n".encode())
    return sealed.hexdigest()


def _plain(value: Any) -> str:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain).encode
