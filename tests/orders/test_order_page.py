"""An order's page tells what happened to it last, and what became of lots that the operator exchanged."""

from __future__ import annotations

import uuid
from typing import Any

from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.rules import LineInput, OrderInput
from tests.licenses.conftest import A
from tests.world import World


def ordered(world: World, **line: Any) -> OrderLine:
    given = LineInput(
        **{"sku": "NET-ADV", "quantity": "10", "kind": "perpetual", "virtual_account": world.osaka.name} | line
    )
    order = OrderInput(identifier=world.account.identifier, number="PO-5", lines=[given])
    record_order(world.as_(world.operator), company=None, order=order)
    return OrderLine.objects.select_related("order", "lot").get(order__number="PO-5")


def page(world: World, line: OrderLine, who: str = "admin", at: str = f"{A}/orders/") -> str:
    answer = world.client(getattr(world, who)).get(f"{at}{line.order.uid}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_last_events_of_the_order_and_its_licenses_stand_on_its_page(world: World) -> None:
    line = ordered(world)
    moves = [Move(world.osaka, world.tokyo, world.advantage, 4)]
    transfer_licenses(world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), moves=moves, memo="R-7")
    world.deposit(world.storage, 3, world.osaka)
    shown = page(world, line).partition("Last events")[2]
    assert "PO-5" in shown
    assert "4" in shown
    assert "NET-ADV" in shown
    assert "STO-STD" not in shown
    assert world.tokyo.name not in page(world, line, "osaka_admin")
