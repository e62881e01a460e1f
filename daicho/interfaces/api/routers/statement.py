"""The statement of a virtual account between two days: opening, in, out, ended, closing, and each line."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from daicho.core.text import name_key
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.statement import Balance, Period, StatementLine, find_balances, list_statement
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import LicenseRef, license_out, named, sight_of
from daicho.interfaces.api.schemas import Named, Text, Told

router = Router(tags=["Licenses"])


class Asked(Schema):
    """Which statement. Both days are included; they are days in the account's time zone."""

    since: dt.date
    until: dt.date
    virtual_account: Annotated[str, Field(max_length=16)] = ""
    below: bool = Field(False, description="With the virtual accounts below `virtual_account`, as if they were one.")
    sku: Annotated[Text, Field(max_length=100)] = ""


class BalanceOut(Told):
    """opening + received - taken - ended = closing. What starts counts as received."""

    license: LicenseRef
    opening: int
    received: int
    taken: int
    ended: int
    closing: int


class StatementOut(Told):
    """Each license that counted or moved between the two days. What counts is purchased: on hand, reserved, fulfilled."""

    since: dt.date
    until: dt.date
    time_zone: str
    licenses: list[BalanceOut]


class StatementLineOut(Told):
    """What one act did to one license. `act`: the kind of the entry, or `started` or `ended`.

    `other`: the virtual account on the other side, null where it is none or hidden; `other_place`: the place outside of
    all virtual accounts, or here where it does not count (pending, ended). `total`: what counts after this line.
    """

    at: dt.datetime
    entry: str
    act: str
    done_by: str
    memo: str
    license: LicenseRef
    other: Named | None
    other_place: str
    other_hidden: bool
    received: int
    taken: int
    ended: int
    total: int


def _found(request: HttpRequest, identifier: str, asked: Asked) -> tuple[Sight, Period, list[Balance]]:
    sight = sight_of(request, identifier, asked.virtual_account, below=asked.below, lists=False)
    period = Period(asked.since, asked.until)
    balances = find_balances(sight, period)
    if asked.sku:
        balances = [one for one in balances if one.tag.sku_key == name_key(asked.sku)]
    return sight, period, balances


@router.get("/accounts/{identifier}/statement", response={200: StatementOut, **PROBLEMS}, operation_id="getStatement")
def get_statement(request: HttpRequest, identifier: str, asked: Query[Asked]) -> Any:
    """What counted at the beginning and the end of a period, and what came in, went out and ended between."""
    sight, period, balances = _found(request, identifier, asked)
    figures = ("opening", "received", "taken", "ended", "closing")
    return {
        "since": period.since,
        "until": period.until,
        "time_zone": sight.account.time_zone,
        "licenses": [
            {"license": license_out(one.tag)} | {name: getattr(one, name) for name in figures} for one in balances
        ],
    }


@router.get(
    "/accounts/{identifier}/statement/lines",
    response={200: Paged[StatementLineOut], **PROBLEMS},
    operation_id="listStatementLines",
)
def get_lines(request: HttpRequest, identifier: str, asked: Query[Asked], paging: Query[PageParams]) -> Any:
    """The lines of a statement, the earliest first, each with what counts after it."""
    sight, period, balances = _found(request, identifier, asked)
    if asked.sku and not balances:
        return {"items": [], "next": None, "previous": None}
    tag_uid = balances[0].tag.uid if asked.sku else ""
    page = list_statement(sight, period, balances, tag_uid=tag_uid, cursor=paging.cursor, size=paging.size)
    return paged(page, line_out)


def line_out(line: StatementLine) -> dict[str, Any]:
    return {
        "at": line.at,
        "entry": line.entry_uid,
        "act": line.act,
        "done_by": line.actor_name,
        "memo": line.memo,
        "license": license_out(line.tag),
        "other": named(line.other) if line.other is not None and not line.other_kind else None,
        "other_place": line.other_kind,
        "other_hidden": line.hidden,
        "received": line.received,
        "taken": line.taken,
        "ended": line.ended,
        "total": line.total,
    }
