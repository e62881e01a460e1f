"""Instances ask for what they use: authorize, renew, change, release (ledger.md, ASK and Batch)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daicho.core.clock import now
from daicho.core.commands import one_act
from daicho.core.db import is_postgres
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.statements import among, ask, instant
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices import signing
from daicho.domain.devices.hot import granting
from daicho.domain.devices.hot.bodies import Software, Wish, read_wish
from daicho.domain.devices.hot.credentials import Row, identify, read_rows, refuse_life
from daicho.domain.devices.hot.granting import Line
from daicho.domain.devices.hot.keeping import NO_FORMER, again, keep, print_of, took_part
from daicho.domain.devices.hot.reply import Reply
from daicho.domain.devices.hot.tags import find_tags, tags_by_id
from daicho.domain.devices.ladder import refuse
from daicho.domain.devices.timers import HOUR, silence_limit
from daicho.domain.devices.wire import Signed
from daicho.domain.ledger.batch import Decided, UseAnswer, UseRequest, decide
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.rules import Act

KEEPS = ("authorized", "reserved")
"""Stored states in which the same list again is only a renewal."""


class UseNow(NamedTuple):
    """What a unit uses of a tag, and how its pool stands."""

    tag_id: int
    reported: int
    counted: int
    balance: int
    next_change_at: dt.datetime | None


@dataclass(slots=True)
class Ask:
    """A request on its way: refused lines are known before the ledger is asked."""

    signed: Signed
    row: Row
    wish: Wish
    number: int
    tags: dict[str, LicenseTag] = field(default_factory=dict)
    refused: dict[str, Line] = field(default_factory=dict)
    state: str = ""
    evaluated: int = 0

    @property
    def wanted(self) -> dict[int, int]:
        return {tag.pk: self.wish.licenses[name] for name, tag in self.tags.items() if name not in self.refused}


def authorize_many(requests: Sequence[Signed]) -> list[Reply]:
    """Decide what instances ask for, in the order of their arrival, in one transaction.

    A renewal that changes nothing reads its pools and at most once an hour writes the row of its instance; all others
    are decided by the ledger as one batch.
    """
    signer = signing.signer()
    replies: list[Reply | None] = [None] * len(requests)
    with one_act():
        asks = _asks(requests, replies)
        while asks:
            # One request of each instance at a time: the next one must find what this one did.
            turn, asks = _turn(asks)
            changing = _renew(turn, replies, signer)
            if changing:
                _change(changing, replies, signer)
            for one in asks:
                fresh = next((done.row for done in turn if done.row.id == one.row.id), None)
                one.row = fresh or one.row
    return [reply or Reply.refusing(refuse("malformed")) for reply in replies]


def _asks(requests: Sequence[Signed], replies: list[Reply | None]) -> list[Ask]:
    """Those that are to be decided; the others are answered."""
    at, asks = now(), list[Ask]()
    for number, (signed, row) in enumerate(zip(requests, identify(requests), strict=True)):
        if isinstance(row, BusinessError):
            replies[number] = Reply.refusing(row)
            continue
        try:
            wish = read_wish(signed.body)
        except BusinessError as error:
            replies[number] = Reply.refusing(refuse_life(row, at) or error)
            continue
        if (refusal := refuse_life(row, at)) is not None:
            replies[number] = Reply.refusing(refusal)
            continue
        asks.append(Ask(signed, row, wish, number))
    tags = find_tags({name for one in asks for name in one.wish.licenses})
    for one in asks:
        _name(one, tags)
    return asks


def _name(one: Ask, tags: dict[str, LicenseTag]) -> None:
    """Which tags are meant, and the lines that are refused whatever is there."""
    seen: set[int] = set()
    for name, quantity in one.wish.licenses.items():
        tag = tags.get(name)
        if tag is None:
            one.refused[name] = Line(name, 0, granting.REFUSED, "unknown_tag")
            continue
        one.tags[name] = tag
        if tag.enforcement == LicenseTag.Enforcement.EXPORT_CONTROLLED and not one.row.allows_export_controlled:
            one.refused[name] = Line(name, 0, granting.REFUSED, "export_not_allowed")
        elif not 1 <= quantity <= MAX_QUANTITY or tag.pk in seen:
            one.refused[name] = Line(name, 0, granting.REFUSED, "bad_quantity")
        else:
            seen.add(tag.pk)


def _turn(asks: list[Ask]) -> tuple[list[Ask], list[Ask]]:
    first, later, seen = list[Ask](), list[Ask](), set[int]()
    for one in asks:
        (later if one.row.id in seen else first).append(one)
        seen.add(one.row.id)
    return first, later


# ── what changes nothing ──


def _renew(asks: list[Ask], replies: list[Reply | None], signer: signing.Signer) -> list[Ask]:
    """Answer repetitions and renewals; the others, in order."""
    at, uses, rest, heard = now(), _uses_of(asks), list[Ask](), dict[int, dt.datetime]()
    for one in asks:
        used = uses[one.row.unit_id]
        if (reply := again(one.signed, one.row, one.wish.sequence, signer)) is not None:
            replies[one.number] = reply
        elif one.wish.sequence > one.row.last_sequence and _is_renewal(one, used, at):
            payload = _renewed(one, used, at, signer)
            replies[one.number] = Reply(200, {"authorization": signer.sign("authorization", payload)})
            if at - one.row.last_contact_at >= HOUR:
                heard[one.row.id] = at + dt.timedelta(seconds=payload["contact_within"])
        else:
            rest.append(one)
    if heard:
        _keep_contact(heard, at)
    return rest


def _is_renewal(one: Ask, uses: dict[int, UseNow], at: dt.datetime) -> bool:
    """Whether the answer can be read off: nothing changes, and no strict pool must decide."""
    row, wish = one.row, one.wish
    if row.authorization not in KEEPS or one.refused or took_part(one.signed, row):
        return False
    if at - row.last_contact_at >= silence_limit():
        return False  # the sweep may be returning its licenses at this moment: whoever locks it first is right
    if wish.software is not None and (wish.software.name, wish.software.version) != (
        row.software_name, row.software_version
    ):  # fmt: skip
        return False
    if one.wanted != {use.tag_id: use.reported for use in uses.values() if use.reported}:
        return False
    for tag in one.tags.values():
        use = uses[tag.pk]
        if use.next_change_at is not None and use.next_change_at <= at:
            return False
        if tag.is_strict and use.balance < 0:
            return False
    return True


def _renewed(one: Ask, uses: dict[int, UseNow], at: dt.datetime, signer: signing.Signer) -> dict[str, Any]:
    lines = []
    for name, tag in one.tags.items():
        use = uses[tag.pk]
        lines.append(Line(name, use.reported, _status(use.counted, use.balance)))
    soonest = _soonest((uses[tag.pk].next_change_at, tag) for tag in one.tags.values())
    return granting.document(
        one.row.uid, one.signed.nonce, one.wish.sequence, lines, at, one.row.authorization, soonest, signer.version
    )


def _keep_contact(due: Mapping[int, dt.datetime], at: dt.datetime) -> None:
    """Note that these were heard of, and when they are to come again. Whose row is held by another act is left to it:
    that hears of it, too, and nobody waits for a heartbeat."""
    condition, parameters = among("id", sorted(due))
    clause = " FOR NO KEY UPDATE SKIP LOCKED" if is_postgres() else ""
    free = ask(f"SELECT id FROM devices_instance WHERE {condition} ORDER BY id{clause}", parameters)  # noqa: S608
    keep([(number, {"last_contact_at": at, "contact_due_at": due[number]}) for (number,) in free])


def _uses_of(asks: Sequence[Ask]) -> dict[int, dict[int, UseNow]]:
    condition, parameters = among("u.unit_id", sorted({one.row.unit_id for one in asks}))
    found: dict[int, dict[int, UseNow]] = defaultdict(dict)
    rows = ask(
        "SELECT u.unit_id, u.tag_id, u.reported, u.counted, p.balance, p.next_change_at FROM ledger_use AS u"  # noqa: S608
        f" JOIN ledger_pool AS p ON p.id = u.pool_id WHERE {condition}",
        parameters,
    )
    for unit_id, tag_id, reported, counted, balance, next_change_at in rows:
        found[unit_id][tag_id] = UseNow(tag_id, reported, counted, balance, instant(next_change_at))
    return found


# ── what the ledger decides ──


def _change(asks: list[Ask], replies: list[Reply | None], signer: signing.Signer) -> None:
    """Lock the instances, judge them once more, and let the ledger decide all that is left as one batch."""
    rows = {row.uid: row for row in read_rows("i.uid", (one.row.uid for one in asks), lock=True)}
    at, ready = now(), list[Ask]()
    for one in asks:
        one.row = rows[one.row.uid]
        reply = again(one.signed, one.row, one.wish.sequence, signer)
        if reply is None and (refusal := refuse_life(one.row, at)) is not None:
            reply = Reply.refusing(refusal)
        if reply is None and one.wish.sequence <= one.row.last_sequence:
            keep([(one.row.id, {"reused_sequence_at": one.row.reused_sequence_at or at})])
            reply = Reply.refusing(refuse("sequence_used", last_sequence=one.row.last_sequence))
        if reply is None:
            ready.append(one)
        else:
            replies[one.number] = reply
    if not ready:
        return
    uses = _uses_of(ready)
    tags = tags_by_id({tag_id for one in ready for tag_id in uses[one.row.unit_id]})
    decided = decide([_request(one, uses[one.row.unit_id], tags) for one in ready])
    kept, events = list[tuple[int, dict[str, Any]]](), list[Event]()
    for one, given in zip(ready, decided.answers, strict=True):
        payload = _payload(one, _lines(one, given, decided), decided, at, signer)
        if (event := _event(one, payload, uses[one.row.unit_id], decided)) is not None:
            events.append(event)
        kept.append((one.row.id, _kept(one, payload, at)))
        replies[one.number] = Reply(200, {"authorization": signer.sign("authorization", payload)})
    keep(kept)
    record_many(events)


def _request(one: Ask, uses: dict[int, UseNow], tags: dict[int, LicenseTag]) -> UseRequest:
    """The complete list for the ledger: what is not wanted any more is set to 0, first."""
    wanted = one.wanted
    refused = {one.tags[name].pk for name in one.refused if name in one.tags}
    gone = [(tags[use.tag_id], 0) for use in uses.values()
            if use.reported and use.tag_id not in wanted and use.tag_id not in refused]  # fmt: skip
    lines = [(tag, wanted[tag.pk]) for name, tag in one.tags.items() if name not in one.refused]
    request_id = derived_uuid("device ask", one.row.uid, one.signed.nonce)
    return UseRequest(one.row.unit_id, request_id, Act.ASK, (*gone, *lines), "ask")


def _lines(one: Ask, given: UseAnswer, decided: Decided) -> list[Line]:
    """The answer to each line, in the order of the request."""
    refusals = {refusal.tag.pk: refusal for refusal in given.refusals}
    lines = []
    for name in one.wish.licenses:
        tag = one.tags.get(name)
        use = decided.book.uses.get((one.row.unit_id, tag.pk)) if tag is not None else None
        has = use.reported if use is not None else 0
        if name in one.refused:
            lines.append(one.refused[name]._replace(quantity=has))
        elif tag is not None and (refusal := refusals.get(tag.pk)) is not None:
            lines.append(Line(name, has, granting.REFUSED, refusal.code, refusal.missing))
        elif use is not None:
            lines.append(Line(name, has, _status(use.counted, use.pool.figures.balance)))
    return lines


def _status(counted: int, balance: int) -> str:
    if not counted:
        return granting.RESERVED
    return granting.SHORT if balance < 0 else granting.AUTHORIZED


def _payload(one: Ask, lines: list[Line], decided: Decided, at: dt.datetime, signer: signing.Signer) -> dict[str, Any]:
    evaluated = one.wish.evaluation_seconds
    one.evaluated = one.row.evaluation_seconds if evaluated is None else evaluated
    one.state = granting.state_of(lines, one.evaluated)
    pools = [use.pool for (unit_id, _), use in decided.book.uses.items() if unit_id == one.row.unit_id and use.reported]
    soonest = _soonest((pool.figures.next_change_at, pool.tag) for pool in pools)
    return granting.document(
        one.row.uid, one.signed.nonce, one.wish.sequence, lines, at, one.state, soonest, signer.version
    )


def _event(one: Ask, payload: dict[str, Any], before: dict[int, UseNow], decided: Decided) -> Event | None:
    """One line of the log for a change of what it has or of its state; none for a heartbeat."""
    row = one.row
    had = {tag_id: use.reported for tag_id, use in before.items() if use.reported}
    has = {tag_id: use.reported for (unit_id, tag_id), use in decided.book.uses.items()
           if unit_id == row.unit_id and use.reported}  # fmt: skip
    if one.state == row.authorization and had == has:
        return None
    tags = tags_by_id({*had, *has})
    return describe(
        row.actor(one.signed.address), "device.authorized", account_id=row.account_id,
        virtual_account_id=row.virtual_account_id, subject=row.name, subject_uid=row.device_uid, act=one.signed.nonce,
        before={"state": row.authorization, "licenses": {tags[tag_id].sku: count for tag_id, count in had.items()}},
        after={"state": payload["state"], "licenses": {tags[tag_id].sku: count for tag_id, count in has.items()}},
    )  # fmt: skip


def _kept(one: Ask, payload: dict[str, Any], at: dt.datetime) -> dict[str, Any]:
    """What the row of the instance keeps, there and here."""
    row, wish = one.row, one.wish
    software = wish.software or Software(row.software_name, row.software_version)
    kept: dict[str, Any] = {
        "authorization": one.state,
        "authorization_since": at if one.state != row.authorization else row.authorization_since,
        "evaluation_seconds": one.evaluated,
        "last_contact_at": at,
        "last_sequence": wish.sequence,
        "last_request_id": one.signed.nonce,
        "last_fingerprint": print_of(one.signed),
        "last_answer": granting.packed("authorization", payload),
        "software_name": software.name,
        "software_version": software.version,
    }
    if took_part(one.signed, row):
        kept |= NO_FORMER
    for name, value in kept.items():
        setattr(row, name, value)
    return kept | {"contact_due_at": at + dt.timedelta(seconds=payload["contact_within"])}


def _soonest(moments: Iterable[tuple[dt.datetime | None, LicenseTag]]) -> dt.datetime | None:
    """The next change of a strict pool among these."""
    return min((at for at, tag in moments if at is not None and tag.is_strict), default=None)
