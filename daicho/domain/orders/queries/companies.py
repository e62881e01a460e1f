"""What a partner company reads: its customers, its destinations, what it may deposit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import FieldErrors
from daicho.core.text import name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import ensure_operator, ensure_partner, grants_of
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.catalog.rules import search_words
from daicho.domain.ledger.models import Pool
from daicho.domain.orders.errors import too_many_guesses, unknown_destination
from daicho.domain.orders.guessing import Guesses
from daicho.domain.orders.models import OrderLine, PartnerAllowance
from daicho.domain.orders.planning import used_this_month
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

SOON = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an order may land."""

    identifier: str
    account_name: str
    virtual_account: str
    public: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """An account in which a partner's person has a right, and what needs looking at there."""

    identifier: str
    account_name: str
    virtual_account_uid: str
    virtual_account: str
    role: str
    ends_at: dt.datetime | None
    short: int
    ending: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many of a license a company may deposit in a month on its own, and how many it has."""

    tag: LicenseTag
    monthly_quantity: int
    used: int

    @property
    def sku(self) -> str:
        return self.tag.sku

    @property
    def name(self) -> str:
        return self.tag.name

    @property
    def left(self) -> int:
        return max(0, self.monthly_quantity - self.used)


def search_destinations(
    actor: Actor, company: PartnerCompany | None, *, identifier: str, text: str = "", limit: int = 20
) -> list[Destination]:
    """Destinations of an account by typing: its public virtual accounts, and a private one by its exact name.

    Empty for an account that does not exist as well as for a name that does not (product.md, virtual accounts). Raises
    `too_many_guesses` (429) to a partner who tries out names; public ones are found all the same.
    """
    if company is None:
        ensure_operator(actor, OperatorPermission.ORDERS)
    else:
        ensure_partner(actor, company)
    account = SmartAccount.objects.filter(
        identifier=" ".join(search_words(identifier)).lower(), state=SmartAccount.State.ACTIVE
    ).first()
    if account is None:
        return []
    key = name_key(" ".join(search_words(text)))
    public = Q(visibility=VirtualAccount.Visibility.PUBLIC, name_key__contains=key)
    living = VirtualAccount.objects.filter(account=account, deleted_at=None)
    found = living.filter(public | Q(name_key=key))
    if key and company is not None and not actor.is_operator:
        named = living.filter(name_key=key).first()
        is_seen = named is not None or living.filter(public).exists()  # what public ones answer to is no guess
        if (named is not None or not is_seen) and not Guesses(company).may_answer(account, key, named):
            if not living.filter(public).exists():
                raise too_many_guesses()
            found = living.filter(public)
    return [
        Destination(account.identifier, account.name, place.name, place.visibility == VirtualAccount.Visibility.PUBLIC)
        for place in found.order_by("-is_default", "name_key")[:limit]
    ]


def customers_of(actor: Actor) -> list[Customer]:
    """Where the actor has rights as an outsider, with shortages and ends within 90 days in his sight."""
    found = []
    grants = grants_of(actor).select_related("account", "virtual_account").order_by("account__name", "pk")
    for grant in grants.filter(account__state=SmartAccount.State.ACTIVE)[:500]:
        pools = Pool.objects.filter(account=grant.account)
        if grant.virtual_account is not None:
            pools = pools.filter(virtual_account=grant.virtual_account)
        found.append(
            Customer(
                identifier=grant.account.identifier,
                account_name=grant.account.name,
                virtual_account_uid=grant.virtual_account.uid if grant.virtual_account is not None else "",
                virtual_account=grant.virtual_account.name if grant.virtual_account is not None else "",
                role=grant.role,
                ends_at=grant.ends_at,
                short=pools.filter(balance__lt=0).count(),
                ending=pools.filter(next_end_at__lte=now() + SOON).count(),
            )
        )
    return found


def allowances_of(actor: Actor, company: PartnerCompany, *, zone: str = "Asia/Tokyo") -> list[Allowance]:
    """What a company may deposit on its own, and how much of it this month has used."""
    ensure_partner(actor, company)
    used = used_this_month(company, zone)
    rows = PartnerAllowance.objects.filter(company=company).select_related("tag").order_by("tag__sku_key")
    return [Allowance(row.tag, row.monthly_quantity, used.get(row.tag_id, 0)) for row in rows]


def open_work_of(actor: Actor, company: PartnerCompany) -> dict[str, int]:
    """How many lines of a company wait, by what they wait for."""
    ensure_partner(actor, company)
    waiting = OrderLine.objects.filter(order__company=company)
    return {
        state: waiting.filter(state=state).count()
        for state in (OrderLine.State.WAITING_OPERATOR, OrderLine.State.WAITING_AGREEMENT)
    }


def find_customer(actor: Actor, company: PartnerCompany | None, identifier: str) -> str:
    """The name of the active account with this domain identifier; raises FieldErrors (`identifier`)."""
    if company is None:
        ensure_operator(actor, OperatorPermission.ORDERS)
    else:
        ensure_partner(actor, company)
    wanted = SmartAccount.objects.filter(
        identifier=" ".join(search_words(identifier)).lower(), state=SmartAccount.State.ACTIVE
    )
    name = wanted.values_list("name", flat=True).first()
    if name is None:
        raise FieldErrors({"identifier": unknown_destination()})
    return name
