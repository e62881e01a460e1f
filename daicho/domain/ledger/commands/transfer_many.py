"""Transfers that wait for one another: many in one transaction, decided in memory in order of arrival (ledger.md, Batch)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.errors import BusinessError
from daicho.core.statements import among, ask
from daicho.core.text import fingerprint
from daicho.domain.access.policy import Scope
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import record_many
from daicho.domain.ledger.book import Book
from daicho.domain.ledger.carrying import Move, asked_of, carry_from, ensure_all_carried, spots_of
from daicho.domain.ledger.commands.transfer import content_of, ensure_may_transfer, needs_approval, refusing
from daicho.domain.ledger.door import names_for
from daicho.domain.ledger.events import describe_moves
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.posting import entry_of, insert_entries, judge, open_book
from daicho.domain.ledger.rules import Act, Choice
from daicho.domain.ledger.stock import Store
from daicho.domain.ledger.writing import flush
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True, slots=True)
class TransferAsk:
    """What one of them wants: the arguments of `transfer_licenses`."""

    actor: Actor
    account: SmartAccount
    request_id: uuid.UUID
    moves: Sequence[Move]
    choice: str = Choice.SOONEST_END
    memo: str = ""


type Decision = Entry | BusinessError | None
"""The entry, the refusal, or None: to be made alone, by `transfer_licenses` (a repeated request, a lot chosen by hand, an
approval to be asked for)."""


def transfer_many(asks: Sequence[TransferAsk]) -> list[Decision]:
    """Make many transfers in the caller's transaction, each whole or not at all; answers stand in the order of the asks.

    A refused one consumes nothing and fails nobody else. The database raises IntegrityError, and nothing is written, if
    one of the requests is made by somebody else at the same moment.
    """
    answers: list[Decision] = [None] * len(asks)
    scopes: dict[int, Scope] = {}
    known = _known(asks)
    for number, one in enumerate(asks):
        key = (one.account.pk, one.request_id)
        try:
            scope = ensure_may_transfer(one.actor, one.account, one.moves)
        except BusinessError as refusal:
            answers[number] = refusal
            continue
        if (
            key in known
            or any(move.lot_uid for move in one.moves)
            or needs_approval(one.actor, one.account, scope, one.moves)
        ):
            continue
        known.add(key)
        scopes[number] = scope
    if not scopes:
        return answers
    clerk = _Clerk([asks[number] for number in scopes])
    for number, scope in scopes.items():
        answers[number] = clerk.decide(asks[number], scope)
    clerk.write()
    return answers


def _known(asks: Sequence[TransferAsk]) -> set[tuple[int, uuid.UUID]]:
    """The requests that were made before, as an entry or as one that waits for approval."""
    accounts, requests = sorted({one.account.pk for one in asks}), sorted({one.request_id for one in asks})
    found: set[tuple[int, uuid.UUID]] = set()
    of_accounts, first = among("account_id", accounts)
    of_requests, second = among("request_id", requests)
    condition = f"WHERE {of_accounts} AND {of_requests}"
    statement = (
        f"SELECT account_id, request_id FROM ledger_entry {condition}"  # noqa: S608
        f" UNION ALL SELECT account_id, request_id FROM ledger_transferrequest {condition}"
    )
    for account, request in ask(statement, [*first, *second] * 2):
        found.add((account, request if isinstance(request, uuid.UUID) else uuid.UUID(request)))
    return found


class _Clerk:
    """Decides transfer after transfer on one book, then writes them together."""

    def __init__(self, asks: Sequence[TransferAsk]) -> None:
        moves = [move for one in asks for move in one.moves]
        self.book: Book = open_book(lambda book: spots_of(moves))
        self.store = Store(self.book)
        wanted = asked_of(moves)
        for choice in sorted({one.choice for one in asks}):
            self.store.load(wanted, Choice(choice))
        self.entries: list[Entry] = []
        self.events: list[Event] = []

    def decide(self, one: TransferAsk, scope: Scope) -> Entry | BusinessError:
        content = fingerprint([Entry.Kind.TRANSFER, content_of(one.moves, one.choice), one.memo])
        entry = entry_of(one.actor, one.account, one.request_id, Entry.Kind.TRANSFER, content, one.memo)
        entry.at = self.book.at
        names = names_for(scope, [place for move in one.moves for place in (move.source, move.target)])
        pools, mark = self.book.whole_ladders(spots_of(one.moves)), len(self.book.moves)
        try:
            with self.book.attempt(pools):
                chosen = carry_from(self.store, entry, one.moves, Choice(one.choice), {})
                ensure_all_carried("transfer", self.book, one.moves, chosen, names)
                judge(self.book, Act.TAKE, pools, refusing(one.moves, names))
        except BusinessError as refusal:
            return refusal
        self.entries.append(entry)
        moved = self.book.moves[mark:]
        self.events += describe_moves(one.actor, "license.transferred", entry, self.book, moved)
        return entry

    def write(self) -> None:
        if self.entries:
            insert_entries(self.entries)
            flush(self.book)
            record_many(self.events)
