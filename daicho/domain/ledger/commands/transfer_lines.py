"""Many lines of a transfer, each of which succeeds or fails alone: a part of a job, one entry of what could be moved."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.policy import Scope
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.door import ensure_may_in, names_for
from daicho.domain.ledger.errors import (
    approval_needed,
    no_lines,
    not_enough_licenses,
    nothing_spare,
    quantity_too_large,
    same_virtual_account,
    too_many_lines,
)
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.judging import Names
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Lot
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.rules import Act, Choice
from daicho.domain.ledger.stock import Store
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class Line:
    """One line: so many of a license, or of one lot, or (quantity None) all that is spare. `number`: its name to the caller."""

    number: int
    source: VirtualAccount
    target: VirtualAccount
    tag: LicenseTag
    quantity: int | None
    lot_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that stayed where it was, and why, in the language of who acted."""

    number: int
    column: str
    code: str
    text: str

    @classmethod
    def of(cls, number: int, column: str, error: BusinessError) -> Refused:
        return cls(number, column, error.code, error.text())


@dataclass(frozen=True, slots=True)
class LinesDone:
    """What became of the lines: the entry (none if nothing moved), how many licenses it moved, and what was refused."""

    entry: Entry | None
    quantity: int
    refused: list[Refused]


class _NothingMovedError(Exception):
    """Takes back the claim of an entry that would move nothing."""


@command(permission=Permission.LICENSES_MANAGE, events=("license.transferred",))
def transfer_lines(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    content: Any,
    lines: Sequence[Line],
    choice: str = Choice.SOONEST_END,
    memo: str = "",
) -> LinesDone:
    """Move what can be moved of up to 10,000 lines, as one entry; each line is judged alone, in order.

    `content` is what the caller was given, before anything was looked up: the same request again, with the same
    content, gets the first answer. A line out of a virtual account whose administrator must approve is refused, and so
    is one that would make any license shorter. Raises not_found, forbidden (403), request_id_reused (409),
    too_many_lines, no_lines (422).
    """
    if not lines:
        raise no_lines()
    if len(lines) > MAX_LINES:
        raise too_many_lines()
    scope = ensure_may_in(
        actor, Permission.LICENSES_MANAGE, account, [place for line in lines for place in (line.source, line.target)]
    )
    porter = _Porter(scope, lines, Choice(choice), _must_ask(actor, account, scope))
    try:
        with transaction.atomic():
            posted = post(
                actor,
                account=account,
                request_id=request_id,
                kind=Entry.Kind.TRANSFER,
                act=Act.TAKE,
                content=content,
                reach=lambda book: porter.spots(account),
                write=porter.carry,
                refuse=never_refused,
                memo=memo,
            )
    except _NothingMovedError:
        return LinesDone(None, 0, porter.refused)
    if posted.book is not None:
        record_moves(actor, "license.transferred", posted.entry, posted.book)
    answer = posted.entry.answer
    return LinesDone(posted.entry, answer["quantity"], [Refused(*one) for one in answer["refused"]])


def _must_ask(actor: Actor, account: SmartAccount, scope: Scope) -> Scope | None:
    """The rights by which a source needs no approval; None where nothing does."""
    return scope if account.transfers_need_approval and not actor.is_system else None


class _Porter:
    """Carries line after line in the book; a line that may not go leaves no trace there."""

    def __init__(self, scope: Scope, lines: Sequence[Line], choice: Choice, approval: Scope | None) -> None:
        self.lines, self.choice, self.approval = lines, choice, approval
        self.names: Names = names_for(scope, [place for line in lines for place in (line.source, line.target)])
        self.refused: list[Refused] = []
        self.quantity = 0

    def spots(self, account: SmartAccount) -> list[Spot]:
        return [Spot(account.pk, place.pk, line.tag) for line in self.lines for place in (line.source, line.target)]

    def carry(self, book: Book, entry: Entry) -> None:
        book.reckon_all()
        self.book, self.entry, self.store = book, entry, Store(book)
        self.refused, self.quantity = [], 0
        self.named = self.store.load_lots(
            [line.lot_uid for line in self.lines if line.lot_uid], self.lines[0].source.account_id
        )
        self.store.load(self._wanted(), self.choice)
        for line in self.lines:
            try:
                self.quantity += self._carry_one(line)
            except BusinessError as error:
                self.refused.append(Refused.of(line.number, _column_of(error), error))
        if not book.moves:
            raise _NothingMovedError
        entry.answer = {
            "quantity": self.quantity,
            "refused": [[one.number, one.column, one.code, one.text] for one in self.refused],
        }

    def _wanted(self) -> dict[tuple[int, int], int]:
        """What is asked of each (virtual account, tag), at most what lies there."""
        wanted: dict[tuple[int, int], int] = defaultdict(int)
        for line in self.lines:
            if not line.lot_uid:
                pool = self.book.pool(line.source.pk, line.tag.pk)
                asked = pool.figures.on_hand if line.quantity is None else line.quantity
                wanted[line.source.pk, line.tag.pk] += asked
        return {
            key: min(asked, self.book.pools[key].figures.on_hand)
            for key, asked in wanted.items()
            if self.book.pools[key].figures.on_hand > 0
        }

    def _carry_one(self, line: Line) -> int:
        """Move one line, or raise why not."""
        source, target = (self.book.pool(place.pk, line.tag.pk) for place in (line.source, line.target))
        if source is target:
            raise same_virtual_account()
        if self.approval is not None and not self.approval.allows(Permission.TRANSFERS_APPROVE, line.source.pk):
            raise approval_needed(line.source.name)
        available = source.figures.available
        quantity = line.quantity if line.quantity is not None else available
        if quantity == 0:
            raise nothing_spare(line.source.name, line.tag.sku)
        if target.figures.on_hand + target.figures.pending + quantity > MAX_QUANTITY:
            raise quantity_too_large(line.tag.sku)
        tiers = self.book.ladder_of(source)
        short = [tier.figures.short for tier in tiers]
        mark = len(self.book.moves)
        parts = self._parts(line, quantity)
        for lot, part in parts:
            place = self.book.place_by_time(line.target.pk, lot)
            self.book.move(self.entry, lot, self.book.place_by_time(line.source.pk, lot), place, part)
            self.store.put(place, lot)
        self.book.reckon(tiers)
        lacking = quantity - sum(part for _, part in parts)
        longer = [tier.figures.short - before for tier, before in zip(tiers, short, strict=True)]
        if lacking or max(longer) > 0:
            self.book.take_back(mark)
            self.book.reckon(tiers)
            if line.lot_uid and lacking:
                available = quantity - lacking
            raise not_enough_licenses(
                "transfer",
                virtual_account=self.names(line.source.pk),
                sku=line.tag.sku,
                asked=quantity,
                available=min(available, quantity - 1),
                missing=max(lacking, quantity - available, 1),
                lot=line.lot_uid if line.lot_uid and lacking else "",
            )
        self.book.reckon(self.book.ladder_of(target))
        return quantity

    def _parts(self, line: Line, quantity: int) -> list[tuple[Lot, int]]:
        if not line.lot_uid:
            return self.store.choose(line.source.pk, line.tag.pk, quantity, self.choice)
        lot = self.named.get(line.lot_uid)
        if lot is None or lot.tag_id != line.tag.pk:
            raise NotFound
        there = self.book.quantities[self.book.place_by_time(line.source.pk, lot).id, lot.pk]
        if there <= 0:
            raise NotFound
        return [(lot, min(there, quantity))]


def _column_of(error: BusinessError) -> str:
    """The column of a file in which a refusal belongs."""
    match error.code:
        case "not_found":
            return "lot"
        case "same_virtual_account":
            return "target"
        case "approval_needed":
            return "source"
    return "quantity"
