"""Devices register: a token, a key of their own, and from then on an identity (docs/device-protocol.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daicho.core.clock import now
from daicho.core.commands import one_act
from daicho.core.db import is_postgres
from daicho.core.errors import BusinessError
from daicho.core.ids import new_uids
from daicho.core.statements import among, fetch
from daicho.core.text import name_key
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.devices import signing, wire
from daicho.domain.devices.commands.tokens import hash_of
from daicho.domain.devices.hot import granting
from daicho.domain.devices.hot.bodies import Registration, read_registration
from daicho.domain.devices.hot.certifying import Agreed, agree, certificate
from daicho.domain.devices.hot.credentials import Row, device_actor, read_rows, refuse_skew
from daicho.domain.devices.hot.keeping import NO_FORMER, again, answer_of, keep, print_of
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.models import ALIVE, Device, Instance, RegistrationToken
from daicho.domain.devices.timers import certificate_life, contact_within
from daicho.domain.devices.wire import Signed
from daicho.domain.ledger.models import Unit
from daicho.domain.ledger.sql import set_rows
from daicho.domain.tenancy.models import SmartAccount


class Label(NamedTuple):
    """What stands on a device, in a virtual account."""

    virtual_account_id: int
    product_id: str
    serial: str

    @classmethod
    def of(cls, token: RegistrationToken, asked: Registration) -> Label:
        return cls(token.virtual_account_id, asked.fields.product_id, asked.fields.serial)


@dataclass(slots=True, eq=False)
class Newcomer:
    """A registration that makes a new instance."""

    number: int
    signed: Signed
    asked: Registration
    thumbprint: str
    token: RegistrationToken
    uid: str
    agreed: Agreed
    device: Device | None = None


@dataclass(slots=True)
class Desk:
    """What one batch has read, and what it has decided so far."""

    signer: signing.Signer
    at: dt.datetime
    tokens: dict[str, RegistrationToken]
    accounts: dict[int, SmartAccount]
    known: dict[str, Row]
    replaced: set[Label]
    uids: list[str]
    newcomers: list[Newcomer] = field(default_factory=list)
    spent: dict[int, tuple[RegistrationToken, Signed, Registration]] = field(default_factory=dict)
    kept: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def register_many(requests: Sequence[Signed]) -> list[Reply]:
    """Register these devices in one transaction; each new instance costs one use of its token, a repetition none."""
    signer = signing.signer()
    read = [_read(signed) for signed in requests]
    asked = [one for one in read if isinstance(one, Registration)]
    with one_act():
        tokens = _lock_tokens({hash_of(one.token) for one in asked})
        accounts = SmartAccount.objects.in_bulk({token.account_id for token in tokens.values()})
        known = {row.thumbprint: row for row in _known([wire.thumbprint(one.public_key) for one in asked])}
        labels = {Label.of(token, one) for one in asked if (token := tokens.get(hash_of(one.token))) is not None}
        desk = Desk(signer, now(), tokens, accounts, known, _replaced(labels), new_uids(len(requests)))
        replies: list[Reply | None] = [
            _decide(desk, number, signed, one) for number, (signed, one) in enumerate(zip(requests, read, strict=True))
        ]
        _settle(desk, replies)
    return [reply or Reply.refusing(refuse("malformed")) for reply in replies]


def _read(signed: Signed) -> Registration | BusinessError:
    """What it says, if it is signed by the key that it brings."""
    try:
        asked = read_registration(signed.body)
    except BusinessError as error:
        return error
    if signed.keyid != wire.thumbprint(asked.public_key) or not wire.is_by_key(signed, asked.public_key):
        return refuse("bad_signature")
    return refuse_skew(signed) or asked


def _lock_tokens(hashes: set[str]) -> dict[str, RegistrationToken]:
    condition, parameters = among("secret_hash", sorted(hashes))
    clause = " FOR NO KEY UPDATE" if is_postgres() else ""
    found = fetch(RegistrationToken, f"WHERE {condition} ORDER BY id{clause}", parameters)
    return {token.secret_hash: token for token in found}


def _known(thumbprints: Sequence[str]) -> list[Row]:
    """The instances of these keys, the living one last."""
    return sorted(read_rows("i.thumbprint", thumbprints, lock=True), key=lambda row: (row.is_alive, row.id))


def _decide(desk: Desk, number: int, signed: Signed, asked: Registration | BusinessError) -> Reply | None:
    """The answer, or None for a newcomer, who is answered when he is written down."""
    if isinstance(asked, BusinessError):
        return Reply.refusing(asked)
    thumbprint = wire.thumbprint(asked.public_key)
    row = desk.known.get(thumbprint)
    if row is not None and row.registration_request_id == signed.nonce:
        return again(signed, row, row.last_sequence, desk.signer) or Reply.refusing(
            refuse("sequence_used", last_sequence=row.last_sequence)
        )
    if any(one.thumbprint == thumbprint for one in desk.newcomers):
        return Reply.refusing(refuse("sequence_used", last_sequence=0))  # its key came twice at once: it comes again
    token = desk.tokens.get(hash_of(asked.token))
    if token is None:
        return Reply.refusing(refuse("unknown_token"))
    if row is not None and row.registration == Instance.Registration.REPLACED:
        return Reply.refusing(refuse("instance_replaced"))
    comes_back = row is not None and row.is_alive and row.account_id == token.account_id
    gains = row is not None and comes_back and token.allows_export_controlled and not row.allows_export_controlled
    if (refusal := _refuse_token(desk, token, is_free=comes_back and not gains)) is not None:
        return Reply.refusing(refusal)
    if row is not None and comes_back:
        return _return(desk, signed, asked, row, token if gains else None)
    uid = desk.uids[number]
    agreed = agree(asked.agreement_key, signed.nonce, uid, 1)
    if isinstance(agreed, BusinessError):
        return Reply.refusing(agreed)
    if Label.of(token, asked) in desk.replaced:
        return Reply.refusing(refuse("instance_replaced"))
    _spend(desk, token, signed, asked)
    desk.newcomers.append(Newcomer(number, signed, asked, thumbprint, token, uid, agreed))
    return None


def _refuse_token(desk: Desk, token: RegistrationToken, *, is_free: bool) -> BusinessError | None:
    match token.state_at(desk.at):
        case RegistrationToken.State.REVOKED:
            return refuse("token_revoked")
        case RegistrationToken.State.EXPIRED:
            return refuse("token_expired")
        case RegistrationToken.State.USED_UP if not is_free:
            return refuse("token_used_up")
    if desk.accounts[token.account_id].state != SmartAccount.State.ACTIVE:
        return refuse("account_suspended")
    return None


def _spend(desk: Desk, token: RegistrationToken, signed: Signed, asked: Registration) -> None:
    token.uses += 1
    desk.spent[token.pk] = (token, signed, asked)


def _replaced(labels: set[Label]) -> set[Label]:
    """Of which of these another one has taken the place: a failed device that comes back, known by its label."""
    found = Device.objects.filter(
        serial__in={label.serial for label in labels if label.serial},
        unit__virtual_account__in={label.virtual_account_id for label in labels},
    )
    rows = found.values_list("unit__virtual_account_id", "product_id", "serial", "removed_at", "replaced_by")
    replaced, living = set[Label](), set[Label]()
    for place, product_id, serial, removed_at, successor in rows:
        if successor is not None:
            replaced.add(Label(place, product_id, serial))
        if removed_at is None:
            living.add(Label(place, product_id, serial))
    return replaced - living


def _return(
    desk: Desk, signed: Signed, asked: Registration, row: Row, gained: RegistrationToken | None
) -> Reply:  # fmt: skip
    """The same key again is the same instance again: a new MAC key and a new certificate, no use of the token.

    `gained`: the token that allows it export-controlled licenses from now on, which costs a use.
    """
    if signed.created <= row.registration_created:
        return Reply.refusing(refuse("sequence_used", last_sequence=row.last_sequence))  # an old registration replayed
    generation = row.mac_generation + 1
    agreed = agree(asked.agreement_key, signed.nonce, row.uid, generation)
    if isinstance(agreed, BusinessError):
        return Reply.refusing(agreed)
    changes = _identity(desk, signed, asked, row.uid, row.thumbprint, agreed, generation, row.last_sequence)
    changes |= {"reused_sequence_at": None} | NO_FORMER
    if gained is not None:
        _spend(desk, gained, signed, asked)
        changes |= {"allows_export_controlled": True, "token": gained.pk}
    for name, value in changes.items():
        if hasattr(row, name):
            setattr(row, name, value)
    desk.kept.append((row.id, changes))
    desk.events.append(
        _event(signed, row.name, row.device_uid, row.account_id, row.virtual_account_id, asked, comes_back=True)
    )
    return answer_of(changes["last_answer"], desk.signer)


def _identity(
    desk: Desk, signed: Signed, asked: Registration, uid: str, thumbprint: str, agreed: Agreed, generation: int,
    sequence: int,
) -> dict[str, Any]:  # fmt: skip
    """The fields of an instance that a registration sets."""
    within = contact_within(desk.at, uid, is_short=False, next_change_at=None)
    payload = certificate(
        uid, signed.nonce, desk.at, thumbprint=thumbprint, product_id=asked.fields.product_id,
        serial=asked.fields.serial, ours=agreed.ours, generation=generation,
    )  # fmt: skip
    beside = {"keys": [document for _version, document in desk.signer.sets],
              "authorization": desk.signer.sign("authorization", _nothing_yet(desk, signed, uid, sequence))}  # fmt: skip
    return {
        "registration": Instance.Registration.REGISTERED,
        "mac_key_sealed": agreed.sealed,
        "mac_generation": generation,
        "certificate_from": desk.at,
        "certificate_until": desk.at + certificate_life(),
        "registered_at": desk.at,
        "registration_request_id": signed.nonce,
        "registration_created": signed.created,
        "last_contact_at": desk.at,
        "contact_due_at": desk.at + within,
        "last_request_id": signed.nonce,
        "last_fingerprint": print_of(signed),
        "last_answer": granting.packed("certificate", payload, beside),
        "software_name": asked.software.name,
        "software_version": asked.software.version,
        "agent_version": " ".join(filter(None, (asked.agent.name, asked.agent.version)))[:100],
    }


def _nothing_yet(desk: Desk, signed: Signed, uid: str, sequence: int) -> dict[str, Any]:
    """The authorization of who has not asked yet."""
    return granting.document(
        uid, signed.nonce, sequence, [], desk.at, Instance.Authorization.NONE, None, desk.signer.version
    )  # fmt: skip


# ── newcomers are written down ──


def _settle(desk: Desk, replies: list[Reply | None]) -> None:
    if desk.newcomers:
        _write(desk, replies)
    set_rows(RegistrationToken, ["uses"], [(token.pk, token.uses) for token, _, _ in desk.spent.values()])
    desk.events += [_used_up(*spent) for spent in desk.spent.values() if not spent[0].uses_left]
    keep(desk.kept)
    record_many(desk.events)


def _write(desk: Desk, replies: list[Reply | None]) -> None:
    records = _records(desk.newcomers)
    units = Unit.objects.bulk_create(
        [
            Unit(
                account_id=one.token.account_id,
                virtual_account_id=one.token.virtual_account_id,
                kind=Unit.Kind.INSTANCE,
            )
            for one in desk.newcomers
            if one.device is None
        ]
    )
    fresh = [one for one in desk.newcomers if one.device is None]
    devices = Device.objects.bulk_create(
        [
            Device(account_id=one.token.account_id, unit=unit, name_key=name_key(one.asked.fields.name)[:200],
                   **one.asked.fields.plain())
            for one, unit in zip(fresh, units, strict=True)
        ]
    )  # fmt: skip
    for one, device in zip(fresh, devices, strict=True):
        one.device = device
    if records:
        Unit.objects.filter(pk__in=[device.unit_id for device in records]).update(kind=Unit.Kind.INSTANCE)
    instances = []
    for one in desk.newcomers:
        fields = _identity(desk, one.signed, one.asked, one.uid, one.thumbprint, one.agreed, 1, 0)
        instances.append(
            Instance(
                uid=one.uid, account_id=one.token.account_id, device=one.device, token=one.token,
                allows_export_controlled=one.token.allows_export_controlled, thumbprint=one.thumbprint,
                public_key=one.asked.public_key, authorization_since=desk.at, **fields,
            )
        )  # fmt: skip
    Instance.objects.bulk_create(instances)
    for one, instance in zip(desk.newcomers, instances, strict=True):
        device = instance.device
        place = device.unit.virtual_account_id
        desk.events.append(_event(one.signed, device.name, device.uid, device.account_id, place, one.asked))
        replies[one.number] = answer_of(instance.last_answer, desk.signer)


def _records(newcomers: list[Newcomer]) -> list[Device]:
    """Records that people keep become the instances with their product ID and serial number, where the token lets them in."""
    by_label = {Label.of(one.token, one.asked): one for one in reversed(newcomers) if one.asked.fields.serial}
    if not by_label:
        return []
    found = Device.objects.select_for_update(of=("self",)).filter(
        unit__virtual_account__in={label.virtual_account_id for label in by_label},
        serial__in={label.serial for label in by_label},
        removed_at=None,
    )
    devices = list(found.select_related("unit").order_by("uid"))
    # Asked when they are locked: another token may have let an instance in as one of them just now.
    alive = set(Instance.objects.filter(device__in=devices, registration__in=ALIVE).values_list("device_id", flat=True))
    taken = []
    for device in sorted(devices, key=lambda device: device.pk):
        one = by_label.get(Label(device.unit.virtual_account_id, device.product_id, device.serial))
        if one is not None and one.device is None and device.pk not in alive:
            one.device = device
            taken.append(device)
    return taken


def _event(
    signed: Signed,
    name: str,
    device_uid: str,
    account_id: int,
    place_id: int,
    asked: Registration,
    *,
    comes_back: bool = False,
) -> Event:
    return describe(
        device_actor(name, signed.address), "device.registered", account_id=account_id, virtual_account_id=place_id,
        subject=name, subject_uid=device_uid, act=signed.nonce,
        after={"product_id": asked.fields.product_id, "serial": asked.fields.serial, "again": comes_back},
    )  # fmt: skip


def _used_up(token: RegistrationToken, signed: Signed, asked: Registration) -> Event:
    return describe(
        device_actor(asked.fields.name, signed.address), "token.used_up", account_id=token.account_id,
        virtual_account_id=token.virtual_account_id, subject=token.description or token.secret_hint,
        subject_uid=token.uid, after={"uses": token.uses},
    )  # fmt: skip
