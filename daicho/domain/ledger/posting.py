"""The only way in for acts that move lots: claim, lock, settle time, act, judge once, write (ledger.md, Writing)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.statements import insert_rows
from daicho.core.text import fingerprint
from daicho.domain.ledger.book import Book, PoolRow, Spot
from daicho.domain.ledger.errors import already_undone, request_id_reused
from daicho.domain.ledger.locking import hold_virtual_accounts, load_places, lock_pools, lock_units
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.rules import Act, is_refused
from daicho.domain.ledger.settle import settle
from daicho.domain.ledger.sql import set_rows
from daicho.domain.ledger.writing import flush
from daicho.domain.tenancy.models import SmartAccount

Reach = Callable[[Book], Iterable[Spot]]
Write = Callable[[Book, Entry], None]
Refuse = Callable[[Book, list[PoolRow]], Exception]


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry and the book as it was written; a repeated request gets its first entry and no book."""

    entry: Entry
    book: Book | None

    @property
    def is_repeated(self) -> bool:
        return self.book is None


def post(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    kind: str,
    act: Act,
    content: Any,
    reach: Reach,
    write: Write,
    refuse: Refuse,
    units: Iterable[int] = (),
    memo: str = "",
    reverses: Entry | None = None,
) -> Posted:
    """Post one entry, whole or not at all, inside the command's transaction.

    `content` is the caller's input, before lots are chosen: the same request id with the same content gets the first
    answer, also while that is still being made; other content raises `request_id_reused`. `reach` names the pools
    once the `units` are locked; `write` acts on the book and may keep in `entry.answer` what the caller is told;
    `refuse` makes the error when the judge says no; whatever
    is raised undoes the claim too, so refusals are not remembered.
    """
    entry, is_new = _claim(actor, account, request_id, kind, fingerprint([kind, content, memo]), memo, reverses)
    if not is_new:
        return Posted(entry, None)
    book = open_book(reach, units)
    entry.at = book.at
    write(book, entry)
    judge(book, act, list(book.pools.values()), refuse)
    flush(book)
    set_rows(Entry, ["at", "answer"], [(entry.pk, entry.at, entry.answer)])
    return Posted(entry, book)


def judge(book: Book, act: Act, pools: Sequence[PoolRow], refuse: Refuse) -> None:
    """Judge an act, once, after all its moves and uses, by the whole ladders that it touched."""
    book.reckon_each(pools)
    if is_refused(act, [pool.change for pool in pools]):
        raise refuse(book, book.shorter(pools))


def open_book(reach: Reach, units: Iterable[int] = (), *, for_lots: bool = True) -> Book:
    """Lock what an act touches and settle its time. Needs a transaction. Acts on uses alone need no places."""
    book = Book()
    lock_units(book, units)
    spots = list(reach(book))
    hold_virtual_accounts(spot.virtual_account_id for spot in spots)
    if for_lots:
        load_places(book, {spot.virtual_account_id: spot.account_id for spot in spots})
    lock_pools(book, spots)
    book.at = now()
    settle(book)
    book.begin_act()
    return book


def never_refused(book: Book, short: list[PoolRow]) -> Exception:
    """For acts that the judge lets pass: GIVE and FACT always, a cancellation because it takes only what is spare, a
    co-term because as many lie where they lay."""
    return LookupError(f"{len(short)} pools became shorter by an act that cannot make them so")


def _claim(
    actor: Actor,
    account: SmartAccount,
    request_id: uuid.UUID,
    kind: str,
    content: str,
    memo: str,
    reverses: Entry | None,
) -> tuple[Entry, bool]:
    """The entry of this request and whether it is new. On PostgreSQL this waits for the same request still running."""
    claim = entry_of(actor, account, request_id, kind, content, memo, reverses)
    for (number,) in _insert([claim], "ON CONFLICT DO NOTHING RETURNING id"):
        claim.pk = number
        return claim, True
    found = Entry.objects.filter(account=account, request_id=request_id).first()
    if found is None:
        raise already_undone()  # the only other thing that an entry can collide with
    if found.fingerprint != content:
        raise request_id_reused()
    return found, False


def entry_of(
    actor: Actor,
    account: SmartAccount,
    request_id: uuid.UUID,
    kind: str,
    content: str,
    memo: str = "",
    reverses: Entry | None = None,
) -> Entry:
    """An entry that is not written yet; `content` is the fingerprint of what the caller asked for."""
    return Entry(
        account=account, request_id=request_id, fingerprint=content, kind=kind, memo=memo[:500], reverses=reverses,
        actor_kind=actor.kind, actor_name=actor.name[:200], actor_user_id=actor.user_id,
    )  # fmt: skip


def insert_entries(entries: Sequence[Entry]) -> None:
    """Write entries that were decided already; IntegrityError if one of their requests was claimed in the meantime."""
    by_uid = {entry.uid: entry for entry in entries}
    for number, uid in _insert(entries, "RETURNING id, uid"):
        by_uid[uid].pk = number


def _insert(entries: Sequence[Entry], rest: str) -> list[tuple[Any, ...]]:
    columns = [field for field in Entry._meta.concrete_fields if not field.primary_key]
    rows = [[getattr(entry, field.attname) for field in columns] for entry in entries]
    return insert_rows(Entry, [field.name for field in columns], rows, rest)
