"""Licenses of an account: the table, one license and why its number is so, lots, ends, use over time (S1, S2)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from daicho.core.actor import Actor
from daicho.core.clock import last_day
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.ends import EndCriteria, EndRow, list_ends
from daicho.domain.ledger.queries.explain import Explanation, explain
from daicho.domain.ledger.queries.lot_details import details_of
from daicho.domain.ledger.queries.lots import LotCriteria, LotRow, list_lots
from daicho.domain.ledger.queries.pools import (
    ORDERS,
    BranchTotal,
    PoolCriteria,
    branch_totals,
    list_pools,
    pool_totals,
)
from daicho.domain.ledger.queries.sight import Sight, find_tag, look
from daicho.domain.ledger.queries.states import state_of
from daicho.domain.ledger.queries.summary import summary
from daicho.domain.ledger.queries.uses import use_over_time
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.lot_details import LotDetailsOut, details_out
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Named, Text, Told, Uid

router = Router(tags=["Licenses"])

PoolState = Literal["short", "ended", "ending", "not_started", "in_compliance"]
LotState = Literal["not_started", "in_force", "ending", "ended", "reserved", "fulfilled"]
LotKind = Literal["perpetual", "term", "subscription", "demo"]
Word = Annotated[Text, Field(max_length=200)]


class LicenseRef(Told):
    """A kind of license. `uid` stands in addresses, `sku` in bodies and files."""

    uid: str
    sku: str
    name: str
    name_ja: str
    family: str
    enforcement: str


class Figures(Told):
    """balance = on_hand - in_use - lent + borrowed + metered; purchased = on_hand + reserved + fulfilled."""

    purchased: int
    on_hand: int
    reserved: int
    fulfilled: int
    pending: int
    in_use: int
    lent: int
    borrowed: int
    metered: int
    balance: int
    available: int
    short: int


class PoolOut(Figures):
    """A license in a virtual account. `next_end_on`: the last day of the lot that ends next, in the account's zone."""

    uid: str
    license: LicenseRef
    virtual_account: Named
    state: PoolState
    next_end_at: dt.datetime | None
    next_end_on: dt.date | None


class TotalsOut(Told):
    """Sums over all that is filtered; null beyond 10,000 rows."""

    count: int | None
    count_is_exact: bool
    sums: dict[str, int] | None


class LoanOut(Told):
    """`lender` covers so many uses of `borrower` (SKUs)."""

    lender: str
    borrower: str
    quantity: int


class LicenseOut(Told):
    """A license as far as the caller sees it: the sums, each virtual account, and who lends to whom."""

    license: LicenseRef
    sums: Figures
    short: int
    spare: int
    virtual_accounts: list[PoolOut]
    ladder: list[str]
    loans: list[LoanOut]


class LotOut(Told):
    """So many of a lot where it lies. `start_on` is the first day in the account's zone, `end_on` the last, `days_left` 0 on it."""

    uid: str
    license: LicenseRef
    virtual_account: Named
    place: str
    state: LotState
    quantity: int
    kind: str
    billing: str
    start_at: dt.datetime
    start_on: dt.date
    end_at: dt.datetime | None
    end_on: dt.date | None
    days_left: int | None
    order_number: str


class ListedLotOut(LotOut):
    """With `details=true`: the ledger columns; null where nothing is written down, or a place of the lot is out of sight."""

    details: LotDetailsOut | None = None


class EndOut(LotOut):
    """What ends or has ended, and what is left there after it: `balance_after` supposes that uses stay as they are."""

    in_use: int
    balance_after: int | None


class UsePointOut(Told):
    """At the end of a day."""

    day: dt.date
    purchased: int
    in_use: int


class BranchOut(Told):
    """A virtual account with the sums of its own licenses and of its whole branch."""

    virtual_account: Named
    parent: str | None
    depth: int
    own: dict[str, int]
    branch: dict[str, int]


class SummaryOut(Told):
    """The figures of the home page."""

    short_licenses: int
    short_quantity: int
    spare_quantity: int
    pending_quantity: int
    pools: int
    waiting_transfers: int


class PoolFilters(Schema):
    """Conditions of the license table; all of them hold together."""

    text: Word = ""
    state: PoolState | None = None
    kind: LotKind | None = None
    sku: Annotated[Text, Field(max_length=100)] = ""
    family: Annotated[Text, Field(max_length=100)] = ""
    tag: Annotated[Text, Field(max_length=50)] = Field("", description="A label of virtual accounts.")
    enforcement: Literal["unenforced", "enforced", "export_controlled"] | None = None
    spare: bool = False
    pending: bool = Field(False, description="With licenses that have not started.")
    idle: bool = Field(False, description="Spare for 90 days at least, without any change of use.")
    virtual_account: Annotated[str, Field(max_length=16)] = ""
    below: bool = Field(False, description="With the virtual accounts below `virtual_account`.")

    def criteria(self) -> PoolCriteria:
        return PoolCriteria(
            text=self.text, state=self.state or "", kind=self.kind or "", sku=self.sku, family=self.family,
            va_tag=self.tag, enforcement=self.enforcement or "", spare=self.spare, pending=self.pending,
            idle=self.idle,
        )  # fmt: skip


def sight_of(
    request: HttpRequest, identifier: str, virtual_account: str = "", *, below: bool = False, lists: bool = True
) -> Sight:
    """What the caller sees of licenses; NotFound for what he may not."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    place = _place(actor, account, virtual_account)
    return look(actor, account, place, below=below, lists=lists)


def _place(actor: Actor, account: Any, uid: str) -> Any:
    return policy.get_virtual_account(actor, account, uid, Permission.LICENSES_VIEW) if uid else None


def license_out(tag: Any) -> dict[str, Any]:
    return {name: getattr(tag, name) for name in LicenseRef.model_fields}


def named(virtual_account: Any) -> dict[str, str]:
    return {"uid": virtual_account.uid, "name": virtual_account.name}


def figures_out(source: Any) -> dict[str, int]:
    return {name: getattr(source, name) for name in Figures.model_fields}


def pool_out(pool: Any, zone: str) -> dict[str, Any]:
    end = pool.next_end_at
    return figures_out(pool) | {
        "uid": pool.uid,
        "license": license_out(pool.tag),
        "virtual_account": named(pool.virtual_account),
        "state": state_of(pool),
        "next_end_at": end,
        "next_end_on": last_day(end, zone) if end is not None else None,
    }


def lot_out(row: LotRow) -> dict[str, Any]:
    lot = row.lot
    return {
        "uid": lot.uid,
        "license": license_out(lot.tag),
        "virtual_account": named(row.place.virtual_account),
        "place": row.place.kind,
        "state": row.state,
        "quantity": row.quantity,
        "kind": lot.kind,
        "billing": lot.billing,
        "start_at": lot.start_at,
        "start_on": row.start_on,
        "end_at": lot.end_at,
        "end_on": row.end_on,
        "days_left": row.days_left,
        "order_number": lot.order_number,
    }


def end_out(row: EndRow) -> dict[str, Any]:
    return lot_out(row.row) | {"in_use": row.in_use, "balance_after": row.balance_after}


def explanation_out(found: Explanation, zone: str) -> dict[str, Any]:
    ladder = found.substitution
    return {
        "license": license_out(found.tag),
        "sums": figures_out(found.formula),
        "short": found.short,
        "spare": found.spare,
        "virtual_accounts": [pool_out(pool, zone) for pool in found.pools],
        "ladder": [rung.tag.sku for rung in ladder.rungs] if ladder else [],
        "loans": [
            {"lender": loan.lender.tag.sku, "borrower": loan.borrower.tag.sku, "quantity": loan.quantity}
            for loan in (ladder.loans if ladder else [])
        ],
    }


def branch_out(total: BranchTotal, names: dict[int, str]) -> dict[str, Any]:
    place = total.virtual_account
    parent = names.get(place.parent_id) if place.parent_id else None
    return {
        "virtual_account": named(place), "parent": parent, "depth": place.depth, "own": total.own, "branch": total.branch,
    }  # fmt: skip


@router.get("/accounts/{identifier}/licenses", response={200: Paged[PoolOut], **PROBLEMS}, operation_id="listLicenses")
def get_licenses(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    filters: Query[PoolFilters],
    sort: Literal["license", "virtual_account", "balance", "purchased", "in_use", "reserved", "next_end"] = "license",
    descending: bool = False,
) -> Any:
    """Every license in every virtual account that the caller may see: purchased, in use, reserved, balance."""
    sight = sight_of(request, identifier, filters.virtual_account, below=filters.below)
    page = list_pools(
        sight, filters.criteria(), sort=sort if sort in ORDERS else "license", descending=descending,
        cursor=paging.cursor, size=paging.size,
    )  # fmt: skip
    return paged(page, lambda pool: pool_out(pool, sight.account.time_zone))


@router.get(
    "/accounts/{identifier}/license-totals", response={200: TotalsOut, **PROBLEMS}, operation_id="getLicenseTotals"
)
def get_totals(request: HttpRequest, identifier: str, filters: Query[PoolFilters]) -> Any:
    """Sums over all licenses that match."""
    sight = sight_of(request, identifier, filters.virtual_account, below=filters.below)
    totals = pool_totals(sight, filters.criteria())
    return {"count": totals.count, "count_is_exact": totals.is_exact, "sums": totals.sums or None}


@router.get(
    "/accounts/{identifier}/license-branches",
    response={200: list[BranchOut], **PROBLEMS},
    operation_id="listBranchTotals",
)
def get_branches(request: HttpRequest, identifier: str, family: Annotated[Text, Field(max_length=100)] = "") -> Any:
    """Sums per virtual account and branch, in tree order; empty for who may not see the whole account (S26)."""
    sight = sight_of(request, identifier)
    totals = branch_totals(sight, PoolCriteria(family=family) if family else None)
    names = {total.virtual_account.pk: total.virtual_account.uid for total in totals}
    return [branch_out(total, names) for total in totals]


@router.get(
    "/accounts/{identifier}/license-summary", response={200: SummaryOut, **PROBLEMS}, operation_id="getLicenseSummary"
)
def get_summary(
    request: HttpRequest, identifier: str, virtual_account: Annotated[str, Field(max_length=16)] = ""
) -> Any:
    """What is short, what is spare, what waits."""
    return summary(sight_of(request, identifier, virtual_account))


@router.get("/accounts/{identifier}/licenses/{uid}", response={200: LicenseOut, **PROBLEMS}, operation_id="getLicense")
def get_license(
    request: HttpRequest, identifier: str, uid: Uid, virtual_account: Annotated[str, Field(max_length=16)] = ""
) -> Any:
    """One license, and why its number is so. The ladder is told for one virtual account."""
    sight = sight_of(request, identifier, virtual_account)
    return explanation_out(explain(sight, find_tag(sight, uid=uid)), sight.account.time_zone)


@router.get(
    "/accounts/{identifier}/licenses/{uid}/use-over-time",
    response={200: list[UsePointOut], **PROBLEMS},
    operation_id="getUseOverTime",
)
def get_use(
    request: HttpRequest,
    identifier: str,
    uid: Uid,
    virtual_account: Annotated[str, Field(max_length=16)] = "",
    days: Annotated[int, Field(ge=1, le=1096)] = 365,
    step: Annotated[int, Field(ge=1, le=31)] = 7,
) -> Any:
    """Purchased and in use, one point every `step` days, the oldest first."""
    sight = sight_of(request, identifier, virtual_account)
    return use_over_time(sight, find_tag(sight, uid=uid), days=days, step=step)


@router.get("/accounts/{identifier}/lots", response={200: Paged[ListedLotOut], **PROBLEMS}, operation_id="listLots")
def get_lots(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    sku: Annotated[Text, Field(max_length=100)] = "",
    state: LotState | None = None,
    kind: LotKind | None = None,
    text: Word = "",
    virtual_account: Annotated[str, Field(max_length=16)] = "",
    details: bool = False,
) -> Any:
    """Lots where they lie, the next to end first. Subscriptions: `kind=subscription`. `details`: with ledger columns."""
    sight = sight_of(request, identifier, virtual_account)
    criteria = LotCriteria(sku=sku, state=state or "", kinds=(kind,) if kind else (), text=text)
    page = list_lots(sight, criteria, cursor=paging.cursor, size=paging.size, count=False)
    kept = details_of(sight, {row.lot.pk for row in page.rows}) if details else {}
    told = {lot_id: details_out(one, company=sight.sees_all) for lot_id, one in kept.items()}
    return paged(page, lambda row: lot_out(row) | {"details": told.get(row.lot.pk)})


@router.get("/accounts/{identifier}/ends", response={200: Paged[EndOut], **PROBLEMS}, operation_id="listEnds")
def get_ends(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    days: Annotated[int, Field(ge=1, le=3660)] = 90,
    ended: bool = False,
    kind: LotKind | None = None,
    text: Word = "",
    virtual_account: Annotated[str, Field(max_length=16)] = "",
) -> Any:
    """What ends within `days`, or has ended since, and what is short after it (S2)."""
    sight = sight_of(request, identifier, virtual_account)
    criteria = EndCriteria(days=days, ended=ended, kind=kind or "", text=text)
    return paged(list_ends(sight, criteria, cursor=paging.cursor, size=paging.size, count=False), end_out)
