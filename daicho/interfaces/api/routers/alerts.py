"""Alerts: what needs somebody now (S2)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field

from daicho.domain.access.policy import find_account, find_virtual_account
from daicho.domain.alerts.commands.hide import hide_alert, show_alert
from daicho.domain.alerts.queries import AlertFilter, AlertRow, get_alert, list_alerts
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Alerts"])


class AlertParams(Schema):
    """Conditions on the list. `hidden`: the hidden ones instead of the others."""

    severity: Literal["", "major", "minor", "informational"] = ""
    kind: Text = Field("", max_length=40)
    q: Text = Field("", max_length=200)
    hidden: bool = False


class UsedByOut(Told):
    """A device that uses what is short."""

    device: str
    device_uid: str
    quantity: int


class SpareOut(Told):
    """Licenses free in another virtual account that would cover a shortage."""

    virtual_account: str
    sku: str
    quantity: int


class AlertOut(Told):
    """An open alert. `source` is the handle of what it is about; `missing` and what follows are figures of now."""

    uid: str
    kind: str
    severity: str
    source: str
    virtual_account_uid: str
    virtual_account: str
    data: dict[str, Any]
    due: AwareDatetime | None
    since: AwareDatetime
    hidden_until: AwareDatetime | None
    hidden_by: str
    missing: int
    used_by: list[UsedByOut]
    users: int
    spares: list[SpareOut]


class HideIn(Schema):
    """Hidden to the end of this day in the account's zone; without a day for 30 days."""

    until: dt.date | None = None


def alert_out(row: AlertRow) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "kind": row.kind,
        "severity": row.severity,
        "source": row.source,
        "virtual_account_uid": row.virtual_account_uid,
        "virtual_account": row.virtual_account,
        "data": dict(row.data),
        "due": row.due,
        "since": row.since,
        "hidden_until": row.hidden_until,
        "hidden_by": row.hidden_by,
        "missing": row.missing,
        "used_by": [{"device": o.name, "device_uid": o.device_uid, "quantity": o.quantity} for o in row.used_by],
        "users": row.users,
        "spares": [{"virtual_account": s.virtual_account, "sku": s.sku, "quantity": s.quantity} for s in row.spares],
    }


@router.get("/accounts/{identifier}/alerts", response={200: Paged[AlertOut], **PROBLEMS}, operation_id="listAlerts")
def list_account_alerts(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    wanted: Query[AlertParams],
    virtual_account: Annotated[Uid | None, Query()] = None,
) -> Any:
    """Open alerts that the caller may read, the most urgent first."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    place = find_virtual_account(actor, account, virtual_account) if virtual_account else None
    conditions = AlertFilter(wanted.severity, wanted.kind, wanted.q, wanted.hidden)
    page = list_alerts(actor, account, place, wanted=conditions, cursor=paging.cursor, size=paging.size, count=False)
    return paged(page, alert_out)


@router.get("/accounts/{identifier}/alerts/{uid}", response={200: AlertOut, **PROBLEMS}, operation_id="getAlert")
def get_account_alert(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One open alert."""
    actor = actor_of(request)
    return alert_out(get_alert(actor, find_account(actor, identifier), uid))


@router.post("/accounts/{identifier}/alerts/{uid}/hide", response={200: AlertOut, **PROBLEMS}, operation_id="hideAlert")
def hide(request: HttpRequest, identifier: str, uid: str, body: HideIn) -> Any:
    """Hide an alert for a while."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    hide_alert(actor, account=account, uid=uid, until=body.until)
    return alert_out(get_alert(actor, account, uid))


@router.post("/accounts/{identifier}/alerts/{uid}/show", response={200: AlertOut, **PROBLEMS}, operation_id="showAlert")
def show(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Show a hidden alert again."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    show_alert(actor, account=account, uid=uid)
    return alert_out(get_alert(actor, account, uid))
