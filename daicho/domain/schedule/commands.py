"""Leases: at most one worker runs a job, and a worker that died loses its job when the lease ends.

A lease is taken by one conditional UPDATE; that exactly one row changed is the whole lock, on both databases. These
are acts of the machinery, not of people: they are no commands of the business and leave no line in the event log.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q

from daicho.core.clock import now
from daicho.domain.schedule.models import JobRun, Worker

LEASE = timedelta(seconds=60)
"""Longest delay of a job after its worker was killed; a living worker renews long before."""


def announce_jobs(names: list[str]) -> None:
    """Make a row for each job that has none, due at once."""
    JobRun.objects.bulk_create([JobRun(name=name, due_at=now()) for name in names], ignore_conflicts=True)


def take_lease(job: str, holder: str) -> bool:
    """Take a job that is due and that nobody holds; False when there is nothing to take."""
    instant = now()
    free = Q(lease_until=None) | Q(lease_until__lte=instant)
    due = JobRun.objects.filter(free, name=job, due_at__lte=instant)
    return due.update(holder=holder, lease_until=instant + LEASE, last_started=instant) == 1


def renew_lease(job: str, holder: str) -> bool:
    """Hold a job that takes long for another 60 s; False when it was lost meanwhile."""
    return JobRun.objects.filter(name=job, holder=holder).update(lease_until=now() + LEASE) == 1


def job_succeeded(job: str, holder: str, *, again_in: timedelta) -> None:
    """Give the lease back and say when the job is due again."""
    instant = now()
    JobRun.objects.filter(name=job, holder=holder).update(
        holder="", lease_until=None, due_at=instant + again_in, last_succeeded=instant, last_error="", failures=0
    )


def job_failed(job: str, holder: str, *, again_in: timedelta, error: str) -> None:
    """Give the lease back after a failure; the error's text stays until the next success."""
    JobRun.objects.filter(name=job, holder=holder).update(
        holder="", lease_until=None, due_at=now() + again_in, last_error=error, failures=F("failures") + 1
    )


def worker_seen(name: str) -> None:
    """Note that a worker is alive; those not seen for a day are forgotten."""
    instant = now()
    Worker.objects.update_or_create(name=name, defaults={"seen_at": instant})
    Worker.objects.filter(seen_at__lt=instant - timedelta(days=1)).delete()


def worker_stopped(name: str) -> None:
    """Forget a worker that stopped in order."""
    Worker.objects.filter(name=name).delete()


def try_to_write() -> None:
    """Write what is there already, so that a database that takes no writes raises (DatabaseError)."""
    JobRun.objects.update(failures=F("failures"))
