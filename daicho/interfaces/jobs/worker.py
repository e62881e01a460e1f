"""Runs the periodic jobs and those that people start; any number of workers may run, each job runs in one at a time.

A thread per periodic job, so that a mail server that hangs delays mail and nothing else, and two for what people start,
so that a short job passes a long one. The main thread says that the worker lives and renews the leases of what is
running. A worker that is killed leaves its leases to end by themselves (60 s).
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connections

from daicho.domain.bulk.running import Run, run_due_jobs
from daicho.domain.bulk.taking import renew_leases
from daicho.domain.schedule.commands import (
    announce_jobs,
    job_failed,
    job_succeeded,
    renew_lease,
    take_lease,
    worker_seen,
    worker_stopped,
)
from daicho.interfaces.jobs.periodic import JOBS, RUNNERS, Job

logger = logging.getLogger("daicho.worker")

HEARTBEAT_SECONDS = 10
M_ARENA_MAX = -8  # malloc.h
NICENESS = 5
LONGEST_PAUSE = timedelta(minutes=5)
SLOTS = 2
SLOT_PAUSE = 0.5  # seconds until a slot looks for a job again


def share_memory() -> None:
    """Let threads share what they free: glibc keeps it apart for each, which is 15 MB for a dozen of them."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


class Worker:
    """One worker process. `stop` (SIGTERM, SIGINT) lets the running jobs finish and then ends."""

    def __init__(self, jobs: Sequence[Job] = JOBS, runners: dict[str, Callable[[Run], None]] = RUNNERS) -> None:
        self.jobs = jobs
        self.runners = runners
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.running: set[str] = set()
        self.failures = dict.fromkeys((job.name for job in jobs), 0)

    def run_forever(self) -> int:
        """Work until a signal asks to stop, behind whoever answers people; exit code 0."""
        os.nice(NICENESS)
        share_memory()
        asked_to_stop = signals(signal.SIGTERM, signal.SIGINT)
        announce_jobs([job.name for job in self.jobs])
        threads = [threading.Thread(target=self.repeat, args=(job,), name=job.name) for job in self.jobs]
        threads += [threading.Thread(target=self.serve_slot, name=f"slot-{number}") for number in range(SLOTS)]
        for thread in threads:
            thread.start()
        logger.info("worker started", extra={"worker": self.name})
        self.beat()
        while not select.select([asked_to_stop], [], [], HEARTBEAT_SECONDS)[0]:
            self.beat()
        self.stopping.set()
        while any(thread.is_alive() for thread in threads):
            self.beat()
            for thread in threads:
                thread.join(1)
        worker_stopped(self.name)
        logger.info("worker stopped", extra={"worker": self.name})
        return 0

    def run_once(self) -> int:
        """Run each periodic job that is due and free once and all that people started; exit code 1 if a periodic one failed."""
        announce_jobs([job.name for job in self.jobs])
        for job in self.jobs:
            self.attempt(job)
        run_due_jobs(self.runners, worker=self.name, stopping=self.stopping)
        return 1 if any(self.failures.values()) else 0

    def beat(self) -> None:
        """Say that this worker lives, and hold on to what it is doing."""
        try:
            close_old_connections()
            worker_seen(self.name)
            for job in list(self.running):
                renew_lease(job, self.name)
            renew_leases()  # last: the leases above must not wait for it
        except DatabaseError:
            logger.exception("heartbeat failed")

    def repeat(self, job: Job) -> None:
        """Try for the job again and again; whatever happens to one attempt, the next one comes."""
        try:
            while not self.stopping.is_set():
                try:
                    close_old_connections()
                    self.attempt(job)
                except DatabaseError:
                    logger.exception("job could not be taken or given back", extra={"job": job.name})
                self.stopping.wait(min(job.every.total_seconds(), 5))
        finally:
            connections.close_all()

    def serve_slot(self) -> None:
        """Run what people started, one job after the other; asked to stop, it gives its job back after the part it is at."""
        try:
            while not self.stopping.is_set():
                try:
                    close_old_connections()
                    run_due_jobs(self.runners, worker=self.name, stopping=self.stopping)
                except Exception:  # the job's lease ends and it is taken again
                    logger.exception("a job could not be taken or ended")
                self.stopping.wait(SLOT_PAUSE)
        finally:
            connections.close_all()

    def attempt(self, job: Job) -> bool:
        """Run the job if it is due and free; a failure is kept, logged and tried again after a growing pause."""
        if not take_lease(job.name, self.name):
            return False
        self.running.add(job.name)
        try:
            job.run()
        except Exception as error:
            logger.exception("job failed", extra={"job": job.name})
            self.failures[job.name] += 1
            pause = min(LONGEST_PAUSE, job.every * 2 ** min(self.failures[job.name], 8))
            job_failed(job.name, self.name, again_in=pause, error=f"{type(error).__name__}: {error}"[:1000])
        else:
            self.failures[job.name] = 0
            job_succeeded(job.name, self.name, again_in=job.every)
        finally:
            self.running.discard(job.name)
        return True


def signals(*numbers: signal.Signals) -> socket.socket:
    """A socket that can be read once one of these signals has come.

    A handler that set an Event could interrupt itself, when the second signal follows at once, and wait for ever.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reader
