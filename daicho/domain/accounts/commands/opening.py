"""What the requester does with an opening, from the first step to the link in the mail (S8–S16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.commands._opening import (
    administrators,
    decline_rivals,
    ensure_act,
    go_on,
    hold_reasons,
    in_the_name_of,
    mail_requester,
    move,
    opening_of_link,
    own_opening,
    release_identifier,
    send_link,
    subdomain_conflicts,
    take_identifier,
)
from daicho.domain.accounts.domains import ensure_company_mail, registrable
from daicho.domain.accounts.fields import as_typed, clean_step
from daicho.domain.accounts.models import Opening
from daicho.domain.accounts.queries_openings import known_facts
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount


@command(permission=None, events=("opening.started",))
def start_opening(actor: Actor) -> Opening:
    """Start a request to open a Smart Account; what is known already is filled in.

    Anybody logged in with a confirmed company mail address. Raises `mail_not_confirmed` (403), `free_mail_domain`,
    `throw_away_mail_domain` (422, S10), `too_many_openings` (409: 3 at a time).
    """
    user = ensure_signed_in(actor)
    if user.email_confirmed_at is None:
        raise errors.mail_not_confirmed()
    ensure_company_mail(user.email)
    User.objects.select_for_update().get(pk=user.pk)  # two starts at once are counted one after the other
    if Opening.objects.filter(requester=user, state__in=rules.BEFORE_ACTIVE).count() >= rules.MAX_OPEN_PER_USER:
        raise errors.too_many_open()
    opening = Opening.objects.create(requester=user, **known_facts(user))
    record(actor, "opening.started", subject=opening.identifier, subject_uid=opening.uid)
    return opening


@command(permission=None, events=())
def keep_draft(actor: Actor, *, opening_uid: str, values: Mapping[str, Any], since: str | None = None) -> Opening:
    """Keep what was typed so far, unchecked, so that a closed browser loses nothing. The requester's own only.

    `since`: the last step when the page was made that keeps by itself what is typed on it. It arrives when it arrives:
    after a later step it is forgotten, and it is no step of its own.
    """
    opening = own_opening(actor, opening_uid)
    ensure_act(opening, "save")
    if since is not None:
        if since != opening.last_step_at.isoformat():
            return opening
        return _kept(opening, values)
    opening.last_step_at = now()
    return _kept(opening, values)


def _kept(opening: Opening, values: Mapping[str, Any]) -> Opening:
    kept = as_typed(values)
    for field, value in kept.items():
        setattr(opening, field, value)
    opening.save()
    return opening


@command(permission=None, events=())
def save_step(actor: Actor, *, opening_uid: str, step: int, values: Mapping[str, Any]) -> Opening:
    """Check and keep one step of the request (1–5: company, authority, account, head office, check).

    Raises FieldErrors (422) with the codes of `accounts.errors`; nothing is saved then.
    """
    opening = own_opening(actor, opening_uid)
    ensure_act(opening, "save")
    for field, value in clean_step(step, values, requester=opening.requester.email).items():
        setattr(opening, field, value)
    opening.step = max(opening.step, min(step + 1, rules.STEPS))
    opening.last_step_at = now()
    opening.save()
    return opening


@command(
    permission=None,
    events=(
        "opening.held",
        "opening.provisional",
        "opening.approver_asked",
        "opening.declined",
        "account.subdomain_requested",
    ),
)
def continue_opening(actor: Actor, *, opening_uid: str) -> Opening:
    """Continue: a matching request takes the identifier and goes on, any other one is held (S12, S15).

    Raises FieldErrors when a step is not complete, `domain_taken`, `domain_being_opened` (409, only for who matches),
    `too_many_held` (429: 10 a domain and day).
    """
    opening = own_opening(actor, opening_uid)
    ensure_act(opening, "continue")
    _complete(opening)
    return _continue(actor, opening)


def _complete(opening: Opening) -> None:
    """Check everything entered, as if each step was saved just now; raises FieldErrors."""
    ensure_company_mail(opening.requester.email)
    typed = {field: getattr(opening, field) for fields in rules.FIELDS_OF_STEP.values() for field in fields}
    for step in rules.FIELDS_OF_STEP:
        for field, value in clean_step(step, typed, requester=opening.requester.email).items():
            setattr(opening, field, value)


def _continue(actor: Actor, opening: Opening) -> Opening:
    user = opening.requester
    reasons = hold_reasons(opening, user)
    if rules.REQUESTER_NOT_MATCHING not in reasons:
        ensure_free(opening)
    if reasons:
        _hold(actor, opening, reasons)
        return opening
    if not take_identifier(opening):
        ensure_free(opening)
        raise errors.domain_taken(opening.identifier)
    decline_rivals(actor, opening)
    go_on(actor, opening, "continue", step=rules.STEPS)
    return opening


def ensure_free(opening: Opening) -> None:
    """Raise `domain_taken` or `domain_being_opened` (409) when the identifier is somebody's: for who matches only."""
    account = (
        SmartAccount.objects.filter(identifier=opening.identifier).exclude(state=SmartAccount.State.RELEASED).first()
    )
    if account is None:
        return
    other = Opening.objects.select_related("requester").filter(account=account, state__in=rules.TAKING).first()
    if other is None:
        raise errors.domain_taken(opening.identifier)
    raise errors.being_opened(
        opening.identifier, other.requester.get_full_name(), account.created_at, _link_ended(other)
    )


def _link_ended(opening: Opening) -> bool:
    return opening.link_expires_at is not None and opening.link_expires_at <= now()


def _hold(actor: Actor, opening: Opening, reasons: list[str]) -> None:
    base = registrable(opening.identifier) or opening.identifier
    today = Opening.objects.filter(
        Q(identifier=base) | Q(identifier__endswith=f".{base}"), held_at__gt=now() - timedelta(days=1)
    )
    if today.count() >= rules.MAX_HELD_PER_DOMAIN_AND_DAY:
        raise errors.too_many_held()
    move(opening, "continue", rules.HELD, held_for=reasons, held_at=now(), asked_at=now(), step=rules.STEPS)
    record(actor, "opening.held", subject=opening.identifier, subject_uid=opening.uid, after={"held_for": reasons})
    send_link(opening)
    if rules.SUBDOMAIN_CONFLICT in reasons:
        _tell_administrators(actor, opening)


def _tell_administrators(actor: Actor, opening: Opening) -> None:
    """Administrators of the domain above or beside hear of the request, not who made it."""
    for account in subdomain_conflicts(opening)[1]:
        record(
            Actor.system(), "account.subdomain_requested", account=account, subject=opening.identifier,
            subject_uid=opening.uid, act=actor.request_id,
        )  # fmt: skip
        for user in administrators(account):
            post_mail(
                "opening_subdomain", to=user.email, to_name=user.name, language=user.language, time_zone=user.time_zone,
                identifier=opening.identifier, account_name=account.name, account_identifier=account.identifier,
            )  # fmt: skip


@command(permission=None, events=("opening.answered",))
def answer_reason(actor: Actor, *, secret: str, answer: str) -> Opening:
    """Answer by the mailed link why the account is opened for this domain; the operator decides next (S12).

    Whoever holds the link. Raises `link_unusable` (404), FieldErrors (422).
    """
    opening = opening_of_link(secret, rules.HELD)
    text = answer.strip()[:1000]
    if not text:
        raise errors.field("answer", errors.required())
    move(opening, "answer", rules.HELD, answer=text, answered_at=now())
    who = in_the_name_of(actor, opening.requester.get_full_name())
    record(who, "opening.answered", subject=opening.identifier, subject_uid=opening.uid, after={"answer": text})
    return opening


@command(permission=None, events=("opening.link_resent",))
def resend_link(actor: Actor, *, opening_uid: str) -> Opening:
    """Send the mail with the link once more; the link before stops working. The requester's own only.

    Raises `opening_not_in_state` (409), `link_just_sent` (429: once in 5 minutes).
    """
    opening = own_opening(actor, opening_uid)
    ensure_act(opening, "resend")
    if opening.state == rules.HELD and opening.answered_at is not None:
        raise errors.not_in_state(opening.state)
    ends = opening.link_expires_at
    if (
        ends is not None
        and opening.reminded_at is None
        and ends - rules.LINK_LIFE[opening.state] > now() - rules.RESEND_AFTER
    ):
        raise errors.link_just_sent()
    send_link(opening)
    record(actor, "opening.link_resent", account=opening.account, subject=opening.identifier, subject_uid=opening.uid)
    return opening


@command(permission=None, events=("opening.withdrawn",))
def withdraw_opening(actor: Actor, *, opening_uid: str) -> Opening:
    """Give up an own request that is not active yet; the identifier is free again."""
    opening = own_opening(actor, opening_uid)
    move(opening, "withdraw", rules.LAPSED)
    release_identifier(opening)
    record(actor, "opening.withdrawn", account=opening.account, subject=opening.identifier, subject_uid=opening.uid)
    return opening


@command(
    permission=None, events=("opening.taken_over", "opening.provisional", "opening.approver_asked", "opening.declined")
)
def take_over_opening(actor: Actor, *, opening_uid: str) -> Opening:
    """Take an identifier over from a colleague whose link has ended, and continue the own request with it.

    Only with a confirmed address that matches. Raises `domain_taken`, `domain_being_opened` (409) while the link
    still works.
    """
    opening = own_opening(actor, opening_uid)
    ensure_act(opening, "continue")
    _complete(opening)
    if hold_reasons(opening, opening.requester):
        raise errors.not_in_state(opening.state)
    other = (
        Opening.objects.select_for_update(of=("self",))
        .select_related("requester", "account")
        .filter(account__identifier=opening.identifier, state__in=rules.TAKING)
        .first()
    )
    if other is None or not _link_ended(other):
        ensure_free(opening)
    else:
        release_identifier(other)
        move(other, "be_taken_over", rules.LAPSED)
        record(
            actor, "opening.taken_over", account=other.account, subject=other.identifier, subject_uid=other.uid,
            before={"requester": other.requester.email}, after={"requester": opening.requester.email},
        )  # fmt: skip
        mail_requester(other, "opening_taken_over", by=opening.requester.get_full_name())
    return _continue(actor, opening)
