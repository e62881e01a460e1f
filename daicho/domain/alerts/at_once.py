"""Mail at once for what needs somebody: one mail per person, account and kind for all that began together."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db import transaction

from daicho.core.clock import now
from daicho.domain.alerts.coverage import Shortage, shortages
from daicho.domain.alerts.hearers import Hearer, hearers_of
from daicho.domain.alerts.kinds import KINDS
from daicho.domain.alerts.models import Alert
from daicho.domain.mailbox.commands import post_mail

LONGEST_STEP = 1_000
SHOWN = 20
FOR_ALL = 50  # spares looked at, of which each hearer is told the first that he sees

TOLD_AT_ONCE = [kind.code for kind in KINDS.values() if kind.tell is not None]


@transaction.atomic
def mail_new() -> int:
    """Post the mails of the alerts that are open and not mailed yet; returns how many mails."""
    unmailed = Alert.objects.filter(kind__in=TOLD_AT_ONCE, resolved_at=None, mailed_at=None).order_by("pk")
    if not unmailed.exists():
        return 0
    alerts = list(unmailed.select_for_update(of=("self",), skip_locked=True)[:LONGEST_STEP])
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(mailed_at=now())
    short = shortages([alert.source for alert in alerts if alert.kind == "insufficient_licenses"], most=FOR_ALL)
    by_topic: dict[tuple[int, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_topic[alert.account_id, alert.kind].append(alert)
    hearers = hearers_of({account for account, _ in by_topic})
    posted = 0
    for (account, kind), group in by_topic.items():
        tell = KINDS[kind].tell
        for hearer in hearers.get(account, []):
            seen = [alert for alert in group if tell and hearer.at_once and hearer.may_see(alert, tell)]
            if items := [item for alert in seen if (item := _item(hearer, alert, short))]:
                _post(hearer, kind, items)
                posted += 1
    return posted


def _item(hearer: Hearer, alert: Alert, short: dict[str, Shortage]) -> dict[str, Any] | None:
    """What the mail says of one alert; None when there is nothing to say: the shortage is over by now, or the account
    was activated just before, and that mail asked for the agreement already."""
    activated = hearer.account.activated_at
    if alert.kind == "agreement_pending" and activated is not None and alert.since - activated < dt.timedelta(hours=1):
        return None
    item = {**alert.data, "due": alert.action_due_at.isoformat() if alert.action_due_at else None}
    if alert.kind != "insufficient_licenses":
        return item
    shortage = short.get(alert.source)
    if shortage is None:
        return None
    pool = shortage.pool
    visible = hearer.scope.virtual_account_ids(KINDS[alert.kind].view)
    return item | {
        "virtual_account": pool.virtual_account.name,
        "virtual_account_uid": pool.virtual_account.uid,
        "missing": pool.short,
        "purchased": pool.purchased,
        "in_use": pool.in_use,
        "used_by": [{"name": one.name, "quantity": one.quantity} for one in shortage.used_by if one.name],
        "more_users": max(0, shortage.users - len([one for one in shortage.used_by if one.name])),
        "spares": [
            {"virtual_account": spare.virtual_account, "quantity": spare.quantity, "sku": spare.sku}
            for spare in shortage.spares_in(visible)
        ],
        "others_hidden": visible is not None,
    }


def _post(hearer: Hearer, kind: str, items: list[dict[str, Any]]) -> None:
    place = items[0].get("virtual_account_uid") if len({i.get("virtual_account_uid") for i in items}) == 1 else None
    post_mail(
        f"alert_{kind}",
        to=hearer.email,
        to_name=hearer.name,
        language=hearer.language,
        time_zone=hearer.time_zone,
        account=hearer.account.name,
        identifier=hearer.account.identifier,
        virtual_account_uid=place,
        items=items[:SHOWN],
        count=len(items),
        more=max(0, len(items) - SHOWN),
    )
