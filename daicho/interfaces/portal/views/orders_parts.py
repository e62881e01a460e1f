"""What every page about orders shares: how a line reads, the columns of its lists, its filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.domain.orders.queries.lines import Filters, LineRow
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, DateFilter, ListQuery
from daicho.interfaces.portal.views.licenses_parts import BILLINGS, ENTRY_KINDS, KINDS, license_name

STATUSES = ("unassigned", "waiting_operator", "waiting_agreement", "deposited", "cancelled")


def filters() -> list[Any]:
    """The named filters of every list of order lines."""
    return [
        ChoiceFilter("status", lazy("State"), [(code, words.STATES[code].word) for code in STATUSES]),
        ChoiceFilter("kind", lazy("Kind"), list(KINDS.items())),
        DateFilter("since", lazy("Recorded since")),
    ]


def filters_of(q: ListQuery) -> Filters:
    """What the reader narrowed the list to, as the query takes it."""
    return Filters(
        text=q.text,
        status=q.filters.get("status", ""),
        kind=q.filters.get("kind", ""),
        since=q.filters.get("since"),
    )


def destination_text(row: LineRow) -> str:
    """Where the line lies now, as far as the reader may know: names with quantities when it is split."""
    if row.line.lot_id is None or not row.places:
        return row.destination.name if row.destination is not None else ""
    sums: dict[str, int] = {}
    for place in row.places:
        name = place.virtual_account.name if place.virtual_account is not None else _("Unassigned")
        sums[name] = sums.get(name, 0) + place.quantity
    if len(sums) == 1:
        return next(iter(sums))
    return " / ".join(f"{name} {words.num(quantity)}" for name, quantity in sums.items())


def exchange_text(row: LineRow) -> str:
    """What became of a lot that the operator exchanged."""
    if row.exchange is None:
        return ""
    text = _("%(act)s on %(day)s: %(quantity)s exchanged for lot %(lot)s")
    return text % {
        "act": ENTRY_KINDS[row.exchange.kind],
        "day": words.date(row.exchange.at),
        "quantity": words.num(row.exchanged),
        "lot": row.exchange.lot.uid,
    }


def state_of(row: LineRow) -> Any:
    """The state of a line; with the number that is unassigned when only a part is."""
    if row.status == "unassigned" and row.unassigned < row.quantity:
        return ("unassigned", row.unassigned)
    return row.status


def recorder_of(row: LineRow) -> str:
    """Who sold it: the partner company, or the operator."""
    return row.line.order.company.name if row.line.order.company is not None else _("Operator")


def columns(detail: Callable[[LineRow], str], *, customer: bool, partner: bool) -> Sequence[Column]:
    """The columns of a list of lines; `customer` and `partner` say whether those differ from row to row."""
    found = [
        Column("number", lazy("Order number"), sort=True, value=lambda r: r.line.order.number, link=detail, phone=True),
        Column("line", lazy("Line"), kind="num", value=lambda r: r.line.line_number),
        Column("license", lazy("License"), optional=True, value=lambda r: license_name(r.line.tag)),
        Column("sku", lazy("SKU"), kind="code", sort=True, value=lambda r: r.line.tag.sku, phone=True),
        Column("quantity", lazy("Quantity"), kind="num", sort=True, phone=True),
        Column("virtual_account", lazy("Virtual account"), value=destination_text),
        Column("state", lazy("State"), kind="state", value=state_of, phone=True),
        Column("start", lazy("Start"), kind="date", sort=True, optional=True, value=lambda r: r.line.start_on),
        Column("end", lazy("End"), kind="until", sort=True, value=lambda r: r.line.end_on),
        Column("kind", lazy("Kind"), optional=True, value=lambda r: str(KINDS[r.line.kind])),
        Column("billing", lazy("Billing"), optional=True, value=lambda r: str(BILLINGS[r.line.billing])),
        Column("reference", lazy("Customer's order number"), optional=True, value=lambda r: r.customer_reference),
        Column("recorded", lazy("Recorded"), kind="date", sort=True, value=lambda r: r.line.created_at),
    ]  # fmt: skip
    if customer:
        found.insert(2, Column("customer", lazy("Customer"), value=lambda r: r.line.account.name))
        found.insert(
            3,
            Column(
                "domain",
                lazy("Domain identifier"),
                kind="code",
                optional=True,
                value=lambda r: r.line.account.identifier,
            ),
        )
    if partner:
        found.append(Column("partner", lazy("Partner"), value=recorder_of))
    return found
