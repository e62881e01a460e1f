"""What a world of N lots looks like: plain facts, the same for every run with the same number.

One account is the big one: N lots in N / 100 virtual accounts (10,000 at a million), 60 license tags of which 15 stand
in ladders, an order line for each lot (ten to an order), and N / 10 devices that use some. Four small accounts stand
beside it, so that a query without the account costs what it really costs. Nothing here touches a database.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from daicho.core.ids import ALPHABET, UID_LENGTH

ZONE = ZoneInfo("Asia/Tokyo")
LINES_PER_ORDER = 10
TAGS, LADDERS, TIERS = 60, 5, 3
TAGS_PER_VIRTUAL_ACCOUNT = 12
PLACES = "東京 大阪 名古屋 札幌 仙台 福岡 広島 横浜 神戸 京都 川崎 千葉 新潟 静岡 岡山 熊本 金沢 長野 高松 那覇".split()
OFFICES = "支店 営業所 工場 研究所 データセンター 物流センター 保守拠点 サービスセンター".split()
FAMILIES = (
    "ネットワーク セキュリティ ストレージ 仮想化 運用管理 データベース 音声・会議 無線LAN 監視 バックアップ".split()
)
FAMILIES_EN = "Network Security Storage Virtualization Operations Database Voice Wireless Monitoring Backup".split()
EDITIONS = "Premier Advantage Essentials Standard Enterprise Plus".split()


class Chance:
    """Handles and choices that come out the same each time."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def uid(self) -> str:
        bits = self.random.getrandbits(5 * UID_LENGTH)
        return "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 5 * UID_LENGTH, 5))


@dataclass(frozen=True, slots=True)
class TagFact:
    sku: str
    name: str
    name_ja: str
    family: str
    enforcement: str
    ladder: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class LotFact:
    """`where`: index of the virtual account, None while unassigned. `moved_to`: half of it was transferred there."""

    order: int
    tag: int
    quantity: int
    kind: str
    billing: str
    start: dt.datetime
    end: dt.datetime | None
    where: int | None
    moved_to: int | None


@dataclass(frozen=True, slots=True)
class DeviceFact:
    where: int
    tag: int | None
    quantity: int
    since: dt.datetime


@dataclass(frozen=True)
class AccountFacts:
    """One account: how many virtual accounts it has, its orders' times, its lots and its devices."""

    identifier: str
    name: str
    virtual_accounts: list[str]
    parents: list[int | None]
    orders: list[dt.datetime]
    lots: list[LotFact]
    devices: list[DeviceFact]


@dataclass(frozen=True)
class Facts:
    now: dt.datetime
    tags: list[TagFact] = field(default_factory=lambda: list(_tags()))
    accounts: list[AccountFacts] = field(default_factory=list)


def facts(lots: int, now: dt.datetime) -> Facts:
    """The whole world; the first account is the big one. Deterministic but for `now`, from which all times are counted."""
    found = Facts(now)
    found.accounts.append(_account("bench.example.jp", "ベンチマーク株式会社", lots, found))
    for number in range(1, 5):
        small = _account(f"small-{number}.example.jp", f"小さな会社{number}", max(20, lots // 100), found)
        found.accounts.append(small)
    return found


def _tags() -> Iterator[TagFact]:
    for number in range(TAGS):
        ladder = number // TIERS if number < LADDERS * TIERS else None
        family = (number // TIERS if ladder is not None else number) % len(FAMILIES)
        edition = EDITIONS[number % TIERS] if ladder is not None else EDITIONS[3 + number % 3]
        strict = "enforced" if number % 20 == 17 else "export_controlled" if number % 30 == 29 else "unenforced"
        yield TagFact(
            sku=f"{FAMILIES_EN[family][:3].upper()}-{edition[:4].upper()}-{number:02}",
            name=f"{FAMILIES_EN[family]} {edition} {number:02}",
            name_ja=f"{FAMILIES[family]} {edition} {number:02}",
            family=FAMILIES[family],
            enforcement="unenforced" if ladder is not None else strict,
            ladder=ladder,
            rank=number % TIERS + 1 if ladder is not None else None,
        )


def tag_of(virtual_account: int, turn: int) -> int:
    """Each virtual account holds twelve kinds of licenses."""
    return (virtual_account * 7 + turn % TAGS_PER_VIRTUAL_ACCOUNT * (TAGS // TAGS_PER_VIRTUAL_ACCOUNT)) % TAGS


def _account(identifier: str, name: str, lots: int, world: Facts) -> AccountFacts:
    chance = random.Random(identifier)
    count = max(10, lots // 100)
    names = ["DEFAULT"] + [
        f"{PLACES[n % len(PLACES)]}{OFFICES[n // len(PLACES) % len(OFFICES)]} 第{n:05}課" for n in range(1, count)
    ]
    parents = [None if n < 10 else n % 10 if n < 100 else n % 90 + 10 for n in range(count)]
    orders = max(1, lots // LINES_PER_ORDER)
    first = world.now - dt.timedelta(days=3 * 365)
    step = (world.now - dt.timedelta(days=2) - first) / orders
    times = [(first + step * n).replace(microsecond=0) for n in range(orders)]
    return AccountFacts(
        identifier, name, names, parents, times,
        [_lot(chance, n, count, times, world) for n in range(lots)],
        [_device(chance, count, world) for _ in range(lots // 10)],
    )  # fmt: skip


def _lot(chance: random.Random, number: int, places: int, times: list[dt.datetime], world: Facts) -> LotFact:
    order = min(number // LINES_PER_ORDER, len(times) - 1)
    ordered = times[order]
    where: int | None = chance.randrange(places)
    tag = tag_of(where or 0, chance.randrange(TAGS_PER_VIRTUAL_ACCOUNT))
    kind = chance.choices(("perpetual", "term", "subscription", "demo"), (45, 25, 25, 5))[0]
    start = midnight(ordered, 0)
    if chance.random() < 0.02:  # bought ahead
        start = midnight(world.now, chance.randrange(10, 300))
    length = {"perpetual": None, "demo": 90}.get(kind, 365 * chance.choice((1, 1, 2, 3, 5)))
    end = midnight(start, length) if length else None
    billing = "usage" if kind == "subscription" and chance.random() < 0.02 else "prepaid"
    quantity = chance.choice((1, 2, 5, 10, 10, 25, 50, 100))
    moved_to = None
    if chance.random() < 0.01 and start < world.now:
        where = None
    elif kind == "perpetual" and quantity > 1 and number % 20 == 0 and ordered < world.now - dt.timedelta(days=400):
        moved_to = ((where or 0) + (TAGS if places > TAGS else 1)) % places if start < world.now else None
    return LotFact(order, tag, quantity, kind, billing, start, end, where, moved_to if moved_to != where else None)


def _device(chance: random.Random, places: int, world: Facts) -> DeviceFact:
    where = chance.randrange(places)
    tag: int | None = tag_of(where, chance.randrange(TAGS_PER_VIRTUAL_ACCOUNT))
    if world.tags[tag or 0].enforcement != "unenforced" or chance.random() < 0.1:
        tag = None
    quantity = 500 if chance.random() < 0.01 else chance.choice((1, 1, 1, 2, 4))
    return DeviceFact(where, tag, quantity, world.now - dt.timedelta(days=chance.randrange(1, 380), seconds=7))


def midnight(at: dt.datetime, days: int) -> dt.datetime:
    """The first instant of the day that lies so many days after the day of `at`, in the account's zone, in UTC."""
    day = at.astimezone(ZONE).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time.min, ZONE).astimezone(dt.UTC)
