"""What the row of an instance keeps of a request: its sequence, its first answer, what was heard of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from daicho.core.text import fingerprint
from daicho.domain.devices import signing
from daicho.domain.devices.hot.credentials import Row, split_keyid
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.models import Instance
from daicho.domain.devices.wire import Signed
from daicho.domain.ledger.sql import set_rows


def print_of(signed: Signed) -> str:
    """The fingerprint of what a request says."""
    return fingerprint([signed.what, signed.body.decode(errors="replace")])


def is_again(signed: Signed, row: Row, sequence: int) -> bool:
    """Whether this is the last request once more, which is answered as before."""
    return (
        sequence == row.last_sequence
        and signed.nonce == row.last_request_id
        and print_of(signed) == row.last_fingerprint
    )


def again(signed: Signed, row: Row, sequence: int, signer: signing.Signer) -> Reply | None:
    """The first answer of the last request, if this is it. None also where a later one has just taken its place."""
    return first_answer(row, signer) if is_again(signed, row, sequence) else None


def first_answer(row: Row, signer: signing.Signer) -> Reply | None:
    """The answer to the last request of a row, signed."""
    if row.last_answer is None:
        kept = Instance.objects.filter(pk=row.id, last_request_id=row.last_request_id)
        row.last_answer = kept.values_list("last_answer", flat=True).first()
    return answer_of(row.last_answer, signer) if row.last_answer else None


def answer_of(kept: str, signer: signing.Signer) -> Reply:
    """A kept answer, signed again, to the same bytes while the same key signs."""
    what, payload, beside = json.loads(kept)
    return Reply(201 if "keys" in beside else 200, {what: signer.sign(what, payload)} | beside)


def took_part(signed: Signed, row: Row) -> bool:
    """Whether this is the first request under a new MAC key: from now on the former one is nobody's."""
    return row.former_mac_generation is not None and split_keyid(signed.keyid)[1] == row.mac_generation


NO_FORMER: dict[str, Any] = {
    "former_mac_key_sealed": None, "former_mac_generation": None, "former_public_key": None, "former_thumbprint": "",
}  # fmt: skip


def keep(rows: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Write what changed of each instance; rows that change the same fields by one statement."""
    by_fields: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for number, changes in rows:
        by_fields[tuple(changes)].append((number, *changes.values()))
    for fields, values in by_fields.items():
        set_rows(Instance, fields, values)
