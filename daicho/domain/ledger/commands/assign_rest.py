"""All that lies unassigned of many lots goes to one virtual account: a part of a job, one entry."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.book import Book, Spot
from daicho.domain.ledger.commands.deposit import find_lots
from daicho.domain.ledger.door import ensure_of
from daicho.domain.ledger.errors import no_lines, too_many_lines
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.ledger.locking import load_outside, lock_holdings
from daicho.domain.ledger.models import Entry, Place
from daicho.domain.ledger.posting import never_refused, post
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class RestAssigned:
    """The entry (none if nothing was left), how many licenses it assigned, and the lots of which nothing was left."""

    entry: Entry | None
    quantity: int
    empty: list[str]


class _NothingLeftError(Exception):
    """Takes back the claim of an entry that would move nothing."""


@command(permission=Permission.ORDERS_ASSIGN, events=("license.assigned",))
def assign_rest(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    content: Any,
    lot_uids: Sequence[str],
    virtual_account: VirtualAccount,
    memo: str = "",
) -> RestAssigned:
    """Assign all that is unassigned of up to 10,000 lots to one virtual account, as one entry.

    How much that is, is read when they are locked. `content` makes two requests the same. Raises not_found,
    too_many_lines, no_lines (422), request_id_reused (409).
    """
    ensure_may(actor, Permission.ORDERS_ASSIGN, account)
    ensure_of(account, virtual_account)
    if not lot_uids:
        raise no_lines()
    if len(lot_uids) > MAX_LINES:
        raise too_many_lines()
    lots = find_lots(account, lot_uids)

    def write(book: Book, entry: Entry) -> None:
        load_outside(book, unassigned_of=account.pk)
        unassigned = book.place(Place.Kind.UNASSIGNED)
        lock_holdings(book, unassigned, [lot.pk for lot in lots.values()])
        left = {uid: book.quantities[unassigned.id, lot.pk] for uid, lot in lots.items()}
        for uid, lot in lots.items():
            if left[uid] > 0:
                book.move(entry, lot, unassigned, book.place_by_time(virtual_account.pk, lot), left[uid])
        if not book.moves:
            raise _NothingLeftError
        entry.answer = {"quantity": sum(left.values()), "empty": [uid for uid, rest in left.items() if not rest]}

    try:
        with transaction.atomic():
            posted = post(
                actor,
                account=account,
                request_id=request_id,
                kind=Entry.Kind.ASSIGN_ORDER,
                act=Act.GIVE,
                content=content,
                reach=lambda book: [Spot(account.pk, virtual_account.pk, lot.tag) for lot in lots.values()],
                write=write,
                refuse=never_refused,
                memo=memo,
            )
    except _NothingLeftError:
        return RestAssigned(None, 0, list(lots))
    if posted.book is not None:
        record_moves(actor, "license.assigned", posted.entry, posted.book)
    answer = posted.entry.answer
    return RestAssigned(posted.entry, answer["quantity"], answer["empty"])
