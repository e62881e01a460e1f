""" "This is our domain": somebody contests an account with the operator (product.md, Opening)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.policy import ensure_operator, ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import errors
from daicho.domain.accounts.domains import ensure_company_mail, parse_identifier
from daicho.domain.accounts.models import Contest
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail


@command(permission=None, events=("opening.contested",))
def contest_account(actor: Actor, *, identifier: str, reason: str) -> Contest:
    """Tell the operator that somebody else's account or request stands for one's own domain.

    Anybody logged in with a company's mail address; the answer does not tell whether there is an account. Raises
    FieldErrors (422), `contest_open` (409).
    """
    user = ensure_signed_in(actor)
    ensure_company_mail(user.email)
    text = reason.strip()[:1000]
    if not text:
        raise errors.field("reason", errors.required())
    try:
        domain = parse_identifier(identifier)
    except BusinessError as error:
        raise errors.field("identifier", error) from None
    if Contest.objects.filter(user=user, identifier=domain, state=Contest.State.OPEN).exists():
        raise errors.contest_open()
    contest = Contest.objects.create(identifier=domain, user=user, reason=text)
    record(actor, "opening.contested", subject=domain, subject_uid=contest.uid, after={"reason": text})
    return contest


@command(permission=OperatorPermission.OPENINGS, events=("opening.contest_decided",))
def decide_contest(actor: Actor, *, contest_uid: str, upheld: bool, reason: str) -> Contest:
    """Answer a contest; who contested reads the reason. What follows for the account is an act of its own."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    contest = Contest.objects.select_for_update(of=("self",)).select_related("user").filter(uid=contest_uid).first()
    if contest is None:
        raise NotFound
    if contest.state != Contest.State.OPEN:
        raise errors.not_in_state(contest.state)
    text = reason.strip()[:500]
    if not text:
        raise errors.field("reason", errors.required())
    contest.state = Contest.State.UPHELD if upheld else Contest.State.REJECTED
    contest.decided_by_name, contest.decision_reason, contest.decided_at = actor.name[:100], text, now()
    contest.save()
    record(
        actor, "opening.contest_decided", subject=contest.identifier, subject_uid=contest.uid,
        after={"state": contest.state}, memo=text,
    )  # fmt: skip
    user = contest.user
    post_mail(
        "contest_decided", to=user.email, to_name=user.name, language=user.language, time_zone=user.time_zone,
        identifier=contest.identifier, upheld=upheld, reason=text,
    )  # fmt: skip
    return contest
