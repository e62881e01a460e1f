"""Certificates are renewed, and with them the MAC key and, if the instance wishes, its own key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daicho.core.clock import now
from daicho.core.commands import one_act
from daicho.core.errors import BusinessError
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.devices import signing, wire
from daicho.domain.devices.hot import granting
from daicho.domain.devices.hot.bodies import read_renewal
from daicho.domain.devices.hot.certifying import agree, certificate
from daicho.domain.devices.hot.credentials import Row, read_rows, refuse_life, refuse_skew
from daicho.domain.devices.hot.keeping import again, answer_of, keep, print_of
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.models import Instance
from daicho.domain.devices.timers import certificate_life, contact_within
from daicho.domain.devices.wire import Signed


def renew_certificates(requests: Sequence[Signed]) -> list[Reply]:
    """Renew the certificates of these instances in one transaction; the former keys stay good until the new MAC key is used."""
    signer = signing.signer()
    with one_act():
        rows = _rows([signed.keyid for signed in requests])
        kept, events = list[tuple[int, dict[str, Any]]](), list[Event]()
        replies = [_renew(signed, rows.get(signed.keyid), signer, kept, events) for signed in requests]
        keep(kept)
        record_many(events)
    return replies


def _rows(thumbprints: Sequence[str]) -> dict[str, Row]:
    """The instances by the thumbprint of a key that is good; the living one if there were several."""
    present = {row.id: row for row in read_rows("i.thumbprint", thumbprints, lock=True)}
    former = {row.id: row for row in read_rows("i.former_thumbprint", thumbprints, lock=True) if row.id not in present}
    found: dict[str, Row] = {}
    for row in sorted((*present.values(), *former.values()), key=lambda row: (row.is_alive, row.id)):
        found |= {print_: row for print_ in (row.former_thumbprint, row.thumbprint) if print_}
    return found


def _renew(
    signed: Signed, row: Row | None, signer: signing.Signer, kept: list[tuple[int, dict[str, Any]]], events: list[Event]
) -> Reply:
    if row is None:
        return Reply.refusing(refuse("unknown_instance"))
    key = row.public_key if signed.keyid == row.thumbprint else row.former_public_key
    if key is None or not wire.is_by_key(signed, key):
        return Reply.refusing(refuse("bad_signature"))
    at = now()
    try:
        asked = read_renewal(signed.body)
    except BusinessError as error:
        return Reply.refusing(error)
    refusal = refuse_skew(signed) or refuse_life(row, at, renews=True)
    if refusal is not None:
        return Reply.refusing(refusal)
    if (reply := again(signed, row, asked.sequence, signer)) is not None:
        return reply
    if asked.sequence <= row.last_sequence:
        kept.append((row.id, {"reused_sequence_at": row.reused_sequence_at or at}))
        return Reply.refusing(refuse("sequence_used", last_sequence=row.last_sequence))
    if asked.next_public_key and not wire.proves_next_key(asked.next_public_key, asked.proof, row.uid, signed.nonce):
        return Reply.refusing(wire.MalformedRequest("proof"))
    generation = row.mac_generation + 1
    agreed = agree(asked.agreement_key, signed.nonce, row.uid, generation)
    if isinstance(agreed, BusinessError):
        return Reply.refusing(agreed)
    public = asked.next_public_key or key
    thumbprint = wire.thumbprint(public)
    payload = certificate(
        row.uid, signed.nonce, at, thumbprint=thumbprint, product_id=row.product_id, serial=row.serial,
        ours=agreed.ours, generation=generation,
    )  # fmt: skip
    # Of two renewals in a row whose first answer was lost, what the instance still uses is what was good before both.
    unused = row.former_mac_generation is not None
    changes: dict[str, Any] = {
        "registration": Instance.Registration.REGISTERED,
        "former_mac_key_sealed": row.former_mac_key_sealed if unused else row.mac_key_sealed,
        "former_mac_generation": row.former_mac_generation if unused else row.mac_generation,
        "former_public_key": key if thumbprint != signed.keyid else None,
        "former_thumbprint": signed.keyid if thumbprint != signed.keyid else "",
        "public_key": public,
        "thumbprint": thumbprint,
        "mac_key_sealed": agreed.sealed,
        "mac_generation": generation,
        "certificate_from": at,
        "certificate_until": at + certificate_life(),
        "last_contact_at": at,
        "last_sequence": asked.sequence,
        "last_request_id": signed.nonce,
        "last_fingerprint": print_of(signed),
        "last_answer": granting.packed("certificate", payload),
    }
    for name, value in changes.items():
        setattr(row, name, value)
    within = contact_within(at, row.uid, is_short=False, next_change_at=None)
    kept.append((row.id, changes | {"contact_due_at": at + within}))
    events.append(
        describe(
            row.actor(signed.address), "device.renewed", account_id=row.account_id, subject=row.name,
            virtual_account_id=row.virtual_account_id, subject_uid=row.device_uid, act=signed.nonce,
            after={"until": row.certificate_until.isoformat(), "thumbprint": thumbprint},
        )
    )  # fmt: skip
    return answer_of(changes["last_answer"], signer)
