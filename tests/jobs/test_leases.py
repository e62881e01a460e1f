"""A periodic job runs in one worker at a time, and a dead worker holds it up by at most its lease."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.domain.schedule import commands, queries

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        commands.announce_jobs(["sweep"])
        yield traveller


def test_two_workers_never_hold_one_job(clock) -> None:
    assert commands.take_lease("sweep", "first")
    assert not commands.take_lease("sweep", "second")


def test_a_job_that_nobody_announced_cannot_be_taken(clock) -> None:
    assert not commands.take_lease("unheard-of", "first")


def test_a_killed_workers_job_is_free_after_sixty_seconds(clock) -> None:
    commands.take_lease("sweep", "killed")
    clock.shift(59)
    assert not commands.take_lease("sweep", "second")
    clock.shift(1)
    assert commands.take_lease("sweep", "second")


def test_a_living_worker_keeps_what_takes_longer_than_a_lease(clock) -> None:
    commands.take_lease("sweep", "slow")
    clock.shift(50)
    assert commands.renew_lease("sweep", "slow")
    clock.shift(50)
    assert not commands.take_lease("sweep", "second")


def test_who_lost_the_lease_cannot_renew_or_end_it(clock) -> None:
    commands.take_lease("sweep", "frozen")
    clock.shift(60)
    commands.take_lease("sweep", "second")
    assert not commands.renew_lease("sweep", "frozen")
    commands.job_succeeded("sweep", "frozen", again_in=dt.timedelta(seconds=1))
    clock.shift(30)
    assert not commands.take_lease("sweep", "third"), "the second still holds it"


def test_a_job_is_due_again_only_after_its_pause(clock) -> None:
    commands.take_lease("sweep", "first")
    commands.job_succeeded("sweep", "first", again_in=dt.timedelta(seconds=15))
    assert not commands.take_lease("sweep", "first")
    clock.shift(15)
    assert commands.take_lease("sweep", "first")


def test_a_failure_stays_visible_until_the_next_success(clock) -> None:
    for attempt in (1, 2):
        commands.take_lease("sweep", "first")
        commands.job_failed("sweep", "first", again_in=dt.timedelta(0), error="no disk")
        (job,) = queries.jobs()
        assert (job.failures, job.last_error, job.last_succeeded) == (attempt, "no disk", None)
    commands.take_lease("sweep", "first")
    commands.job_succeeded("sweep", "first", again_in=dt.timedelta(0))
    (job,) = queries.jobs()
    assert (job.failures, job.last_error, job.last_succeeded) == (0, "", START)


def test_announcing_again_changes_nothing(clock) -> None:
    commands.take_lease("sweep", "first")
    commands.announce_jobs(["sweep", "seal"])
    assert not commands.take_lease("sweep", "second")
    assert commands.take_lease("seal", "second")


def test_a_worker_counts_as_alive_for_sixty_seconds(clock) -> None:
    assert not queries.worker_seen_recently()
    commands.worker_seen("first")
    clock.shift(60)
    assert queries.worker_seen_recently()
    clock.shift(1)
    assert not queries.worker_seen_recently()


def test_a_worker_that_stopped_in_order_is_gone_at_once(clock) -> None:
    commands.worker_seen("first")
    commands.worker_stopped("first")
    assert not queries.worker_seen_recently()
