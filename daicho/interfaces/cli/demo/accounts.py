"""The customers: one well established, one that has yet to accept its agreement, one opening on hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.domain.access.commands.access_requests import request_access
from daicho.domain.access.commands.grants import give_grant
from daicho.domain.access.commands.invitations import invite
from daicho.domain.access.policy import find_account, visible_virtual_accounts
from daicho.domain.access.rules import Permission, Role
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.commands.agreements import accept_agreement, publish_agreement
from daicho.domain.accounts.commands.opening import continue_opening, save_step, start_opening
from daicho.domain.accounts.commands.virtual_accounts import create_virtual_account
from daicho.domain.mailbox.queries import mailed_secret
from daicho.interfaces.cli.demo import texts
from daicho.interfaces.cli.demo.cast import ADMINISTRATOR, VIEWER, Cast

COMPANY, NEWCOMER = "example.co.jp", "midori.example.jp"
MARUNOUCHI = {
    "country": "JP",
    "postal_code": "100-0005",
    "street": "丸の内1-1-1",
    "building": "サンプルビル12階",
    "phone": "03-0000-0001",
}
UMEDA = {"country": "JP", "postal_code": "530-0001", "street": "梅田2-2-2", "building": "", "phone": "06-0000-0002"}
AOBA = {"country": "JP", "postal_code": "980-0811", "street": "一番町3-3-3", "building": "", "phone": "022-000-0003"}

# Name, parent, tags, public?
TREE = (
    ("本社", "", ("東京",), True),
    ("経営管理本部", "本社", ("東京",), False),
    ("情報システム本部", "本社", ("東京",), False),
    ("デジタル基盤統括部", "情報システム本部", ("東京",), False),
    ("ネットワーク運用第一グループ", "デジタル基盤統括部", ("東京", "24時間"), False),
    ("情報システム本部 デジタル基盤統括部 ネットワーク運用第二グループ（夜間・休日対応）", "デジタル基盤統括部", ("東京",), False),
    ("セキュリティ統括室", "情報システム本部", ("東京",), False),
    ("支店", "", (), False),
    ("札幌支店", "支店", ("東日本",), True),
    ("仙台支店", "支店", ("東日本",), False),
    ("名古屋支店", "支店", ("中日本",), True),
    ("大阪支店", "支店", ("西日本",), True),
    ("大阪南営業所", "大阪支店", ("西日本",), False),
    ("福岡支店", "支店", ("西日本",), True),
    ("工場", "", (), False),
    ("川崎工場", "工場", ("24時間",), False),
    ("川崎工場 第一製造部", "川崎工場", (), False),
    ("川崎工場 第二製造部", "川崎工場", (), False),
    ("データセンター", "", ("24時間",), False),
    ("東日本データセンター", "データセンター", ("東日本", "24時間"), False),
    ("西日本データセンター", "データセンター", ("西日本", "24時間"), False),
    ("基盤技術研究所", "", (), False),
    ("教育・検証環境", "", (), False),
    ("保守委託（さくら保守サービス）", "", ("委託",), False),
)  # fmt: skip


@dataclass
class Company:
    """The account with its virtual accounts by name."""

    account: Any
    places: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.places[name]


def open_account(
    cast: Cast, email: str, identifier: str, name: str, address: dict[str, str], approver: str = ""
) -> Any:
    """The requester goes through the five steps, and presses the button of the mail."""
    opening = start_opening(cast.actor(email))
    own = {
        "is_representative": not approver,
        "approver_email": approver,
        "approver_name": cast[approver].name if approver else "",
    }
    steps: list[dict[str, Any]] = [own, {"identifier": identifier, "account_name": name}, address]
    for step, values in enumerate(steps, 2):
        save_step(cast.actor(email), opening_uid=opening.uid, step=step, values=values)
    continue_opening(cast.actor(email), opening_uid=opening.uid)
    return opening


def press_activation(email: str) -> Any:
    """Whoever has the mail presses its button."""
    visitor = Actor(ActorKind.ANONYMOUS, "", interface="portal", address="192.0.2.10", language="ja")
    return activate_account(visitor, secret=mailed_secret("opening_activation", email))


def publish_first_agreement(cast: Cast) -> Any:
    return publish_agreement(cast.operator, effective_at=now(), **texts.FIRST)


def publish_next_agreement(cast: Cast) -> None:
    """The next version is known in advance: there are 45 days to accept it."""
    publish_agreement(cast.operator, effective_at=now() + dt.timedelta(days=45), **texts.SECOND)


def establish_company(cast: Cast, agreement: Any) -> Company:
    """株式会社サンプル opens its account, accepts the agreement, grows its tree, and lets its people in."""
    open_account(cast, ADMINISTRATOR, COMPANY, "株式会社サンプル", MARUNOUCHI)
    press_activation(ADMINISTRATOR)
    account = find_account(cast.administrator, COMPANY)
    accept_agreement(cast.administrator, account=account, agreement_uid=agreement.uid, language="ja")
    account.refresh_from_db()
    company = Company(account)
    for name, parent, tags, public in TREE:
        company.places[name] = create_virtual_account(
            cast.administrator,
            account=account,
            name=name,
            parent=company.places.get(parent),
            tags=tags,
            visibility="public" if public else "private",
        )
    for place in visible_virtual_accounts(cast.administrator, account, Permission.LICENSES_VIEW):
        company.places[place.name] = place
    _let_in(cast, company)
    return company


def _let_in(cast: Cast, company: Company) -> None:
    def let(email: str, role: Role, place: str = "", days: int | None = None) -> None:
        give_grant(
            cast.administrator,
            account=company.account,
            user=cast[email],
            role=role,
            virtual_account=company[place] if place else None,
            ends_at=now() + dt.timedelta(days=days) if days else None,
        )

    let("sato@example.co.jp", Role.ACCOUNT_ADMINISTRATOR)
    let("tanaka@example.co.jp", Role.ACCOUNT_APPROVER)
    let("suzuki@example.co.jp", Role.ACCOUNT_USER)
    let(VIEWER, Role.ACCOUNT_VIEWER)
    let("kobayashi@example.co.jp", Role.VA_ADMINISTRATOR, "大阪支店")
    let("kobayashi@example.co.jp", Role.VA_ADMINISTRATOR, "大阪南営業所")
    let("kato@example.co.jp", Role.VA_USER, "名古屋支店")
    let("yoshida@example.co.jp", Role.VA_VIEWER, "福岡支店")
    let("takahashi@partner.example.jp", Role.VA_ADMINISTRATOR, "福岡支店", 180)
    let("ogawa@hoshu.example.jp", Role.VA_USER, "保守委託（さくら保守サービス）", 60)
    request_access(
        cast.actor("nakamura@example.co.jp"), identifier=COMPANY, role=Role.VA_USER, virtual_account_name="川崎工場",
        reason="川崎工場のスイッチ更新（2027年度）を担当するため。",
    )  # fmt: skip
    for email, name, role, place in (
        ("watanabe@example.co.jp", "渡辺 亮", Role.VA_ADMINISTRATOR, "札幌支店"),
        ("matsumoto@example.co.jp", "松本 葵", Role.ACCOUNT_VIEWER, ""),
    ):
        invite(
            cast.administrator, account=company.account, email=email, name=name, role=role,
            virtual_account=company[place] if place else None,
        )  # fmt: skip


def welcome_newcomer(cast: Cast) -> Any:
    """緑商事 is active, but nobody has accepted the agreement yet: its orders wait."""
    open_account(cast, "mori@midori.example.jp", NEWCOMER, "緑商事株式会社", UMEDA)
    press_activation("mori@midori.example.jp")
    return find_account(cast.actor("mori@midori.example.jp"), NEWCOMER)


def hold_an_opening(cast: Cast) -> None:
    """The domain is not that of the requester's mail: the operator will have to look into it."""
    open_account(cast, "kita@kita.example.jp", "kita-holdings.example.jp", "北ホールディングス株式会社", AOBA)
