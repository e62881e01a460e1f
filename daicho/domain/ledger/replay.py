"""The whole history again (I9): no TAKE ever made a pool shorter, no ASK a strict one.

The database puts what happened in order; plain rows of numbers come in parts, so that millions need little memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction

from daicho.core.db import is_postgres
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger import rules
from daicho.domain.ledger.batch import REFUSED
from daicho.domain.ledger.finding import Finding
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.rules import Act, Change, Tier

Key = tuple[int, int]  # virtual account, tag

TAKES = {
    Entry.Kind.TRANSFER, Entry.Kind.RESERVE, Entry.Kind.FULFIL, Entry.Kind.CONVERT, Entry.Kind.CO_TERM,
    Entry.Kind.CANCEL, Entry.Kind.UNDO, Entry.Kind.REUSE,
}  # fmt: skip
ASKS = {Entry.Kind.MOVE_UNIT, Entry.Kind.REPLACE}
# By the kind of an entry, or by the class that a change of a use without one wrote down; all else is a fact.
ACTS = {str(kind): Act.TAKE for kind in TAKES} | {str(kind): Act.ASK for kind in ASKS} | {str(act): act for act in Act}

PART = 5_000  # rows

# Rows of one act stand together: the clock before people before devices, and of those without an entry every ask
# alone, people's lines of one request as one. `own`: what an ask of a strict tag is judged without.
STATEMENT = f"""
    SELECT turn, number, kind, unit, request, tag, own, account_a, tag_a, amount_a, account_b, tag_b, amount_b, book
    FROM (
        SELECT entry.at, CASE WHEN entry.kind = 'time' THEN 0 ELSE 1 END AS turn, entry.id AS number,
               posting.id AS row_id, entry.kind, NULL AS unit, NULL AS request, lot.tag_id AS tag, 0 AS own,
               CASE WHEN source.kind = 'on_hand' THEN source.virtual_account_id END AS account_a,
               lot.tag_id AS tag_a, -posting.quantity AS amount_a,
               CASE WHEN target.kind = 'on_hand' THEN target.virtual_account_id END AS account_b,
               lot.tag_id AS tag_b, posting.quantity AS amount_b, CASE WHEN lot.billing = 'usage' THEN 2 ELSE 1 END AS book
        FROM ledger_posting AS posting
        JOIN ledger_entry AS entry ON entry.id = posting.entry_id
        JOIN ledger_lot AS lot ON lot.id = posting.lot_id
        JOIN ledger_place AS source ON source.id = posting.source_id
        JOIN ledger_place AS target ON target.id = posting.target_id
        WHERE source.kind = 'on_hand' OR target.kind = 'on_hand'
        UNION ALL
        SELECT COALESCE(entry.at, used.at), CASE WHEN entry.id IS NULL THEN 2 WHEN entry.kind = 'time' THEN 0 ELSE 1 END,
               CASE WHEN entry.id IS NOT NULL THEN entry.id WHEN used.act_class = 'ask' THEN used.id
                    ELSE MIN(used.id) OVER (PARTITION BY used.unit_id, used.request_id, used.at) END,
               used.id, COALESCE(entry.kind, used.act_class), CASE WHEN entry.id IS NULL THEN used.unit_id END,
               CASE WHEN entry.id IS NULL THEN used.request_id END, used.tag_id,
               CASE WHEN entry.id IS NULL AND before.id = after.id AND used.cause <> '{REFUSED}'
                    THEN used.counted_before ELSE 0 END,
               before.virtual_account_id, before.tag_id, -used.counted_before,
               after.virtual_account_id, after.tag_id, used.counted_after, 0
        FROM ledger_usechange AS used
        LEFT JOIN ledger_entry AS entry ON entry.id = used.entry_id
        LEFT JOIN ledger_pool AS before ON before.id = used.pool_before_id
        LEFT JOIN ledger_pool AS after ON after.id = used.pool_after_id
    ) AS steps ORDER BY at, turn, number, book DESC, row_id
"""  # noqa: S608


class Step(NamedTuple):
    """A move of a lot or a change of a use: what left pool a and what came to pool b (no account: neither is a pool).

    `book`: 0 in use, 1 on hand, 2 on hand and billed by usage. Steps of the same turn and number were one act.
    """

    turn: int
    number: int
    kind: str
    unit: int | None
    request: Any
    tag: int
    own: int
    account_a: int | None
    tag_a: int
    amount_a: int
    account_b: int | None
    tag_b: int
    amount_b: int
    book: int


@dataclass(slots=True)
class State:
    """A pool on its way through history."""

    on_hand: int = 0
    usage_on_hand: int = 0
    in_use: int = 0


@dataclass(eq=False)
class History:
    """All pools as they stood at one moment."""

    tags: dict[int, LicenseTag] = field(default_factory=LicenseTag.objects.in_bulk)
    pools: dict[Key, State] = field(default_factory=lambda: defaultdict(State))
    tiers: dict[int, list[int]] = field(init=False)
    strict: set[int] = field(init=False)  # tags in whose ladder a strict one stands

    def __post_init__(self) -> None:
        self.tiers = {tag.pk: [tag.pk] for tag in self.tags.values()}
        ladders: dict[int, list[int]] = defaultdict(list)
        for tag in sorted(self.tags.values(), key=lambda tag: tag.rank or 0):
            if tag.ladder_id is not None:
                ladders[tag.ladder_id].append(tag.pk)
                self.tiers[tag.pk] = ladders[tag.ladder_id]
        self.strict = {pk for pk, tiers in self.tiers.items() if any(self.tags[tier].is_strict for tier in tiers)}

    def short(self, ladder: tuple[Key, ...]) -> list[int]:
        states = [self.pools[key] for key in ladder]
        covers = rules.cover([Tier(state.on_hand, state.in_use, state.usage_on_hand) for state in states])
        return [
            max(0, -rules.balance(state.on_hand, state.in_use, cover))
            for state, cover in zip(states, covers, strict=True)
        ]

    def judge(self, steps: Sequence[Step]) -> Finding | None:
        """Do one act; a finding if it should have been refused."""
        act = ACTS.get(steps[0].kind, Act.FACT)
        if not self.may_be_refused(act, steps):
            self.do(steps)
            return None
        ladders = list(
            dict.fromkeys(tuple((account, tier) for tier in self.tiers[tag]) for account, tag in _pools(steps))
        )
        own_steps = [step for step in steps if step.own and act is Act.ASK and self.tags[step.tag].is_strict]
        owns = [(key, step.own) for step in own_steps for key in _pools([step])[:1]]
        for key, own in owns:
            self.pools[key].in_use -= own
        before = [amount for ladder in ladders for amount in self.short(ladder)]
        self.do(steps)
        for key, own in owns:
            self.pools[key].in_use += own
        after = [amount for ladder in ladders for amount in self.short(ladder)]
        keys = [key for ladder in ladders for key in ladder]
        changes = [
            Change(self.tags[key[1]].is_strict, was, now) for key, was, now in zip(keys, before, after, strict=True)
        ]
        if not rules.is_refused(act, changes):
            return None
        key, change = max(zip(keys, changes, strict=True), key=lambda pair: pair[1].missing)
        where = f"the pool of virtual account {key[0]} and tag {key[1]}"
        return Finding("I9", *_told(steps[0]), f"a {act} made {where} shorter by {change.missing}")

    def may_be_refused(self, act: Act, steps: Sequence[Step]) -> bool:
        """Whether judging can come to anything: most acts of a large history are facts, or ask for what is not strict."""
        if act is Act.ASK:
            return any(tag in self.strict for _, tag in _pools(steps))
        return act is Act.TAKE

    def do(self, steps: Sequence[Step]) -> None:
        pools = self.pools
        for *_, account_a, tag_a, amount_a, account_b, tag_b, amount_b, book in steps:
            for account, tag, amount in ((account_a, tag_a, amount_a), (account_b, tag_b, amount_b)):
                if account is None:
                    continue
                state = pools[account, tag]
                if book == 0:
                    state.in_use += amount
                    continue
                state.on_hand += amount
                if book == 2:
                    state.usage_on_hand += amount


def replay() -> Iterator[Finding]:
    """Judge every act again, in the order in which they were decided."""
    history = History()
    with transaction.atomic():
        for _, act in groupby(_steps(), key=lambda step: step[:2]):
            finding = history.judge(list(act))
            if finding is not None:
                yield finding


def _steps() -> Iterator[Step]:
    if is_postgres():
        with connection.cursor() as cursor:  # all rows are read, so the plan that is quickest to the last is wanted
            cursor.execute("SET LOCAL work_mem = '256MB'; SET LOCAL cursor_tuple_fraction = 1")
    with connection.chunked_cursor() as cursor:
        cursor.execute(STATEMENT)
        while rows := cursor.fetchmany(PART):
            yield from map(Step._make, rows)


def _pools(steps: Sequence[Step]) -> list[Key]:
    """The pools that steps touch."""
    return [
        (account, tag)
        for step in steps
        for account, tag in ((step.account_a, step.tag_a), (step.account_b, step.tag_b))
        if account is not None
    ]


def _told(step: Step) -> tuple[str, dict[str, Any]]:
    """The table and the row by which a finding names an act."""
    if step.unit is None:
        return "entry", {"entry": step.number}
    return "use_change", {"unit": step.unit, "request": step.request}
