"""What the operator and the load balancer ask about the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from daicho.core.clock import now
from daicho.domain.schedule.models import JobRun, Worker

SEEN_WITHIN = timedelta(seconds=60)


def worker_seen_recently() -> bool:
    """Whether any worker was seen within 60 s."""
    return Worker.objects.filter(seen_at__gte=now() - SEEN_WITHIN).exists()


@dataclass(frozen=True)
class JobState:
    """How one periodic job is doing. `failures`: in a row; `last_error`: "" after a success."""

    name: str
    last_started: datetime | None
    last_succeeded: datetime | None
    failures: int
    last_error: str


def jobs() -> list[JobState]:
    """All jobs by name."""
    columns = ("name", "last_started", "last_succeeded", "failures", "last_error")
    return [JobState(*row) for row in JobRun.objects.order_by("name").values_list(*columns)]


def job_runs() -> list[JobRun]:
    """Every periodic job as it stands: last success, due, failures in a row."""
    return list(JobRun.objects.order_by("name"))


def workers() -> list[Worker]:
    """The workers seen within a day, the latest first."""
    return list(Worker.objects.order_by("-seen_at"))
