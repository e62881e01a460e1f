"""Unassigned lines get their virtual account, whole or split (S19: this is how a bought license becomes usable)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.core.ids import derived_uuid
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.commands.deposit import AssignPart, assign_unassigned
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Lot
from daicho.domain.orders import errors
from daicho.domain.orders.landing import follow_holdings
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import unassigned_of
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class LinePart:
    """So many of a line for a virtual account."""

    line: OrderLine
    virtual_account: VirtualAccount
    quantity: int


@command(permission=Permission.ORDERS_ASSIGN, events=("license.assigned",))
def assign_lines(
    actor: Actor, *, account: SmartAccount, request_id: uuid.UUID, parts: Sequence[LinePart], memo: str = ""
) -> Entry:
    """Assign unassigned licenses of orders to virtual accounts; all parts or none.

    A line may be split over several virtual accounts, and a rest may stay unassigned. Up to 10,000 parts. Raises
    FieldErrors (`parts.<index>.<field>`), `not_enough_unassigned`, `agreement_pending`, `request_id_reused`.
    """
    ensure_may(actor, Permission.ORDERS_ASSIGN, account)
    if not parts:
        raise FieldErrors({"parts": errors.no_lines()})
    if len(parts) > MAX_LINES:
        raise errors.too_many_lines(MAX_LINES)
    repeated = Entry.objects.filter(account=account, request_id=request_id).exists()
    left = unassigned_of([part.line for part in parts])
    wrong: dict[str, BusinessError] = {}
    wanted: list[AssignPart] = []
    for index, part in enumerate(parts):
        line, quantity = part.line, part.quantity
        foreign = line.account_id != account.pk or part.virtual_account.account_id != account.pk
        if foreign or part.virtual_account.deleted_at is not None:
            raise NotFound
        if not 1 <= quantity <= MAX_QUANTITY:
            wrong[f"parts.{index}.quantity"] = errors.bad_quantity()
            continue
        if not repeated:
            _ensure_left(line, quantity, left, wrong, index)
        if line.lot is not None:
            wanted.append(AssignPart(line.lot.uid, quantity, part.virtual_account))
    if wrong:
        raise FieldErrors(wrong)
    entry = assign_unassigned(actor, account=account, request_id=request_id, parts=wanted, memo=memo)
    follow_holdings([part.line.lot_id for part in parts if part.line.lot_id is not None])
    return entry


def _ensure_left(
    line: OrderLine, quantity: int, left: dict[int, int], wrong: dict[str, BusinessError], index: int
) -> None:
    rest = left.get(line.pk, 0) - quantity
    if rest < 0:
        wrong[f"parts.{index}.quantity"] = errors.not_unassigned(
            line.order.number, line.line_number, left.get(line.pk, 0)
        )
    else:
        left[line.pk] = rest


@command(permission=Permission.ORDERS_ASSIGN, events=("license.undone",))
def undo_assignment(
    actor: Actor, *, account: SmartAccount, entry_uid: str, request_id: uuid.UUID | None = None, memo: str = ""
) -> Entry:
    """Take an assignment back: the licenses are unassigned again, all or none. Raises as the ledger's undo."""
    ensure_may(actor, Permission.ORDERS_ASSIGN, account)
    entry = undo_entry(
        actor,
        account=account,
        entry_uid=entry_uid,
        request_id=request_id or derived_uuid(entry_uid, "undo"),
        memo=memo,
    )
    follow_holdings(list(Lot.objects.filter(postings__entry=entry).values_list("pk", flat=True).distinct()))
    return entry
