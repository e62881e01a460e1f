"""Who acts in the demonstration, and how each comes in: signs up, confirms, logs in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _

from daicho.core.actor import Actor, ActorKind
from daicho.domain.access.commands.people import confirm_address, create_operator, register_user
from daicho.interfaces.cli.actor import console_actor

OPERATOR = "operator@kumo.example"
ADMINISTRATOR = "yamada@example.co.jp"
VIEWER = "ito@example.co.jp"
PARTNER = "takahashi@partner.example.jp"
NEWCOMER = "mori@midori.example.jp"

# Mail address, name, department.
PEOPLE = (
    (ADMINISTRATOR, "山田 太郎", "情報システム本部"),
    ("sato@example.co.jp", "佐藤 花子", "情報システム本部"),
    ("tanaka@example.co.jp", "田中 一郎", "経営管理本部"),
    ("suzuki@example.co.jp", "鈴木 美咲", "情報システム本部"),
    (VIEWER, "伊藤 健", "内部監査室"),
    ("kobayashi@example.co.jp", "小林 さくら", "大阪支店"),
    ("kato@example.co.jp", "加藤 大輔", "名古屋支店"),
    ("yoshida@example.co.jp", "吉田 恵", "福岡支店"),
    ("nakamura@example.co.jp", "中村 翔太", "川崎工場"),
    (PARTNER, "高橋 誠", "営業第一部"),
    ("ogawa@hoshu.example.jp", "小川 直樹", "保守センター"),
    (NEWCOMER, "森 由美子", "総務部"),
    ("kita@kita.example.jp", "北 俊介", "情報システム課"),
)


@dataclass
class Cast:
    """The people by mail address, and the password that all of them share in this installation."""

    password: str
    people: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, email: str) -> Any:
        return self.people[email]

    def actor(self, email: str) -> Actor:
        """The person at work; each call is an act of its own."""
        user = self.people[email]
        return Actor(
            ActorKind.USER,
            user.name,
            user_id=user.pk,
            is_operator=user.is_operator,
            interface="portal",
            address="192.0.2.10",
            language="ja",
        )

    @property
    def operator(self) -> Actor:
        return self.actor(OPERATOR)

    @property
    def administrator(self) -> Actor:
        return self.actor(ADMINISTRATOR)


def new_password() -> str:
    """Easy to type, hard to guess, another one in each installation."""
    return "-".join(["demo", *(secrets.token_hex(2) for _number in range(3))])


def gather() -> Cast:
    """Everybody signs up and confirms his address; the operator comes from the console, with two-step log-in on."""
    cast = Cast(new_password())
    operator = create_operator(console_actor(), email=OPERATOR, password=cast.password, name="雲野 操")
    TOTP.activate(operator, generate_totp_secret())
    cast.people[OPERATOR] = operator
    hashed = make_password(cast.password)
    for email, name, department in PEOPLE:
        visitor = Actor(ActorKind.ANONYMOUS, "", interface="portal", address="192.0.2.10", language="ja")
        user = get_user_model()(email=email, password=hashed)
        cast.people[email] = register_user(visitor, user=user, name=name, department=department, language="ja")
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        confirm_address(visitor, user=user, email=user.email)
    return cast


def is_there() -> bool:
    """Was the world made before?"""
    return get_user_model().objects.filter(email=ADMINISTRATOR).exists()


def renew_passwords() -> str:
    """The demo world is there, but its log-ins were lost: everybody gets a new password."""
    password = new_password()
    emails = [OPERATOR, *(email for email, _name, _department in PEOPLE)]
    get_user_model().objects.filter(email__in=emails).update(password=make_password(password))
    return password


def log_ins(password: str, site: str) -> list[dict[str, str]]:
    """What is printed: who, address, password."""
    shown = (
        (ADMINISTRATOR, _("Administrator of a company")),
        (VIEWER, _("Viewer of that company")),
        (PARTNER, _("Partner who records orders")),
        (NEWCOMER, _("Administrator of an account that has yet to accept the agreement")),
        (OPERATOR, _("Operator; one-time code at %(url)s") % {"url": f"{site}/demo/mails/"}),
    )
    return [{"who": str(who), "email": email, "password": password} for email, who in shown]
