"""The one cast of every test: who they are to each other is the point.

`world` is a company (aozora.example.co.jp) with three virtual accounts: DEFAULT, Tokyo and Osaka. Its administrator,
approver, user and viewer hold account-wide roles; `osaka_admin` administers Osaka alone; `partner` is another company's
employee who administers Osaka, too. `stranger` is the administrator of another company. `operator` is the licensor's
staff, `reseller` records orders for a partner company. Words that occur nowhere else (AOZORA…) and prime numbers are
planted, so that a leak shows.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import FOREVER, now
from daicho.core.ids import new_secret
from daicho.core.text import name_key
from daicho.domain.access.models import ApiClient, Grant, PartnerCompany, PartnerMember, User
from daicho.domain.access.rules import Permission, Role
from daicho.domain.catalog.models import Ladder, LicenseTag
from daicho.domain.ledger.models import Lot, Pool, Unit
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

PASSWORD = "correct horse battery staple"
PLANTED = "AOZORA"
PRIME = 7919
# Handles, request ids and fractions of a second: a planted number in one of them is no leak.
RANDOM = re.compile(r"\b[0-9a-hjkmnp-tv-z]{13}\b|[0-9a-f]{32}|[0-9a-f-]{36}|:\d\d\.\d+")


def make_user(email: str, name: str, *, language: str = "en", **fields: Any) -> User:
    """A person with a confirmed address."""
    user = User.objects.create_user(email, PASSWORD, name=name, language=language, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_account(identifier: str, name: str, **fields: Any) -> SmartAccount:
    """An active account in good standing with its DEFAULT virtual account."""
    account = SmartAccount.objects.create(
        identifier=identifier,
        name=name,
        state=SmartAccount.State.ACTIVE,
        good_standing_until=FOREVER,
        activated_at=now(),
        **fields,
    )
    make_virtual_account(account, "DEFAULT", is_default=True, visibility=VirtualAccount.Visibility.PUBLIC)
    return account


def make_virtual_account(
    account: SmartAccount, name: str, parent: VirtualAccount | None = None, **fields: Any
) -> VirtualAccount:
    found = VirtualAccount.objects.create(
        account=account,
        name=name,
        name_key=name_key(name),
        parent=parent,
        depth=parent.depth + 1 if parent else 1,
        **fields,
    )
    found.path = f"{parent.path if parent else '/'}{found.pk}/"
    found.save(update_fields=["path"])
    return found


def grant(user: User, role: Role, account: SmartAccount, virtual_account: VirtualAccount | None = None) -> Grant:
    outsider = not user.email.endswith(account.identifier)
    return Grant.objects.create(
        user=user,
        role=role,
        account=account,
        virtual_account=virtual_account,
        ends_at=now() + dt.timedelta(days=365) if outsider else None,
    )


def actor(user: User, *, interface: str = "portal", language: str = "en") -> Actor:
    """The acting person, as an interface would build it; each call is a request of its own."""
    return Actor(
        ActorKind.USER,
        user.name,
        user_id=user.pk,
        is_operator=user.is_operator,
        interface=interface,
        address="192.0.2.7",
        language=language,
    )


@dataclass
class World:
    account: SmartAccount
    default: VirtualAccount
    tokyo: VirtualAccount
    osaka: VirtualAccount
    admin: User
    approver: User
    user: User
    viewer: User
    osaka_admin: User
    partner: User
    stranger: User
    operator: User
    reseller: User
    nobody: User
    other_account: SmartAccount
    other_default: VirtualAccount
    reseller_company: PartnerCompany
    premier: LicenseTag
    advantage: LicenseTag
    essentials: LicenseTag
    security: LicenseTag
    storage: LicenseTag
    clients: dict[int, Client] = field(default_factory=dict)

    def client(self, user: User | None) -> Client:
        """A browser in which this person is logged in (None: nobody)."""
        key = user.pk if user else 0
        if key not in self.clients:
            browser = Client(HTTP_ACCEPT_LANGUAGE="en")
            if user is not None:
                browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            self.clients[key] = browser
        return self.clients[key]

    def as_(self, user: User) -> Actor:
        return actor(user)

    def deposit(
        self,
        tag: LicenseTag,
        quantity: int,
        virtual_account: VirtualAccount | None,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        kind: str = Lot.Kind.PERPETUAL,
        **fields: Any,
    ) -> Lot:
        """Licenses arrive, as an order of the operator would bring them."""
        from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots

        begins = start or now() - dt.timedelta(days=30)
        account = virtual_account.account if virtual_account else self.account
        lot = NewLot(
            tag=tag,
            quantity=quantity,
            kind=kind if end is None else fields.pop("kind_with_end", Lot.Kind.TERM),
            start_at=begins,
            end_at=end,
            virtual_account=virtual_account,
            **fields,
        )
        done = deposit_lots(actor(self.operator), account=account, request_id=uuid.uuid4(), lots=[lot])
        return done.lots[0]

    def unit(self, virtual_account: VirtualAccount) -> Unit:
        """A hand-kept unit without a device record around it."""
        return Unit.objects.create(
            account=virtual_account.account, virtual_account=virtual_account, kind=Unit.Kind.RECORD
        )

    def pool(self, virtual_account: VirtualAccount, tag: LicenseTag) -> Pool:
        return Pool.objects.get(virtual_account=virtual_account, tag=tag)

    def api_client(self, role: Role = Role.ACCOUNT_ADMINISTRATOR, scopes: list[str] | None = None) -> str:
        """The Authorization header of a new API client of the company."""
        import hashlib

        secret = new_secret()
        client = ApiClient.objects.create(
            account=self.account,
            name="nightly sync",
            secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
            secret_hint=secret[:4],
            scopes=scopes if scopes is not None else [str(one) for one in Permission],
            created_by=self.admin,
        )
        Grant.objects.create(api_client=client, role=role, account=self.account)
        return f"Bearer {client.uid}.{secret}"


def make_tag(sku: str, name: str, **fields: Any) -> LicenseTag:
    return LicenseTag.objects.create(sku=sku, sku_key=name_key(sku), name=name, **fields)


def make_world() -> World:
    """The cast, without any licenses: a test deposits what it is about."""
    account = make_account("aozora.example.co.jp", f"{PLANTED} Manufacturing")
    tokyo = make_virtual_account(account, f"{PLANTED} Tokyo")
    osaka = make_virtual_account(account, "Osaka")
    admin = make_user("admin@aozora.example.co.jp", f"{PLANTED} Admin")
    approver = make_user("approver@aozora.example.co.jp", "Approver")
    user = make_user("user@aozora.example.co.jp", "User")
    viewer = make_user("viewer@aozora.example.co.jp", "Viewer")
    osaka_admin = make_user("osaka@aozora.example.co.jp", "Osaka Admin")
    partner = make_user("partner@hoshu.example.jp", "Partner")
    stranger = make_user("stranger@midori.example.jp", "Stranger")
    operator = make_user("operator@vendor.example", "Operator", is_operator=True)
    TOTP.activate(operator, generate_totp_secret())
    reseller = make_user("sales@reseller.example.jp", "Reseller")
    nobody = make_user("nobody@nowhere.example.jp", "Nobody")
    grant(admin, Role.ACCOUNT_ADMINISTRATOR, account)
    grant(approver, Role.ACCOUNT_APPROVER, account)
    grant(user, Role.ACCOUNT_USER, account)
    grant(viewer, Role.ACCOUNT_VIEWER, account)
    grant(osaka_admin, Role.VA_ADMINISTRATOR, account, osaka)
    grant(partner, Role.VA_ADMINISTRATOR, account, osaka)
    other = make_account("midori.example.jp", "Midori Trading")
    grant(stranger, Role.ACCOUNT_ADMINISTRATOR, other)
    company = PartnerCompany.objects.create(name="Reseller K.K.", name_key=name_key("Reseller K.K."))
    PartnerMember.objects.create(company=company, user=reseller)
    ladder = Ladder.objects.create(name="Network")
    return World(
        account=account,
        default=VirtualAccount.objects.get(account=account, is_default=True),
        tokyo=tokyo,
        osaka=osaka,
        admin=admin,
        approver=approver,
        user=user,
        viewer=viewer,
        osaka_admin=osaka_admin,
        partner=partner,
        stranger=stranger,
        operator=operator,
        reseller=reseller,
        nobody=nobody,
        other_account=other,
        other_default=VirtualAccount.objects.get(account=other, is_default=True),
        reseller_company=company,
        premier=make_tag("NET-PREM", "Network Premier", ladder=ladder, rank=1, family="Network"),
        advantage=make_tag("NET-ADV", "Network Advantage", ladder=ladder, rank=2, family="Network"),
        essentials=make_tag("NET-ESS", "Network Essentials", ladder=ladder, rank=3, family="Network"),
        security=make_tag("SEC-PLUS", "Security Plus", enforcement=LicenseTag.Enforcement.ENFORCED, family="Security"),
        storage=make_tag("STO-STD", "Storage Standard", family="Storage"),
    )


@pytest.fixture
def world(db: None) -> World:
    return make_world()
