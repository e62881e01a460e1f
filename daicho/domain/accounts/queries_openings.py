"""What may be known of openings: by the requester, by who holds a link, by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError, NotFound
from daicho.core.paging import Page, keyset_page
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_operator, ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands._opening import administrators, hold_reasons, opening_of_link, stands_for
from daicho.domain.accounts.domains import ensure_company_mail, mail_domain, parse_identifier, registrable
from daicho.domain.accounts.models import Contest, KnownCustomer, Opening
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import SmartAccount
from daicho.domain.tenancy.rules import domains_above


def known_facts(user: User) -> dict[str, Any]:
    """What a new request is filled in with: an earlier own request, else the operator's customer file (S13, S14).

    The customer file is read only for domains that the person's confirmed address matches.
    """
    domain = identifier = mail_domain(user.email)
    facts: dict[str, Any] = {"identifier": identifier}
    names = ("account_name", *rules.ADDRESS_FIELDS)
    earlier = Opening.objects.filter(requester=user, identifier=identifier).exclude(street="").order_by("-pk").first()
    if earlier is not None:
        return facts | {name: getattr(earlier, name) for name in names}
    known = KnownCustomer.objects.filter(domain__in=domains_above(domain)).order_by("-domain").first()
    if known is not None:
        address = {name: getattr(known, name) for name in rules.ADDRESS_FIELDS}
        return facts | {"identifier": known.domain, "account_name": known.name} | address
    return facts | {"account_name": identifier.partition(".")[0].capitalize()}


def my_openings(actor: Actor) -> list[Opening]:
    """The person's own requests, newest first."""
    user = ensure_signed_in(actor)
    return list(Opening.objects.filter(requester=user).select_related("account").order_by("-pk")[:50])


def my_opening(actor: Actor, uid: str) -> Opening:
    """One of the person's own requests."""
    user = ensure_signed_in(actor)
    found = Opening.objects.filter(requester=user, uid=uid).select_related("account", "requester").first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class IdentifierStanding:
    """What continuing with an identifier would lead to, for one person.

    `code`: free, taken, being_opened (both only for who matches), held. `identifier` is as it would be kept.
    """

    code: str
    identifier: str
    by: str = ""
    since: datetime | None = None
    may_take_over: bool = False


def identifier_standing(actor: Actor, opening_uid: str, entered: str) -> IdentifierStanding:
    """For the field in the wizard; raises what `parse_identifier` raises."""
    opening = my_opening(actor, opening_uid)
    identifier = parse_identifier(entered)
    if not stands_for(opening.requester, identifier):
        return IdentifierStanding("held", identifier)
    for found in company_accounts(actor):
        if found.identifier == identifier:
            if found.state == SmartAccount.State.PROVISIONAL:
                return IdentifierStanding("being_opened", identifier, found.opened_by, found.since, found.may_take_over)
            return IdentifierStanding("taken", identifier)
    opening.identifier = identifier
    return IdentifierStanding("held" if hold_reasons(opening, opening.requester) else "free", identifier)


@dataclass(frozen=True)
class CompanyAccount:
    """An account that stands for the person's own mail domain (S9). `opened_by`: who is opening it, while provisional."""

    identifier: str
    name: str
    state: str
    administrators: list[str]
    opened_by: str = ""
    since: datetime | None = None
    may_take_over: bool = False
    mine: bool = False


def company_accounts(actor: Actor) -> list[CompanyAccount]:
    """Accounts, also provisional ones, whose identifier the person's confirmed address matches; nobody else's."""
    user = ensure_signed_in(actor)
    if user.email_confirmed_at is None:
        return []
    accounts = SmartAccount.objects.filter(identifier__in=domains_above(mail_domain(user.email)))
    found = []
    for account in accounts.exclude(state=SmartAccount.State.RELEASED).order_by("identifier"):
        opening = Opening.objects.select_related("requester").filter(account=account, state__in=rules.TAKING).first()
        if opening is None:
            names = [person.get_full_name() for person in administrators(account)]
            found.append(CompanyAccount(account.identifier, account.name, account.state, names))
            continue
        ended = opening.link_expires_at is not None and opening.link_expires_at <= now()
        found.append(
            CompanyAccount(
                account.identifier, account.name, account.state, [], opening.requester.get_full_name(),
                account.created_at, ended, mine=opening.requester_id == user.pk,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class LinkedOpening:
    """What whoever holds a mailed link may read of the request."""

    identifier: str
    account_name: str
    requester_name: str
    requester_email: str
    approver_email: str
    address: tuple[str, ...]
    country: str
    question: str
    reasons: tuple[str, ...]
    expires_at: datetime | None
    created_at: datetime
    time_zone: str


def opening_by_link(secret: str, state: str) -> LinkedOpening:
    """The request behind a reason, approver or activation link; looking changes nothing. Raises `link_unusable`."""
    opening = opening_of_link(secret, state, lock=False)
    return LinkedOpening(
        opening.identifier,
        opening.account_name,
        opening.requester.get_full_name(),
        opening.requester.email,
        opening.approver_email,
        address_lines(opening),
        opening.country,
        opening.question,
        tuple(rules.reasons_shown(opening.held_for)),
        opening.link_expires_at,
        opening.created_at,
        opening.requester.time_zone,
    )


def address_lines(opening: Opening | SmartAccount | KnownCustomer) -> tuple[str, ...]:
    """The head office address in its parts, empty ones left out."""
    parts = (opening.postal_code, opening.region, opening.city, opening.street, opening.building)
    return tuple(part for part in parts if part)


# For the operator.


def list_openings(
    actor: Actor, *, state: str = "", text: str = "", cursor: str | None = None, size: int = 50
) -> Page[Opening]:
    """Requests beyond draft, newest first."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    found = Opening.objects.select_related("requester", "account").exclude(state=rules.DRAFT)
    if state:
        found = found.filter(state=state)
    if text:
        found = found.filter(
            Q(identifier__icontains=text) | Q(account_name__icontains=text) | Q(requester__email__icontains=text)
        )
    return keyset_page(found, ["-created_at", "-id"], cursor=cursor, size=size, count=True)


def get_opening(actor: Actor, uid: str) -> Opening:
    """Any request, for the operator."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    found = Opening.objects.select_related("requester", "account").filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def similar_accounts(actor: Actor, opening: Opening) -> list[SmartAccount]:
    """Accounts that may be the same company: same registrable domain, same name, same address."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    base = registrable(opening.identifier) or opening.identifier
    wanted = Q(identifier=base) | Q(identifier__endswith=f".{base}")
    if opening.account_name:
        wanted |= Q(name__icontains=opening.account_name)
    if opening.postal_code and opening.street:
        wanted |= Q(postal_code=opening.postal_code, street=opening.street)
    found = SmartAccount.objects.filter(wanted).exclude(state=SmartAccount.State.RELEASED)
    if opening.account_id is not None:
        found = found.exclude(pk=opening.account_id)
    return list(found.order_by("identifier")[:20])


def history(actor: Actor, opening: Opening) -> QuerySet[Event]:
    """The lines of the event log about one request, oldest first."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    return Event.objects.filter(subject_uid=opening.uid, kind__startswith="opening.").order_by("id")


def open_contests(actor: Actor) -> list[Contest]:
    """Contests that wait for an answer, oldest first."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    return list(Contest.objects.select_related("user").filter(state=Contest.State.OPEN).order_by("created_at")[:200])


def get_contest(actor: Actor, uid: str) -> tuple[Contest, SmartAccount | None]:
    """A contest and the account it is about, if there is one."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    contest = Contest.objects.select_related("user").filter(uid=uid).first()
    if contest is None:
        raise NotFound
    account = SmartAccount.objects.filter(identifier=contest.identifier).exclude(state=SmartAccount.State.RELEASED)
    return contest, account.first()


def refusal_of(actor: Actor) -> BusinessError | None:
    """Why the person cannot open an account at all, if so (free mail, throw-away mail)."""
    try:
        ensure_company_mail(ensure_signed_in(actor).email)
    except BusinessError as error:
        return error
    return None
