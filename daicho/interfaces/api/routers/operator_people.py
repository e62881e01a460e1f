"""The operator's people: partner companies, programs, and the appointment of administrators."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from daicho.domain.access.commands.administrators import appoint_administrator
from daicho.domain.access.commands.api_clients import (
    create_operator_api_client,
    create_partner_api_client,
    revoke_foreign_api_client,
)
from daicho.domain.access.commands.partners import (
    add_partner_member,
    change_partner_company,
    create_partner_company,
    remove_partner_member,
)
from daicho.domain.access.queries_access import (
    find_account_for_operator,
    get_partner_company,
    list_operator_api_clients,
    list_partner_companies,
    partner_members,
)
from daicho.domain.access.rules import OperatorPermission
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.api_clients import NewSecretOut, secret_out
from daicho.interfaces.api.routers.people import Address
from daicho.interfaces.api.schemas import Text, Told

router = Router(tags=["Operator: people"])

Reason = Annotated[Text, Field(min_length=1, max_length=500)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]


class OperatorClientIn(Schema):
    """No scopes: all that the operator may."""

    name: Name
    scopes: list[OperatorPermission] = Field([], max_length=20)
    ends_at: AwareDatetime | None = None


class OperatorClientOut(Told):
    """A program of the operator."""

    uid: str
    name: str
    secret_hint: str
    scopes: list[str]
    ends_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    created_at: AwareDatetime


class PartnerClientIn(Schema):
    name: Name
    ends_at: AwareDatetime | None = None


class CompanyOut(Told):
    """A partner company: its members record orders."""

    uid: str
    name: str
    is_active: bool
    members_count: int


class CompanyIn(Schema):
    name: Text = Field(min_length=1, max_length=200)
    is_active: bool = True


class MemberOut(Told):
    uid: str
    name: str
    email: str


class MemberIn(Schema):
    email: Address


class AdministratorIn(Schema):
    email: Address
    reason: Reason


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


@router.get(
    "/operator/api-clients", response={200: Paged[OperatorClientOut], **PROBLEMS}, operation_id="listOperatorApiClients"
)
def operator_clients(request: HttpRequest, paging: Query[PageParams]) -> Any:
    """The operator's own programs, latest first (operator)."""
    page = list_operator_api_clients(actor_of(request), cursor=paging.cursor, size=paging.size)
    return paged(page, lambda client: client)


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
