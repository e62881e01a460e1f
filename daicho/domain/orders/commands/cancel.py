"""An order line is cancelled: what is free goes back, what is used stays and is told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.text import clean
from daicho.domain.access.policy import ensure_operator, ensure_partner
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.ledger.commands.cancel import cancel_lot
from daicho.domain.ledger.models import Entry
from daicho.domain.orders import errors
from daicho.domain.orders.landing import follow_holdings
from daicho.domain.orders.models import OrderLine

State = OrderLine.State


@dataclass(frozen=True, slots=True)
class CancelledLine:
    """How many were cancelled, and how many could not be: they are in use, reserved, ended or lent."""

    line: OrderLine
    cancelled: int
    left: int


@command(permission=OperatorPermission.ORDERS, events=("order.line_cancelled", "license.cancelled"))
def cancel_line(actor: Actor, *, line: OrderLine, request_id: uuid.UUID, memo: str = "") -> CancelledLine:
    """Cancel a line of an order: by the operator, or by the partner company that recorded it.

    A line that still waits is cancelled whole. Of a delivered one everything unassigned and not yet started goes back,
    then what is spare in its virtual account, then what is spare elsewhere; the rest stays and is told. Raises
    `nothing_to_cancel`. Source: ledger.md, TAKE; product.md, Orders.
    """
    if line.order.company is None:
        ensure_operator(actor, OperatorPermission.ORDERS)
    else:
        ensure_partner(actor, line.order.company)
    locked = OrderLine.objects.select_for_update(of=("self",)).select_related(
        "lot", "account", "order", "tag", "virtual_account"
    )
    found = locked.filter(pk=line.pk).first()
    if found is None:
        raise NotFound
    memo = clean(memo)[:500]
    if found.state == State.CANCELLED:
        raise errors.nothing_to_cancel()
    if found.lot is None:
        outcome = CancelledLine(found, found.quantity, 0)
        found.state = State.CANCELLED
        found.save(update_fields=["state"])
    else:
        repeated = Entry.objects.filter(account=found.account, request_id=request_id).exists()
        living = found.virtual_account is not None and found.virtual_account.deleted_at is None
        done = cancel_lot(
            actor,
            account=found.account,
            request_id=request_id,
            lot=found.lot,
            virtual_account=found.virtual_account if living else None,
            memo=memo,
        )
        if done.cancelled == 0:
            raise errors.nothing_to_cancel()
        outcome = CancelledLine(found, done.cancelled, done.left)
        if repeated:
            return outcome
        follow_holdings([found.lot.pk])
    record(
        actor,
        "order.line_cancelled",
        account=found.account,
        virtual_account=found.virtual_account,
        subject=f"{found.order.number}-{found.line_number}",
        subject_uid=found.uid,
        after={"sku": found.tag.sku, "cancelled": outcome.cancelled, "left": outcome.left},
        memo=memo,
    )
    return outcome
