"""Instances leave: all that they used returns, and a receipt proves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from daicho.core.clock import now
from daicho.core.commands import one_act
from daicho.core.db import is_postgres
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.statements import among, ask
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.devices import signing
from daicho.domain.devices.hot import granting
from daicho.domain.devices.hot.bodies import read_sequence
from daicho.domain.devices.hot.credentials import Row, identify, read_rows, refuse_life, split_keyid
from daicho.domain.devices.hot.keeping import again, answer_of, keep, print_of
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.hot.tags import tags_by_id
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.wire import Signed
from daicho.domain.ledger.batch import UseRequest, decide
from daicho.domain.ledger.models import Use
from daicho.domain.ledger.rules import Act


class Leaver(NamedTuple):
    """An instance that leaves. `kept`: what its row keeps of it."""

    number: int
    signed: Signed
    row: Row
    kept: dict[str, Any]


def deregister_many(requests: Sequence[Signed]) -> list[Reply]:
    """Take these instances off, in one transaction. The same request again gets its receipt again."""
    signer = signing.signer()
    with one_act():
        _lock_devices(requests)
        leavers: list[Leaver] = []
        replies: dict[int, Reply] = {}
        for number, (signed, row) in enumerate(zip(requests, identify(requests, lock=True), strict=True)):
            if isinstance(row, BusinessError):
                replies[number] = Reply.refusing(row)
            elif (reply := _judge(signed, row, signer)) is not None:
                replies[number] = reply
            else:
                leavers.append(Leaver(number, signed, row, _leave(signed, row)))
        if leavers:
            _take_off(leavers)
            replies |= {one.number: answer_of(one.kept["last_answer"], signer) for one in leavers}
    return [replies[number] for number in range(len(requests))]


def _lock_devices(requests: Sequence[Signed]) -> None:
    """People lock a device before its instance; here nobody is in a hurry, so it is done in their order."""
    if is_postgres():
        rows = read_rows("i.uid", (split_keyid(signed.keyid)[0] for signed in requests))
        condition, parameters = among("uid", sorted({row.device_uid for row in rows}))
        ask(f"SELECT id FROM devices_device WHERE {condition} ORDER BY uid FOR UPDATE", parameters)  # noqa: S608


def _judge(signed: Signed, row: Row, signer: signing.Signer) -> Reply | None:
    """The answer, if it is none to leave."""
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


def _leave(signed: Signed, row: Row) -> dict[str, Any]:
    """What the row of the instance keeps, there and here."""
    sequence, at = read_sequence(signed.body), now()
    payload = {"iss": signing.issuer(), "sub": row.uid, "jti": str(signed.nonce), "iat": int(at.timestamp()),
               "sequence": sequence, "state": "removed"}  # fmt: skip
    kept = {
        "registration": Instance.Registration.REMOVED,
        "authorization": Instance.Authorization.NONE,
        "authorization_since": at,
        "last_contact_at": at,
        "last_sequence": sequence,
        "last_request_id": signed.nonce,
        "last_fingerprint": print_of(signed),
        "last_answer": granting.packed("receipt", payload),
    }
    for name, value in kept.items():
        setattr(row, name, value)
    return kept


def _take_off(leavers: Sequence[Leaver]) -> None:
    used: dict[int, list[tuple[int, int]]] = {}
    uses = Use.objects.filter(unit__in=[one.row.unit_id for one in leavers], reported__gt=0)
    for unit_id, tag_id, reported in uses.values_list("unit_id", "tag_id", "reported"):
        used.setdefault(unit_id, []).append((tag_id, reported))
    tags = tags_by_id({tag_id for lines in used.values() for tag_id, _ in lines})
    decide([
        UseRequest(
            one.row.unit_id, derived_uuid("device leaves", one.row.uid, one.signed.nonce), Act.ASK,
            tuple((tags[tag_id], 0) for tag_id, _ in used[one.row.unit_id]), "release",
        )
        for one in leavers
        if one.row.unit_id in used
    ])  # fmt: skip
    Device.objects.filter(pk__in=[one.row.device_id for one in leavers]).update(removed_at=now())
    keep([(one.row.id, one.kept) for one in leavers])
    record_many(
        [_event(one, {tags[tag].sku: count for tag, count in used.get(one.row.unit_id, [])}) for one in leavers]
    )


def _event(one: Leaver, released: dict[str, int]) -> Event:
    row = one.row
    return describe(
        row.actor(one.signed.address), "device.deregistered", account_id=row.account_id, subject=row.name,
        virtual_account_id=row.virtual_account_id, subject_uid=row.device_uid, act=one.signed.nonce,
        after={"released": released},
    )  # fmt: skip
