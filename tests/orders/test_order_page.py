"""An order's page tells what happened to it last, and what became of lots that the operator exchanged."""

from __future__ import annotations

import uuid
from typing import Any

from daicho.domain.ledger.commands.correct import correct_lot, right_lot
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import Filters, list_account_lines
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


def test_a_line_whose_lot_was_exchanged_names_the_lot_that_stands_in_its_place(world: World) -> None:
    line = ordered(world)
    assert line.lot is not None
    operator = world.as_(world.operator)
    first = right_lot(line.lot, quantity=12, kind="perpetual", end_on=None)
    done = correct_lot(
        operator, account=world.account, request_id=uuid.uuid4(), lot=line.lot, right=first, reason="typed wrong"
    )
    again = right_lot(done.lot, quantity=11, kind="perpetual", end_on=None)
    last = correct_lot(
        operator, account=world.account, request_id=uuid.uuid4(), lot=done.lot, right=again, reason="x"
    ).lot
    shown = page(world, line)
    assert f"10 exchanged for lot {last.uid}" in shown
    assert f'href="{A}/lots/{last.uid}/"' in shown
    assert "Cancelled</span>" not in shown
    assert f"/lots/{last.uid}/" in page(world, line, "operator", "/operator/orders/")
    url = f"/api/v1/accounts/aozora.example.co.jp/order-lines/{line.uid}"
    told = world.client(world.admin).get(url).json()
    assert [told[name] for name in ("status", "cancelled", "exchanged", "exchanged_for")] == [
        "deposited",
        0,
        10,
        last.uid,
    ]
    for status, count in (("deposited", 1), ("cancelled", 0)):
        lines = list_account_lines(world.as_(world.admin), world.account, filters=Filters(status=status))
        assert len(lines.rows) == count
