"""Who hears of an account: people with a right in it, by their own settings, and its confirmed extra addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import QuerySet

from daicho.domain.access.models import Grant, User
from daicho.domain.access.policy import Scope, live_grants
from daicho.domain.access.rules import MATRIX, Permission, Role
from daicho.domain.alerts.models import Alert, ExtraAddress, NotificationSetting
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True, slots=True)
class Hearer:
    """One address that gets the mails of one account, and what it may see there. `setting` None: as by default."""

    uid: str
    account: SmartAccount
    email: str
    name: str
    language: str
    time_zone: str
    scope: Scope
    setting: NotificationSetting | None = None
    extra: ExtraAddress | None = None
    muted: frozenset[str] = field(default_factory=frozenset)

    @property
    def at_once(self) -> bool:
        return self.setting is None or self.setting.at_once

    def may_see(self, alert: Alert, permission: Permission) -> bool:
        return alert.kind not in self.muted and self.scope.allows(permission, alert.virtual_account_id)


def hearers_of(accounts: Collection[int]) -> dict[int, list[Hearer]]:
    """All hearers of the accounts (by id), in three queries."""
    if not accounts:
        return {}
    found: dict[int, list[Hearer]] = defaultdict(list)
    settings = {
        (setting.user_id, setting.account_id): setting
        for setting in NotificationSetting.objects.filter(account__in=accounts)
    }
    grants = live_grants().filter(account__in=accounts, user__isnull=False)
    for (user, account), scope in scopes(grants).items():
        found[account.pk].append(person(user, account, scope, settings.get((user.pk, account.pk))))
    for address in ExtraAddress.objects.filter(account__in=accounts, confirmed_at__isnull=False).select_related(
        "account"
    ):
        found[address.account_id].append(extra(address))
    return found


def person(user: User, account: SmartAccount, scope: Scope, setting: NotificationSetting | None) -> Hearer:
    """A user as a hearer of an account."""
    muted = frozenset(setting.muted_kinds) if setting else frozenset()
    return Hearer(user.uid, account, user.email, user.name, user.language, user.time_zone, scope, setting, muted=muted)


def extra(address: ExtraAddress) -> Hearer:
    """An extra address sees what a viewer of the whole account sees."""
    account = address.account
    scope = Scope(everywhere=MATRIX[Role.ACCOUNT_VIEWER])
    return Hearer(address.uid, account, address.email, "", address.language, account.time_zone, scope, extra=address)


def scopes(grants: QuerySet[Grant]) -> dict[tuple[User, SmartAccount], Scope]:
    """What each user of these grants may do in each account, in one query."""
    everywhere: dict[tuple[int, int], frozenset[Permission]] = defaultdict(frozenset)
    within: dict[tuple[int, int], dict[int, frozenset[Permission]]] = defaultdict(dict)
    people: dict[tuple[int, int], tuple[User, SmartAccount]] = {}
    for grant in grants.select_related("user", "account"):
        if grant.user is None:
            continue
        key = (grant.user.pk, grant.account_id)
        people.setdefault(key, (grant.user, grant.account))
        given = MATRIX[Role(grant.role)]
        if grant.virtual_account_id is None:
            everywhere[key] |= given
        else:
            place = grant.virtual_account_id
            within[key][place] = within[key].get(place, frozenset()) | given
    return {who: Scope(everywhere[key], within[key]) for key, who in people.items()}
