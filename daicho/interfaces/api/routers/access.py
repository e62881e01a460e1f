"""Access requests, programs of an account, own settings, and the operator's people (S9)."""

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
from daicho.domain.access.commands.administrators import appoint_administrator
from daicho.domain.access.commands.api_clients import (
    Right,
    change_api_client,
    create_api_client,
    create_operator_api_client,
    create_partner_api_client,
    give_api_client_grant,
    revoke_api_client,
    revoke_foreign_api_client,
    rotate_api_client_secret,
)
from daicho.domain.access.commands.grants import revoke_grant
from daicho.domain.access.commands.partners import (
    add_partner_member,
    change_partner_company,
    create_partner_company,
    remove_partner_member,
)
from daicho.domain.access.commands.profile import edit_profile
from daicho.domain.access.policy import ensure_signed_in, find_account
from daicho.domain.access.queries_access import (
    find_account_for_operator,
    find_accounts_of_own_domain,
    get_api_client,
    get_partner_company,
    list_access_requests,
    list_api_clients,
    list_partner_companies,
    own_access_requests,
    partner_members,
    rights_of_client,
)
from daicho.domain.access.rules import OperatorPermission, Permission, Role
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.people import Address, chosen, place_of
from daicho.interfaces.api.schemas import Named, Text, Uid

router = Router(tags=["Access"])

Reason = Annotated[Text, Field(min_length=1, max_length=500)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]


class ProfileOut(Schema):
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


class FoundAccountOut(Schema):
    """An account of the caller's own mail domain."""

    identifier: str
    name: str
    state: str
    administrators: list[str]
    has_right: bool


class AccessRequestOut(Schema):
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


class ClientGrantOut(Schema):
    uid: str
    role: Role
    virtual_account: Named | None
    ends_at: AwareDatetime | None


class ApiClientOut(Schema):
    """A program of the account. It may what both its scopes and its grants allow."""

    uid: str
    name: str
    secret_hint: str
    scopes: list[str]
    ends_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    created_at: AwareDatetime
    grants: list[ClientGrantOut]


class NewSecretOut(Schema):
    """`secret` is answered once and kept nowhere; send `<uid>.<secret>` as bearer token."""

    uid: str
    name: str
    secret: str | None


class ClientRightIn(Schema):
    role: Role
    virtual_account: Uid | None = None


class ApiClientIn(Schema):
    name: Name
    scopes: list[Permission] = Field(max_length=50)
    grants: list[ClientRightIn] = Field([], max_length=50)
    ends_at: AwareDatetime | None = None


class ApiClientChange(Schema):
    name: Name
    scopes: list[Permission] = Field(max_length=50)
    ends_at: AwareDatetime | None = None


class OperatorClientIn(Schema):
    """No scopes: all that the operator may."""

    name: Name
    scopes: list[OperatorPermission] = Field([], max_length=20)
    ends_at: AwareDatetime | None = None


class PartnerClientIn(Schema):
    name: Name
    ends_at: AwareDatetime | None = None


class CompanyOut(Schema):
    """A partner company: its members record orders."""

    uid: str
    name: str
    is_active: bool
    members_count: int


class CompanyIn(Schema):
    name: Text = Field(min_length=1, max_length=200)
    is_active: bool = True


class MemberOut(Schema):
    uid: str
    name: str
    email: str


class MemberIn(Schema):
    email: Address


class AdministratorIn(Schema):
    email: Address
    reason: Reason


def request_out(found: Any) -> dict[str, Any]:
    return {
        "uid": found.uid, "account": found.account.identifier, "user": str(found.user), "email": found.user.email,
        "role": found.role, "virtual_account_name": found.virtual_account_name, "reason": found.reason,
        "state": found.state, "decided_by": found.decided_by_name, "decision_reason": found.decision_reason,
        "created_at": found.created_at,
    }  # fmt: skip


def client_out(client: Any) -> dict[str, Any]:
    fields = (
        "uid", "name", "secret_hint", "scopes", "ends_at", "revoked_at", "last_used_at", "created_at",
    )  # fmt: skip
    return {name: getattr(client, name) for name in fields} | {
        "grants": [
            {"uid": uid, "role": role, "virtual_account": place_of(place), "ends_at": end}
            for uid, role, place, end in rights_of_client(client)
        ]
    }


def secret_out(made: Any) -> dict[str, Any]:
    return {"uid": made.client.uid, "name": made.client.name, "secret": made.secret}


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


@router.get(
    "/accounts/{identifier}/api-clients", response={200: Paged[ApiClientOut], **PROBLEMS}, operation_id="listApiClients"
)
def clients(request: HttpRequest, identifier: str, paging: Query[PageParams]) -> Any:
    """Programs of the account, latest first."""
    actor = actor_of(request)
    page = list_api_clients(actor, find_account(actor, identifier), cursor=paging.cursor, size=paging.size)
    return paged(page, client_out)


@router.post(
    "/accounts/{identifier}/api-clients", response={201: NewSecretOut, **PROBLEMS}, operation_id="createApiClient"
)
def create_client(request: HttpRequest, identifier: str, body: ApiClientIn) -> Any:
    """A new program; its secret is answered once."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    rights = [Right(right.role, chosen(actor, account, right.virtual_account)) for right in body.grants]
    made = create_api_client(
        actor, account=account, name=body.name, scopes=[str(scope) for scope in body.scopes], rights=rights,
        ends_at=body.ends_at,
    )  # fmt: skip
    return Status(201, secret_out(made))


@router.get(
    "/accounts/{identifier}/api-clients/{uid}", response={200: ApiClientOut, **PROBLEMS}, operation_id="getApiClient"
)
def client(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One program."""
    actor = actor_of(request)
    return client_out(get_api_client(actor, find_account(actor, identifier), uid))


@router.put(
    "/accounts/{identifier}/api-clients/{uid}", response={200: ApiClientOut, **PROBLEMS}, operation_id="changeApiClient"
)
def put_client(request: HttpRequest, identifier: str, uid: str, body: ApiClientChange) -> Any:
    """Another name, other scopes or another end; the secret stays."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    changed = change_api_client(
        actor, account=account, client_uid=uid, name=body.name, scopes=[str(scope) for scope in body.scopes],
        ends_at=body.ends_at,
    )  # fmt: skip
    return client_out(changed)


@router.post(
    "/accounts/{identifier}/api-clients/{uid}/secret",
    response={200: NewSecretOut, **PROBLEMS},
    operation_id="rotateApiClientSecret",
)
def rotate_secret(request: HttpRequest, identifier: str, uid: str) -> Any:
    """A new secret, answered once; the old one stops working at once."""
    actor = actor_of(request)
    return secret_out(rotate_api_client_secret(actor, account=find_account(actor, identifier), client_uid=uid))


@router.post(
    "/accounts/{identifier}/api-clients/{uid}/grants",
    response={201: ApiClientOut, **PROBLEMS},
    operation_id="giveApiClientGrant",
)
def create_client_grant(request: HttpRequest, identifier: str, uid: str, body: ClientRightIn) -> Any:
    """Give a program a further right."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    place = chosen(actor, account, body.virtual_account)
    give_api_client_grant(actor, account=account, client_uid=uid, role=body.role, virtual_account=place)
    return Status(201, client_out(get_api_client(actor, account, uid)))


@router.delete(
    "/accounts/{identifier}/api-clients/{uid}/grants/{grant}",
    response={204: None, **PROBLEMS},
    operation_id="revokeApiClientGrant",
)
def delete_client_grant(request: HttpRequest, identifier: str, uid: str, grant: str) -> Any:
    """Take a right of a program away."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    get_api_client(actor, account, uid)
    revoke_grant(actor, account=account, grant_uid=grant)
    return Status(204, None)


@router.delete(
    "/accounts/{identifier}/api-clients/{uid}", response={204: None, **PROBLEMS}, operation_id="revokeApiClient"
)
def delete_client(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Shut a program out at once and for good."""
    actor = actor_of(request)
    revoke_api_client(actor, account=find_account(actor, identifier), client_uid=uid)
    return Status(204, None)


@router.post(
    "/operator/accounts/{identifier}/administrators",
    response={204: None, **PROBLEMS},
    operation_id="appointAdministrator",
)
def create_administrator(request: HttpRequest, identifier: str, body: AdministratorIn) -> Any:
    """Appoint an administrator for a reason; everybody with a role is told (operator)."""
    actor = actor_of(request)
    account = find_account_for_operator(actor, identifier)
    appoint_administrator(actor, account=account, email=body.email, reason=body.reason)
    return Status(204, None)


@router.post("/operator/api-clients", response={201: NewSecretOut, **PROBLEMS}, operation_id="createOperatorApiClient")
def create_operator_client(request: HttpRequest, body: OperatorClientIn) -> Any:
    """A program of the operator; its secret is answered once (operator)."""
    scopes = [str(scope) for scope in body.scopes]
    made = create_operator_api_client(actor_of(request), name=body.name, scopes=scopes, ends_at=body.ends_at)
    return Status(201, secret_out(made))


@router.delete("/operator/api-clients/{uid}", response={204: None, **PROBLEMS}, operation_id="revokeOperatorApiClient")
def delete_operator_client(request: HttpRequest, uid: str) -> Any:
    """Shut out a program of the operator or of a partner company (operator)."""
    revoke_foreign_api_client(actor_of(request), client_uid=uid)
    return Status(204, None)


@router.get("/operator/partners", response={200: Paged[CompanyOut], **PROBLEMS}, operation_id="listPartnerCompanies")
def companies(
    request: HttpRequest, paging: Query[PageParams], text: Annotated[Text, Field(max_length=200)] = ""
) -> Any:
    """Partner companies by name (operator)."""
    page = list_partner_companies(actor_of(request), text=text, cursor=paging.cursor, size=paging.size)
    return paged(page, lambda company: company)


@router.post("/operator/partners", response={201: CompanyOut, **PROBLEMS}, operation_id="createPartnerCompany")
def create_company(request: HttpRequest, body: CompanyIn) -> Any:
    """Take up a partner company (operator)."""
    actor = actor_of(request)
    made = create_partner_company(actor, name=body.name)
    return Status(201, get_partner_company(actor, made.uid))


@router.put("/operator/partners/{uid}", response={200: CompanyOut, **PROBLEMS}, operation_id="changePartnerCompany")
def put_company(request: HttpRequest, uid: str, body: CompanyIn) -> Any:
    """Rename a partner company, shut it out or let it in again (operator)."""
    actor = actor_of(request)
    change_partner_company(actor, company_uid=uid, name=body.name, is_active=body.is_active)
    return get_partner_company(actor, uid)


@router.get(
    "/operator/partners/{uid}/members", response={200: list[MemberOut], **PROBLEMS}, operation_id="listPartnerMembers"
)
def members(request: HttpRequest, uid: str) -> Any:
    """Who records orders for a partner company (operator)."""
    actor = actor_of(request)
    return [member.user for member in partner_members(actor, get_partner_company(actor, uid))]


@router.post("/operator/partners/{uid}/members", response={201: MemberOut, **PROBLEMS}, operation_id="addPartnerMember")
def create_member(request: HttpRequest, uid: str, body: MemberIn) -> Any:
    """Let somebody who has signed up record orders for a partner company (operator)."""
    return Status(201, add_partner_member(actor_of(request), company_uid=uid, email=body.email).user)


@router.delete(
    "/operator/partners/{uid}/members/{user}", response={204: None, **PROBLEMS}, operation_id="removePartnerMember"
)
def delete_member(request: HttpRequest, uid: str, user: str) -> Any:
    """Somebody does not record orders for a partner company any more (operator)."""
    remove_partner_member(actor_of(request), company_uid=uid, user_uid=user)
    return Status(204, None)


@router.post(
    "/operator/partners/{uid}/api-clients",
    response={201: NewSecretOut, **PROBLEMS},
    operation_id="createPartnerApiClient",
)
def create_partner_client(request: HttpRequest, uid: str, body: PartnerClientIn) -> Any:
    """A program of a partner company; its secret is answered once (operator)."""
    actor = actor_of(request)
    company = get_partner_company(actor, uid)
    return Status(
        201, secret_out(create_partner_api_client(actor, company=company, name=body.name, ends_at=body.ends_at))
    )
