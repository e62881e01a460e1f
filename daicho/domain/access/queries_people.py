"""Who has which right in an account, as far as the actor may see (S18, S22, S23)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean
from daicho.domain.access.errors import UnknownUser
from daicho.domain.access.giving import latest_end
from daicho.domain.access.models import Grant, HandOver, Invitation, PartnerMember, User
from daicho.domain.access.policy import ensure_may, live_grants
from daicho.domain.access.rules import Permission, Role, is_outsider
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from daicho.domain.tenancy.rules import domain_matches, normal_address

PEOPLE_ORDERS = {
    "name": ["name", "uid"],
    "-name": ["-name", "-uid"],
    "email": ["email"],
    "-email": ["-email"],
    "last_login": ["last_login", "uid"],
    "-last_login": ["-last_login", "-uid"],
}


@dataclass(frozen=True, slots=True)
class Right:
    """A live right as it is shown. `virtual_account` None: the whole account."""

    uid: str
    role: Role
    virtual_account: VirtualAccount | None
    ends_at: dt.datetime | None
    since: dt.datetime
    granted_by: str


@dataclass(slots=True)
class Person:
    """A person of an account with the rights that the actor may see."""

    uid: str
    name: str
    email: str
    department: str
    last_login: dt.datetime | None
    has_two_step: bool
    is_outsider: bool
    rights: list[Right] = field(default_factory=list)

    @property
    def shown_name(self) -> str:
        return self.name or self.email


def list_people(
    actor: Actor,
    account: SmartAccount,
    *,
    virtual_account: VirtualAccount | None = None,
    text: str = "",
    role: str = "",
    outsiders: bool | None = None,
    order: str = "name",
    cursor: str | None = None,
    size: int = 50,
    count: bool = True,
) -> Page[Person]:
    """Everybody with a live right that the actor may see; with a virtual account, with a right in that one."""
    grants = visible_grants(actor, account, virtual_account)
    if role:
        grants = grants.filter(role=role)
    users = User.objects.filter(Exists(grants.filter(user=OuterRef("pk"))))
    if outsiders is not None:
        inside = Q(email__endswith=f"@{account.identifier}") | Q(email__endswith=f".{account.identifier}")
        users = users.exclude(inside) if outsiders else users.filter(inside)
    if text := clean(text):
        users = users.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(department__icontains=text))
    page = keyset_page(users, PEOPLE_ORDERS.get(order, ["name", "uid"]), cursor=cursor, size=size, count=count)
    people = _people(page.rows, account, visible_grants(actor, account, virtual_account))
    return Page(people, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def get_person(actor: Actor, account: SmartAccount, uid: str) -> Person:
    """The person with this uid and a live right in the account that the actor may see; else NotFound."""
    user = get_user(actor, account, uid)
    return _people([user], account, visible_grants(actor, account))[0]


def get_user(actor: Actor, account: SmartAccount, uid: str) -> User:
    """The user behind a person whom the actor may see in the account: for commands. Else NotFound."""
    user = User.objects.filter(uid=uid).first()
    if user is None or not visible_grants(actor, account).filter(user=user).exists():
        raise NotFound
    return user


def get_right(actor: Actor, account: SmartAccount, uid: str) -> tuple[Person, Right]:
    """The live right with this uid and its holder, if the actor may see them; else NotFound."""
    grant = visible_grants(actor, account).select_related("user").filter(uid=uid).first()
    if grant is None or grant.user is None:
        raise NotFound
    person = _people([grant.user], account, visible_grants(actor, account))[0]
    return person, next(right for right in person.rights if right.uid == uid)


def find_successor(actor: Actor, account: SmartAccount, email: str) -> User:
    """Who may take over rights: somebody with a right here, or a colleague of the account's own domain who signed up.

    Raises `unknown_user`, the same whether or not a person of another domain has signed up.
    """
    ensure_may(actor, Permission.USERS_MANAGE, account)
    user = User.objects.filter(email=normal_address(email), is_active=True, email_confirmed_at__isnull=False).first()
    if user is None:
        raise UnknownUser
    has_right = live_grants().filter(account=account, user_id=user.pk).exists()
    if not has_right and not domain_matches(account.identifier, user.mail_domain):
        raise UnknownUser
    return user


def visible_grants(
    actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None
) -> QuerySet[Grant]:
    """The live rights of people that the actor may see: all of the account, or those in his virtual accounts."""
    scope = ensure_may(actor, Permission.USERS_VIEW, account, virtual_account)
    grants = live_grants().filter(account=account, user__isnull=False)
    if virtual_account is not None:
        return grants.filter(virtual_account=virtual_account)
    places = scope.virtual_account_ids(Permission.USERS_VIEW)
    return grants if places is None else grants.filter(virtual_account_id__in=places)


def has_one_administrator(actor: Actor, account: SmartAccount) -> bool:
    """Does a single person hold up the account: then a second administrator should be invited."""
    ensure_may(actor, Permission.USERS_MANAGE, account, standing=False)
    administrators = live_grants().filter(account=account, role=Role.ACCOUNT_ADMINISTRATOR, user__isnull=False)
    return administrators.count() == 1


def past_rights(actor: Actor, account: SmartAccount, user_uid: str, limit: int = 50) -> list[Grant]:
    """Rights of a person that were revoked or have ended, latest first, as far as the actor may see."""
    user = get_user(actor, account, user_uid)
    scope = ensure_may(actor, Permission.USERS_VIEW, account)
    places = scope.virtual_account_ids(Permission.USERS_VIEW)
    over = Grant.objects.filter(Q(revoked_at__isnull=False) | Q(ends_at__lte=now()), account=account, user=user)
    if places is not None:
        over = over.filter(virtual_account_id__in=places)
    return list(over.select_related("virtual_account").order_by("-created_at")[:limit])


def grantable_scopes(actor: Actor, account: SmartAccount) -> tuple[bool, list[VirtualAccount]]:
    """Whether the actor may give rights in the whole account, and in which virtual accounts."""
    scope = ensure_may(actor, Permission.USERS_VIEW, account)
    places = scope.virtual_account_ids(Permission.USERS_MANAGE)
    found = VirtualAccount.objects.filter(account=account, deleted_at=None).order_by("name_key")
    return places is None, list(found if places is None else found.filter(pk__in=places))


def latest_grantable_end(
    actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None
) -> dt.datetime | None:
    """How long a right may last that the actor gives; None: no limit."""
    return latest_end(actor, account, virtual_account)


@dataclass(slots=True)
class Outsider:
    """One right of a partner user: the row of the page "Partners"."""

    uid: str
    person_uid: str
    company: str
    name: str
    email: str
    role: Role
    virtual_account: VirtualAccount | None
    since: dt.datetime
    ends_at: dt.datetime | None
    last_act: dt.datetime | None


def list_outsiders(
    actor: Actor,
    account: SmartAccount,
    *,
    virtual_account: VirtualAccount | None = None,
    text: str = "",
    cursor: str | None = None,
    size: int = 50,
) -> Page[Outsider]:
    """Every right of people of other companies, with what they last did here: what ends next comes first."""
    grants = visible_grants(actor, account, virtual_account).exclude(
        Q(user__email__endswith=f"@{account.identifier}") | Q(user__email__endswith=f".{account.identifier}")
    )
    if text := clean(text):
        companies = PartnerMember.objects.filter(company__name__icontains=text).values("user_id")
        grants = grants.filter(Q(user__name__icontains=text) | Q(user__email__icontains=text) | Q(user__in=companies))
    page = keyset_page(
        grants.select_related("user", "virtual_account"), ["ends_at", "uid"], cursor=cursor, size=size, count=True
    )
    ids = [grant.user_id for grant in page.rows if grant.user_id is not None]
    companies_of = dict(
        PartnerMember.objects.filter(user_id__in=ids).order_by("-company__name").values_list("user_id", "company__name")
    )
    acts = Event.objects.filter(account=account, actor_user_id=OuterRef("pk")).order_by("-at")
    last = dict(
        User.objects.filter(pk__in=ids).annotate(last=Subquery(acts.values("at")[:1])).values_list("pk", "last")
    )
    rows = [
        Outsider(
            uid=grant.uid,
            person_uid=grant.user.uid,
            company=companies_of.get(grant.user.pk, grant.user.mail_domain),
            name=str(grant.user),
            email=grant.user.email,
            role=Role(grant.role),
            virtual_account=grant.virtual_account,
            since=grant.created_at,
            ends_at=grant.ends_at,
            last_act=last.get(grant.user.pk),
        )
        for grant in page.rows
        if grant.user is not None
    ]
    return Page(rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def list_invitations(
    actor: Actor,
    account: SmartAccount,
    *,
    virtual_account: VirtualAccount | None = None,
    open_only: bool = True,
    cursor: str | None = None,
    size: int = 50,
) -> Page[Invitation]:
    """Invitations into what the actor may see, latest first."""
    scope = ensure_may(actor, Permission.USERS_VIEW, account, virtual_account)
    found = Invitation.objects.filter(account=account).select_related("virtual_account", "invited_by")
    places = scope.virtual_account_ids(Permission.USERS_VIEW)
    if virtual_account is not None:
        found = found.filter(virtual_account=virtual_account)
    elif places is not None:
        found = found.filter(virtual_account_id__in=places)
    if open_only:
        found = found.filter(state=Invitation.State.OPEN)
    return keyset_page(found, ["-created_at", "-uid"], cursor=cursor, size=size, count=True)


def list_hand_overs(
    actor: Actor, account: SmartAccount, *, cursor: str | None = None, size: int = 50
) -> Page[HandOver]:
    """Planned, done, cancelled and failed hand-overs, latest day first; for who manages all users."""
    ensure_may(actor, Permission.USERS_MANAGE, account, standing=False)
    found = HandOver.objects.filter(account=account).select_related("from_user", "to_user")
    return keyset_page(found, ["-due_at", "-uid"], cursor=cursor, size=size, count=True)


def _people(users: Iterable[User], account: SmartAccount, grants: QuerySet[Grant]) -> list[Person]:
    found = list(users)
    ids = [user.pk for user in found]
    rights: dict[int, list[Right]] = defaultdict(list)
    chosen = grants.filter(user_id__in=ids).select_related("virtual_account")
    for grant in sorted(chosen, key=lambda one: (one.virtual_account is not None, one.created_at)):
        if grant.user_id is not None:
            rights[grant.user_id].append(
                Right(
                    grant.uid, Role(grant.role), grant.virtual_account, grant.ends_at, grant.created_at,
                    grant.granted_by_name,
                )
            )  # fmt: skip
    two_step = set(Authenticator.objects.filter(user_id__in=ids, type="totp").values_list("user_id", flat=True))
    return [
        Person(
            uid=user.uid,
            name=user.name,
            email=user.email,
            department=user.department,
            last_login=user.last_login,
            has_two_step=user.pk in two_step,
            is_outsider=is_outsider(user.mail_domain, account.identifier),
            rights=rights[user.pk],
        )
        for user in found
    ]
