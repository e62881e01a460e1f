"""People of an account and their rights: users, grants, partners, invitations, hand-overs (S18, S22, S23)."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import AwareDatetime, Field

from daicho.core.actor import Actor
from daicho.domain.access.commands.grants import UNCHANGED, change_grant, give_grant, revoke_grant
from daicho.domain.access.commands.hand_overs import cancel_hand_over, plan_hand_over
from daicho.domain.access.commands.invitations import (
    accept_invitation,
    invite,
    invite_many,
    resend_invitation,
    withdraw_invitation,
)
from daicho.domain.access.invitation_file import read_invitations
from daicho.domain.access.policy import find_account, find_virtual_account
from daicho.domain.access.queries_people import (
    Outsider,
    Person,
    Right,
    find_successor,
    get_person,
    get_right,
    get_user,
    list_hand_overs,
    list_invitations,
    list_outsiders,
    list_people,
)
from daicho.domain.access.rules import Role
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Named, RowErrorOut, Text, Told, Uid

router = Router(tags=["People"])

Address = Annotated[Text, Field(min_length=3, max_length=254)]
Search = Annotated[Text, Field(max_length=200)]


class GrantOut(Told):
    """A live right. `virtual_account` null: the whole account."""

    uid: str
    role: Role
    virtual_account: Named | None
    since: AwareDatetime
    ends_at: AwareDatetime | None
    granted_by: str


class UserOut(Told):
    """A person with the rights that the caller may see."""

    uid: str
    name: str
    email: str
    department: str
    last_login: AwareDatetime | None
    two_step: bool
    outsider: bool
    grants: list[GrantOut]


class GrantIn(Schema):
    """A right for a person who has one here already; others are invited. No virtual account: the whole account.

    People of another company get a year where no end is given.
    """

    user: Uid
    role: Role
    virtual_account: Uid | None = None
    ends_at: AwareDatetime | None = None


class GrantChange(Schema):
    """What is given changes; `ends_at` null takes the end off. The scope never changes."""

    role: Role | None = None
    ends_at: AwareDatetime | None = None


class OutsiderOut(Told):
    """A right of somebody from another company; `uid` is the right's."""

    uid: str
    user: str
    company: str
    name: str
    email: str
    role: Role
    virtual_account: Named | None
    since: AwareDatetime
    ends_at: AwareDatetime | None
    last_act: AwareDatetime | None


class LinkIn(Schema):
    """The secret of a mailed link."""

    secret: Text = Field(min_length=1, max_length=200)


class AcceptedOut(Told):
    """The right that the invitation gave."""

    account: str
    role: Role
    virtual_account: Named | None
    ends_at: AwareDatetime | None


class InvitationOut(Told):
    """An invitation by mail; its link is in the mail only."""

    uid: str
    email: str
    name: str
    role: Role
    virtual_account: Named | None
    state: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    grant_ends_at: AwareDatetime | None


class InvitationIn(Schema):
    email: Address
    role: Role
    virtual_account: Uid | None = None
    name: Text = Field("", max_length=100)
    language: Text = Field("ja", pattern="^(ja|en)$")
    ends_at: AwareDatetime | None = None


class InvitationsOut(Told):
    """What a file did, or would do (`written` false)."""

    sent: int
    unchanged: int
    written: bool
    errors: list[RowErrorOut]


class HandOverOut(Told):
    """A hand-over of all rights. `state`: planned, done, cancelled or failed."""

    uid: str
    from_user: str
    from_name: str
    to_user: str
    to_name: str
    due_at: AwareDatetime
    state: str
    failure: str


class HandOverIn(Schema):
    """From a person with rights here to another one, or to a colleague of the account's domain, by mail address."""

    from_user: Uid
    to_email: Address
    due_at: AwareDatetime


def place_of(place: Any) -> dict[str, Any] | None:
    return {"uid": place.uid, "name": place.name} if place is not None else None


def chosen(actor: Actor, account: Any, uid: str | None) -> Any:
    """The virtual account with this uid, as far as the caller may see it; none for the whole account."""
    return find_virtual_account(actor, account, uid) if uid else None


def grant_out(right: Right) -> dict[str, Any]:
    return {
        "uid": right.uid, "role": right.role, "virtual_account": place_of(right.virtual_account), "since": right.since,
        "ends_at": right.ends_at, "granted_by": right.granted_by,
    }  # fmt: skip


def user_out(person: Person) -> dict[str, Any]:
    return {
        "uid": person.uid, "name": person.name, "email": person.email, "department": person.department,
        "last_login": person.last_login, "two_step": person.has_two_step, "outsider": person.is_outsider,
        "grants": [grant_out(right) for right in person.rights],
    }  # fmt: skip


def outsider_out(row: Outsider) -> dict[str, Any]:
    return {
        "uid": row.uid, "user": row.person_uid, "company": row.company, "name": row.name, "email": row.email,
        "role": row.role, "virtual_account": place_of(row.virtual_account), "since": row.since,
        "ends_at": row.ends_at, "last_act": row.last_act,
    }  # fmt: skip


def invitation_out(invitation: Any) -> dict[str, Any]:
    fields = ("uid", "email", "name", "role", "state", "created_at", "expires_at", "grant_ends_at")
    return {name: getattr(invitation, name) for name in fields} | {
        "virtual_account": place_of(invitation.virtual_account)
    }


def hand_over_out(plan: Any) -> dict[str, Any]:
    state = "failed" if plan.failure else "done" if plan.done_at else "cancelled" if plan.cancelled_at else "planned"
    return {
        "uid": plan.uid, "from_user": plan.from_user.uid, "from_name": str(plan.from_user),
        "to_user": plan.to_user.uid, "to_name": str(plan.to_user), "due_at": plan.due_at, "state": state,
        "failure": plan.failure,
    }  # fmt: skip


@router.get("/accounts/{identifier}/users", response={200: Paged[UserOut], **PROBLEMS}, operation_id="listUsers")
def users(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    text: Search = "",
    role: Role | None = None,
    virtual_account: Uid | None = None,
    outsiders: bool | None = None,
) -> Any:
    """People with a right that the caller may see, by mail address."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    page = list_people(
        actor, account, virtual_account=chosen(actor, account, virtual_account), text=text, role=role or "",
        outsiders=outsiders, order="email", cursor=paging.cursor, size=paging.size, count=False,
    )  # fmt: skip
    return paged(page, user_out)


@router.get("/accounts/{identifier}/users/{uid}", response={200: UserOut, **PROBLEMS}, operation_id="getUser")
def user(request: HttpRequest, identifier: str, uid: str) -> Any:
    """One person and his rights."""
    actor = actor_of(request)
    return user_out(get_person(actor, find_account(actor, identifier), uid))


@router.post("/accounts/{identifier}/grants", response={201: GrantOut, **PROBLEMS}, operation_id="giveGrant")
def create_grant(request: HttpRequest, identifier: str, body: GrantIn) -> Any:
    """Give a person a role in the account or in one of its virtual accounts."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    grant = give_grant(
        actor, account=account, user=get_user(actor, account, body.user), role=body.role,
        virtual_account=chosen(actor, account, body.virtual_account), ends_at=body.ends_at,
    )  # fmt: skip
    return Status(201, grant_out(get_right(actor, account, grant.uid)[1]))


@router.patch("/accounts/{identifier}/grants/{uid}", response={200: GrantOut, **PROBLEMS}, operation_id="changeGrant")
def patch_grant(request: HttpRequest, identifier: str, uid: str, body: GrantChange) -> Any:
    """Give a right another role or another end."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    ends_at = body.ends_at if "ends_at" in body.model_fields_set else UNCHANGED
    change_grant(actor, account=account, grant_uid=uid, role=body.role, ends_at=ends_at)
    return grant_out(get_right(actor, account, uid)[1])


@router.delete("/accounts/{identifier}/grants/{uid}", response={204: None, **PROBLEMS}, operation_id="revokeGrant")
def delete_grant(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Take a right away at once; also while the account agreement waits for acceptance."""
    actor = actor_of(request)
    revoke_grant(actor, account=find_account(actor, identifier), grant_uid=uid)
    return Status(204, None)


@router.get(
    "/accounts/{identifier}/partner-users",
    response={200: Paged[OutsiderOut], **PROBLEMS},
    operation_id="listPartnerUsers",
)
def outsiders(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    text: Search = "",
    virtual_account: Uid | None = None,
) -> Any:
    """Rights of people of other companies: who, where, until when, and what they last did here."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    page = list_outsiders(
        actor, account, virtual_account=chosen(actor, account, virtual_account), text=text, cursor=paging.cursor,
        size=paging.size,
    )  # fmt: skip
    return paged(page, outsider_out)


@router.get(
    "/accounts/{identifier}/invitations",
    response={200: Paged[InvitationOut], **PROBLEMS},
    operation_id="listInvitations",
)
def invitations(request: HttpRequest, identifier: str, paging: Query[PageParams], open_only: bool = True) -> Any:
    """Invitations, latest first."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    page = list_invitations(actor, account, open_only=open_only, cursor=paging.cursor, size=paging.size)
    return paged(page, invitation_out)


@router.post("/accounts/{identifier}/invitations", response={201: InvitationOut, **PROBLEMS}, operation_id="invite")
def create_invitation(request: HttpRequest, identifier: str, body: InvitationIn) -> Any:
    """Offer somebody a role by mail; the link works once, for 14 days."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    made = invite(
        actor, account=account, email=body.email, role=body.role, name=body.name, language=body.language,
        virtual_account=chosen(actor, account, body.virtual_account), ends_at=body.ends_at,
    )  # fmt: skip
    return Status(201, invitation_out(made))


@router.post(
    "/accounts/{identifier}/invitation-imports", response={200: InvitationsOut, **PROBLEMS}, operation_id="inviteMany"
)
def create_invitations(request: HttpRequest, identifier: str, file: File[UploadedFile], dry_run: bool = False) -> Any:
    """Invite everybody in a CSV or XLSX file, or nobody; columns: email, name, role, virtual_account, ends_on, language."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    content = file.read()
    if dry_run:
        plan = read_invitations(actor, account, content)
        return {"sent": len(plan.to_send), "unchanged": plan.unchanged, "written": False, "errors": plan.errors}
    done = invite_many(actor, account=account, content=content)
    return {"sent": done.sent, "unchanged": done.unchanged, "written": True, "errors": []}


@router.post("/invitation-links/accept", response={200: AcceptedOut, **PROBLEMS}, operation_id="acceptInvitation")
def post_accept_invitation(request: HttpRequest, body: LinkIn) -> Any:
    """Accept the role that was offered to one's own confirmed address (S22)."""
    grant = accept_invitation(actor_of(request), secret=body.secret)
    return {
        "account": grant.account.identifier, "role": grant.role, "virtual_account": place_of(grant.virtual_account),
        "ends_at": grant.ends_at,
    }  # fmt: skip


@router.post(
    "/accounts/{identifier}/invitations/{uid}/resend",
    response={200: InvitationOut, **PROBLEMS},
    operation_id="resendInvitation",
)
def post_resend(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Send an invitation again with a new link; the old link stops working."""
    actor = actor_of(request)
    return invitation_out(resend_invitation(actor, account=find_account(actor, identifier), invitation_uid=uid))


@router.delete(
    "/accounts/{identifier}/invitations/{uid}", response={204: None, **PROBLEMS}, operation_id="withdrawInvitation"
)
def delete_invitation(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Withdraw an open invitation."""
    actor = actor_of(request)
    withdraw_invitation(actor, account=find_account(actor, identifier), invitation_uid=uid)
    return Status(204, None)


@router.get(
    "/accounts/{identifier}/hand-overs", response={200: Paged[HandOverOut], **PROBLEMS}, operation_id="listHandOvers"
)
def hand_overs(request: HttpRequest, identifier: str, paging: Query[PageParams]) -> Any:
    """Hand-overs of all rights of one person to another, latest day first."""
    actor = actor_of(request)
    page = list_hand_overs(actor, find_account(actor, identifier), cursor=paging.cursor, size=paging.size)
    return paged(page, hand_over_out)


@router.post("/accounts/{identifier}/hand-overs", response={201: HandOverOut, **PROBLEMS}, operation_id="planHandOver")
def create_hand_over(request: HttpRequest, identifier: str, body: HandOverIn) -> Any:
    """Plan that on a day all rights of one person become another's."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    plan = plan_hand_over(
        actor, account=account, from_user=get_user(actor, account, body.from_user),
        to_user=find_successor(actor, account, body.to_email), due_at=body.due_at,
    )  # fmt: skip
    return Status(201, hand_over_out(plan))


@router.delete(
    "/accounts/{identifier}/hand-overs/{uid}", response={204: None, **PROBLEMS}, operation_id="cancelHandOver"
)
def delete_hand_over(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Cancel a planned hand-over."""
    actor = actor_of(request)
    cancel_hand_over(actor, account=find_account(actor, identifier), hand_over_uid=uid)
    return Status(204, None)
