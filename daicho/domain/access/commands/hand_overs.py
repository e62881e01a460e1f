"""A colleague leaves: on a day all his rights in the account become another's."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import DatabaseError

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.commands.administrators import people_with_rights
from daicho.domain.access.errors import HandOverOver, NothingToHandOver, SamePerson
from daicho.domain.access.giving import (
    close_grant,
    ensure_administrator_stays,
    latest_end,
    live_grant,
    lock_account,
    rewrite_grant,
    write_grant,
)
from daicho.domain.access.models import HandOver, User
from daicho.domain.access.policy import ensure_may, live_grants
from daicho.domain.access.rules import OUTSIDER_PERIOD, Permission, Role, is_outsider, stronger
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount

logger = logging.getLogger("daicho.access")


@command(permission=Permission.USERS_MANAGE, events=("hand_over.planned",))
def plan_hand_over(
    actor: Actor, *, account: SmartAccount, from_user: User, to_user: User, due_at: dt.datetime
) -> HandOver:
    """An administrator plans that on a day all rights of one person in the account become another's.

    A day that has come is carried out by the next sweep, within a minute. Interfaces pass only people whom the actor
    may see, or colleagues of the account's own domain. Raises `same_person`, `nothing_to_hand_over`.
    """
    ensure_may(actor, Permission.USERS_MANAGE, account)
    if from_user.pk == to_user.pk:
        raise SamePerson
    lock_account(account)
    if not live_grants().filter(account=account, user=from_user).exists():
        raise NothingToHandOver
    latest = latest_end(actor, account, None)
    if latest is not None and due_at > latest:
        due_at = latest
    plan = HandOver.objects.create(
        account=account, from_user=from_user, to_user=to_user, due_at=due_at, created_by_name=actor.name[:100]
    )
    record(
        actor, "hand_over.planned", account=account, subject=str(from_user), subject_uid=plan.uid,
        after={"to": str(to_user), "due_at": due_at.isoformat()},
    )  # fmt: skip
    return plan


@command(permission=Permission.USERS_MANAGE, events=("hand_over.cancelled",))
def cancel_hand_over(actor: Actor, *, account: SmartAccount, hand_over_uid: str) -> None:
    """A planned hand-over will not happen. Raises `hand_over_over`."""
    ensure_may(actor, Permission.USERS_MANAGE, account, standing=False)
    lock_account(account)
    plan = HandOver.objects.select_related("from_user").filter(account=account, uid=hand_over_uid).first()
    if plan is None:
        raise NotFound
    if plan.done_at or plan.cancelled_at or plan.failure:
        raise HandOverOver
    plan.cancelled_at = now()
    plan.save(update_fields=["cancelled_at"])
    record(actor, "hand_over.cancelled", account=account, subject=str(plan.from_user), subject_uid=plan.uid)


def run_due_hand_overs(limit: int = 100) -> int:
    """Carry out each hand-over whose day has come, each alone; a failure is kept and mailed. Returns how many ran."""
    due = HandOver.objects.filter(due_at__lte=now(), done_at=None, cancelled_at=None, failure="").order_by("due_at")
    actor = Actor.system()
    ran = 0
    for uid in list(due.values_list("uid", flat=True)[:limit]):
        try:
            hand_over(actor, uid=uid)
        except BusinessError as error:
            note_failed_hand_over(actor, uid=uid, failure=error.code)
        except DatabaseError:
            logger.exception("hand-over could not be carried out", extra={"hand_over": uid})
            continue
        ran += 1
    return ran


@command(permission=None, events=("hand_over.done", "grant.given", "grant.changed", "grant.revoked"))
def hand_over(actor: Actor, *, uid: str) -> None:
    """The day has come: all rights of one person in the account become another's, in one act.

    Where the other already has a role in the same scope, the stronger role and the later end count. Raises
    `last_administrator`, `nothing_to_hand_over`, `account_suspended`.
    """
    plan = HandOver.objects.select_related("account", "from_user", "to_user").get(uid=uid)
    account = lock_account(plan.account)
    plan.refresh_from_db(fields=["done_at", "cancelled_at", "failure"])
    if plan.done_at or plan.cancelled_at or plan.failure or plan.due_at > now():
        return
    ensure_may(actor, Permission.USERS_MANAGE, account)
    if not plan.to_user.is_active:
        raise NotFound
    grants = list(
        live_grants().select_related("account", "virtual_account", "user").filter(account=account, user=plan.from_user)
    )
    if not grants:
        raise NothingToHandOver
    outsider = is_outsider(plan.to_user.mail_domain, account.identifier)
    for grant in grants:
        ends_at = grant.ends_at
        if outsider:
            ends_at = min(end for end in (ends_at, now() + OUTSIDER_PERIOD) if end is not None)
        present = live_grant(account, grant.virtual_account, user=plan.to_user)
        close_grant(actor, grant)
        if present is None:
            write_grant(
                actor, account=account, virtual_account=grant.virtual_account, role=Role(grant.role),
                ends_at=ends_at, user=plan.to_user,
            )  # fmt: skip
        else:
            later = None if None in (ends_at, present.ends_at) else max(filter(None, (ends_at, present.ends_at)))
            role = stronger(Role(present.role), Role(grant.role))
            if (role, later) != (Role(present.role), present.ends_at):
                rewrite_grant(actor, present, role, later)
    ensure_administrator_stays(account)
    plan.done_at = now()
    plan.save(update_fields=["done_at"])
    record(
        actor, "hand_over.done", account=account, subject=str(plan.from_user), subject_uid=plan.uid,
        after={"to": str(plan.to_user), "rights": len(grants)},
    )  # fmt: skip


@command(permission=None, events=("hand_over.failed",))
def note_failed_hand_over(actor: Actor, *, uid: str, failure: str) -> None:
    """A hand-over could not be carried out: its reason is kept, and the administrators are mailed."""
    plan = (
        HandOver.objects.select_for_update(of=("self",)).select_related("account", "from_user", "to_user").get(uid=uid)
    )
    plan.failure = failure
    plan.save(update_fields=["failure"])
    record(
        actor, "hand_over.failed", account=plan.account, subject=str(plan.from_user), subject_uid=plan.uid,
        after={"to": str(plan.to_user), "code": failure},
    )  # fmt: skip
    for administrator in people_with_rights(plan.account, Role.ACCOUNT_ADMINISTRATOR):
        post_mail(
            "hand_over_failed",
            to=administrator.email,
            to_name=administrator.name,
            language=administrator.language,
            time_zone=administrator.time_zone,
            account_name=plan.account.name,
            identifier=plan.account.identifier,
            from_name=str(plan.from_user),
            to_person=str(plan.to_user),
            code=failure,
        )
