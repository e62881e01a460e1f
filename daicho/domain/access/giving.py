"""How a right is written, whoever decides on it: the steps that grants, invitations, requests and hand-overs share.

Every change of a right locks its account first, so that the rule on the last administrator is judged alone.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import Forbidden, NotFound
from daicho.domain.access.errors import (
    EndBeyondOwn,
    EndInPast,
    EndRequired,
    GrantExists,
    LastAdministrator,
    RoleDoesNotFitScope,
)
from daicho.domain.access.models import ApiClient, Grant, User
from daicho.domain.access.policy import grants_of, live_grants
from daicho.domain.access.rules import OUTSIDER_PERIOD, Permission, Role, is_outsider, may_grant
from daicho.domain.audit.record import record
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

type Facts = dict[str, str | None]


def lock_account(account: SmartAccount) -> SmartAccount:
    """The account's row, locked against other changes of rights, and fresh."""
    return SmartAccount.objects.select_for_update(no_key=True).get(pk=account.pk)


def grant_facts(role: str, ends_at: dt.datetime | None) -> Facts:
    """What the event log keeps of a right."""
    return {"role": role, "ends_at": ends_at.isoformat() if ends_at else None}


def ensure_fits(role: Role, account: SmartAccount, virtual_account: VirtualAccount | None) -> None:
    """Account roles go with the whole account, the others with one of its living virtual accounts."""
    if role.is_account_wide != (virtual_account is None):
        raise RoleDoesNotFitScope
    if virtual_account is not None and (virtual_account.account_id != account.pk or virtual_account.deleted_at):
        raise NotFound


def ensure_may_grant(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None, role: Role) -> None:
    """Administrators only, each within his scope."""
    if actor.is_system:
        return
    place = virtual_account.pk if virtual_account is not None else None
    for held, where in grants_of(actor).filter(account=account).values_list("role", "virtual_account_id"):
        if where in (None, place) and may_grant(Role(held), role):
            return
    raise Forbidden(Permission.USERS_MANAGE)


def latest_end(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None) -> dt.datetime | None:
    """How long a right that the actor grants may last: a partner user's own end; None: no limit (product.md, Roles)."""
    granter = _person_behind(actor)
    if granter is None or not is_outsider(granter.mail_domain, account.identifier):
        return None
    scope = Q(virtual_account=None) | Q(virtual_account=virtual_account)
    granting = [Role.ACCOUNT_ADMINISTRATOR, Role.VA_ADMINISTRATOR]
    ends = list(grants_of(actor).filter(scope, account=account, role__in=granting).values_list("ends_at", flat=True))
    if actor.api_client_id is not None:
        ends += list(ApiClient.objects.filter(pk=actor.api_client_id).values_list("ends_at", flat=True))
        return min((end for end in ends if end is not None), default=None)
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _person_behind(actor: Actor) -> User | None:
    if actor.user_id is not None:
        return User.objects.filter(pk=actor.user_id).first()
    if actor.api_client_id is not None:
        return User.objects.filter(pk__in=ApiClient.objects.filter(pk=actor.api_client_id).values("created_by")).first()
    return None


def ensure_end(
    actor: Actor,
    account: SmartAccount,
    virtual_account: VirtualAccount | None,
    ends_at: dt.datetime | None,
    *,
    outsider: bool,
) -> None:
    """Refuse an end that is past, that a partner user's right lacks, or that lies beyond what the granter may give."""
    if ends_at is not None and ends_at <= now():
        raise EndInPast
    if outsider and ends_at is None:
        raise EndRequired
    latest = latest_end(actor, account, virtual_account)
    if latest is not None and (ends_at is None or ends_at > latest):
        raise EndBeyondOwn(latest)


def proposed_end(
    actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None, *, outsider: bool
) -> dt.datetime | None:
    """The end that stands where none was given: a year for partner users, and never beyond the granter's own."""
    latest = latest_end(actor, account, virtual_account)
    if not outsider:
        return latest
    year = now() + OUTSIDER_PERIOD
    return min(year, latest) if latest is not None else year


def live_grant(
    account: SmartAccount,
    virtual_account: VirtualAccount | None,
    *,
    user: User | None = None,
    api_client: ApiClient | None = None,
) -> Grant | None:
    """The holder's right in exactly this scope, once its end, if it has passed, is recorded."""
    found = Grant.objects.filter(
        account=account,
        virtual_account=virtual_account,
        user=user,
        api_client=api_client,
        revoked_at=None,
        ended_at=None,
    ).first()
    if found is not None and found.ends_at is not None and found.ends_at <= now():
        record_end(found)
        return None
    return found


def record_end(grant: Grant) -> None:
    """Note once that a right is over by its own end."""
    grant.ended_at = now()
    grant.save(update_fields=["ended_at"])
    record(
        Actor.system(),
        "grant.ended",
        account=grant.account,
        virtual_account=grant.virtual_account,
        subject=holder_name(grant),
        subject_uid=grant.uid,
        before=grant_facts(grant.role, grant.ends_at),
    )


def holder_name(grant: Grant) -> str:
    return str(grant.user or grant.api_client)


def write_grant(
    actor: Actor,
    *,
    account: SmartAccount,
    virtual_account: VirtualAccount | None,
    role: Role,
    ends_at: dt.datetime | None,
    user: User | None = None,
    api_client: ApiClient | None = None,
) -> Grant:
    """Write a right and its event. The account is locked, the rules are judged. Raises `grant_exists`."""
    if live_grant(account, virtual_account, user=user, api_client=api_client) is not None:
        raise GrantExists(str(user or api_client))
    grant = Grant.objects.create(
        account=account,
        virtual_account=virtual_account,
        user=user,
        api_client=api_client,
        role=role,
        ends_at=ends_at,
        granted_by_id=actor.user_id,
        granted_by_name=actor.name[:100],
    )
    record(
        actor,
        "grant.given",
        account=account,
        virtual_account=virtual_account,
        subject=holder_name(grant),
        subject_uid=grant.uid,
        after=grant_facts(role, ends_at),
    )
    return grant


def rewrite_grant(actor: Actor, grant: Grant, role: Role, ends_at: dt.datetime | None) -> None:
    """Change a right in place and record it. The account is locked, the rules are judged."""
    before = grant_facts(grant.role, grant.ends_at)
    was_administrator = holds_up(grant)
    grant.role, grant.ends_at = role, ends_at
    grant.save(update_fields=["role", "ends_at"])
    if was_administrator:
        ensure_administrator_stays(grant.account)
    record(
        actor,
        "grant.changed",
        account=grant.account,
        virtual_account=grant.virtual_account,
        subject=holder_name(grant),
        subject_uid=grant.uid,
        before=before,
        after=grant_facts(role, ends_at),
    )


def close_grant(actor: Actor, grant: Grant, memo: str = "") -> None:
    """Take a right away and record it; the caller keeps the rule on the last administrator."""
    grant.revoked_at = now()
    grant.save(update_fields=["revoked_at"])
    record(
        actor,
        "grant.revoked",
        account=grant.account,
        virtual_account=grant.virtual_account,
        subject=holder_name(grant),
        subject_uid=grant.uid,
        before=grant_facts(grant.role, grant.ends_at),
        memo=memo,
    )


def holds_up(grant: Grant) -> bool:
    """Is this one of the rights that the rule on the last administrator counts."""
    return grant.role == Role.ACCOUNT_ADMINISTRATOR and grant.ends_at is None and grant.user_id is not None


def ensure_administrator_stays(account: SmartAccount) -> None:
    """Raise `last_administrator` when an active account is left without one. The account's row must be locked."""
    if account.state != SmartAccount.State.ACTIVE:
        return
    left = live_grants().filter(
        account=account,
        role=Role.ACCOUNT_ADMINISTRATOR,
        ends_at=None,
        user__is_active=True,
        user__email_confirmed_at__isnull=False,
    )
    if not left.exists():
        raise LastAdministrator
