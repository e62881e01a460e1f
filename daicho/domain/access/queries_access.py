"""Who asks for access, who was invited, which programs and partner companies there are (S9, S22)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean
from daicho.domain.access.commands.administrators import people_with_rights
from daicho.domain.access.commands.api_clients import secret_hash
from daicho.domain.access.commands.invitations import may_be_accepted
from daicho.domain.access.models import AccessRequest, ApiClient, Invitation, PartnerCompany, PartnerMember
from daicho.domain.access.policy import VISIBLE_STATES, ensure_may, ensure_operator, ensure_signed_in, live_grants
from daicho.domain.access.rules import OperatorPermission, Permission, Role
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from daicho.domain.tenancy.rules import domains_above


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account of the searcher's own domain. `has_right`: he is in already; `request`: what he asked for."""

    identifier: str
    name: str
    state: str
    administrators: list[str]
    has_right: bool
    request: AccessRequest | None


def find_accounts_of_own_domain(actor: Actor) -> list[FoundAccount]:
    """The accounts whose identifier the searcher's confirmed mail matches; no others, whatever he types (S9)."""
    user = ensure_signed_in(actor)
    wanted = domains_above(user.mail_domain)
    accounts = SmartAccount.objects.filter(identifier__in=wanted, state__in=VISIBLE_STATES)
    requests = {
        request.account_id: request for request in AccessRequest.objects.filter(user=user).order_by("created_at")
    }
    held = set(live_grants().filter(user=user).values_list("account_id", flat=True))
    return [
        FoundAccount(
            identifier=account.identifier,
            name=account.name,
            state=account.state,
            administrators=[str(one) for one in people_with_rights(account, Role.ACCOUNT_ADMINISTRATOR)],
            has_right=account.pk in held,
            request=requests.get(account.pk),
        )
        for account in sorted(accounts, key=lambda one: wanted.index(one.identifier))
    ]


def own_access_requests(actor: Actor) -> list[AccessRequest]:
    """What the person has asked for, latest first."""
    user = ensure_signed_in(actor)
    return list(AccessRequest.objects.filter(user=user).select_related("account").order_by("-created_at")[:50])


def list_access_requests(
    actor: Actor, account: SmartAccount, *, open_only: bool = True, cursor: str | None = None, size: int = 50
) -> Page[AccessRequest]:
    """Requests for access to the account, oldest first while they are open."""
    ensure_may(actor, Permission.ACCESS_REQUESTS_VIEW, account)
    found = AccessRequest.objects.filter(account=account).select_related("user", "virtual_account", "grant")
    order = ["-created_at", "-uid"]
    if open_only:
        found, order = found.filter(state=AccessRequest.State.OPEN), ["created_at", "uid"]
    return keyset_page(found, order, cursor=cursor, size=size, count=True)


def get_access_request(actor: Actor, account: SmartAccount, uid: str) -> AccessRequest:
    """One request for access, answered or not; else NotFound."""
    ensure_may(actor, Permission.ACCESS_REQUESTS_VIEW, account)
    found = AccessRequest.objects.select_related("user", "account").filter(account=account, uid=uid).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation offers, for whoever holds its link. It can be accepted or not any more."""

    account_name: str
    identifier: str
    email: str
    role: Role
    virtual_account_name: str
    inviter: str
    expires_at: dt.datetime
    ends_at: dt.datetime | None
    can_be_accepted: bool
    is_accepted: bool


def read_invitation(secret: str) -> Offer:
    """The invitation behind a link; NotFound for any other. Changes nothing, so mail scanners may follow the link."""
    found = (
        Invitation.objects.select_related("account", "virtual_account", "invited_by")
        .filter(token_hash=secret_hash(secret))
        .first()
    )
    if found is None:
        raise NotFound
    return Offer(
        account_name=found.account.name,
        identifier=found.account.identifier,
        email=found.email,
        role=Role(found.role),
        virtual_account_name=found.virtual_account.name if found.virtual_account is not None else "",
        inviter=str(found.invited_by or ""),
        expires_at=found.expires_at,
        ends_at=found.grant_ends_at,
        can_be_accepted=may_be_accepted(found, found.account),
        is_accepted=found.state == Invitation.State.ACCEPTED,
    )


def list_api_clients(
    actor: Actor, account: SmartAccount, *, cursor: str | None = None, size: int = 50
) -> Page[ApiClient]:
    """The account's programs, revoked ones too, latest first; for who manages them."""
    ensure_may(actor, Permission.API_CLIENTS_MANAGE, account, standing=False)
    found = ApiClient.objects.filter(account=account).select_related("created_by")
    return keyset_page(found, ["-created_at", "-uid"], cursor=cursor, size=size, count=True)


def get_api_client(actor: Actor, account: SmartAccount, uid: str) -> ApiClient:
    """One program of the account; else NotFound."""
    ensure_may(actor, Permission.API_CLIENTS_MANAGE, account, standing=False)
    found = ApiClient.objects.select_related("created_by", "account").filter(account=account, uid=uid).first()
    if found is None:
        raise NotFound
    return found


def rights_of_client(client: ApiClient) -> list[tuple[str, Role, VirtualAccount | None, dt.datetime | None]]:
    """The live rights of a program: uid, role, virtual account (None: all), end."""
    grants = live_grants().filter(api_client=client).select_related("virtual_account").order_by("created_at")
    return [(grant.uid, Role(grant.role), grant.virtual_account, grant.ends_at) for grant in grants]


def list_partner_companies(
    actor: Actor, *, text: str = "", cursor: str | None = None, size: int = 50
) -> Page[PartnerCompany]:
    """Partner companies by name, with `members_count`; for the operator."""
    found = _companies(actor)
    if text := clean(text):
        found = found.filter(Q(name__icontains=text) | Q(members__user__email__icontains=text)).distinct()
    return keyset_page(found, ["name", "uid"], cursor=cursor, size=size, count=True)


def get_partner_company(actor: Actor, uid: str) -> PartnerCompany:
    """One partner company; for the operator."""
    found = _companies(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def partner_members(actor: Actor, company: PartnerCompany) -> list[PartnerMember]:
    """Who records orders for a partner company; for the operator."""
    ensure_operator(actor, OperatorPermission.PARTNERS)
    return list(PartnerMember.objects.filter(company=company).select_related("user").order_by("user__email"))


def partner_api_clients(actor: Actor, company: PartnerCompany) -> list[ApiClient]:
    """The programs of a partner company that are not revoked; for the operator."""
    ensure_operator(actor, OperatorPermission.PARTNERS)
    return list(ApiClient.objects.filter(company=company, revoked_at=None).order_by("-created_at"))


def list_operator_api_clients(actor: Actor, *, cursor: str | None = None, size: int = 50) -> Page[ApiClient]:
    """The operator's own programs, revoked ones too, latest first; for the operator."""
    return keyset_page(_operator_clients(actor), ["-created_at", "-uid"], cursor=cursor, size=size, count=True)


def get_operator_api_client(actor: Actor, uid: str) -> ApiClient:
    """One of the operator's own programs; else NotFound."""
    found = _operator_clients(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def _operator_clients(actor: Actor) -> QuerySet[ApiClient]:
    ensure_operator(actor, OperatorPermission.SUPPORT)
    return ApiClient.objects.filter(is_operator=True).select_related("created_by")


def find_account_for_operator(actor: Actor, identifier: str) -> SmartAccount:
    """The account with this identifier, for an act of the operator on its people."""
    ensure_operator(actor, OperatorPermission.ACCOUNTS)
    found = SmartAccount.objects.filter(identifier=identifier.lower(), state__in=VISIBLE_STATES).first()
    if found is None:
        raise NotFound
    return found


def _companies(actor: Actor) -> QuerySet[PartnerCompany]:
    ensure_operator(actor, OperatorPermission.PARTNERS)
    return PartnerCompany.objects.annotate(members_count=Count("members", distinct=True))
