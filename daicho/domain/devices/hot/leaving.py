"""Instances leave: all that they used returns, and a receipt proves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daicho.core.clock import now
from daicho.core.commands import one_act
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.devices import signing
from daicho.domain.devices.hot import granting
from daicho.domain.devices.hot.bodies import read_sequence
from daicho.domain.devices.hot.credentials import Row, identify, refuse_life
from daicho.domain.devices.hot.keeping import again, answer_of, keep, print_of
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.hot.tags import tags_by_id
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.wire import Signed
from daicho.domain.ledger.batch import UseRequest, decide
from daicho.domain.ledger.models import Use
from daicho.domain.ledger.rules import Act


def deregister_many(requests: Sequence[Signed]) -> list[Reply]:
    """Take these instances off, in one transaction. The same request again gets its receipt again."""
    signer = signing.signer()
    with one_act():
        leaving = list[tuple[int, Signed, Row, int]]()
        replies: list[Reply] = []
        for number, (signed, row) in enumerate(zip(requests, identify(requests, lock=True), strict=True)):
            replies.append(_judge(signed, row, signer) or _leave(number, signed, row, leaving))
        if leaving:
            _take_off(leaving, replies, signer)
    return replies


def _judge(signed: Signed, row: Row | BusinessError, signer: signing.Signer) -> Reply | None:
    """The answer, if it is none to leave."""
    if isinstance(row, BusinessError):
        return Reply.refusing(row)
    try:
        sequence = read_sequence(signed.body)
    except BusinessError as error:
        return Reply.refusing(error)
    if (reply := again(signed, row, sequence, signer)) is not None:
        return reply
    if (refusal := refuse_life(row, now(), renews=True)) is not None:
        return Reply.refusing(refusal)
    if sequence <= row.last_sequence:
        keep([(row.id, {"reused_sequence_at": row.reused_sequence_at or now()})])
        return Reply.refusing(refuse("sequence_used", last_sequence=row.last_sequence))
    return None


def _leave(number: int, signed: Signed, row: Row | BusinessError, leaving: list[tuple[int, Signed, Row, int]]) -> Reply:
    if isinstance(row, BusinessError):
        return Reply.refusing(row)
    sequence, at = read_sequence(signed.body), now()
    payload = {"iss": signing.issuer(), "sub": row.uid, "jti": str(signed.nonce), "iat": int(at.timestamp()),
               "sequence": sequence, "state": "removed"}  # fmt: skip
    row.registration, row.last_sequence, row.last_request_id = Instance.Registration.REMOVED, sequence, signed.nonce
    row.last_fingerprint, row.last_answer = print_of(signed), granting.packed("receipt", payload)
    leaving.append((number, signed, row, sequence))
    return Reply(200, {})


def _take_off(leaving: list[tuple[int, Signed, Row, int]], replies: list[Reply], signer: signing.Signer) -> None:
    at = now()
    used: dict[int, list[tuple[int, int]]] = {}
    uses = Use.objects.filter(unit__in=[row.unit_id for _, _, row, _ in leaving], reported__gt=0)
    for unit_id, tag_id, reported in uses.values_list("unit_id", "tag_id", "reported"):
        used.setdefault(unit_id, []).append((tag_id, reported))
    tags = tags_by_id({tag_id for lines in used.values() for tag_id, _ in lines})
    decide([
        UseRequest(
            row.unit_id, derived_uuid("device leaves", row.uid, signed.nonce), Act.ASK,
            tuple((tags[tag_id], 0) for tag_id, _ in used[row.unit_id]), "release",
        )
        for _, signed, row, _ in leaving
        if row.unit_id in used
    ])  # fmt: skip
    Device.objects.filter(pk__in=[row.device_id for _, _, row, _ in leaving]).update(removed_at=at)
    kept, events = list[tuple[int, dict[str, Any]]](), list[Event]()
    for number, signed, row, _sequence in leaving:
        kept.append((row.id, {
            "registration": row.registration, "authorization": Instance.Authorization.NONE, "authorization_since": at,
            "last_contact_at": at, "last_sequence": row.last_sequence, "last_request_id": row.last_request_id,
            "last_fingerprint": row.last_fingerprint, "last_answer": row.last_answer,
        }))  # fmt: skip
        released = {tags[tag_id].sku: count for tag_id, count in used.get(row.unit_id, [])}
        events.append(
            describe(
                row.actor(signed.address), "device.deregistered", account_id=row.account_id, subject=row.name,
                virtual_account_id=row.virtual_account_id, subject_uid=row.device_uid, act=signed.nonce,
                after={"released": released},
            )
        )  # fmt: skip
        replies[number] = answer_of(row.last_answer, signer)
    keep(kept)
    record_many(events)
