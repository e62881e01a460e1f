"""Lines of the event log for acts on lots and uses: one for each side, without a word of the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from daicho.core.actor import Actor
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.ledger.book import Book, Figures, LotMove, UseStep
from daicho.domain.ledger.models import Entry, Place


def record_moves(actor: Actor, kind: str, entry: Entry, book: Book) -> None:
    """Write `describe_moves` of all that the book moved."""
    record_many(describe_moves(actor, kind, entry, book, book.moves))


def describe_moves(actor: Actor, kind: str, entry: Entry, book: Book, moves: Iterable[LotMove]) -> list[Event]:
    """One line per virtual account, tag and other side; what never was in a virtual account stands in the account's log."""
    flows: dict[tuple[int | None, int | None, int, str], int] = defaultdict(int)
    for move in moves:
        source, target = move.source.virtual_account_id, move.target.virtual_account_id
        if source == target:
            flows[source, None, move.lot.tag_id, _direction(move)] += move.quantity
            continue
        if source is not None:
            flows[source, target, move.lot.tag_id, "out"] += move.quantity
        if target is not None:
            flows[target, source, move.lot.tag_id, "in"] += move.quantity
    return [
        describe(
            actor,
            kind,
            account_id=entry.account_id,
            virtual_account_id=place,
            other_virtual_account_id=other,
            subject=book.tags[tag_id].sku,
            subject_uid=entry.uid,
            before=_told(book.pool(place, tag_id).before) if place else None,
            after={"quantity": quantity, "direction": direction}
            | (_told(book.pool(place, tag_id).figures) if place else {}),
            memo=entry.memo,
        )
        for (place, other, tag_id, direction), quantity in flows.items()
    ]


def record_uses(actor: Actor, kind: str, book: Book, *, subject: str = "", memo: str = "") -> None:
    """Write `describe_uses` of all that the book counted."""
    record_many(describe_uses(actor, kind, book.steps.values(), subject=subject, memo=memo))


def describe_uses(
    actor: Actor, kind: str, steps: Iterable[UseStep], *, subject: str = "", memo: str = ""
) -> list[Event]:
    """One line per unit and tag whose count or report changed. `subject`: what people call the unit."""
    return [
        describe(
            actor,
            kind,
            account_id=step.unit.account_id,
            virtual_account_id=step.pool_after.virtual_account_id,
            subject=subject or step.tag.sku,
            subject_uid=step.unit.uid,
            before={"sku": step.tag.sku, "counted": step.counted_before, "balance": step.pool_after.before.balance},
            after={"sku": step.tag.sku, "counted": step.counted_after, "balance": step.pool_after.figures.balance},
            memo=memo,
        )
        for step in steps
    ]


def _direction(move: LotMove) -> str:
    """Seen from the one side there is: within a virtual account, or in and out of the account itself."""
    if move.source.virtual_account_id is not None:
        return "within"
    return "in" if move.target.kind == Place.Kind.UNASSIGNED else "out"


def _told(figures: Figures) -> dict[str, Any]:
    return {
        "on_hand": figures.on_hand,
        "in_use": figures.in_use,
        "reserved": figures.reserved + figures.fulfilled,
        "balance": figures.balance,
    }
