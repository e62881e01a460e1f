"""Orders by the thousand: a part of a large file, each of whose lines succeeds or fails alone, written set by set.

What is planned is planned by the same rules as a single order (planning.py); only the writing differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.db import IntegrityError, transaction

from daicho.core import clock
from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.core.ids import derived_uuid, new_uids
from daicho.core.statements import copy_rows, new_ids
from daicho.core.text import name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record_many
from daicho.domain.ledger.commands.deposit import NewLot
from daicho.domain.ledger.issuing import deposit_many
from daicho.domain.orders.commands.record import EVENTS, described, ensure_may_record
from daicho.domain.orders.landing import instants
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.planning import Plan, PlannedLine, PlannedOrder, plan_orders
from daicho.domain.orders.sheet import RowProblem, Sheet, good_lines, preview_of
from daicho.domain.tenancy.models import SmartAccount

State = OrderLine.State
LANDS = (State.DEPOSITED, State.UNASSIGNED)
ORDER = (
    "id", "uid", "company", "number", "number_key", "account", "ordered_on", "customer_reference", "memo",
    "recorded_by_name", "recorded_by",
)  # fmt: skip
LINE = (
    "uid", "account", "order", "line_number", "tag", "quantity", "kind", "billing", "start_on", "end_on",
    "virtual_account", "state", "fingerprint", "decided_by_name", "lot", "deposited_at",
)  # fmt: skip


@dataclass
class Part:
    """What came of a part: how many lines were recorded now and before, where the new ones went, what was refused."""

    new: int = 0
    repeated: int = 0
    landed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    problems: list[RowProblem] = field(default_factory=list)


@command(permission=OperatorPermission.ORDERS, events=EVENTS)
def record_part(actor: Actor, *, company: PartnerCompany | None, part: Sheet) -> Part:
    """Record what can be recorded of some thousand order lines and deposit their licenses.

    Each line succeeds or fails alone; the same lines again do nothing. `company` as in `record_order`.
    """
    ensure_may_record(actor, company)
    try:
        with transaction.atomic():
            return _record(actor, company, part)
    except (IntegrityError, NotFound):  # somebody recorded such an order, or deleted its place, at this moment
        return _record(actor, company, part)
    except BusinessError as error:  # one line is more than the ledger can count
        return _record_each(actor, company, part, error)


def _record_each(actor: Actor, company: PartnerCompany | None, part: Sheet, error: BusinessError) -> Part:
    """Halve the part until the lines are found that the ledger refuses."""
    if len(part.rows) == 1:
        return Part(problems=[RowProblem(number, "quantity", error) for number in part.rows])
    done = Part()
    for half in part.halves():
        try:
            with transaction.atomic():
                found = _record(actor, company, half)
        except BusinessError as again:
            found = _record_each(actor, company, half, again)
        done.new += found.new
        done.repeated += found.repeated
        done.problems += found.problems
        for state, number in found.landed.items():
            done.landed[state] += number
    return done


def _record(actor: Actor, company: PartnerCompany | None, part: Sheet) -> Part:
    within = not actor.is_operator
    plan = plan_orders(company, part.orders, within_allowance=within, lock=True)
    done = Part()
    if plan.problems or part.problems:
        preview = preview_of(part, plan)
        done.problems = preview.problems
        plan = plan_orders(company, good_lines(preview), within_allowance=within, lock=True)
    done.repeated = sum(line.repeated for order in plan.orders for line in order.lines)
    _write_orders(actor, plan)
    orders = [(planned, lines) for planned in plan.orders if (lines := planned.new_lines)]
    for _, group in groupby(sorted(orders, key=_account_of), key=_account_of):
        _write_lines(actor, company, list(group))
    for _, lines in orders:
        for line in lines:
            done.landed[line.state] += 1
    done.new = sum(done.landed.values())
    return done


def _account_of(order: tuple[PlannedOrder, list[PlannedLine]]) -> int:
    return order[0].account.id if order[0].account is not None else 0


def _write_orders(actor: Actor, plan: Plan) -> None:
    new = [order for order in plan.orders if order.existing is None and order.account is not None]
    rows = []
    for number, uid, order in zip(new_ids(Order, len(new)), new_uids(len(new)), new, strict=True):
        order.existing = Order(
            pk=number, uid=uid, company=plan.company, number=order.number, number_key=name_key(order.number),
            account=order.account, ordered_on=order.ordered_on, customer_reference=order.customer_reference,
            memo=order.memo, recorded_by_name=actor.name[:200], recorded_by_id=actor.user_id,
        )  # fmt: skip
        made = order.existing
        rows.append(
            (number, uid, made.company_id, made.number, made.number_key, made.account_id, made.ordered_on,
             made.customer_reference, made.memo, made.recorded_by_name, made.recorded_by_id)
        )  # fmt: skip
    copy_rows(Order, ORDER, rows)


def _write_lines(
    actor: Actor, company: PartnerCompany | None, orders: Sequence[tuple[PlannedOrder, list[PlannedLine]]]
) -> None:
    """The lines of one account: deposited together, as one entry, and written with their lots."""
    account = orders[0][0].account
    if account is None:
        raise LookupError("a line without a destination was taken for a good one")
    decided_by = actor.name[:100] if company is not None and actor.is_operator else ""
    lines = [(planned, line) for planned, lines in orders for line in lines]
    uids = new_uids(len(lines))
    landing = [number for number, (_, line) in enumerate(lines) if line.state in LANDS]
    lots: list[int | None] = [None] * len(lines)
    if landing:
        lot_of = lots_of(account)
        made = deposit_many(
            actor,
            account=account,
            request_id=derived_uuid(uids[landing[0]], len(landing), "deposit"),
            lots=[lot_of(*lines[number], uids[number]) for number in landing],
            content=[uids[number] for number in landing],
            memo=orders[0][0].memo,
        )
        for number, lot in zip(landing, made, strict=True):
            lots[number] = lot
    at = clock.now()
    rows = []
    for (planned, line), uid, lot_id in zip(lines, uids, lots, strict=True):
        checked, order, tag = line.checked, planned.existing, line.tag
        if order is None or tag is None:
            raise LookupError("a line without an order or a license was taken for a good one")
        place = line.virtual_account
        rows.append(
            (uid, account.id, order.id, checked.line, tag.id, checked.quantity, checked.kind, checked.billing,
             line.start_on, checked.end_on, place.id if place is not None else None, line.state,
             checked.fingerprint(planned.identifier), decided_by, lot_id, at if lot_id is not None else None)
        )  # fmt: skip
    copy_rows(OrderLine, LINE, rows)
    record_many(
        described(
            actor, planned.existing, [line.virtual_account for line in lines], len(lines),
            [(line.checked.line, line.tag.sku if line.tag else "", line.checked.quantity, line.state) for line in lines],
        )
        for planned, lines in orders
        if planned.existing is not None
    )  # fmt: skip


def lots_of(account: SmartAccount) -> Callable[[PlannedOrder, PlannedLine, str], NewLot]:
    """Makes the lot of a line."""
    zone = account.time_zone
    today = clock.today(zone)

    def lot(order: PlannedOrder, line: PlannedLine, uid: str) -> NewLot:
        if line.tag is None:
            raise LookupError("a line without a license was taken for a good one")
        start_at, end_at = instants(line.start_on or today, line.checked.end_on, zone)
        return NewLot(
            line.tag, line.checked.quantity, line.checked.kind, start_at, end_at, line.virtual_account,
            line.checked.billing, order.number, uid,
        )  # fmt: skip

    return lot
