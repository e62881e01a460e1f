"""Invitations by mail, one or many (S22): a single-use link of 14 days, accepted by a button."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.ids import new_secret
from daicho.core.text import clean
from daicho.domain.access.commands.api_clients import secret_hash
from daicho.domain.access.commands.people import checked_address
from daicho.domain.access.errors import AlreadyInvited, GrantExists, InvitationForAnother, InvitationOver, RowErrors
from daicho.domain.access.giving import (
    ensure_end,
    ensure_fits,
    ensure_may_grant,
    live_grant,
    lock_account,
    proposed_end,
    write_grant,
)
from daicho.domain.access.invitation_file import read_invitations
from daicho.domain.access.models import Grant, Invitation, User
from daicho.domain.access.policy import ensure_good_standing, ensure_may, ensure_signed_in, live_grants
from daicho.domain.access.rules import Permission, Role, is_outsider, may_grant
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

LINK_LIFE = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Invited:
    """What became of a file: how many were invited, and how many had the right or an open invitation already."""

    sent: int
    unchanged: int


@command(permission=Permission.USERS_MANAGE, events=("invitation.sent",))
def invite(
    actor: Actor,
    *,
    account: SmartAccount,
    email: str,
    role: Role | str,
    virtual_account: VirtualAccount | None = None,
    name: str = "",
    language: str = "ja",
    ends_at: dt.datetime | None = None,
) -> Invitation:
    """Somebody is offered a role by mail; the link works once, for 14 days, and only for that address.

    A partner user's right will end after a year where no end is given, and never after the inviter's own (S23). Raises
    `bad_address`, `role_scope_mismatch`, `grant_exists`, `already_invited`, `end_in_past`, `end_beyond_own`.
    """
    role = Role(role)
    ensure_may(actor, Permission.USERS_MANAGE, account, virtual_account)
    ensure_fits(role, account, virtual_account)
    ensure_may_grant(actor, account, virtual_account, role)
    address = checked_address(email)
    account = lock_account(account)
    user = User.objects.filter(email=address).first()
    if user is not None and live_grant(account, virtual_account, user=user) is not None:
        raise GrantExists(address)
    if _open_for(account, virtual_account, address) is not None:
        raise AlreadyInvited(address)
    outsider = is_outsider(address.rpartition("@")[2], account.identifier)
    if ends_at is None:
        ends_at = proposed_end(actor, account, virtual_account, outsider=outsider)
    ensure_end(actor, account, virtual_account, ends_at, outsider=outsider)
    secret = new_secret()
    invitation = Invitation.objects.create(
        account=account,
        virtual_account=virtual_account,
        email=address,
        name=clean(name)[:100],
        role=role,
        language=user.language if user is not None else language,
        grant_ends_at=ends_at,
        token_hash=secret_hash(secret),
        expires_at=now() + LINK_LIFE,
        invited_by_id=actor.user_id,
    )
    record(
        actor, "invitation.sent", account=account, virtual_account=virtual_account, subject=address,
        subject_uid=invitation.uid, after={"role": role, "ends_at": ends_at.isoformat() if ends_at else None},
    )  # fmt: skip
    _mail(actor, invitation, secret, again=False)
    return invitation


@command(permission=Permission.USERS_MANAGE, events=("invitation.sent",))
def invite_many(actor: Actor, *, account: SmartAccount, content: bytes, language: str = "ja") -> Invited:
    """Everybody in a file is offered a role by mail, or nobody when one row cannot be taken.

    Who already has the role or an open invitation is left as he is, so the same file again changes nothing. Raises
    `rows_invalid` with row, column, code and text, and the errors of `core.tabular.read`.
    """
    plan = read_invitations(actor, account, content)
    if plan.errors:
        raise RowErrors(plan.errors)
    for row in plan.to_send:
        invite(
            actor,
            account=account,
            email=row.email,
            role=row.role,
            virtual_account=row.virtual_account,
            name=row.name,
            language=row.language or language,
            ends_at=row.ends_at,
        )
    return Invited(sent=len(plan.to_send), unchanged=plan.unchanged)


@command(permission=Permission.USERS_MANAGE, events=("invitation.resent",))
def resend_invitation(actor: Actor, *, account: SmartAccount, invitation_uid: str) -> Invitation:
    """An open invitation is sent again with a new link for 14 days; the old link stops working."""
    invitation = _lock_open(actor, account, invitation_uid)
    ensure_may_grant(actor, account, invitation.virtual_account, Role(invitation.role))
    secret = new_secret()
    invitation.token_hash, invitation.expires_at = secret_hash(secret), now() + LINK_LIFE
    invitation.save(update_fields=["token_hash", "expires_at"])
    _record(actor, "invitation.resent", invitation)
    _mail(actor, invitation, secret, again=True)
    return invitation


@command(permission=Permission.USERS_MANAGE, events=("invitation.withdrawn",))
def withdraw_invitation(actor: Actor, *, account: SmartAccount, invitation_uid: str) -> None:
    """An open invitation stops working; also while the account agreement waits for acceptance."""
    close_invitations(actor, [_lock_open(actor, account, invitation_uid, standing=False)])


def close_invitations(actor: Actor, invitations: Sequence[Invitation]) -> None:
    """Withdraw these open invitations, for whoever has passed the door."""
    for invitation in invitations:
        invitation.state, invitation.answered_at = Invitation.State.WITHDRAWN, now()
        invitation.save(update_fields=["state", "answered_at"])
        _record(actor, "invitation.withdrawn", invitation)


@command(permission=None, events=("invitation.accepted", "grant.given"))
def accept_invitation(actor: Actor, *, secret: str) -> Grant:
    """A person accepts the role that was offered to his confirmed address.

    Raises `invitation_over`, `invitation_for_another_address`, `agreement_pending`, `sign_in_required`.
    """
    user = ensure_signed_in(actor)
    found = Invitation.objects.filter(token_hash=secret_hash(secret)).first()
    if found is None:
        raise NotFound
    account = lock_account(found.account)
    invitation = Invitation.objects.select_related("virtual_account", "invited_by").get(pk=found.pk)
    if user.email != invitation.email:
        raise InvitationForAnother
    if not may_be_accepted(invitation, account):
        raise InvitationOver
    ensure_good_standing(account)
    grant = live_grant(account, invitation.virtual_account, user=user)
    invitation.state, invitation.answered_at = Invitation.State.ACCEPTED, now()
    invitation.save(update_fields=["state", "answered_at"])
    _record(actor, "invitation.accepted", invitation)
    if grant is not None:  # given by hand in the meantime: that later decision counts
        return grant
    return write_grant(
        actor,
        account=account,
        virtual_account=invitation.virtual_account,
        role=Role(invitation.role),
        ends_at=invitation.grant_ends_at,
        user=user,
    )


def may_be_accepted(invitation: Invitation, account: SmartAccount) -> bool:
    """Open, in time, its scope still there, and its inviter still somebody who may give that role."""
    at = now()
    place = invitation.virtual_account
    if (
        invitation.state != Invitation.State.OPEN
        or invitation.expires_at <= at
        or account.state != SmartAccount.State.ACTIVE
        or (place is not None and place.deleted_at is not None)
        or (invitation.grant_ends_at is not None and invitation.grant_ends_at <= at)
    ):
        return False
    if invitation.invited_by is None:
        return True
    held = live_grants().filter(account=account, user=invitation.invited_by)
    return any(
        where in (None, invitation.virtual_account_id) and may_grant(Role(role), Role(invitation.role))
        for role, where in held.values_list("role", "virtual_account_id")
    )


def _open_for(account: SmartAccount, virtual_account: VirtualAccount | None, email: str) -> Invitation | None:
    return Invitation.objects.filter(
        account=account,
        virtual_account=virtual_account,
        email=email,
        state=Invitation.State.OPEN,
        expires_at__gt=now(),
    ).first()


def _lock_open(actor: Actor, account: SmartAccount, uid: str, *, standing: bool = True) -> Invitation:
    lock_account(account)
    invitation = (
        Invitation.objects.select_related("virtual_account", "account").filter(account=account, uid=uid).first()
    )
    if invitation is None:
        raise NotFound
    ensure_may(actor, Permission.USERS_MANAGE, account, invitation.virtual_account, standing=standing)
    if invitation.state != Invitation.State.OPEN:
        raise InvitationOver
    return invitation


def _record(actor: Actor, kind: str, invitation: Invitation) -> None:
    record(
        actor, kind, account=invitation.account, virtual_account=invitation.virtual_account,
        subject=invitation.email, subject_uid=invitation.uid,
    )  # fmt: skip


def _mail(actor: Actor, invitation: Invitation, secret: str, *, again: bool) -> None:
    account = invitation.account
    post_mail(
        "invitation",
        to=invitation.email,
        to_name=invitation.name,
        language=invitation.language,
        time_zone=account.time_zone,
        again=again,
        account_name=account.name,
        identifier=account.identifier,
        virtual_account_name=invitation.virtual_account.name if invitation.virtual_account is not None else "",
        role=invitation.role,
        inviter=actor.name,
        secret=secret,
        expires_at=invitation.expires_at.isoformat(),
        ends_at=invitation.grant_ends_at.isoformat() if invitation.grant_ends_at else "",
    )
