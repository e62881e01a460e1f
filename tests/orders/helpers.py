"""Orders as tests write them."""

from typing import Any

from daicho.core.actor import Actor
from daicho.domain.access.models import PartnerCompany
from daicho.domain.orders.commands.record import Recorded, record_order
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.rules import LineInput, OrderInput
from tests.world import World


def line(sku: str = "NET-ADV", quantity: int | str = 10, **fields: Any) -> LineInput:
    return LineInput(sku=sku, quantity=quantity, **fields)


def order(world: World, *lines: LineInput, number: str = "PO-1", **fields: Any) -> OrderInput:
    fields.setdefault("identifier", world.account.identifier)
    return OrderInput(number=number, lines=list(lines) or [line()], **fields)


def recorded(
    world: World, *lines: LineInput, actor: Actor | None = None, company: PartnerCompany | None = None, **fields: Any
) -> Recorded:
    who = actor or world.as_(world.operator)
    return record_order(who, company=company, order=order(world, *lines, **fields))


def only(done: Recorded) -> OrderLine:
    (found,) = done.new
    return OrderLine.objects.get(pk=found.pk)
