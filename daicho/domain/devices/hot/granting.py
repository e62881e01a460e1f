"""What an instance is granted, as the document that it verifies without us."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from daicho.domain.devices import signing
from daicho.domain.devices.models import Instance
from daicho.domain.devices.timers import contact_within, evaluation_seconds, silence_limit

A = Instance.Authorization
OUT_OF_COMPLIANCE = "out_of_compliance"
AUTHORIZED, SHORT, RESERVED, REFUSED = "authorized", "short", "reserved", "refused"


class Line(NamedTuple):
    """One license of the answer. `quantity`: what the instance has from now on, also where more was refused."""

    tag: str
    quantity: int
    status: str
    code: str = ""
    missing: int = 0

    def plain(self) -> dict[str, Any]:
        told: dict[str, Any] = {"tag": self.tag, "quantity": self.quantity, "status": self.status}
        if self.code:
            told["code"] = self.code
        if self.missing:
            told["missing"] = self.missing
        return told


def state_of(lines: Sequence[Line], evaluated: int) -> str:
    """The stored state after an answer with these lines."""
    has = [line for line in lines if line.quantity]
    if has:
        return A.RESERVED if all(line.status == RESERVED for line in has) else A.AUTHORIZED
    if evaluated:
        return A.EVALUATION if evaluated < evaluation_seconds() else A.EVALUATION_EXPIRED
    return A.NONE


def document(
    uid: str, request_id: object, sequence: int, lines: Sequence[Line], at: dt.datetime, state: str,
    next_change_at: dt.datetime | None, keys_version: int,
) -> dict[str, Any]:  # fmt: skip
    """The payload of an authorization."""
    is_short = any(line.status == SHORT for line in lines)
    within = contact_within(at, uid, is_short=is_short, next_change_at=next_change_at)
    return {
        "iss": signing.issuer(),
        "sub": uid,
        "jti": str(request_id),
        "iat": int(at.timestamp()),
        "exp": int((at + silence_limit()).timestamp()),
        "sequence": sequence,
        "state": OUT_OF_COMPLIANCE if is_short and state == A.AUTHORIZED else state,
        "licenses": [line.plain() for line in lines],
        "contact_within": int(within.total_seconds()),
        "keys_version": keys_version,
    }


def packed(what: str, payload: dict[str, Any], beside: dict[str, Any] | None = None) -> str:
    """An answer as the instance's row keeps it: it is signed again, to the same bytes, when the request is repeated."""
    return json.dumps([what, payload, beside or {}], ensure_ascii=False, separators=(",", ":"))
