"""Registration tokens, with which devices register by themselves (S7)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.tokens import (
    DAYS,
    MOST_DAYS,
    MOST_PLACES,
    MOST_USES,
    USES,
    issue_tokens,
    revoke_token,
    show_token,
)
from daicho.domain.devices.queries.instances import get_instance
from daicho.domain.devices.queries.tokens import TokenRow, get_token, list_tokens, look_at_tokens
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import named
from daicho.interfaces.api.schemas import MemoIn, Named, Text, Told, Uid

router = Router(tags=["Devices"])

State = Literal["open", "used_up", "expired", "revoked"]


class TokenIn(Schema):
    """One token for each of these virtual accounts; the days or the uses end it, whichever comes first."""

    virtual_accounts: list[Uid] = Field(min_length=1, max_length=MOST_PLACES)
    description: Annotated[Text, Field(max_length=200)] = ""
    days: int = Field(DAYS, ge=1, le=MOST_DAYS)
    uses: int = Field(USES, ge=1, le=MOST_USES)
    export_controlled: bool = False


class TokenOut(Told):
    uid: str
    description: str
    virtual_account: Named
    state: State
    export_controlled: bool
    uses: int
    max_uses: int
    expires_at: dt.datetime
    created_at: dt.datetime
    created_by: str
    revoked_at: dt.datetime | None


class TokensOut(Told):
    items: list[TokenOut]


class SecretOut(Told):
    """What a device registers with."""

    token: str


class InstanceOut(Told):
    """`registration`: registered, expired, replaced, removed. `authorization`: none, evaluation, evaluation_expired,
    authorized, out_of_compliance, authorization_expired, reserved. `thumbprint`: of its key (RFC 7638).
    """

    uid: str
    registration: str
    authorization: str
    registered_at: dt.datetime
    last_contact_at: dt.datetime
    contact_due_at: dt.datetime
    certificate_until: dt.datetime
    renew_from: dt.datetime
    silent_at: dt.datetime | None
    thumbprint: str
    software_name: str
    software_version: str
    agent_version: str


class TokenParams(PageParams):
    state: State | None = None
    text: str = Field("", max_length=100, description="Words of the description.")


def token_out(row: TokenRow) -> dict[str, Any]:
    token = row.token
    return {
        "uid": token.uid, "description": token.description, "virtual_account": named(token.virtual_account),
        "state": row.state, "export_controlled": token.allows_export_controlled, "uses": token.uses,
        "max_uses": token.max_uses, "expires_at": token.expires_at, "created_at": token.created_at,
        "created_by": token.created_by, "revoked_at": token.revoked_at,
    }  # fmt: skip


@router.get(
    "/accounts/{identifier}/registration-tokens",
    response={200: Paged[TokenOut], **PROBLEMS},
    operation_id="listRegistrationTokens",
)
def get_list(request: HttpRequest, identifier: str, params: Query[TokenParams]) -> Any:
    """Registration tokens, newest first, without their secrets."""
    actor = actor_of(request)
    sight = look_at_tokens(actor, policy.find_account(actor, identifier))
    page = list_tokens(sight, state=params.state or "", text=params.text, cursor=params.cursor, size=params.size)
    return paged(page, token_out)


@router.post(
    "/accounts/{identifier}/registration-tokens",
    response={201: TokensOut, **PROBLEMS},
    operation_id="issueRegistrationTokens",
)
def post_issue(request: HttpRequest, identifier: str, body: TokenIn) -> Any:
    """Issue a token for each of these virtual accounts; `…/show` gives the secret of each."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    places = [
        policy.get_virtual_account(actor, account, uid, Permission.DEVICES_MANAGE) for uid in body.virtual_accounts
    ]
    made = issue_tokens(
        actor, account=account, virtual_accounts=places, description=body.description, days=body.days, uses=body.uses,
        allows_export_controlled=body.export_controlled, request_id=request_id_of(request),
    )  # fmt: skip
    return Status(201, {"items": [token_out(get_token(actor, account, token.uid)) for token in made]})


@router.get(
    "/accounts/{identifier}/registration-tokens/{uid}",
    response={200: TokenOut, **PROBLEMS},
    operation_id="getRegistrationToken",
)
def get_one(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One token, without its secret."""
    actor = actor_of(request)
    return token_out(get_token(actor, policy.find_account(actor, identifier), uid))


@router.post(
    "/accounts/{identifier}/registration-tokens/{uid}/show",
    response={200: SecretOut, **PROBLEMS},
    operation_id="showRegistrationToken",
)
def post_show(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """The secret of a token, for who may issue one; the event log keeps who saw it."""
    actor = actor_of(request)
    return {"token": show_token(actor, account=policy.find_account(actor, identifier), uid=uid)}


@router.post(
    "/accounts/{identifier}/registration-tokens/{uid}/revoke",
    response={200: TokenOut, **PROBLEMS},
    operation_id="revokeRegistrationToken",
)
def post_revoke(request: HttpRequest, identifier: str, uid: Uid, body: MemoIn) -> Any:
    """End a token at once; devices that registered with it stay."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    revoke_token(actor, account=account, uid=uid, memo=body.memo)
    return token_out(get_token(actor, account, uid))


@router.get(
    "/accounts/{identifier}/devices/{uid}/instance",
    response={200: InstanceOut, **PROBLEMS},
    operation_id="getDeviceInstance",
)
def get_device_instance(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """How the instance of a device stands; 404 where none has registered as it."""
    actor = actor_of(request)
    view = get_instance(actor, policy.find_account(actor, identifier), uid)
    names = (
        "uid", "registration", "registered_at", "last_contact_at", "contact_due_at", "certificate_until", "thumbprint",
        "software_name", "software_version", "agent_version",
    )  # fmt: skip
    told = {name: getattr(view.instance, name) for name in names}
    return told | {"authorization": view.authorization, "renew_from": view.renew_from, "silent_at": view.silent_at}
