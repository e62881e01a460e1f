"""Use, many requests in one transaction: decided in memory in order of arrival, written set-based (ledger.md, Batch).

A refused request consumes nothing and is not tried again after a later release. A single command is a batch of one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from django.db import transaction

from daicho.core.statements import among, chunks, fetch
from daicho.core.text import fingerprint
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, PoolRow, Spot, UseRow, UseStep
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.locking import load_uses
from daicho.domain.ledger.models import Unit, UseChange
from daicho.domain.ledger.posting import open_book
from daicho.domain.ledger.rules import Act, is_refused
from daicho.domain.ledger.writing import flush

REFUSED = "refused"  # the cause in use_change of an ask whose old count was released


@dataclass(frozen=True, slots=True)
class UseRequest:
    """What one unit wants. `lines`: tag and quantity.

    ASK and FACT set the reported count of each tag, each tag alone; TAKE adds to it, all or nothing; GIVE takes from
    it. `cause` is kept with each change: ask, report, assign, release.
    """

    unit_id: int
    request_id: uuid.UUID
    act: Act
    lines: tuple[tuple[LicenseTag, int], ...]
    cause: str

    @classmethod
    def ask(cls, unit: Unit, request_id: uuid.UUID, lines: Iterable[tuple[LicenseTag, int]]) -> UseRequest:
        """A device asks for these counts."""
        return cls(unit.pk, request_id, Act.ASK, tuple(lines), "ask")

    @classmethod
    def report(cls, unit: Unit, request_id: uuid.UUID, lines: Iterable[tuple[LicenseTag, int]]) -> UseRequest:
        """A usage report sets these counts: a fact, never refused."""
        return cls(unit.pk, request_id, Act.FACT, tuple(lines), "report")

    @classmethod
    def release(cls, unit: Unit, request_id: uuid.UUID, lines: Iterable[tuple[LicenseTag, int]]) -> UseRequest:
        """So many fewer are used."""
        return cls(unit.pk, request_id, Act.GIVE, tuple(lines), "release")

    @property
    def fingerprint(self) -> str:
        return fingerprint([self.act, self.cause, [[tag.pk, quantity] for tag, quantity in self.lines]])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a tag was refused: so many lack for what was asked, so many were available."""

    tag: LicenseTag
    code: str
    asked: int
    available: int
    missing: int
    virtual_account_id: int


@dataclass(slots=True)
class UseAnswer:
    """What became of a request: `counted` per tag id afterwards, and the refusals.

    `code` is set when the request as a whole was not decided: request_id_reused, unknown_unit.
    """

    request: UseRequest
    code: str = ""
    is_repeated: bool = False
    counted: dict[int, int] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def is_granted(self) -> bool:
        return not self.code and not self.refusals


@dataclass(frozen=True, slots=True)
class Decided:
    """The answers, in the order of the requests, and the book as it was written."""

    answers: list[UseAnswer]
    book: Book


def ask_many(requests: Sequence[UseRequest]) -> list[UseAnswer]:
    """Decide many requests of units in one transaction; nobody is answered before the commit."""
    with transaction.atomic():
        return decide(requests).answers


def decide(requests: Sequence[UseRequest], each: Callable[[UseAnswer, list[UseStep]], None] | None = None) -> Decided:
    """The same inside the caller's transaction. `each` hears every answer, with the changes it made, as it is given."""

    def reach(book: Book) -> list[Spot]:
        return [
            Spot(unit.account_id, unit.virtual_account_id, tag)
            for request in requests
            if (unit := book.units.get(request.unit_id)) is not None
            for tag, _ in request.lines
        ]

    unit_ids = {request.unit_id for request in requests}
    book = open_book(reach, unit_ids, for_lots=False)
    load_uses(book, book.units, {tag.pk for request in requests for tag, _ in request.lines})
    clerk = Clerk(book, _claims(book, requests))
    answers = []
    for request in requests:
        mark = len(book.steps)
        answers.append(clerk.decide(request))
        if each is not None:
            each(answers[-1], list(islice(book.steps.values(), mark, None)))
    flush(book)
    return Decided(answers, book)


def _claims(book: Book, requests: Sequence[UseRequest]) -> dict[tuple[int, uuid.UUID], list[UseChange]]:
    """The changes that earlier requests with these ids made; their units are locked, so none is still running."""
    found: dict[tuple[int, uuid.UUID], list[UseChange]] = {}
    accounts = sorted({unit.account_id for unit in book.units.values()})
    for part in chunks(sorted({request.request_id for request in requests})):
        of_accounts, first = among("account_id", accounts)
        of_requests, second = among("request_id", part)
        for row in fetch(UseChange, f"WHERE {of_accounts} AND {of_requests}", [*first, *second]):
            found.setdefault((row.account_id, row.request_id), []).append(row)
    return found


@dataclass(eq=False)
class Clerk:
    """Decides request after request on one book."""

    book: Book
    claims: dict[tuple[int, uuid.UUID], list[UseChange]]
    answered: dict[tuple[int, uuid.UUID], UseAnswer] = field(default_factory=dict)

    def decide(self, request: UseRequest) -> UseAnswer:
        """One answer; a repeated request gets its first one."""
        key = (request.unit_id, request.request_id)
        unit = self.book.units.get(request.unit_id)
        if unit is None:
            return UseAnswer(request, code="unknown_unit")
        if key in self.answered:
            first = self.answered[key]
            if first.request.fingerprint != request.fingerprint:
                return UseAnswer(request, code="request_id_reused")
            return replace(first, is_repeated=True)
        if (unit.account_id, request.request_id) in self.claims:
            return self._remembered(request, self.claims[unit.account_id, request.request_id])
        decided = (
            self._all_or_nothing(request, unit) if request.act in {Act.TAKE, Act.GIVE} else self._each(request, unit)
        )
        if decided.is_granted or self._is_written(key):
            self.answered[key] = decided
        return decided

    def _is_written(self, key: tuple[int, uuid.UUID]) -> bool:
        return any(step[:2] == key for step in self.book.steps)

    def _remembered(self, request: UseRequest, changes: list[UseChange]) -> UseAnswer:
        if any((change.unit_id, change.fingerprint) != (request.unit_id, request.fingerprint) for change in changes):
            return UseAnswer(request, code="request_id_reused")
        given = UseAnswer(request, is_repeated=True)
        for change in changes:
            given.counted[change.tag_id] = change.counted_after
        wanted = {tag.pk: (tag, quantity) for tag, quantity in request.lines}
        for change in changes:
            tag, quantity = wanted[change.tag_id]
            if change.cause == REFUSED:
                where = change.pool_after.virtual_account_id if change.pool_after else 0
                given.refusals.append(Refusal(tag, "not_enough_licenses", quantity, 0, quantity, where))
        return given

    # ── TAKE and GIVE: by people, relative, all lines or none ──

    def _all_or_nothing(self, request: UseRequest, unit: Unit) -> UseAnswer:
        sign = 1 if request.act is Act.TAKE else -1
        given = UseAnswer(request)
        uses = {tag.pk: self.book.use_of(unit, tag) for tag, _ in request.lines}
        before = {tag_id: (use.reported, use.counted) for tag_id, use in uses.items()}
        marks = self._mark(unit, [tag for tag, _ in request.lines])
        for tag, quantity in request.lines:
            use = uses[tag.pk]
            if not 0 <= use.reported + sign * quantity <= MAX_QUANTITY:
                given.refusals.append(Refusal(tag, "bad_quantity", quantity, use.reported, 0, unit.virtual_account_id))
                break
            self._set(use, use.reported + sign * quantity)
        if not given.refusals and is_refused(request.act, [pool.change for pool in marks]):
            given.refusals = self._refusals(request, unit, [pool for pool in marks if pool.change.missing])
        if given.refusals:
            for tag_id, use in uses.items():
                self._set(use, before[tag_id][0])
            return given
        for tag_id, use in uses.items():
            self._note(request, use, before[tag_id][1], request.cause)
            given.counted[tag_id] = use.counted
        return given

    def _refusals(self, request: UseRequest, unit: Unit, short: list[PoolRow]) -> list[Refusal]:
        """What lacks, told by the tags that were asked for: in a ladder the shortage may show in a lower tier."""
        asked: dict[int, tuple[LicenseTag, int]] = {}
        for tag, quantity in request.lines:
            asked[tag.pk] = (tag, quantity + asked.get(tag.pk, (tag, 0))[1])
        refusals = []
        for pool in short:
            told = [tier for tier in self.book.ladder_of(pool) if tier.tag.pk in asked]
            tier = pool if pool in told else told[0]
            quantity = asked[tier.tag.pk][1]
            available = tier.before.available
            missing = pool.change.missing
            refusals.append(
                Refusal(tier.tag, "not_enough_licenses", quantity, available, missing, unit.virtual_account_id)
            )
        return refusals

    # ── ASK and FACT: by devices, absolute, each tag alone ──

    def _each(self, request: UseRequest, unit: Unit) -> UseAnswer:
        given = UseAnswer(request)
        for tag, quantity in request.lines:
            use = self.book.use_of(unit, tag)
            reported, counted = use.reported, use.counted
            cause = request.cause
            if not self._is_countable(use, quantity):
                where = unit.virtual_account_id
                given.refusals.append(Refusal(tag, "bad_quantity", quantity, use.pool.before.available, 0, where))
            elif request.act is Act.FACT:
                self._set(use, quantity)
            elif tag.is_strict:
                refusal, cause = self._ask_strict(request, use, quantity)
                given.refusals += [refusal] if refusal else []
            elif refusal := self._ask(request, use, quantity):
                given.refusals.append(refusal)
            if (use.reported, use.counted) != (reported, counted):
                self._note(request, use, counted, cause)
            given.counted[tag.pk] = use.counted
        return given

    def _is_countable(self, use: UseRow, quantity: int) -> bool:
        """Within 0 … 2^53 − 1, alone and together with all others of the pool: even a fact must be exact."""
        others = use.pool.figures.in_use - use.counted
        return 0 <= quantity <= MAX_QUANTITY - others

    def _ask(self, request: UseRequest, use: UseRow, quantity: int) -> Refusal | None:
        """An unenforced tag is counted even when short, unless a strict tier of its ladder would be shorter for it."""
        old = use.reported
        tiers = self._mark(use.unit, [use.tag])
        self._set(use, quantity)
        if not is_refused(Act.ASK, [pool.change for pool in tiers]):
            return None
        refusal = self._refusal(use, quantity, tiers)
        self._set(use, old)
        return refusal

    def _ask_strict(self, request: UseRequest, use: UseRow, quantity: int) -> tuple[Refusal | None, str]:
        """Judged with the unit's own count taken out; refused, the old count goes back if no pool is short by it."""
        old = use.reported
        self._set(use, 0)
        tiers = self._mark(use.unit, [use.tag])
        self._set(use, quantity)
        if not is_refused(Act.ASK, [pool.change for pool in tiers]):
            return None, request.cause
        refusal = self._refusal(use, quantity, tiers)
        self._set(use, old)
        if any(pool.change.missing for pool in tiers):
            self._set(use, 0)
        return refusal, REFUSED

    def _refusal(self, use: UseRow, quantity: int, tiers: list[PoolRow]) -> Refusal:
        missing = max(pool.change.missing for pool in tiers if pool.tag.is_strict)
        where = use.unit.virtual_account_id
        return Refusal(use.tag, "not_enough_licenses", quantity, use.pool.before.available, missing, where)

    # ── the book ──

    def _mark(self, unit: Unit, tags: Sequence[LicenseTag]) -> list[PoolRow]:
        """The pools that these tags can make shorter, remembered as they are now."""
        pools = {
            id(tier): tier
            for tag in tags
            for tier in self.book.ladder_of(self.book.pool(unit.virtual_account_id, tag.pk))
        }
        for pool in pools.values():
            pool.before = replace(pool.figures)
        return list(pools.values())

    def _set(self, use: UseRow, reported: int) -> None:
        self.book.set_use(use, reported)
        self.book.reckon(self.book.ladder_of(use.pool))

    def _note(self, request: UseRequest, use: UseRow, counted_before: int, cause: str) -> None:
        self.book.note_use(
            use, use.pool, counted_before, request_id=request.request_id, fingerprint=request.fingerprint,
            act=request.act, cause=cause,
        )  # fmt: skip
