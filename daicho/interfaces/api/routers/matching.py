"""Acts on everything that matches a filter: jobs, in which each row succeeds or fails alone."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.commands.transfer_jobs import start_transfer_matching
from daicho.domain.orders.commands.assign_matching import start_assign_matching
from daicho.domain.orders.queries.lines import Filters
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.jobs import JobOut, started
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import LotKind, PoolFilters, sight_of
from daicho.interfaces.api.schemas import Text, Uid

router = Router(tags=["Jobs"])


class TransferMatchingIn(Schema):
    """`filter`: the conditions of the license table. `target`: the virtual account to which all that is spare goes."""

    filter: PoolFilters
    target: Uid
    choice: Literal["soonest_end", "longest_term"] = "soonest_end"
    memo: Text = Field("", max_length=500)


class LineFilter(Schema):
    """Conditions of the unassigned lines; all of them hold together."""

    text: Text = Field("", max_length=200)
    kind: LotKind | None = None
    since: dt.date | None = None


class AssignMatchingIn(Schema):
    """`virtual_account`: where all that is unassigned goes."""

    filter: LineFilter
    virtual_account: Uid
    memo: Text = Field("", max_length=500)


@router.post(
    "/accounts/{identifier}/transfers/matching", response={202: JobOut, **PROBLEMS}, operation_id="transferMatching"
)
def transfer_matching(request: HttpRequest, identifier: str, body: TransferMatchingIn) -> Any:
    """Move all that is spare of the licenses that match now to one virtual account, in a job."""
    actor = actor_of(request)
    sight = sight_of(request, identifier, body.filter.virtual_account, below=body.filter.below)
    job = start_transfer_matching(
        actor,
        account=sight.account,
        request_id=request_id_of(request),
        criteria=body.filter.criteria(),
        target=policy.get_virtual_account(actor, sight.account, body.target, Permission.LICENSES_VIEW),
        virtual_account=sight.only,
        below=sight.below,
        choice=body.choice,
        memo=body.memo,
    )
    return started(job)


@router.post(
    "/accounts/{identifier}/assignments/matching", response={202: JobOut, **PROBLEMS}, operation_id="assignMatching"
)
def assign_matching(request: HttpRequest, identifier: str, body: AssignMatchingIn) -> Any:
    """Assign all that is unassigned of the order lines that match now to one virtual account, in a job."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    job = start_assign_matching(
        actor,
        account=account,
        request_id=request_id_of(request),
        virtual_account=policy.get_virtual_account(actor, account, body.virtual_account, Permission.ORDERS_VIEW),
        filters=Filters(text=body.filter.text, kind=body.filter.kind or "", since=body.filter.since),
        memo=body.memo,
    )
    return started(job)
