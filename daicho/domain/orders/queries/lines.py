"""Order lines as lists and details show them: what was bought, and where it lies now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import batched

from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from daicho.core.actor import Actor
from daicho.core.clock import start_of_day
from daicho.core.errors import NotFound
from daicho.core.paging import COUNT_LIMIT, Page, count_up_to, keyset_page
from daicho.core.search import Holds
from daicho.core.text import name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import ensure_may, ensure_operator, ensure_partner
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.catalog.rules import search_words
from daicho.domain.ledger.models import Holding, Place
from daicho.domain.ledger.queries.exchanged import Exchange, exchanged_for
from daicho.domain.ledger.queries.sight import tags_named
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.queries.naming import orders_with
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

State = OrderLine.State
ORDERS = {
    "recorded": ("created_at", "uid"),
    "number": ("order__number_key", "line_number", "uid"),
    "sku": ("tag__sku_key", "uid"),
    "quantity": ("quantity", "uid"),
    "start": ("start_on", "uid"),
    "end": ("end_on", "uid"),
}


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a part of a line lies. `virtual_account` None: unassigned."""

    virtual_account: VirtualAccount | None
    place: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of lines is narrowed to; empty means all."""

    text: str = ""
    status: str = ""
    since: dt.date | None = None
    kind: str = ""


@dataclass
class LineRow:
    """A line for a reader: figures hold only what he may see.

    `is_own` False: the line was bought for a virtual account that he does not see, and a part of it came to his by
    transfer. Then he learns neither its destination nor what was written on the order. `exchanged`: so many went into
    another lot by a correction or a common end date (`exchange`).
    """

    line: OrderLine
    status: str
    quantity: int
    unassigned: int
    cancelled: int
    places: list[Landed] = field(default_factory=list)
    is_own: bool = True
    exchanged: int = 0
    exchange: Exchange | None = None

    @property
    def destination(self) -> VirtualAccount | None:
        return self.line.virtual_account if self.is_own else None

    @property
    def customer_reference(self) -> str:
        return self.line.order.customer_reference if self.is_own else ""

    @property
    def memo(self) -> str:
        return self.line.order.memo if self.is_own else ""

    @property
    def uid(self) -> str:
        return self.line.uid


def of_status(rows: QuerySet[OrderLine], status: str, account: SmartAccount | None = None) -> QuerySet[OrderLine]:
    """Only lines of a status, as the ledger's holdings say it (see `_status`). `account`: theirs, if it is one."""
    lying = Holding.objects.filter(quantity__gt=0) if account is None else account_holdings(account)
    place = Q(place__kind=Place.Kind.UNASSIGNED, place__virtual_account=None)
    unassigned = lying.filter(place, **({} if account is None else {"place__account": account})).values("lot")
    if status == State.UNASSIGNED:
        return rows.filter(lot__in=unassigned)
    exchanged = Q(lot__in=lying.filter(place__kind=Place.Kind.CONVERTED, place__account=None).values("lot"))
    inside = Q(lot__in=lying.filter(place__account__isnull=False, lot=OuterRef("lot")).values("lot"))
    if status == State.DEPOSITED:
        return rows.filter(inside | exchanged).exclude(lot__in=unassigned)
    if status == State.CANCELLED:
        gone = Q(lot__in=lying.filter(place__kind=Place.Kind.CANCELLED, place__account=None).values("lot"))
        return rows.filter(Q(lot=None, state=State.CANCELLED) | gone & ~inside & ~exchanged)
    return rows.filter(lot=None, state=status)


def account_holdings(account: SmartAccount) -> QuerySet[Holding]:
    """What lies anywhere of the account's lots."""
    return Holding.objects.filter(account=account, quantity__gt=0)


def list_account_lines(
    actor: Actor,
    account: SmartAccount,
    *,
    virtual_account: VirtualAccount | None = None,
    filters: Filters | None = None,
    sort: str = "recorded",
    descending: bool = True,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
) -> Page[LineRow]:
    """What was bought for an account, as far as the actor may see it (S20). Raises NotFound, `bad_cursor`."""
    rows, ids = visible_lines(actor, account, virtual_account)
    if ids is not None and filters is not None and filters.status:  # the state of others' parts is not told
        rows = rows.filter(virtual_account__in=ids)
    page = _page(_narrowed(rows, filters, account, ids), sort, descending, cursor, size, count)
    return _rows(page, ids)


def list_company_lines(
    actor: Actor,
    company: PartnerCompany,
    *,
    filters: Filters | None = None,
    sort: str = "recorded",
    descending: bool = True,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
) -> Page[LineRow]:
    """What a partner company recorded. Where a customer assigned it later is not told."""
    ensure_partner(actor, company)
    rows = OrderLine.objects.filter(order__company=company)
    return _rows(_page(_narrowed(rows, filters), sort, descending, cursor, size, count), set())


def list_all_lines(
    actor: Actor,
    *,
    account: SmartAccount | None = None,
    filters: Filters | None = None,
    sort: str = "recorded",
    descending: bool = True,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
) -> Page[LineRow]:
    """What anybody recorded, for the operator."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    rows = OrderLine.objects.all()
    if account is not None:
        rows = rows.filter(account=account)
    return _rows(_page(_narrowed(rows, filters), sort, descending, cursor, size, count), set())


def list_waiting_lines(actor: Actor, *, limit: int = 500) -> list[LineRow]:
    """Partners' lines that wait for the operator, the oldest first."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    rows = _joined(OrderLine.objects.filter(state=State.WAITING_OPERATOR)).order_by("created_at", "pk")[:limit]
    return _rows_of(list(rows), set())


def list_unassigned(
    actor: Actor,
    account: SmartAccount,
    *,
    uids: Iterable[str] | None = None,
    filters: Filters | None = None,
    limit: int = 500,
) -> list[LineRow]:
    """What waits to be assigned in an account, the oldest first, at most `limit`: all of it, or these lines, or what matches."""
    found = unassigned_lines(actor, account, filters)
    if uids is not None:
        found = found.filter(uid__in=list(uids))
    _rows, ids = visible_lines(actor, account)
    return _rows_of(list(found.order_by("created_at", "pk")[:limit]), ids)


def count_unassigned(actor: Actor, account: SmartAccount) -> int:
    """How many lines an actor sees of which something is unassigned; 10,000 where they are more."""
    lines = unassigned_lines(actor, account).select_related(None)
    return min(COUNT_LIMIT, count_up_to(lines))


def unassigned_lines(actor: Actor, account: SmartAccount, filters: Filters | None = None) -> QuerySet[OrderLine]:
    """The lines of which something is unassigned and that match, as far as the actor may see them."""
    rows, ids = visible_lines(actor, account)
    if ids is not None:
        rows = rows.filter(virtual_account__in=ids)  # the state of others' parts is not told
    return _joined(of_status(_narrowed(rows, filters, account, ids), State.UNASSIGNED, account))


def visible_lines(
    actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None
) -> tuple[QuerySet[OrderLine], set[int] | None]:
    """Lines the actor may see, and the virtual accounts whose figures he may see (None: all)."""
    scope = ensure_may(actor, Permission.ORDERS_VIEW, account, virtual_account)
    ids = scope.virtual_account_ids(Permission.ORDERS_VIEW)
    rows = OrderLine.objects.filter(account=account)
    here = {virtual_account.pk} if virtual_account is not None else ids
    if here is not None:
        lying = Holding.objects.filter(place__virtual_account__in=here, quantity__gt=0).values("lot")
        rows = rows.filter(Q(virtual_account__in=here) | Q(lot__in=lying))
    return rows, ids


def get_line(actor: Actor, account: SmartAccount, uid: str) -> LineRow:
    """One line of an account, or NotFound."""
    rows, ids = visible_lines(actor, account)
    return _first(rows, uid, ids)


def lines_by_uid(actor: Actor, account: SmartAccount, uids: Iterable[str]) -> dict[str, OrderLine]:
    """Lines of an account by their handles; NotFound if the actor does not see one of them."""
    rows, _ids = visible_lines(actor, account)
    wanted = sorted(set(uids))
    found: dict[str, OrderLine] = {}
    for part in batched(wanted, 500):
        found |= {line.uid: line for line in _joined(rows.filter(uid__in=part))}
    if len(found) < len(wanted):
        raise NotFound
    return found


def get_company_line(actor: Actor, company: PartnerCompany, uid: str) -> LineRow:
    """One line that a company recorded, or NotFound."""
    ensure_partner(actor, company)
    return _first(OrderLine.objects.filter(order__company=company), uid, set())


def get_any_line(actor: Actor, uid: str) -> LineRow:
    """One line, for the operator."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    return _first(OrderLine.objects.all(), uid, None)


def get_order(actor: Actor, account: SmartAccount, uid: str) -> tuple[Order, list[LineRow]]:
    """An order of an account with those lines that the actor may see; NotFound when he may see none."""
    rows, ids = visible_lines(actor, account)
    return _order_of(rows.filter(order__uid=uid), ids)


def get_company_order(actor: Actor, company: PartnerCompany, uid: str) -> tuple[Order, list[LineRow]]:
    ensure_partner(actor, company)
    return _order_of(OrderLine.objects.filter(order__uid=uid, order__company=company), set())


def get_any_order(actor: Actor, uid: str) -> tuple[Order, list[LineRow]]:
    ensure_operator(actor, OperatorPermission.ORDERS)
    return _order_of(OrderLine.objects.filter(order__uid=uid), None)


def unassigned_of(lines: Iterable[OrderLine]) -> dict[int, int]:
    """How many of each line lie unassigned, by the line's key."""
    lots = {line.lot_id: line.pk for line in lines if line.lot_id is not None}
    found: dict[int, int] = {}
    for part in batched(lots, 500):
        held = Holding.objects.filter(lot__in=part, place__kind=Place.Kind.UNASSIGNED, quantity__gt=0)
        found |= {lots[lot]: quantity for lot, quantity in held.values_list("lot_id", "quantity")}
    return found


def _joined(rows: QuerySet[OrderLine]) -> QuerySet[OrderLine]:
    return rows.select_related("order__company", "account", "tag", "virtual_account", "lot")


def _narrowed(
    rows: QuerySet[OrderLine],
    filters: Filters | None,
    account: SmartAccount | None = None,
    ids: set[int] | None = None,
) -> QuerySet[OrderLine]:
    """`account`: the one whose lines these are, if it is one; `ids`: where the reader sees what stands on an order."""
    if filters is None:
        return rows
    for word in search_words(filters.text):
        rows = _named(rows, word, account, ids)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.since is not None:
        rows = rows.filter(created_at__gte=start_of_day(filters.since, timezone.get_current_timezone_name()))
    return of_status(rows, filters.status, account) if filters.status else rows


def _named(
    rows: QuerySet[OrderLine], word: str, account: SmartAccount | None, ids: set[int] | None
) -> QuerySet[OrderLine]:
    """Lines whose order, license or account is named by a word. It is resolved first, to what is few (record 0010)."""
    key = name_key(word)
    if account is not None and (key in account.identifier or key in name_key(account.name)):
        return rows
    either = Q(tag__in=list(tags_named(word)))
    if account is None:
        named = Q(identifier__contains=key) | Q(name__icontains=word)
        either |= Q(account__in=SmartAccount.objects.filter(named).values("pk"))
    orders = orders_with(key, account=account)
    if ids is not None:  # the reference is told only of lines bought for what the reader sees
        reference = Q(Holds(key, "order__customer_reference"), virtual_account__in=ids)
        number = Q(Holds(key, "order__number_key"))
        either |= number | reference if orders is None else Q(order__in=orders) & (number | reference)
    elif orders is None:
        either |= Q(Holds(key, "order__number_key", "order__customer_reference"))
    else:
        either |= Q(order__in=orders)
    return rows.filter(either)


def _page(
    rows: QuerySet[OrderLine], sort: str, descending: bool, cursor: str | None, size: int, count: bool
) -> Page[OrderLine]:
    order = [f"-{name}" if descending else name for name in ORDERS.get(sort, ORDERS["recorded"])]
    return keyset_page(_joined(rows), order, cursor=cursor, size=size, count=count)


def _rows(page: Page[OrderLine], ids: set[int] | None) -> Page[LineRow]:
    found = _rows_of(page.rows, ids)
    return Page(found, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def _rows_of(lines: Sequence[OrderLine], ids: set[int] | None) -> list[LineRow]:
    """Figures for a reader who may see the virtual accounts `ids` (None: all; empty: a seller, who sees destinations)."""
    lying = _lying([line.lot_id for line in lines if line.lot_id is not None])
    converted = _converted([line for line in lines if line.lot_id is not None], lying)
    exchanges = exchanged_for(converted) if converted else {}
    rows = []
    for line in lines:
        everywhere = lying.get(line.lot_id, []) if line.lot_id is not None else []
        seen = [one for one in everywhere if ids is None or _id_of(one) in ids]
        own = not ids or line.virtual_account_id in ids
        unassigned = sum(one.quantity for one in everywhere if one.virtual_account is None)
        held = sum(one.quantity for one in everywhere)
        exchanged = converted.get(line.lot_id, 0) if line.lot_id is not None and own else 0
        rows.append(
            LineRow(
                line=line,
                status=_status(line, unassigned, held + exchanged) if own else State.DEPOSITED,
                quantity=line.quantity if own else sum(one.quantity for one in seen),
                unassigned=unassigned if own else 0,
                cancelled=max(0, line.quantity - held - exchanged) if own and line.lot_id is not None else 0,
                places=seen,
                is_own=own,
                exchanged=exchanged,
                exchange=exchanges.get(line.lot_id) if line.lot_id is not None and own else None,
            )
        )
    return rows


def _status(line: OrderLine, unassigned: int, held: int) -> str:
    """A line that landed is what its lot is now; one that did not is what it waits for."""
    if line.lot_id is None:
        return line.state
    if unassigned:
        return State.UNASSIGNED
    return State.DEPOSITED if held else State.CANCELLED


def _id_of(landed: Landed) -> int | None:
    return landed.virtual_account.pk if landed.virtual_account is not None else None


def _lying(lots: Sequence[int]) -> dict[int, list[Landed]]:
    """Where each lot lies inside its account, by virtual account."""
    found: dict[int, list[Landed]] = {}
    for start in range(0, len(lots), 500):
        held = Holding.objects.filter(lot__in=lots[start : start + 500], quantity__gt=0, place__account__isnull=False)
        for holding in held.select_related("place__virtual_account").order_by(
            "place__virtual_account__name_key", "place"
        ):
            place = holding.place
            found.setdefault(holding.lot_id, []).append(Landed(place.virtual_account, place.kind, holding.quantity))
    return found


def _converted(lines: Sequence[OrderLine], lying: dict[int, list[Landed]]) -> dict[int, int]:
    """How many of each lot, of which something is missing, went into another lot."""
    missing = [
        line.lot_id
        for line in lines
        if line.lot_id is not None and sum(one.quantity for one in lying.get(line.lot_id, [])) < line.quantity
    ]
    if not missing:
        return {}
    gone = Holding.objects.filter(lot__in=missing, quantity__gt=0, place__kind=Place.Kind.CONVERTED)
    return dict(gone.values_list("lot_id", "quantity"))


def _first(rows: QuerySet[OrderLine], uid: str, ids: set[int] | None) -> LineRow:
    found = _joined(rows).filter(uid=uid).first()
    if found is None:
        raise NotFound
    return _rows_of([found], ids)[0]


def _order_of(rows: QuerySet[OrderLine], ids: set[int] | None) -> tuple[Order, list[LineRow]]:
    found = list(_joined(rows).order_by("line_number")[:10_000])
    if not found:
        raise NotFound
    return found[0].order, _rows_of(found, ids)
