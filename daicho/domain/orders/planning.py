"""Compare orders as written with what is recorded already: what is new, what is repeated, what cannot be taken.

Reads sets, never row by row, so that 10,000 lines cost a handful of queries. Writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, Sum

from daicho.core import clock
from daicho.core.errors import BusinessError
from daicho.core.text import clean, name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.catalog import errors as catalog_errors
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.catalog.rules import text_problem
from daicho.domain.orders import errors
from daicho.domain.orders.guessing import Guesses
from daicho.domain.orders.models import Order, OrderLine, PartnerAllowance
from daicho.domain.orders.rules import CheckedLine, OrderInput, Wrong, check_line, parse_day
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

CHUNK = 500
State = OrderLine.State


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be recorded. `line` is the index in the order's lines, None for the order itself."""

    order: int
    line: int | None
    field: str
    error: BusinessError


@dataclass
class PlannedLine:
    """A line that can be recorded (`repeated`: it is already, and nothing happens)."""

    index: int
    checked: CheckedLine
    tag: LicenseTag | None = None
    virtual_account: VirtualAccount | None = None
    start_on: dt.date | None = None
    state: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be recorded as it stands; its names are looked up all the same, to tell everything at once."""

    index: int
    sku: str
    virtual_account: str


@dataclass
class PlannedOrder:
    """An order as written, what is recorded of it already, and where it goes."""

    index: int
    number: str
    identifier: str
    ordered_on: dt.date | None
    customer_reference: str
    memo: str
    account: SmartAccount | None = None
    existing: Order | None = None
    lines: list[PlannedLine] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)

    @property
    def new_lines(self) -> list[PlannedLine]:
        return [line for line in self.lines if not line.repeated]


@dataclass
class Plan:
    """What recording would do, and every reason why it would not."""

    company: PartnerCompany | None
    orders: list[PlannedOrder] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def count(self, state: str) -> int:
        return sum(line.state == state for order in self.orders for line in order.new_lines)


def plan_orders(
    company: PartnerCompany | None, inputs: Sequence[OrderInput], *, within_allowance: bool, lock: bool = False
) -> Plan:
    """Check and compare. `within_allowance`: lines beyond the company's allowance wait for the operator."""
    plan = Plan(company)
    for index, given in enumerate(inputs):
        _check_order(plan, index, given)
    _compare(plan)
    _find_destinations(plan, Guesses(company) if company is not None and within_allowance else None)
    _find_tags(plan)
    _choose_states(plan, within_allowance=within_allowance, lock=lock)
    return plan


def _check_order(plan: Plan, index: int, given: OrderInput) -> None:
    wrong = Wrong()
    number = clean(given.number)
    wrong.note("number", text_problem(number, 64, needed=True) or text_problem(name_key(number), 64))
    identifier = clean(given.identifier).lower().rstrip(".")
    wrong.note("identifier", text_problem(identifier, 253, needed=True))
    reference, memo = clean(given.customer_reference), clean(given.memo)
    wrong.note("customer_reference", text_problem(reference, 100))
    wrong.note("memo", text_problem(memo, 500))
    ordered_on = None
    try:
        ordered_on = parse_day(given.ordered_on)
    except ValueError:
        wrong.note("ordered_on", errors.bad_date(clean(str(given.ordered_on))))
    if not given.lines:
        wrong.note("lines", errors.no_lines())
    plan.problems += [Problem(index, None, name, error) for name, error in wrong.errors.items()]
    order = PlannedOrder(  # a name that cannot be stored is not looked up either
        index,
        "" if "number" in wrong.errors else number,
        "" if "identifier" in wrong.errors else identifier,
        ordered_on,
        reference,
        memo,
    )
    numbers: dict[int, CheckedLine] = {}
    for position, line in enumerate(given.lines):
        wrong = Wrong()
        checked = check_line(line, position + 1, wrong)
        plan.problems += [Problem(index, position, name, error) for name, error in wrong.errors.items()]
        if checked is None:
            sku, place = [
                "" if name in wrong.errors else clean(str(text))
                for name, text in (("sku", line.sku), ("virtual_account", line.virtual_account))
            ]
            order.bad_lines.append(BadLine(position, sku, place))
            continue
        first = numbers.setdefault(checked.line, checked)
        if first is checked:
            order.lines.append(PlannedLine(position, checked))
        elif first.fingerprint(identifier) != checked.fingerprint(identifier):
            plan.problems.append(Problem(index, position, "line", errors.duplicate_line(number, checked.line)))
    plan.orders.append(order)


def _compare(plan: Plan) -> None:
    """Which orders and lines are recorded already, and with the same content?"""
    by_number = {name_key(order.number): order for order in plan.orders if order.number}
    recorded = _chunked(Order.objects.filter(company=plan.company).select_related("account"), "number_key", by_number)
    for existing in recorded:
        by_number[existing.number_key].existing = existing
    orders = {order.existing.pk: (order, order.existing) for order in plan.orders if order.existing is not None}
    lines: dict[tuple[int, int], OrderLine] = {}
    for row in _chunked(OrderLine.objects.all(), "order_id", orders):
        lines[row.order_id, row.line_number] = row
    for order, existing in orders.values():
        same = {
            "identifier": existing.account.identifier == order.identifier,
            "ordered_on": order.ordered_on in (None, existing.ordered_on),
            "customer_reference": order.customer_reference in ("", existing.customer_reference),
            "memo": order.memo in ("", existing.memo),
        }
        conflicts = [name for name, equal in same.items() if not equal]
        plan.problems += [Problem(order.index, None, name, errors.order_conflict(order.number)) for name in conflicts]
        if conflicts:
            continue
        for line in order.lines:
            row = lines.get((existing.pk, line.checked.line))
            if row is None:
                continue
            if row.fingerprint == line.checked.fingerprint(order.identifier):
                line.repeated = True
            else:
                plan.problems.append(Problem(order.index, line.index, "line", errors.order_conflict(order.number)))


def _find_destinations(plan: Plan, guesses: Guesses | None) -> None:
    """The account by its domain identifier, the virtual account by its exact name. All wrong names sound the same.

    `guesses`: a partner may get so many wrong; after that, right names sound like wrong ones too.
    """
    wanted = [order for order in plan.orders if (order.new_lines or order.bad_lines) and order.identifier]
    accounts = {
        account.identifier: account
        for account in _chunked(
            SmartAccount.objects.filter(state=SmartAccount.State.ACTIVE),
            "identifier",
            {order.identifier for order in wanted},
        )
    }
    keys = {name_key(line.checked.virtual_account) for order in wanted for line in order.new_lines}
    keys |= {name_key(bad.virtual_account) for order in wanted for bad in order.bad_lines}
    living = VirtualAccount.objects.filter(deleted_at=None, account__in=accounts.values())
    places = {(place.account_id, place.name_key): place for place in _chunked(living, "name_key", keys - {""})}
    if guesses is not None:
        guesses.look_at(places.values())
    for order in wanted:
        order.account = accounts.get(order.identifier)
        if order.account is None:
            plan.problems.append(Problem(order.index, None, "identifier", errors.unknown_destination()))
            continue
        named = [(line.index, line.checked.virtual_account) for line in order.new_lines]
        named += [(bad.index, bad.virtual_account) for bad in order.bad_lines]
        for index, name in named:
            place = places.get((order.account.id, name_key(name)))
            if name and guesses is not None and not guesses.may_answer(order.account, name, place):
                plan.problems.append(Problem(order.index, index, "virtual_account", errors.too_many_guesses()))
            elif name and place is None:
                plan.problems.append(Problem(order.index, index, "virtual_account", errors.unknown_destination()))
        for line in order.new_lines:
            line.virtual_account = places.get((order.account.id, name_key(line.checked.virtual_account)))


def _find_tags(plan: Plan) -> None:
    lines = [(order, line) for order in plan.orders for line in order.new_lines]
    bad_lines = [(order, bad) for order in plan.orders for bad in order.bad_lines if bad.sku]
    tags = tags_by_sku([line.checked.sku for _, line in lines] + [bad.sku for _, bad in bad_lines])
    for order, bad in bad_lines:
        if name_key(bad.sku) not in tags:
            plan.problems.append(Problem(order.index, bad.index, "sku", catalog_errors.unknown_sku(bad.sku)))
    for order, line in lines:
        sku = line.checked.sku
        line.tag = tags.get(name_key(sku))
        if line.tag is None:
            plan.problems.append(Problem(order.index, line.index, "sku", catalog_errors.unknown_sku(sku)))
        elif not line.tag.is_sold:
            plan.problems.append(Problem(order.index, line.index, "sku", errors.sku_not_sold(line.tag.sku)))
        line.start_on = line.checked.start_on
        if line.start_on is None and order.account is not None:
            line.start_on = clock.today(order.account.time_zone)
            if line.checked.end_on is not None and line.checked.end_on < line.start_on:
                plan.problems.append(Problem(order.index, line.index, "end_on", errors.ends_before_start()))


def _choose_states(plan: Plan, *, within_allowance: bool, lock: bool) -> None:
    """Where each new line goes: to the operator, to the agreement, to unassigned, or into its virtual account."""
    left = _allowance_left(plan, lock=lock) if within_allowance and plan.company is not None else None
    for order in plan.orders:
        for line in order.new_lines:
            if left is not None and line.tag is not None:
                rest = left.get(line.tag.pk, 0) - line.checked.quantity
                if rest < 0:
                    line.state = State.WAITING_OPERATOR
                    continue
                left[line.tag.pk] = rest
            line.state = landing_state(order.account, line.virtual_account)


def landing_state(account: SmartAccount | None, virtual_account: VirtualAccount | None) -> str:
    """Where a line that needs no operator goes now."""
    if account is None or not account.in_good_standing():
        return State.WAITING_AGREEMENT
    return State.DEPOSITED if virtual_account is not None else State.UNASSIGNED


def _allowance_left(plan: Plan, *, lock: bool) -> dict[int, int]:
    """What a partner may still deposit this month without asking, by tag.

    A month is the calendar month in the zone of the first order's account. Lines that an operator approved, that wait
    for him or that were cancelled do not count.
    """
    allowances = PartnerAllowance.objects.filter(company=plan.company).order_by("tag_id")
    rows = list(allowances.select_for_update() if lock else allowances)
    zone = next((order.account.time_zone for order in plan.orders if order.account is not None), "Asia/Tokyo")
    used = used_this_month(plan.company, zone)
    return {row.tag_id: max(0, row.monthly_quantity - used.get(row.tag_id, 0)) for row in rows}


def used_this_month(company: PartnerCompany | None, zone: str) -> dict[int, int]:
    """How many of each tag a company deposited this month on its own."""
    month = clock.start_of_day(clock.today(zone).replace(day=1), zone)
    counted = OrderLine.objects.filter(order__company=company, created_at__gte=month, decided_by_name="").exclude(
        Q(state=State.WAITING_OPERATOR) | Q(state=State.CANCELLED)
    )
    return dict(counted.values_list("tag_id").annotate(total=Sum("quantity")).order_by())


def _chunked(rows: Any, column: str, keys: Iterable[Any]) -> list[Any]:
    """Rows whose column is one of many keys, in a few queries."""
    wanted = list(keys)
    found: list[Any] = []
    for start in range(0, len(wanted), CHUNK):
        found += rows.filter(**{f"{column}__in": wanted[start : start + CHUNK]})
    return found
