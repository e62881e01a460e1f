"""The daily summary: at eight in the morning of each reader's zone, at most one mail for a day, and none without news.

News is an end that came within one of the reader's days (90, 60, 30, 14, 7, 1) since his last summary (as days went by,
or because the lot was bought since), a lot that has ended since, or an alert that was not mailed at once. The mail then lists all that ends within the largest of his days.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, Sum

from daicho.core.clock import last_day, now, today
from daicho.domain.access.models import User
from daicho.domain.access.policy import Scope, live_grants
from daicho.domain.access.rules import Permission
from daicho.domain.alerts.hearers import Hearer, extra, person, scopes
from daicho.domain.alerts.kinds import DAYS, KINDS
from daicho.domain.alerts.models import DEFAULT_DAYS, Alert, ExtraAddress, NotificationSetting
from daicho.domain.ledger.models import Holding, Place, Pool
from daicho.domain.ledger.queries.forecast import balances_after
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount

HOUR = 8
SHOWN = 20
LONGEST_STEP = 500
LIVE = (Place.Kind.ON_HAND, Place.Kind.RESERVED, Place.Kind.FULFILLED)
OWN_LISTS = {"ending", "ended"}


@dataclass(frozen=True, slots=True)
class Ending:
    """So many of a license that end in a virtual account at one instant; `day` in the account's zone."""

    account_id: int
    virtual_account_id: int
    virtual_account: str
    tag_id: int
    sku: str
    end_at: dt.datetime
    day: dt.date
    quantity: int
    newest: dt.datetime

    @property
    def moment(self) -> tuple[int, int, dt.datetime]:
        return self.virtual_account_id, self.tag_id, self.end_at


def settled_day(zone: str) -> dt.date:
    """The last day whose summary is settled for somebody who is new: today from eight on, else yesterday."""
    local = now().astimezone(ZoneInfo(zone))
    return local.date() if local.hour >= HOUR else local.date() - dt.timedelta(days=1)


def mail_due() -> int:
    """Settle the day of everybody for whom it is past eight; returns how many summaries were posted."""
    _add_settings_of_new_people()
    with transaction.atomic():
        hearers = _claim_people() + _claim_addresses()
        if not hearers:
            return 0
        accounts = {hearer.account.pk: hearer.account for hearer, _ in hearers}
        endings = _endings(accounts)
        ended = _ended(accounts, min(since for _, since in hearers))
        alerts = _alerts(accounts, min(since for _, since in hearers))
        letters = [
            _letter(hearer, since, endings[hearer.account.pk], ended[hearer.account.pk], alerts[hearer.account.pk])
            for hearer, since in hearers
        ]
        return _post([letter for letter in letters if letter is not None])


type Due = tuple[Hearer, dt.datetime]
"""A hearer, and the instant up to which he was told."""


def _add_settings_of_new_people() -> None:
    """Whoever got his first right in an account gets his row, so that the day is settled in one place."""
    known = NotificationSetting.objects.filter(user=OuterRef("user"), account=OuterRef("account"))
    new = (
        live_grants()
        .filter(user__isnull=False)
        .exclude(Exists(known))
        .values_list("user", "account", "user__time_zone")
    )
    rows = [
        NotificationSetting(user_id=user, account_id=account, summarized_on=settled_day(zone))
        for user, account, zone in new.distinct()[:LONGEST_STEP]
    ]
    if rows:
        NotificationSetting.objects.bulk_create(rows, ignore_conflicts=True)


def _past_eight(zones: Iterable[str], path: str) -> Q:
    """Rows whose day is due: by zone, the local date from eight o'clock on."""
    due = Q(pk__in=[])
    for zone in zones:
        due |= Q(**{path: zone, "summarized_on__lt": settled_day(zone)})
    return due


def _claim_people() -> list[Due]:
    zones = User.objects.order_by().values_list("time_zone", flat=True).distinct()
    rows = NotificationSetting.objects.filter(_past_eight(zones, "user__time_zone"))
    rows = rows.select_for_update(of=("self",), skip_locked=True).select_related("user", "account").order_by("pk")
    settings = list(rows[:LONGEST_STEP])
    held: dict[tuple[int, int], Scope] = {}
    if settings:
        people = {setting.user_id for setting in settings}
        grants = live_grants().filter(user__in=people, account__in={setting.account_id for setting in settings})
        held = {(user.pk, account.pk): scope for (user, account), scope in scopes(grants).items()}
    due: list[Due] = []
    at = now()
    for setting in settings:
        since = setting.summarized_at
        setting.summarized_on, setting.summarized_at = settled_day(setting.user.time_zone), at
        scope = held.get((setting.user_id, setting.account_id))
        wanted = setting.daily_summary and setting.user.is_active and setting.account.state == SmartAccount.State.ACTIVE
        if scope is not None and wanted:
            due.append((person(setting.user, setting.account, scope, setting), since))
    NotificationSetting.objects.bulk_update(settings, ["summarized_on", "summarized_at"], batch_size=200)
    return due


def _claim_addresses() -> list[Due]:
    zones = SmartAccount.objects.order_by().values_list("time_zone", flat=True).distinct()
    rows = ExtraAddress.objects.filter(_past_eight(zones, "account__time_zone"), confirmed_at__isnull=False)
    rows = rows.select_for_update(of=("self",), skip_locked=True).select_related("account").order_by("pk")
    addresses = list(rows[:LONGEST_STEP])
    due: list[Due] = []
    at = now()
    for address in addresses:
        since = address.summarized_at
        address.summarized_on, address.summarized_at = settled_day(address.account.time_zone), at
        if address.account.state == SmartAccount.State.ACTIVE:
            due.append((extra(address), since))
    ExtraAddress.objects.bulk_update(addresses, ["summarized_on", "summarized_at"], batch_size=200)
    return due


def _endings(accounts: dict[int, SmartAccount]) -> dict[int, list[Ending]]:
    at = now()
    return _gathered(
        accounts, Q(place__kind__in=LIVE, lot__end_at__gt=at, lot__end_at__lte=at + dt.timedelta(days=max(DAYS)))
    )


def _ended(accounts: dict[int, SmartAccount], since: dt.datetime) -> dict[int, list[Ending]]:
    return _gathered(accounts, Q(place__kind=Place.Kind.ENDED, lot__end_at__gt=since, lot__end_at__lte=now()))


def _gathered(accounts: dict[int, SmartAccount], condition: Q) -> dict[int, list[Ending]]:
    found: dict[int, list[Ending]] = defaultdict(list)
    rows = (
        Holding.objects.filter(condition, account__in=accounts, lot__account__in=accounts, quantity__gt=0)
        .values_list(
            "account_id", "place__virtual_account_id", "place__virtual_account__name", "lot__tag_id", "lot__tag__sku",
            "lot__end_at",
        )
        .annotate(total=Sum("quantity"), newest=Max("lot__created_at"))
        .order_by("lot__end_at", "lot__tag__sku", "place__virtual_account__name")
    )  # fmt: skip
    for account, va, va_name, tag, sku, end_at, quantity, newest in rows:
        day = last_day(end_at, accounts[account].time_zone)
        found[account].append(Ending(account, va, va_name, tag, sku, end_at, day, quantity, newest))
    return found


def _alerts(accounts: Collection[int], since: dt.datetime) -> dict[int, list[Alert]]:
    """Open alerts that began since then, but for those the lists of ends tell of."""
    found: dict[int, list[Alert]] = defaultdict(list)
    rows = Alert.objects.filter(account__in=accounts, resolved_at=None, since__gt=since).exclude(kind__in=OWN_LISTS)
    for alert in rows.select_related("virtual_account").order_by("since", "pk"):
        found[alert.account_id].append(alert)
    return found


@dataclass(frozen=True, slots=True)
class Letter:
    """A summary that has news."""

    hearer: Hearer
    days: list[int]
    today: dt.date
    endings: list[Ending]
    ended: list[Ending]
    alerts: list[Alert]


def _letter(
    hearer: Hearer,
    since: dt.datetime,
    endings: list[Ending],
    ended: list[Ending],
    alerts: list[Alert],
) -> Letter | None:
    setting = hearer.setting
    days = sorted(setting.days if setting else DEFAULT_DAYS, reverse=True)
    day = today(hearer.account.time_zone)
    told = since.astimezone(ZoneInfo(hearer.account.time_zone)).date()

    def sees(ending: Ending) -> bool:
        return hearer.scope.allows(Permission.LICENSES_VIEW, ending.virtual_account_id)

    listed: list[Ending] = []
    is_news = False
    if days and "ending" not in hearer.muted:
        listed = [one for one in endings if sees(one) and (one.day - day).days <= days[0]]
        is_news = any(_is_news(one, mark, day, told, since) for one in listed for mark in days)
    over = [one for one in ended if one.end_at > since and sees(one)] if "ended" not in hearer.muted else []
    fresh = [alert for alert in alerts if alert.since > since and _is_for_summary(hearer, alert)]
    if not (is_news or over or fresh):
        return None
    return Letter(hearer, days, day, listed, over, fresh)


def _is_news(ending: Ending, mark: int, day: dt.date, told: dt.date, since: dt.datetime) -> bool:
    """Whether an end is within `mark` days now and was not when the last summary told of the day `told`."""
    within = (ending.day - day).days <= mark
    return within and ((ending.day - told).days > mark or ending.newest >= since)


def _is_for_summary(hearer: Hearer, alert: Alert) -> bool:
    kind = KINDS.get(alert.kind)
    if kind is None or not kind.summed_up or not hearer.may_see(alert, kind.tell or kind.view):
        return False
    return kind.tell is None or not hearer.at_once


def _post(letters: list[Letter]) -> int:
    after: dict[tuple[int, int, dt.datetime], int] = {}
    wanted: dict[int, set[tuple[int, int, dt.datetime]]] = defaultdict(set)
    accounts = {letter.hearer.account.pk: letter.hearer.account for letter in letters}
    for letter in letters:
        wanted[letter.hearer.account.pk] |= {one.moment for one in letter.endings[:SHOWN]}
    for account, moments in wanted.items():
        after |= balances_after(accounts[account], moments)
    pools = Pool.objects.filter(account__in=accounts, virtual_account__in={va for va, _, _ in after})
    in_use = {(va, tag): count for va, tag, count in pools.values_list("virtual_account_id", "tag_id", "in_use")}
    for letter in letters:
        hearer = letter.hearer
        post_mail(
            "daily_summary",
            to=hearer.email,
            to_name=hearer.name,
            language=hearer.language,
            time_zone=hearer.time_zone,
            once=f"summary:{hearer.account.uid}:{hearer.uid}:{settled_day(hearer.time_zone)}",
            account=hearer.account.name,
            identifier=hearer.account.identifier,
            today=letter.today.isoformat(),
            days=letter.days,
            within=letter.days[0] if letter.days else None,
            endings=[
                {
                    "end_on": one.day.isoformat(),
                    "left": (one.day - letter.today).days,
                    "sku": one.sku,
                    "quantity": one.quantity,
                    "in_use": in_use.get((one.virtual_account_id, one.tag_id), 0),
                    "after": after.get(one.moment),
                    "virtual_account": one.virtual_account,
                }
                for one in letter.endings[:SHOWN]
            ],
            ending_count=len(letter.endings),
            ending_more=max(0, len(letter.endings) - SHOWN),
            ended=[
                {"sku": one.sku, "quantity": one.quantity, "end_on": one.day.isoformat()}
                for one in letter.ended[:SHOWN]
            ],
            ended_count=len(letter.ended),
            alerts=[
                {
                    "kind": alert.kind,
                    "virtual_account": alert.virtual_account.name if alert.virtual_account else "",
                    **alert.data,
                    "due": alert.action_due_at.isoformat() if alert.action_due_at else None,
                }
                for alert in letter.alerts[:SHOWN]
            ],
            alert_count=len(letter.alerts),
            is_extra=hearer.extra is not None,
        )
    return len(letters)
