"""What the operator and the load balancer ask about the jobs."""

from __future__ import annotations

from datetime import timedelta

from daicho.core.clock import now
from daicho.domain.schedule.models import JobRun, Worker

SEEN_WITHIN = timedelta(seconds=60)


def worker_seen_recently() -> bool:
    """Whether any worker was seen within 60 s."""
    return Worker.objects.filter(seen_at__gte=now() - SEEN_WITHIN).exists()


def failing_jobs() -> list[tuple[str, int, str]]:
    """Name, failures in a row and last error of each job whose last run failed."""
    return list(JobRun.objects.filter(failures__gt=0).order_by("name").values_list("name", "failures", "last_error"))
