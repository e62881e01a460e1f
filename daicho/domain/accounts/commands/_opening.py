"""What all acts on an opening share: find and lock it, move it, take the identifier, send a link."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.ids import new_secret
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_operator, ensure_signed_in, live_grants
from daicho.domain.access.rules import OperatorPermission, Role
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.countries import time_zone_of
from daicho.domain.accounts.domains import matches, registrable
from daicho.domain.accounts.models import Opening
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount


def own_opening(actor: Actor, uid: str) -> Opening:
    """The requester's own opening, locked; raises NotFound for anybody else's."""
    user = ensure_signed_in(actor)
    opening = (
        Opening.objects.select_for_update(of=("self",)).select_related("requester", "account").filter(uid=uid).first()
    )
    if opening is None or opening.requester_id != user.pk:
        raise NotFound
    return opening


def operators_opening(actor: Actor, uid: str) -> Opening:
    """Any opening, locked, for the operator."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    opening = (
        Opening.objects.select_for_update(of=("self",)).select_related("requester", "account").filter(uid=uid).first()
    )
    if opening is None:
        raise NotFound
    return opening


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def opening_of_link(secret: str, state: str, *, lock: bool = True) -> Opening:
    """The opening whose open link this is, locked; raises `link_unusable` (404) when used, replaced or ended."""
    found = Opening.objects.select_for_update(of=("self",)) if lock else Opening.objects.all()
    opening = (
        found.select_related("requester", "account")
        .filter(link_hash=secret_hash(secret), state=state, link_expires_at__gt=now())
        .first()
    )
    if opening is None:
        raise errors.link_unusable()
    return opening


def ensure_act(opening: Opening, act: str) -> None:
    """Raise `opening_not_in_state` (409) unless the table of states allows the act now."""
    if opening.state not in rules.ACTS[act].from_states:
        raise errors.not_in_state(opening.state)


def move(opening: Opening, act: str, to: str, **changes: Any) -> None:
    """Bring the opening into a state that the table allows, and save it; its open link ends."""
    ensure_act(opening, act)
    if to not in rules.ACTS[act].to_states:
        raise LookupError(f"{act} does not lead to {to}")
    opening.state = to
    opening.link_hash = opening.link_expires_at = opening.reminded_at = None
    opening.last_step_at = now()
    if to in (rules.ACTIVE, rules.DECLINED, rules.LAPSED):
        opening.closed_at = opening.last_step_at
    for name, value in changes.items():
        setattr(opening, name, value)
    opening.save()


def in_the_name_of(actor: Actor, name: str) -> Actor:
    """Who acts by a mailed link without being logged in is known by the address the link went to."""
    return replace(actor, name=name) if actor.kind is ActorKind.ANONYMOUS else actor


def stands_for(user: User, identifier: str) -> bool:
    """Whether the person's confirmed address matches the identifier; an address that is not confirmed never does."""
    return user.email_confirmed_at is not None and matches(user.email, identifier)


def hold_reasons(opening: Opening, requester: User) -> list[str]:
    """Why the request cannot take its identifier by itself, as codes; empty for a matching request."""
    reasons = []
    if not stands_for(requester, opening.identifier):
        reasons.append(rules.REQUESTER_NOT_MATCHING)
    if not opening.is_representative and not matches(opening.approver_email, opening.identifier):
        reasons.append(rules.APPROVER_NOT_MATCHING)
    if subdomain_conflicts(opening)[0]:
        reasons.append(rules.SUBDOMAIN_CONFLICT)
    return reasons


def subdomain_conflicts(opening: Opening) -> tuple[bool, list[SmartAccount]]:
    """For a sub-domain identifier: is there an account or opening for its registrable domain or below, and which
    active accounts are these."""
    base = registrable(opening.identifier)
    if base is None or base == opening.identifier:
        return False, []
    others = Q(identifier=base) | Q(identifier__endswith=f".{base}")
    accounts = SmartAccount.objects.filter(others).exclude(state=SmartAccount.State.RELEASED)
    accounts = accounts.exclude(identifier=opening.identifier)
    openings = Opening.objects.filter(others, state__in=[rules.HELD, *rules.TAKING])
    openings = openings.exclude(identifier=opening.identifier)
    active = list(accounts.filter(state__in=[SmartAccount.State.ACTIVE, SmartAccount.State.SUSPENDED]))
    return accounts.exists() or openings.exists(), active


def administrators(account: SmartAccount) -> list[User]:
    """The people who administer the whole account now."""
    grants = live_grants().filter(account=account, role=Role.ACCOUNT_ADMINISTRATOR, user__isnull=False)
    return [grant.user for grant in grants.select_related("user") if grant.user is not None]


def take_identifier(opening: Opening) -> bool:
    """Create the provisional account under the unique constraint; False when somebody else has the identifier.

    Two at once: the second waits for the first at the constraint (PostgreSQL) or at the lock (SQLite).
    """
    try:
        with transaction.atomic():
            opening.account = SmartAccount.objects.create(
                identifier=opening.identifier,
                name=opening.account_name,
                time_zone=time_zone_of(opening.country),
                **{field: getattr(opening, field) for field in rules.ADDRESS_FIELDS},
            )
    except IntegrityError:
        return False
    return True


def release_identifier(opening: Opening) -> None:
    """Free the identifier of a request that ends before activation."""
    if opening.account is not None:
        opening.account.state = SmartAccount.State.RELEASED
        opening.account.save(update_fields=["state"])


def decline_rivals(actor: Actor, winner: Opening) -> None:
    """A matching request goes on; those held for the same identifier are declined with a mail that names no one."""
    held = Opening.objects.select_for_update(of=("self",)).select_related("requester")
    for rival in held.filter(identifier=winner.identifier, state=rules.HELD).exclude(pk=winner.pk).order_by("pk"):
        move(rival, "decline", rules.DECLINED)
        record(actor, "opening.declined", subject=rival.identifier, subject_uid=rival.uid, after={"reason": "rival"})
        mail_requester(rival, "opening_declined", reason="", by_approver=False)


def go_on(actor: Actor, opening: Opening, act: str, **changes: Any) -> None:
    """After the identifier is taken: ask the named approver, or send the activation link."""
    if opening.is_representative or act == "approver_approves":
        move(opening, act, rules.AWAITING_ACTIVATION, **changes)
        record(
            actor, "opening.provisional", account=opening.account, subject=opening.identifier, subject_uid=opening.uid
        )
        send_link(opening)
        return
    move(opening, act, rules.AWAITING_APPROVER, **changes)
    record(
        actor, "opening.approver_asked", account=opening.account, subject=opening.identifier, subject_uid=opening.uid,
        after={"approver": opening.approver_email},
    )  # fmt: skip
    send_link(opening)


def send_link(opening: Opening, *, reminder: bool = False) -> None:
    """Mail the link that the state asks for; the one before stops working. Only its SHA-256 is kept.

    A reminder keeps the day on which the link ends.
    """
    secret = new_secret()
    opening.link_hash = secret_hash(secret)
    if reminder and opening.link_expires_at is not None:
        opening.reminded_at = now()
    else:
        opening.link_expires_at = now() + rules.LINK_LIFE[opening.state]
        opening.reminded_at = None
    opening.save(update_fields=["link_hash", "link_expires_at", "reminded_at"])
    link = {"secret": secret, "expires_at": opening.link_expires_at.isoformat(), "reminder": reminder}
    if opening.state == rules.AWAITING_APPROVER:
        _mail_approver(opening, link)
    elif opening.state == rules.AWAITING_ACTIVATION:
        mail_requester(opening, "opening_activation", **link)
    else:
        reasons = rules.reasons_shown(opening.held_for)
        mail_requester(opening, "opening_reason", reasons=reasons, question=opening.question, **link)


def _mail_approver(opening: Opening, link: dict[str, Any]) -> None:
    known = User.objects.filter(email__iexact=opening.approver_email).first()
    reader = known or opening.requester
    post_mail(
        "opening_approver",
        to=opening.approver_email,
        to_name=(known.name if known else "") or opening.approver_name,
        language=reader.language,
        time_zone=reader.time_zone,
        **facts(opening),
        **link,
    )


def mail_requester(opening: Opening, template: str, **context: Any) -> None:
    user = opening.requester
    post_mail(
        template,
        to=user.email,
        to_name=user.name,
        language=user.language,
        time_zone=user.time_zone,
        **facts(opening),
        **context,
    )


def facts(opening: Opening) -> dict[str, Any]:
    """What every mail about an opening says of it."""
    return {
        "identifier": opening.identifier,
        "account_name": opening.account_name,
        "requester_name": opening.requester.name or opening.requester.email,
        "requester_domain": opening.requester.mail_domain,
        "approver_email": opening.approver_email,
        "requested_at": opening.created_at.isoformat(),
        "opening_uid": opening.uid,
    }
