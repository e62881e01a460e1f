"""The operator works on lots: sees what is left, revokes, corrects, and brings several under a common end."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field

from daicho.domain.ledger.commands.cancel import revoke_lot
from daicho.domain.ledger.commands.co_term import MOST_LOTS, CoTermPreview, co_term_lots, preview_co_term
from daicho.domain.ledger.commands.correct import correct_lot, right_lot
from daicho.domain.ledger.commands.deposit import NewLot
from daicho.domain.ledger.commands.previews import preview_correction, preview_revocation
from daicho.domain.ledger.queries.held import Held
from daicho.domain.ledger.queries.issued import IssuedLot, account_with_lots, get_issued, get_lots, list_issued
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Quantity, Text, Told, Uid

if TYPE_CHECKING:
    from daicho.domain.ledger.models import Lot

router = Router(tags=["Operator"])

Reason = Annotated[Text, Field(min_length=1, max_length=500)]


def _near(day: dt.date) -> dt.date:
    if not 1970 <= day.year <= 2200:
        raise ValueError("a day from 1970 to 2200")
    return day


Day = Annotated[dt.date, AfterValidator(_near)]


class IssuedLotOut(Told):
    """A lot and what is left of it: unassigned, in virtual accounts, reserved or fulfilled (`held`)."""

    uid: str
    sku: str
    kind: str
    billing: str
    start_at: dt.datetime
    end_at: dt.datetime | None
    end_on: dt.date | None
    order_number: str
    unassigned: int
    assigned: int
    held: int


class HeldOut(Told):
    """So many of a lot that a unit holds. They stay until they are returned."""

    lot: str
    unit: str
    state: Literal["reserved", "fulfilled"]
    quantity: int
    end_on: dt.date | None


class IssuedLotDetailOut(IssuedLotOut):
    """A lot with the units that hold some of it."""

    held_by: list[HeldOut]


class LotRevokeIn(Schema):
    """The customer reads the reason."""

    reason: Reason


class RevokedLotOut(Told):
    """How many were revoked, and how many are left in the hands of units."""

    entry: str
    revoked: int
    left: int
    held_by: list[HeldOut]


class RevocationPreviewOut(Told):
    """What a revocation would do. `newly_short`: so many uses of the customer become short at once."""

    revoked: int
    left: int
    newly_short: int
    held_by: list[HeldOut]


class LotCorrectIn(Schema):
    """The right lot. `quantity`: what there should be outside of units' hands; start and billing stay unless given."""

    quantity: Quantity
    kind: Literal["perpetual", "term", "subscription", "demo"]
    end_on: Day | None
    start_on: Day | None = None
    billing: Literal["prepaid", "usage"] | None = None
    reason: Reason


class CorrectedLotOut(Told):
    """The entry, the right lot, and what units still hold of the wrong one."""

    entry: str
    lot: str
    held_by: list[HeldOut]


class CorrectionPreviewOut(Told):
    """How many are outside of units' hands before and after; `newly_short` below 0: so many shortages are covered."""

    before: int
    after: int
    unassigned: int
    newly_short: int
    held_by: list[HeldOut]


class CoTermPreviewIn(Schema):
    """Lots of one license. Without `ends_on` the end is the one that keeps the license-days."""

    lots: list[Uid] = Field(min_length=1, max_length=MOST_LOTS)
    ends_on: Day | None = None


class CoTermIn(CoTermPreviewIn):
    """`quantity`: what the preview said; 409 `stale_data` if it has changed since."""

    reason: Reason
    quantity: Quantity | None = None


class CoTermPartOut(Told):
    """So many of a lot, unassigned or in virtual accounts, which become part of the new lot where they are."""

    lot: str
    unassigned: int
    assigned: int
    end_on: dt.date


class CoTermPreviewOut(Told):
    """What a common end would do. License-days count today and the last day; `even_on`: the end that keeps them."""

    parts: list[CoTermPartOut]
    held_by: list[HeldOut]
    quantity: int
    ends_on: dt.date
    even_on: dt.date
    days_before: int
    days_after: int


class CoTermOut(Told):
    """The one new lot, and what units still hold of the old ones."""

    entry: str
    lot: str
    quantity: int
    ends_on: dt.date
    held_by: list[HeldOut]


def issued_out(row: IssuedLot) -> dict[str, Any]:
    lot = row.lot
    return {
        "uid": lot.uid, "sku": lot.tag.sku, "kind": lot.kind, "billing": lot.billing, "start_at": lot.start_at,
        "end_at": lot.end_at, "end_on": row.end_on, "order_number": lot.order_number, "unassigned": row.unassigned,
        "assigned": row.assigned, "held": row.held,
    }  # fmt: skip


def held_out(held: list[Held]) -> list[dict[str, Any]]:
    return [
        {"lot": one.lot.uid, "unit": one.unit.uid, "state": one.kind, "quantity": one.quantity, "end_on": one.ends_on}
        for one in held
    ]


def preview_out(found: CoTermPreview) -> dict[str, Any]:
    """By lot: which virtual accounts the customer put them in is the customer's."""
    parts: dict[str, dict[str, Any]] = {}
    sums: dict[tuple[str, bool], int] = defaultdict(int)
    for part in found.parts:
        parts[part.lot.uid] = {"lot": part.lot.uid, "end_on": part.ends_on}
        sums[part.lot.uid, part.virtual_account is not None] += part.quantity
    return {
        "parts": [one | {"unassigned": sums[uid, False], "assigned": sums[uid, True]} for uid, one in parts.items()],
        "held_by": held_out(found.held),
        "quantity": found.quantity,
        "ends_on": found.ends_on,
        "even_on": found.even_on,
        "days_before": found.days_before,
        "days_after": found.days_after,
    }


def right_of(lot: Lot, body: LotCorrectIn) -> NewLot:
    return right_lot(
        lot, quantity=body.quantity, kind=body.kind, billing=body.billing or "", start_on=body.start_on,
        end_on=body.end_on,
    )  # fmt: skip


@router.get(
    "/operator/accounts/{identifier}/lots",
    response={200: Paged[IssuedLotOut], **PROBLEMS},
    operation_id="listIssuedLots",
)
def get_issued_lots(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    sku: Annotated[Text, Field(max_length=100)] = "",
    order_number: Annotated[Text, Field(max_length=64)] = "",
    text: Annotated[Text, Field(max_length=200)] = "",
    state: Literal["in_force", "not_started", "ended"] | None = None,
) -> Any:
    """The lots of an account and what is left of each, the next to end first."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    page = list_issued(
        actor, account, sku=sku, order_number=order_number, text=text, state=state or "", cursor=paging.cursor,
        size=paging.size,
    )  # fmt: skip
    return paged(page, issued_out)


# Before /lots/{lot}, which would take "co-term" for a handle.
@router.post(
    "/operator/accounts/{identifier}/lots/co-term", response={200: CoTermOut, **PROBLEMS}, operation_id="coTermLots"
)
def co_term(request: HttpRequest, identifier: str, body: CoTermIn) -> Any:
    """Give several lots of one license one common end; the customer's administrators get a mail with the reason."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    done = co_term_lots(
        actor, account=account, request_id=request_id_of(request), lots=get_lots(actor, account, body.lots),
        reason=body.reason, ends_on=body.ends_on, quantity=body.quantity,
    )  # fmt: skip
    return {
        "entry": done.entry.uid, "lot": done.lot.uid, "quantity": done.quantity, "ends_on": done.ends_on,
        "held_by": held_out(done.held),
    }  # fmt: skip


@router.post(
    "/operator/accounts/{identifier}/lots/co-term/preview",
    response={200: CoTermPreviewOut, **PROBLEMS},
    operation_id="previewCoTerm",
)
def co_term_preview(request: HttpRequest, identifier: str, body: CoTermPreviewIn) -> Any:
    """What a common end would do; writes nothing."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    lots = get_lots(actor, account, body.lots)
    return preview_out(preview_co_term(actor, account=account, lots=lots, ends_on=body.ends_on))


@router.get(
    "/operator/accounts/{identifier}/lots/{lot}",
    response={200: IssuedLotDetailOut, **PROBLEMS},
    operation_id="getIssuedLot",
)
def get_issued_lot(request: HttpRequest, identifier: str, lot: Uid) -> Any:
    """One lot, what is left of it, and which units hold how many."""
    actor = actor_of(request)
    row, held = get_issued(actor, account_with_lots(actor, identifier), lot)
    return issued_out(row) | {"held_by": held_out(held)}


@router.post(
    "/operator/accounts/{identifier}/lots/{lot}/revoke",
    response={200: RevokedLotOut, **PROBLEMS},
    operation_id="revokeLot",
)
def revoke(request: HttpRequest, identifier: str, lot: Uid, body: LotRevokeIn) -> Any:
    """Revoke all of a lot that no unit holds, with a reason. Uses go on and show as a shortage."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    [found] = get_lots(actor, account, [lot])
    done = revoke_lot(actor, account=account, request_id=request_id_of(request), lot=found, reason=body.reason)
    return {"entry": done.entry.uid, "revoked": done.revoked, "left": done.left, "held_by": held_out(done.held)}


@router.post(
    "/operator/accounts/{identifier}/lots/{lot}/revoke/preview",
    response={200: RevocationPreviewOut, **PROBLEMS},
    operation_id="previewRevocation",
)
def revoke_preview(request: HttpRequest, identifier: str, lot: Uid) -> Any:
    """What a revocation would do; writes nothing."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    [found] = get_lots(actor, account, [lot])
    shown = preview_revocation(actor, account=account, lot=found)
    return {
        "revoked": shown.revoked, "left": shown.left, "newly_short": shown.newly_short, "held_by": held_out(shown.held),
    }  # fmt: skip


@router.post(
    "/operator/accounts/{identifier}/lots/{lot}/correct/preview",
    response={200: CorrectionPreviewOut, **PROBLEMS},
    operation_id="previewCorrection",
)
def correct_preview(request: HttpRequest, identifier: str, lot: Uid, body: LotCorrectIn) -> Any:
    """What a correction would do; writes nothing."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    [found] = get_lots(actor, account, [lot])
    shown = preview_correction(actor, account=account, lot=found, right=right_of(found, body))
    return {
        "before": shown.before, "after": shown.after, "unassigned": shown.unassigned, "newly_short": shown.newly_short,
        "held_by": held_out(shown.held),
    }  # fmt: skip


@router.post(
    "/operator/accounts/{identifier}/lots/{lot}/correct",
    response={200: CorrectedLotOut, **PROBLEMS},
    operation_id="correctLot",
)
def correct(request: HttpRequest, identifier: str, lot: Uid, body: LotCorrectIn) -> Any:
    """Exchange a wrong lot for the right one of the same license where it lies, with a reason."""
    actor = actor_of(request)
    account = account_with_lots(actor, identifier)
    [found] = get_lots(actor, account, [lot])
    right = right_of(found, body)
    done = correct_lot(
        actor, account=account, request_id=request_id_of(request), lot=found, right=right, reason=body.reason
    )
    return {"entry": done.entry.uid, "lot": done.lot.uid, "held_by": held_out(done.held)}
