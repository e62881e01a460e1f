"""What others decide about an opening: the operator, and the approver that the requester named (S11, S12)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.commands._opening import (
    ensure_act,
    go_on,
    in_the_name_of,
    mail_requester,
    move,
    opening_of_link,
    operators_opening,
    release_identifier,
    send_link,
    take_identifier,
)
from daicho.domain.accounts.models import Opening
from daicho.domain.audit.record import record
from daicho.domain.tenancy.rules import normal_address


def _reason(text: str, limit: int = 500) -> str:
    """A reason that others will read; raises FieldErrors (422) when it is missing."""
    reason = text.strip()[:limit]
    if not reason:
        raise errors.field("reason", errors.required())
    return reason


@command(
    permission=OperatorPermission.OPENINGS, events=("opening.approved", "opening.provisional", "opening.approver_asked")
)
def approve_held_opening(actor: Actor, *, opening_uid: str, reason: str = "") -> Opening:
    """Approve a held request: it takes its identifier and goes on where it stopped.

    Raises `domain_taken` (409) when the identifier is somebody's by now.
    """
    opening = operators_opening(actor, opening_uid)
    ensure_act(opening, "approve")
    if not take_identifier(opening):
        raise errors.domain_taken(opening.identifier)
    record(
        actor, "opening.approved", account=opening.account, subject=opening.identifier, subject_uid=opening.uid,
        after={"held_for": opening.held_for, "answer": opening.answer}, memo=reason.strip(),
    )  # fmt: skip
    go_on(
        actor, opening, "approve",
        operator_approved_at=now(), decided_by_name=actor.name[:100], decision_reason=reason.strip()[:500],
    )  # fmt: skip
    return opening


@command(permission=OperatorPermission.OPENINGS, events=("opening.declined",))
def decline_opening(actor: Actor, *, opening_uid: str, reason: str) -> Opening:
    """Decline a request that is not active yet, with a reason that the requester reads."""
    opening = operators_opening(actor, opening_uid)
    text = _reason(reason)
    _decline(actor, opening, "decline", text, by_approver=False)
    return opening


def _decline(actor: Actor, opening: Opening, act: str, reason: str, *, by_approver: bool) -> None:
    move(opening, act, rules.DECLINED, decided_by_name=actor.name[:100], decision_reason=reason)
    release_identifier(opening)
    record(
        actor, "opening.declined", account=opening.account, subject=opening.identifier, subject_uid=opening.uid,
        after={"by": "approver" if by_approver else "operator"}, memo=reason,
    )  # fmt: skip
    mail_requester(opening, "opening_declined", reason=reason, by_approver=by_approver)


@command(permission=OperatorPermission.OPENINGS, events=("opening.asked",))
def ask_opening_reason(actor: Actor, *, opening_uid: str, question: str) -> Opening:
    """Ask the requester of a held request a question by mail; he answers by the link within 14 days."""
    opening = operators_opening(actor, opening_uid)
    ensure_act(opening, "ask")
    text = question.strip()[:1000]
    if not text:
        raise errors.field("question", errors.required())
    move(opening, "ask", rules.HELD, question=text, asked_at=now(), answered_at=None)
    send_link(opening)
    record(actor, "opening.asked", subject=opening.identifier, subject_uid=opening.uid, after={"question": text})
    return opening


def _approver(actor: Actor, opening: Opening) -> User:
    """The named approver himself, with his confirmed address; raises `not_the_approver` (403)."""
    user = ensure_signed_in(actor)
    named = normal_address(opening.approver_email)
    if user.email_confirmed_at is None or normal_address(user.email) != named:
        raise errors.not_the_approver(opening.approver_email)
    return user


@command(permission=None, events=("opening.approved", "opening.provisional"))
def approve_as_approver(actor: Actor, *, secret: str) -> Opening:
    """The named approver agrees that the account is opened: the requester gets the activation link (S11).

    Logged in with the address the mail went to. Raises `sign_in_required` (401), `not_the_approver` (403),
    `link_unusable` (404).
    """
    opening = opening_of_link(secret, rules.AWAITING_APPROVER)
    user = _approver(actor, opening)
    record(
        actor, "opening.approved", account=opening.account, subject=opening.identifier, subject_uid=opening.uid,
        after={"approver": user.email},
    )  # fmt: skip
    go_on(actor, opening, "approver_approves")
    return opening


@command(permission=None, events=("opening.declined",))
def decline_as_approver(actor: Actor, *, secret: str, reason: str) -> Opening:
    """The named approver declines: the identifier is free again, the requester reads why.

    Whoever holds the link: somebody named without his knowledge need not sign up to say no.
    """
    opening = opening_of_link(secret, rules.AWAITING_APPROVER)
    text = _reason(reason)
    _decline(in_the_name_of(actor, opening.approver_email), opening, "approver_declines", text, by_approver=True)
    return opening
