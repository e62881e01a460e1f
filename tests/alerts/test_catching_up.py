"""A worker that was away for three days: what was due is done once, with the instants at which it was due."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daicho.core.clock import now
from daicho.domain.alerts.models import Alert
from daicho.domain.audit.models import Event
from daicho.domain.audit.seal import verify
from daicho.domain.ledger.models import Entry, Use
from daicho.domain.mailbox.models import Mail
from daicho.interfaces.jobs.worker import Worker
from tests.alerts.acts import use
from tests.world import make_world

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def work(clock: Any, hours: float) -> None:
    """So much later every job runs, as one pass of a worker that finds all of them due."""
    clock.shift(hours * HOUR)
    assert Worker().run_once() == 0


@pytest.mark.django_db
def test_a_worker_that_was_away_for_three_days_catches_up_once(clock: Any) -> None:
    world = make_world()
    start = now()
    work(clock, 0)
    ends = [start + days * DAY + HOUR for days in range(3)]
    for number, end in enumerate(ends):
        world.deposit(world.storage, 10, world.tokyo, end=end)
        world.deposit(world.security, 5, world.osaka, start=start + number * DAY + 2 * HOUR, end=end + 9 * DAY)
    use(world, world.tokyo, world.storage, 25, "core-01")

    def found() -> dict[str, Any]:
        return {
            "entries": list(Entry.objects.filter(kind="time").order_by("at").values_list("at", flat=True)),
            "events": Event.objects.filter(kind__in=["license.started", "license.ended"]).count(),
            "alerts": sorted(Alert.objects.filter(resolved_at=None).values_list("kind", flat=True)),
            "mails": sorted(Mail.objects.values_list("template", "to")),
        }

    before = set(found()["mails"])
    work(clock, 72 + 3)
    once = found()
    assert once["entries"] == sorted(ends + [start + number * DAY + 2 * HOUR for number in range(3)])
    assert once["events"] == 6
    assert once["alerts"].count("insufficient_licenses") == 1
    assert once["alerts"].count("ended") == 3
    new = [mail for mail in once["mails"] if mail not in before]
    assert {template for template, _ in new} == {"alert_insufficient_licenses", "daily_summary"}
    assert len(new) == len(set(new)), "one mail of a kind to each, not one for each day"
    assert Use.objects.get().counted == 25, "an end touches no use"
    work(clock, 0.1)
    assert found() == once
    assert verify() is None
