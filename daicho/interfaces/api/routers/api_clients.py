"""Programs of an account: secrets, scopes, rights."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from daicho.domain.access.commands.api_clients import (
    Right,
    change_api_client,
    create_api_client,
    give_api_client_grant,
    revoke_api_client,
    rotate_api_client_secret,
)
from daicho.domain.access.commands.grants import revoke_grant
from daicho.domain.access.policy import find_account
from daicho.domain.access.queries_access import (
    get_api_client,
    list_api_clients,
    rights_of_client,
)
from daicho.domain.access.rules import Permission, Role
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.people import chosen, place_of
from daicho.interfaces.api.schemas import Named, Text, Told, Uid

router = Router(tags=["API clients"])

Name = Annotated[Text, Field(min_length=1, max_length=100)]


class ClientGrantOut(Told):
    uid: str
    role: Role
    virtual_account: Named | None
    ends_at: AwareDatetime | None


class ApiClientOut(Told):
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


class NewSecretOut(Told):
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
