"""Run jobs: what a runner gets, and the loop of a worker.

A runner is a function of the room that knows the work: `def take_in(run: Run) -> None`. It goes part by part from
`run.cursor` on, and each part is safe to be done again: its commands get request ids made by `run.request_id(part)`, so
that a part that was in flight when its worker was killed changes nothing the second time.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Event
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import translation

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.statements import insert_rows
from daicho.core.storage import storage_fault
from daicho.domain.bulk.errors import InterruptedTooOften, JobBroke
from daicho.domain.bulk.models import Job, Refusal
from daicho.domain.bulk.taking import (
    LEASE,
    MOST_ATTEMPTS,
    back_to_checkpoint,
    drop_claim,
    end_job,
    give_back,
    starter_of,
    take_job,
)
from daicho.domain.files import store
from daicho.domain.files.models import StoredFile

logger = logging.getLogger("daicho.bulk")

WRITTEN_EVERY = 0.5  # seconds, for steps that name no cursor
PAUSE = dt.timedelta(seconds=5)
CELL = 500  # characters of a cell that are kept of a refused row


class Cancelled(Exception):
    """Somebody cancelled the job. Runners let it pass."""


class Stopped(Exception):
    """The worker is asked to stop; another one goes on. Runners let it pass."""


class LeaseLost(Exception):
    """Another worker has the job now. Runners let it pass."""


class Run:
    """One taking of a job, as its runner sees it. `actor` is the starter with the rights of this moment."""

    def __init__(self, job: Job, stopping: Event | None = None) -> None:
        self.job = job
        self.params: dict[str, Any] = job.params
        self.cursor: dict[str, Any] = dict(job.cursor)
        self.actor: Actor = starter_of(job)
        self._stopping = stopping
        self._counts = {"done": job.done, "succeeded": job.succeeded, "refused": job.refused}
        self._refusals: list[Refusal] = []
        self._rows_refused: set[object] = set()
        self._numbers = int(job.checkpoint.get("refusals", 0))
        self._written = 0.0

    def request_id(self, *part: object) -> uuid.UUID:
        """The request id of a part of this job: the same each time the part is done."""
        return derived_uuid("job", self.job.uid, *part)

    def source(self) -> bytes:
        """The whole source; for kinds whose files are small or must be read as a whole."""
        return b"".join(self.source_parts())

    def source_parts(self) -> Iterator[bytes]:
        """The source, at most 1 MiB at a time."""
        if self.job.source is None:
            raise LookupError(f"{self.job} has no source")
        return store.parts(self.job.source)

    def expect(self, total: int) -> None:
        """How many rows there are to be done."""
        self._update(total=total)
        self.job.total = total

    def head(self, columns: Sequence[str]) -> None:
        """The heads of the source, which the file of refused rows repeats."""
        self._update(columns=list(columns))

    def tell(self, **facts: Any) -> None:
        """What the job made, for its page and for programs: plain JSON, by uid."""
        self.job.outcome |= facts
        self._update(outcome=self.job.outcome)

    def refuse(self, row: int | None, column: str, code: str, text: str, cells: Sequence[Any] = ()) -> None:
        """A row is not taken. It is written by the next `step`, in whose `refused` it counts once, however many faults."""
        self._rows_refused.add(row if row is not None else object())
        self._refusals.append(
            Refusal(
                job=self.job,
                row=row,
                column=column[:64],
                code=code,
                text=text[:500],
                cells=[cell[:CELL] if isinstance(cell, str) else cell for cell in cells],
            )
        )

    def step(
        self, done: int = 0, succeeded: int = 0, refused: int | None = None, cursor: dict[str, Any] | None = None
    ) -> None:
        """So many rows more are done. Renews the lease; raises Cancelled, Stopped, LeaseLost, `starter_gone`.

        `refused` left out: as many as rows were refused since the last step. With a `cursor` all is written at once, and
        it is from there that another worker would go on. Said as the last word inside a part's own transaction, the part
        and its cursor are one; an exception then undoes both, and the runner must let it pass.
        """
        if refused is None:
            refused = len(self._rows_refused)
        self._rows_refused.clear()
        for name, number in (("done", done), ("succeeded", succeeded), ("refused", refused)):
            self._counts[name] += number
        at_once = cursor is not None or connection.in_atomic_block
        if at_once or time.monotonic() - self._written >= WRITTEN_EVERY:
            self._write(cursor)
            self._go_on()

    def result(self, name: str, media_type: str, parts: Iterable[bytes]) -> None:
        """The file that the job makes (an export). `parts` may call `step` as they are made; outside a transaction."""
        file: StoredFile = store.keep(name, media_type, parts)
        self._update(result=file, result_name=file.name)

    def _write(self, cursor: dict[str, Any] | None) -> None:
        values: dict[str, Any] = dict(self._counts)
        numbers = self._numbers + len(self._refusals)
        if cursor is not None:
            values |= {"checkpoint": self._counts | {"cursor": cursor, "refusals": numbers}, "attempts": 0}
        with transaction.atomic():
            if self._refusals:
                rows = [
                    [self.job.pk, number, one.row, one.column, one.code, one.text, one.cells]
                    for number, one in enumerate(self._refusals, self._numbers)
                ]
                insert_rows(Refusal, ["job", "number", "row", "column", "code", "text", "cells"], rows)
            self._update(**values)
        self._numbers, self._refusals = numbers, []
        self._written = time.monotonic()
        if cursor is not None:
            self.cursor = dict(cursor)

    def _update(self, **values: Any) -> None:
        mine = Job.objects.filter(pk=self.job.pk, claim=self.job.claim, state=Job.State.RUNNING)
        if not mine.update(lease_until=now() + LEASE, **values):
            raise LeaseLost

    def _go_on(self) -> None:
        if Job.objects.filter(pk=self.job.pk, cancel_asked=True).exists():
            raise Cancelled
        if self._stopping is not None and self._stopping.is_set():
            raise Stopped
        self.actor = starter_of(self.job)


type Runners = Mapping[str, Callable[[Run], None]]


def run_due_jobs(runners: Runners, *, worker: str = "", stopping: Event | None = None) -> int:
    """Run jobs of these kinds until none is due or the worker is asked to stop; returns how many were taken."""
    taken = 0
    while not (stopping is not None and stopping.is_set()):
        job = take_job(list(runners), worker)
        if job is None:
            break
        taken += 1
        claim = job.claim
        try:
            with translation.override(job.language):
                _run(job, runners[job.kind], stopping)
        finally:
            if claim is not None:
                drop_claim(claim)
    return taken


def _run(job: Job, runner: Callable[[Run], None], stopping: Event | None) -> None:
    """One taking, to whatever end. What the database does not let us write now is taken up when the lease has ended."""
    log = {"job": job.uid, "kind": job.kind}
    if job.cancel_asked:
        back_to_checkpoint(job)
        end_job(job, Job.State.CANCELLED)
        return
    if job.attempts > MOST_ATTEMPTS:
        _fail(job, InterruptedTooOften())
        return
    logger.info("job taken", extra=log)
    try:
        back_to_checkpoint(job)
        run = Run(job, stopping)
        runner(run)
        run._write(None)
        end_job(job, Job.State.DONE)
        logger.info("job done", extra=log)
    except Cancelled:
        end_job(job, Job.State.CANCELLED)
    except Stopped:
        give_back(job, counts=False)
    except LeaseLost:
        logger.warning("job lost to another worker", extra=log)
    except Exception as error:
        if isinstance(error, BusinessError) and error.http_status < 500:
            _fail(job, error)
            return
        fault = storage_fault(error)
        logger.exception("job interrupted", extra=log)
        if fault is None and not isinstance(error, DatabaseError) and job.attempts >= MOST_ATTEMPTS:
            _fail(job, JobBroke())
        else:
            give_back(job, again_in=PAUSE * 2 ** min(job.attempts - 1, 6), counts=fault is None)


def _fail(job: Job, error: BusinessError) -> None:
    """The job ends before its end; what was done up to its last cursor stays."""
    end_job(job, Job.State.FAILED, code=error.code, text=error.text())
