"""Own settings, and requests for access: the asker's side and the administrators' (S9)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from daicho.domain.access.commands.access_requests import (
    approve_access,
    decline_access,
    request_access,
    withdraw_access_request,
)
from daicho.domain.access.commands.profile import edit_profile
from daicho.domain.access.policy import ensure_signed_in, find_account
from daicho.domain.access.queries_access import (
    find_accounts_of_own_domain,
    list_access_requests,
    own_access_requests,
)
from daicho.domain.access.rules import Role
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.people import chosen
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Access"])

Reason = Annotated[Text, Field(min_length=1, max_length=500)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]


class ProfileOut(Told):
    """The person who is logged in."""

    uid: str
    email: str
    name: str
    department: str
    language: str
    time_zone: str
    theme: str
    keyboard_shortcuts: bool


class ProfileIn(Schema):
    name: Name
    department: Text = Field("", max_length=100)
    language: Literal["ja", "en"]
    time_zone: Text = Field(max_length=64)
    theme: Literal["system", "light", "dark"] = "system"
    keyboard_shortcuts: bool = True


class FoundAccountOut(Told):
    """An account of the caller's own mail domain."""

    identifier: str
    name: str
    state: str
    administrators: list[str]
    has_right: bool


class AccessRequestOut(Told):
    """A request for a role. `virtual_account_name`: as the asker typed it, empty for the whole account."""

    uid: str
    account: str
    user: str
    email: str
    role: Role
    virtual_account_name: str
    reason: str
    state: str
    decided_by: str
    decision_reason: str
    created_at: AwareDatetime


class AccessRequestIn(Schema):
    account: Text = Field(min_length=1, max_length=253)
    role: Role
    virtual_account_name: Text = Field("", max_length=100)
    reason: Reason


class ApprovalIn(Schema):
    """The role and scope that are given; no role: the one that was asked for."""

    role: Role | None = None
    virtual_account: Uid | None = None
    ends_at: AwareDatetime | None = None


class AccessReasonIn(Schema):
    reason: Reason


def request_out(found: Any) -> dict[str, Any]:
    return {
        "uid": found.uid, "account": found.account.identifier, "user": str(found.user), "email": found.user.email,
        "role": found.role, "virtual_account_name": found.virtual_account_name, "reason": found.reason,
        "state": found.state, "decided_by": found.decided_by_name, "decision_reason": found.decision_reason,
        "created_at": found.created_at,
    }  # fmt: skip


@router.get("/me", response={200: ProfileOut, **PROBLEMS}, operation_id="getProfile")
def get_me(request: HttpRequest) -> Any:
    """Own settings; for people, not for programs."""
    return ensure_signed_in(actor_of(request))


@router.put("/me", response={200: ProfileOut, **PROBLEMS}, operation_id="setProfile")
def put_me(request: HttpRequest, body: ProfileIn) -> Any:
    """Change one's own settings."""
    return edit_profile(actor_of(request), **body.dict())


@router.get("/me/found-accounts", response={200: list[FoundAccountOut], **PROBLEMS}, operation_id="findOwnAccounts")
def found_accounts(request: HttpRequest) -> Any:
    """Accounts of the caller's own mail domain, where access can be requested."""
    return find_accounts_of_own_domain(actor_of(request))


@router.get("/me/access-requests", response={200: list[AccessRequestOut], **PROBLEMS}, operation_id="listOwnRequests")
def own_requests(request: HttpRequest) -> Any:
    """What the caller has asked for, latest first."""
    return [request_out(found) for found in own_access_requests(actor_of(request))]


@router.post("/me/access-requests", response={201: AccessRequestOut, **PROBLEMS}, operation_id="requestAccess")
def create_request(request: HttpRequest, body: AccessRequestIn) -> Any:
    """Ask the administrators of the company's account for a role."""
    wanted = request_access(
        actor_of(request), identifier=body.account, role=body.role, reason=body.reason,
        virtual_account_name=body.virtual_account_name,
    )  # fmt: skip
    return Status(201, request_out(wanted))


@router.delete("/me/access-requests/{uid}", response={204: None, **PROBLEMS}, operation_id="withdrawAccessRequest")
def delete_request(request: HttpRequest, uid: str) -> Any:
    """Take one's own request back."""
    withdraw_access_request(actor_of(request), request_uid=uid)
    return Status(204, None)


@router.get(
    "/accounts/{identifier}/access-requests",
    response={200: Paged[AccessRequestOut], **PROBLEMS},
    operation_id="listAccessRequests",
)
def requests(request: HttpRequest, identifier: str, paging: Query[PageParams], open_only: bool = True) -> Any:
    """Requests for access to the account."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    page = list_access_requests(actor, account, open_only=open_only, cursor=paging.cursor, size=paging.size)
    return paged(page, request_out)


@router.post(
    "/accounts/{identifier}/access-requests/{uid}/approve",
    response={204: None, **PROBLEMS},
    operation_id="approveAccessRequest",
)
def approve(request: HttpRequest, identifier: str, uid: str, body: ApprovalIn) -> Any:
    """Let a colleague in, as asked or changed."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    approve_access(
        actor, account=account, request_uid=uid, role=body.role, ends_at=body.ends_at,
        virtual_account=chosen(actor, account, body.virtual_account),
    )  # fmt: skip
    return Status(204, None)


@router.post(
    "/accounts/{identifier}/access-requests/{uid}/decline",
    response={204: None, **PROBLEMS},
    operation_id="declineAccessRequest",
)
def decline(request: HttpRequest, identifier: str, uid: str, body: AccessReasonIn) -> Any:
    """Decline a request for a reason."""
    actor = actor_of(request)
    decline_access(actor, account=find_account(actor, identifier), request_uid=uid, reason=body.reason)
    return Status(204, None)
