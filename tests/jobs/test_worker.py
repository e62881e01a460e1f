"""One job's failure is its own."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.domain.schedule.queries import jobs
from daicho.interfaces.jobs.periodic import JOBS, Job
from daicho.interfaces.jobs.worker import Worker

SECOND = dt.timedelta(seconds=1)


def fail() -> None:
    raise RuntimeError("the mail server is away")


@pytest.mark.django_db
def test_a_failing_job_does_not_stop_the_others() -> None:
    ran: list[object] = []
    worker = Worker([Job("bad", SECOND, fail), Job("good", SECOND, lambda: ran.append("good"))])
    assert worker.run_once() == 1
    assert ran == ["good"]
    assert {job.name: job.last_error for job in jobs()} == {"bad": "RuntimeError: the mail server is away", "good": ""}


@pytest.mark.django_db
def test_pauses_grow_with_each_failure_up_to_five_minutes() -> None:
    worker = Worker([Job("bad", SECOND * 2, fail)])
    pauses: list[int] = []
    with time_machine.travel(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), tick=False) as clock:
        worker.run_once()
        waited = 0
        while len(pauses) < 9:
            clock.shift(2)
            waited += 2
            before = worker.failures["bad"]
            worker.run_once()
            if worker.failures["bad"] > before:
                pauses.append(waited)
                waited = 0
    assert pauses == [4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.django_db
def test_a_job_that_succeeded_is_not_run_again_before_it_is_due() -> None:
    ran: list[object] = []
    worker = Worker([Job("good", dt.timedelta(hours=1), lambda: ran.append(1))])
    worker.run_once()
    worker.run_once()
    assert ran == [1]


@pytest.mark.parametrize("name", ["send-mail", "sweep-ledger", "watch-alerts", "seal-events"])
def test_what_is_promised_within_a_minute_runs_at_least_every_thirty_seconds(name: str) -> None:
    assert {job.name: job.every for job in JOBS}[name] <= dt.timedelta(seconds=30)
