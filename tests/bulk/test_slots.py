"""A worker runs what people started beside its periodic jobs, and gives it back when it is asked to stop."""

from __future__ import annotations

import pytest

from daicho.domain.bulk import kinds
from daicho.domain.bulk.running import run_due_jobs
from daicho.interfaces.jobs import worker as module
from daicho.interfaces.jobs.periodic import JOBS, RUNNERS
from daicho.interfaces.jobs.worker import Worker
from tests.bulk.work import KIND, start

pytestmark = pytest.mark.django_db


def test_once_runs_all_that_is_due(world, lines) -> None:
    jobs = [start(world.as_(someone), "a", "!b") for someone in (world.admin, world.admin, world.user)]
    assert Worker([], {KIND: lines}).run_once() == 0
    for job in jobs:
        job.refresh_from_db()
    assert {(job.state, job.succeeded, job.refused) for job in jobs} == {("done", 1, 1)}


def test_a_slot_goes_on_after_a_fault_and_stops_after_the_part_it_is_at(world, lines, monkeypatch) -> None:
    monkeypatch.setattr(module, "SLOT_PAUSE", 0.001)
    monkeypatch.setattr(module, "close_old_connections", lambda: None)
    monkeypatch.setattr(module.connections, "close_all", lambda: None)
    job = start(world.as_(world.admin), "a", "b", "c", "d", "e")
    worker = Worker([], {KIND: lines})
    calls: list[int] = []

    def ask_to_stop(part: int, run: object) -> None:
        calls.append(part)
        if part == 1:
            worker.stopping.set()

    def broken_at_first(*given: object, **named: object) -> int:
        if not calls:
            calls.append(-1)
            raise RuntimeError("the database was away")
        return run_due_jobs(*given, **named)

    lines.before = ask_to_stop
    monkeypatch.setattr(module, "run_due_jobs", broken_at_first)
    worker.serve_slot()
    job.refresh_from_db()
    assert calls == [-1, 0, 1]
    assert (job.state, job.done) == ("waiting", 4)


def test_every_kind_of_job_has_a_name_and_a_runner() -> None:
    assert set(kinds.KINDS) == set(RUNNERS)
    assert "forget-jobs" in {job.name for job in JOBS}
