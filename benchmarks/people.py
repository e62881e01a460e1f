"""Who asks in a benchmark's world: an administrator, two hundred people with rights in a part, and programs."""

from __future__ import annotations

import hashlib
from typing import Any

from daicho.core.clock import FOREVER
from daicho.core.ids import new_secret
from daicho.domain.access.models import ApiClient, Grant, User
from daicho.domain.access.rules import Permission, Role
from daicho.domain.alerts import watch
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

PEOPLE = 200


def invite_everybody() -> dict[str, Any]:
    """Make them, open the alerts that hold, and say how to ask: the account, secrets of programs, handles."""
    account = SmartAccount.objects.get(identifier="bench.example.jp")
    places = list(VirtualAccount.objects.filter(account=account).order_by("pk")[:PEOPLE])
    operator = User.objects.create_user("operator@vendor.example", name="Operator", is_operator=True)
    admin = User.objects.create_user("admin@bench.example.jp", name="管理 花子")
    grants = [Grant(user=admin, role=Role.ACCOUNT_ADMINISTRATOR, account=account, granted_by=operator)]
    people = User.objects.bulk_create(
        User(
            email=f"person-{n:03}@bench.example.jp",
            name=f"担当 {n:03}",
            password="!",
            email_confirmed_at=account.created_at,
        )
        for n in range(len(places))
    )
    grants += [
        Grant(user=person, role=Role.VA_USER, account=account, virtual_account=place)
        for person, place in zip(people, places, strict=True)
    ]
    Grant.objects.bulk_create(grants)
    found = {
        "identifier": account.identifier,
        "admin": admin.email,
        "person": people[-1].email,
        "authorization": program(account, admin, Role.ACCOUNT_ADMINISTRATOR, None),
        "partial": program(account, admin, Role.VA_VIEWER, places[-1]),
        "operator": operator.email,
    }
    while watch.run()["opened"]:
        pass
    return found


def program(account: SmartAccount, by: User, role: Role, place: VirtualAccount | None) -> str:
    """The Authorization header of a new API client."""
    secret = new_secret()
    client = ApiClient.objects.create(
        account=account, name=f"bench {role}", secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
        secret_hint=secret[:4], scopes=[str(one) for one in Permission], created_by=by, ends_at=FOREVER,
    )  # fmt: skip
    Grant.objects.create(api_client=client, role=role, account=account, virtual_account=place)
    return f"Bearer {client.uid}.{secret}"


def session_of(email: str) -> str:
    """The Cookie header of somebody who has just logged in."""
    from django.test import Client

    browser = Client(HTTP_HOST="localhost")
    browser.force_login(User.objects.get(email=email), backend="allauth.account.auth_backends.AuthenticationBackend")
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
