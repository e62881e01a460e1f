"""Record an order: what was bought lands in the customer's account (S20)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.db import IntegrityError, transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import ensure_operator, ensure_partner
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.orders import errors
from daicho.domain.orders.landing import deposit_lines
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.planning import Plan, PlannedOrder, Problem, plan_orders
from daicho.domain.orders.rules import OrderInput
from daicho.domain.tenancy.models import VirtualAccount

State = OrderLine.State
EVENTS = ("order.recorded", "license.deposited")
LINES_IN_EVENT = 20


@dataclass
class Recorded:
    """What came of it. `new` lines were recorded now, `repeated` ones had been before."""

    orders: list[Order] = field(default_factory=list)
    new: list[OrderLine] = field(default_factory=list)
    repeated: int = 0

    def count(self, state: str) -> int:
        """How many of the new lines went there."""
        return sum(line.state == state for line in self.new)


def ensure_may_record(actor: Actor, company: PartnerCompany | None) -> None:
    """The operator records for himself and for any company, a member for his company; others get NotFound."""
    if company is None:
        ensure_operator(actor, OperatorPermission.ORDERS)
    else:
        ensure_partner(actor, company)


@command(permission=OperatorPermission.ORDERS, events=EVENTS)
def record_order(actor: Actor, *, company: PartnerCompany | None, order: OrderInput) -> Recorded:
    """Record an order of a customer and deposit its licenses.

    `company`: the partner company that records, None for the operator. The same order again does nothing. Lines without
    a virtual account wait in *unassigned*; lines of an account without a valid agreement wait for it; a partner's lines
    beyond its allowance wait for the operator. Raises FieldErrors: an order's own fields, and lines as
    `lines.<index>.<field>`; codes `order_conflict`, `unknown_destination`, `unknown_sku`, `bad_quantity`, `bad_date` …
    Source: product.md, Orders.
    """
    return record_orders(actor, company=company, orders=[order])


@command(permission=OperatorPermission.ORDERS, events=EVENTS)
def record_orders(actor: Actor, *, company: PartnerCompany | None, orders: Sequence[OrderInput]) -> Recorded:
    """Record many orders at once: up to 10,000 lines, all or nothing. Raises as `record_order`, `too_many_lines`."""
    ensure_may_record(actor, company)
    if sum(len(order.lines) for order in orders) > MAX_LINES:
        raise errors.too_many_lines(MAX_LINES)
    try:
        with transaction.atomic():
            return _record(actor, company, orders)
    except IntegrityError:  # somebody recorded the same order at this moment: now it is a repetition or a conflict
        return _record(actor, company, orders)


def _record(actor: Actor, company: PartnerCompany | None, orders: Sequence[OrderInput]) -> Recorded:
    plan = plan_orders(company, orders, within_allowance=not actor.is_operator, lock=True)
    if plan.problems:
        raise as_field_errors(plan.problems)
    done = Recorded(repeated=sum(line.repeated for order in plan.orders for line in order.lines))
    _create_orders(actor, plan)
    for planned in plan.orders:
        if planned.existing is not None:
            done.orders.append(planned.existing)
            done.new += _new_lines(actor, company, planned, planned.existing)
    deposit_lines(actor, [line for line in done.new if line.state in (State.DEPOSITED, State.UNASSIGNED)])
    OrderLine.objects.bulk_create(done.new, batch_size=500)
    for order, group in groupby(done.new, key=lambda line: line.order):
        _tell(actor, order, list(group))
    return done


def _create_orders(actor: Actor, plan: Plan) -> None:
    new: list[Order] = []
    for planned in plan.orders:
        if planned.existing is None and planned.account is not None:
            planned.existing = Order(
                company=plan.company,
                number=planned.number,
                number_key=name_key(planned.number),
                account=planned.account,
                ordered_on=planned.ordered_on,
                customer_reference=planned.customer_reference,
                memo=planned.memo,
                recorded_by_name=actor.name[:200],
                recorded_by_id=actor.user_id,
            )
            new.append(planned.existing)
    Order.objects.bulk_create(new, batch_size=500)


def _new_lines(actor: Actor, company: PartnerCompany | None, planned: PlannedOrder, order: Order) -> list[OrderLine]:
    return [
        OrderLine(
            account=order.account,
            order=order,
            line_number=line.checked.line,
            tag=line.tag,
            quantity=line.checked.quantity,
            kind=line.checked.kind,
            billing=line.checked.billing,
            start_on=line.start_on,
            end_on=line.checked.end_on,
            virtual_account=line.virtual_account,
            state=line.state,
            fingerprint=line.checked.fingerprint(planned.identifier),
            decided_by_name=actor.name[:100] if company is not None and actor.is_operator else "",
        )
        for line in planned.new_lines
    ]


def _tell(actor: Actor, order: Order, lines: list[OrderLine]) -> None:
    shown = [(line.line_number, line.tag.sku, line.quantity, line.state) for line in lines[:LINES_IN_EVENT]]
    record_many([described(actor, order, [line.virtual_account for line in lines], len(lines), shown)])


def described(
    actor: Actor,
    order: Order,
    places: Iterable[VirtualAccount | None],
    count: int,
    lines: Sequence[tuple[int, str, int, str]],
) -> Event:
    """The event of an order, in the virtual account when all its lines name the same one."""
    named = set(places)
    place = named.pop() if len(named) == 1 else None
    return describe(
        actor,
        "order.recorded",
        account_id=order.account_id,
        virtual_account_id=place.pk if place is not None else None,
        subject=order.number,
        subject_uid=order.uid,
        after={
            "partner": order.company.name if order.company is not None else "",
            "count": count,
            "lines": [
                {"line": number, "sku": sku, "quantity": quantity, "state": state}
                for number, sku, quantity, state in lines[:LINES_IN_EVENT]
            ],
        },
        memo=order.memo,
    )


def as_field_errors(problems: Sequence[Problem]) -> BusinessError:
    """One order's problems by field. A lone `order_conflict` or `too_many_guesses` stays what it is, so that programs
    can tell it."""
    if {problem.error.code for problem in problems} in ({"order_conflict"}, {"too_many_guesses"}):
        return problems[0].error
    found: dict[str, BusinessError] = {}
    for problem in problems:
        name = problem.field if problem.line is None else f"lines.{problem.line}.{problem.field}"
        found.setdefault(name if problem.order == 0 else f"orders.{problem.order}.{name}", problem.error)
    return FieldErrors(found)


def preview_order(actor: Actor, *, company: PartnerCompany | None, order: OrderInput) -> PlannedOrder:
    """What recording an order would do, line by line; writes nothing. Raises as `record_order`."""
    ensure_may_record(actor, company)
    plan = plan_orders(company, [order], within_allowance=not actor.is_operator)
    if plan.problems:
        raise as_field_errors(plan.problems)
    return plan.orders[0]
