"""Seal the event log: every event joins a block of the chain within 60 s, and the chain is proven by `verify`."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from daicho.core.clock import now
from daicho.core.db import take_turns
from daicho.core.pace import in_background
from daicho.core.statements import insert_rows
from daicho.domain.audit.models import Event, Seal, SealBlock
from daicho.domain.audit.rules import FIRST_HASH, block_hash, digest_of

logger = logging.getLogger("daicho.audit")

BLOCK_SIZE = 2_000
LONGEST_TRANSACTION = dt.timedelta(hours=1)
"""An event that commits later than this after it took its id is no longer looked for; `verify` names it."""
CLOCKS_DIFFER = dt.timedelta(minutes=5)
FIELDS = tuple(field.attname for field in Event._meta.concrete_fields)


class Fault(StrEnum):
    """What can be wrong with an event or a block."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    BACKDATED = "backdated"
    BROKEN_CHAIN = "broken_chain"


SENTENCES = {
    Fault.CHANGED: _("Event %(event)s of block %(block)s was changed after it was sealed."),
    Fault.MISSING: _("Event %(event)s of block %(block)s is missing."),
    Fault.EXTRA: _("Event %(event)s was added without a seal."),
    Fault.BACKDATED: _("Event %(event)s of block %(block)s bears a time that does not fit its block."),
    Fault.BROKEN_CHAIN: _("Block %(block)s does not follow from the blocks before it."),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first thing that is not as it was sealed. `event` is the uid, or the number of an event that is gone."""

    fault: Fault
    block: int | None = None
    event: str = ""

    def __str__(self) -> str:
        return str(SENTENCES[self.fault]) % {"event": self.event, "block": self.block}


def seal_pending() -> int:
    """Seal what is not sealed yet, in blocks of up to 2,000 events; returns how many events were sealed.

    An event that commits after a later one was sealed joins a later block. Any number of processes may call this.
    """
    total, last = 0, _complete_to()
    while block := _seal_block(last):
        total, last = total + len(block), block[-1]
    return total


def _seal_block(after: int) -> list[int]:
    """Seal the first unsealed events behind an id; returns their ids."""
    with in_background(), transaction.atomic():
        take_turns("audit.seal")
        events = list(_unsealed(after).order_by("id").values(*FIELDS)[:BLOCK_SIZE])
        if not events:
            return []
        last = SealBlock.objects.order_by("-number").first()
        number, previous = (last.number + 1, last.hash) if last else (1, FIRST_HASH)
        digests = [digest_of(event) for event in events]
        sealed_at = now()
        block = SealBlock.objects.create(
            number=number,
            previous_hash=previous,
            hash=block_hash(number, sealed_at, previous, digests),
            events=len(events),
            sealed_at=sealed_at,
        )
        ids = [event["id"] for event in events]
        rows = [(event_id, digest, block.pk) for event_id, digest in zip(ids, digests, strict=True)]
        insert_rows(Seal, ("event_id", "digest", "block"), rows)
    # The log of the machine is a second place that keeps the chain's head.
    logger.info("events sealed", extra={"block": number, "hash": block.hash, "events": len(events)})
    return ids


def _unsealed(after: int) -> QuerySet[Event]:
    return Event.objects.filter(~Exists(Seal.objects.filter(event_id=OuterRef("pk"))), pk__gt=after)


def _complete_to() -> int:
    """Ids rise with time, so what an hour-old block already passed is complete and need not be searched again."""
    old = SealBlock.objects.filter(sealed_at__lt=now() - LONGEST_TRANSACTION).order_by("-number").values("pk")[:1]
    return Seal.objects.filter(block__in=old).aggregate(last=Max("event_id"))["last"] or 0


def digest(event: Event) -> str:
    """The digest of an event as it stands in the table now."""
    return digest_of({name: getattr(event, name) for name in FIELDS})


def verify() -> Wrong | None:
    """Prove the whole log against its chain; returns the first wrong event or block, None when all is as sealed."""
    previous_hash, previous_at = FIRST_HASH, None
    for expected, block in enumerate(SealBlock.objects.order_by("number").iterator(), 1):
        if block.number != expected or block.previous_hash != previous_hash:
            return Wrong(Fault.BROKEN_CHAIN, expected)
        digests: list[str] = []
        for seals in _batches(block):
            events = Event.objects.in_bulk([seal.event_id for seal in seals])
            for seal in seals:
                wrong = _judge(block, seal, events.get(seal.event_id), previous_at)
                if wrong:
                    return wrong
                digests.append(seal.digest)
        if (
            len(digests) != block.events
            or block_hash(block.number, block.sealed_at, previous_hash, digests) != block.hash
        ):
            return Wrong(Fault.BROKEN_CHAIN, block.number)
        previous_hash, previous_at = block.hash, block.sealed_at
    return _first_extra()


def _batches(block: SealBlock) -> Iterator[Sequence[Seal]]:
    seals = list(Seal.objects.filter(block=block).order_by("event_id"))
    for start in range(0, len(seals), 500):
        yield seals[start : start + 500]


def _judge(block: SealBlock, seal: Seal, event: Event | None, previous_at: dt.datetime | None) -> Wrong | None:
    if event is None:
        return Wrong(Fault.MISSING, block.number, f"#{seal.event_id}")
    if digest(event) != seal.digest:
        return Wrong(Fault.CHANGED, block.number, event.uid)
    too_late = event.at > block.sealed_at + CLOCKS_DIFFER
    too_early = previous_at is not None and event.at < previous_at - LONGEST_TRANSACTION
    return Wrong(Fault.BACKDATED, block.number, event.uid) if too_late or too_early else None


def _first_extra() -> Wrong | None:
    """An event without a seal that the sealer would no longer pick up, or has not for an hour."""
    unsealed = Event.objects.filter(~Exists(Seal.objects.filter(event_id=OuterRef("pk")))).order_by("id")
    pending = set(_unsealed(_complete_to()).filter(at__gte=now() - LONGEST_TRANSACTION).values_list("pk", flat=True))
    extra = next((event for event in unsealed.only("pk", "uid").iterator() if event.pk not in pending), None)
    return Wrong(Fault.EXTRA, None, extra.uid) if extra else None


def verify_lines(lines: QuerySet[Event], limit: int = 10_000) -> tuple[int, Wrong | None]:
    """Prove the newest sealed lines of a query: each is as sealed, and its block's hash covers it. How many, what is wrong.

    For readers of a part of the log; that the chain as a whole is unbroken is shown by `verify`.
    """
    events = list(lines.order_by("-pk")[:limit])
    seals = {seal.event_id: seal for seal in Seal.objects.filter(event_id__in=[event.pk for event in events])}
    for event in reversed(events):
        seal = seals.get(event.pk)
        if seal is not None and digest(event) != seal.digest:
            return len(seals), Wrong(Fault.CHANGED, seal.block.number, event.uid)
    for block in SealBlock.objects.filter(pk__in={seal.block_id for seal in seals.values()}).order_by("number"):
        digests = Seal.objects.filter(block=block).order_by("event_id").values_list("digest", flat=True)
        if block_hash(block.number, block.sealed_at, block.previous_hash, digests) != block.hash:
            return len(seals), Wrong(Fault.BROKEN_CHAIN, block.number)
    return len(seals), None


@dataclass(frozen=True, slots=True)
class SealStatus:
    """The head of the chain, and since when an event waits for its seal (None: none waits)."""

    blocks: int
    head: str
    sealed_at: dt.datetime | None
    waiting_since: dt.datetime | None


def seal_status() -> SealStatus:
    """How far the chain reaches."""
    last = SealBlock.objects.order_by("-number").first()
    waiting = _unsealed(_complete_to()).order_by("id").values_list("at", flat=True).first()
    return SealStatus(last.number if last else 0, last.hash if last else "", last.sealed_at if last else None, waiting)
