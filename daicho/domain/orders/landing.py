"""Order lines become lots: the one place where this room calls the ledger's deposit."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from itertools import groupby

from daicho.core import clock
from daicho.core.actor import Actor
from daicho.core.ids import derived_uuid
from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
from daicho.domain.ledger.models import Holding, Place
from daicho.domain.orders.models import OrderLine

State = OrderLine.State


def land_lines(actor: Actor, lines: Sequence[OrderLine]) -> None:
    """Deposit lines that waited and may land now, and save where each came to."""
    deposit_lines(actor, lines)
    for line in lines:
        line.save(update_fields=["lot", "deposited_at", "state"])


def deposit_lines(actor: Actor, lines: Sequence[OrderLine]) -> None:
    """Deposit lines that may land now: one entry per account, whose request id is that of its lines.

    The lines get their lot and state and are not saved: new ones are written once, with both.
    """
    for _, group in groupby(sorted(lines, key=lambda line: line.account_id), key=lambda line: line.account_id):
        _deposit_together(actor, list(group))


def _deposit_together(actor: Actor, lines: list[OrderLine]) -> None:
    account = lines[0].account
    deposit = deposit_lots(
        actor,
        account=account,
        request_id=derived_uuid(*[line.uid for line in lines], "deposit"),
        lots=[new_lot(line) for line in lines],
        memo=lines[0].order.memo,
    )
    by_uid = {lot.order_line_uid: lot for lot in deposit.lots}
    at = clock.now()
    for line in lines:
        line.lot = by_uid[line.uid]
        line.deposited_at = at
        line.state = State.DEPOSITED if line.virtual_account_id is not None else State.UNASSIGNED


def new_lot(line: OrderLine) -> NewLot:
    """The lot of a line."""
    zone = line.account.time_zone
    start_at, end_at = instants(line.start_on or clock.today(zone), line.end_on, zone)
    return NewLot(
        tag=line.tag,
        quantity=line.quantity,
        kind=line.kind,
        start_at=start_at,
        end_at=end_at,
        virtual_account=line.virtual_account,
        billing=line.billing,
        order_number=line.order.number,
        order_line_uid=line.uid,
    )


@functools.lru_cache(maxsize=2_000)  # the lines of a file name few days
def instants(start_on: dt.date, end_on: dt.date | None, zone: str) -> tuple[dt.datetime, dt.datetime | None]:
    """From the first instant of the start day to the end of the end day, in the account's zone."""
    return clock.start_of_day(start_on, zone), clock.end_of_day(end_on, zone) if end_on is not None else None


def follow_holdings(lots: Sequence[int] | None = None) -> None:
    """Set *unassigned* or *deposited* by what lies unassigned: of some lots, or wherever an undo elsewhere changed it."""
    lying = Holding.objects.filter(place__kind=Place.Kind.UNASSIGNED, quantity__gt=0)
    lines = OrderLine.objects.filter(lot__isnull=False)
    if lots is not None:
        lying, lines = lying.filter(lot__in=lots), lines.filter(lot__in=lots)
    lines.filter(state=State.UNASSIGNED).exclude(lot__in=lying.values("lot")).update(state=State.DEPOSITED)
    lines.filter(state=State.DEPOSITED, lot__in=lying.values("lot")).update(state=State.UNASSIGNED)
