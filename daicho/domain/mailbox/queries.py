"""How the outbox stands; in the demonstration, what was mailed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.domain.mailbox.models import Mail


@dataclass(frozen=True, slots=True)
class Outbox:
    """Counts of mails. `retrying`: waiting after a failed attempt. `oldest_due`: since when the longest-due one waits."""

    waiting: int
    retrying: int
    failed: int
    sent_today: int
    oldest_due: dt.datetime | None


def outbox() -> Outbox:
    """The state of the outbox in one query; today means the last 24 hours."""
    instant = now()
    found = Mail.objects.aggregate(
        waiting=Count("pk", filter=Q(state="waiting")),
        retrying=Count("pk", filter=Q(state="waiting", attempts__gt=0)),
        failed=Count("pk", filter=Q(state="failed")),
        sent_today=Count("pk", filter=Q(state="sent", sent_at__gte=instant - dt.timedelta(days=1))),
        oldest_due=Min("next_attempt_at", filter=Q(state="waiting", next_attempt_at__lte=instant)),
    )
    return Outbox(**found)


def troubled_mails(limit: int = 200) -> list[Mail]:
    """Mails that failed, and those that wait for another attempt; the failed and the oldest first."""
    troubled = Q(state="failed") | Q(state="waiting", attempts__gt=0)
    return list(
        Mail.objects.filter(troubled).defer("context", "rendered").order_by("state", "created_at", "pk")[:limit]
    )


def shown_mails(*, to: str = "", cursor: str | None = None, size: int = 50) -> Page[Mail]:
    """What the demonstration mailed, newest first."""
    return keyset_page(_shown().filter(to__icontains=to), ("-sent_at", "-uid"), cursor=cursor, size=size, count=True)


def shown_mail(uid: str) -> Mail:
    """One mail of the demonstration, or NotFound."""
    mail = _shown().filter(uid=uid).first()
    if mail is None:
        raise NotFound
    return mail


def mailed_secret(template: str, to: str) -> str:
    """The secret of the newest unsent mail to somebody: how the demonstration presses the links of its own mails."""
    mail = Mail.objects.filter(template=template, to=to, state=Mail.State.WAITING).order_by("-pk").first()
    if mail is None:
        raise NotFound
    return str(mail.context["secret"])


def _shown() -> QuerySet[Mail]:
    return Mail.objects.filter(state=Mail.State.SENT, rendered__isnull=False)
