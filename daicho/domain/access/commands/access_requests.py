"""A colleague asks for a right; an administrator of the account answers (S9)."""

from __future__ import annotations

import datetime as dt

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.text import clean
from daicho.domain.access.commands.administrators import people_with_rights
from daicho.domain.access.errors import AlreadyAnswered, AlreadyRequested, ReasonMissing
from daicho.domain.access.giving import (
    ensure_end,
    ensure_fits,
    ensure_may_grant,
    grant_facts,
    live_grant,
    lock_account,
    proposed_end,
    rewrite_grant,
    write_grant,
)
from daicho.domain.access.models import AccessRequest, Grant
from daicho.domain.access.policy import ensure_may, ensure_signed_in, live_grants
from daicho.domain.access.rules import Permission, Role, is_outsider
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from daicho.domain.tenancy.rules import ascii_domain, domain_matches


@command(permission=None, events=("access.requested",))
def request_access(
    actor: Actor, *, identifier: str, role: Role | str, virtual_account_name: str = "", reason: str
) -> AccessRequest:
    """A colleague asks the administrators of his company's account for a role; each of them is mailed.

    Only somebody whose confirmed mail matches the identifier, or who has a right in the account, learns that the
    account exists. The virtual account is named freely: the asker is not told which ones there are. Raises
    `already_requested`, `reason_missing`, `not_found`.
    """
    user = ensure_signed_in(actor)
    role = Role(role)
    account = SmartAccount.objects.filter(identifier=ascii_domain(identifier), state=SmartAccount.State.ACTIVE).first()
    if account is None or not (
        domain_matches(account.identifier, user.mail_domain)
        or live_grants().filter(account=account, user=user).exists()
    ):
        raise NotFound
    reason = clean(reason)[:500]
    if not reason:
        raise ReasonMissing
    lock_account(account)
    if AccessRequest.objects.filter(account=account, user=user, state=AccessRequest.State.OPEN).exists():
        raise AlreadyRequested
    wanted = AccessRequest.objects.create(
        account=account,
        user=user,
        role=role,
        virtual_account_name="" if role.is_account_wide else clean(virtual_account_name)[:100],
        reason=reason,
    )
    record(
        actor, "access.requested", account=account, subject=str(user), subject_uid=wanted.uid,
        after={"role": role, "virtual_account": wanted.virtual_account_name, "email": user.email}, memo=reason,
    )  # fmt: skip
    for administrator in people_with_rights(account, Role.ACCOUNT_ADMINISTRATOR):
        post_mail(
            "access_requested",
            to=administrator.email,
            to_name=administrator.name,
            language=administrator.language,
            time_zone=administrator.time_zone,
            account_name=account.name,
            identifier=account.identifier,
            request_uid=wanted.uid,
            requester=str(user),
            requester_email=user.email,
            role=role,
            virtual_account_name=wanted.virtual_account_name,
            reason=reason,
        )
    return wanted


@command(permission=Permission.ACCESS_REQUESTS_ANSWER, events=("access.approved", "grant.given", "grant.changed"))
def approve_access(
    actor: Actor,
    *,
    account: SmartAccount,
    request_uid: str,
    role: Role | str | None = None,
    virtual_account: VirtualAccount | None = None,
    ends_at: dt.datetime | None = None,
) -> Grant:
    """An administrator lets a colleague in, as asked or with another role, scope or end; the colleague is mailed.

    A right that the colleague already has in that scope becomes the approved one. Raises `already_answered`,
    `role_scope_mismatch`, `end_in_past`, `end_beyond_own`, `last_administrator`.
    """
    wanted = _lock_open(actor, account, request_uid)
    role = Role(role) if role is not None else Role(wanted.role)
    ensure_fits(role, account, virtual_account)
    ensure_may_grant(actor, account, virtual_account, role)
    outsider = is_outsider(wanted.user.mail_domain, account.identifier)
    if ends_at is None:
        ends_at = proposed_end(actor, account, virtual_account, outsider=outsider)
    ensure_end(actor, account, virtual_account, ends_at, outsider=outsider)
    grant = live_grant(account, virtual_account, user=wanted.user)
    if grant is None:
        grant = write_grant(
            actor, account=account, virtual_account=virtual_account, role=role, ends_at=ends_at, user=wanted.user
        )
    elif (Role(grant.role), grant.ends_at) != (role, ends_at):
        rewrite_grant(actor, grant, role, ends_at)
    wanted.grant = grant
    _answer(actor, wanted, AccessRequest.State.APPROVED, "")
    record(
        actor, "access.approved", account=account, virtual_account=virtual_account, subject=str(wanted.user),
        subject_uid=wanted.uid, before={"role": wanted.role}, after=grant_facts(role, ends_at),
    )  # fmt: skip
    _mail_answer(
        actor, wanted, "access_approved", role=role,
        virtual_account_name=virtual_account.name if virtual_account is not None else "",
        ends_at=ends_at.isoformat() if ends_at else "",
    )  # fmt: skip
    return grant


@command(permission=Permission.ACCESS_REQUESTS_ANSWER, events=("access.declined",))
def decline_access(actor: Actor, *, account: SmartAccount, request_uid: str, reason: str) -> None:
    """An administrator declines a request for a reason, which the colleague reads in his mail.

    Raises `already_answered`, `reason_missing`.
    """
    wanted = _lock_open(actor, account, request_uid)
    reason = clean(reason)[:500]
    if not reason:
        raise ReasonMissing
    _answer(actor, wanted, AccessRequest.State.DECLINED, reason)
    record(actor, "access.declined", account=account, subject=str(wanted.user), subject_uid=wanted.uid, memo=reason)
    _mail_answer(actor, wanted, "access_declined", role=wanted.role, reason=reason)


@command(permission=None, events=("access.withdrawn",))
def withdraw_access_request(actor: Actor, *, request_uid: str) -> None:
    """Who asked for access does not need it any more. Raises `already_answered`, `not_found`."""
    user = ensure_signed_in(actor)
    wanted = AccessRequest.objects.select_related("account", "user").filter(uid=request_uid, user=user).first()
    if wanted is None:
        raise NotFound
    lock_account(wanted.account)
    wanted.refresh_from_db(fields=["state"])
    if wanted.state != AccessRequest.State.OPEN:
        raise AlreadyAnswered
    wanted.state, wanted.decided_at = AccessRequest.State.WITHDRAWN, now()
    wanted.save(update_fields=["state", "decided_at"])
    record(actor, "access.withdrawn", account=wanted.account, subject=str(user), subject_uid=wanted.uid)


def _lock_open(actor: Actor, account: SmartAccount, request_uid: str) -> AccessRequest:
    ensure_may(actor, Permission.ACCESS_REQUESTS_ANSWER, account)
    lock_account(account)
    wanted = AccessRequest.objects.select_related("account", "user").filter(account=account, uid=request_uid).first()
    if wanted is None:
        raise NotFound
    if wanted.state != AccessRequest.State.OPEN:
        raise AlreadyAnswered
    return wanted


def _answer(actor: Actor, wanted: AccessRequest, state: str, reason: str) -> None:
    wanted.state, wanted.decision_reason = state, reason
    wanted.decided_by_name, wanted.decided_at = actor.name[:100], now()
    wanted.save(update_fields=["state", "decision_reason", "decided_by_name", "decided_at", "grant"])


def _mail_answer(actor: Actor, wanted: AccessRequest, template: str, **context: str) -> None:
    user, account = wanted.user, wanted.account
    post_mail(
        template,
        to=user.email,
        to_name=user.name,
        language=user.language,
        time_zone=user.time_zone,
        account_name=account.name,
        identifier=account.identifier,
        answered_by=actor.name,
        **context,
    )
