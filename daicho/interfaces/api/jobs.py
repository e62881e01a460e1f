"""A job as programs see it, and the answer of an operation that starts one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

from ninja import Status

from daicho.domain.bulk.queries import progress_of, title_of
from daicho.interfaces.api.schemas import Told

if TYPE_CHECKING:
    from daicho.domain.bulk.models import Job


class JobOut(Told):
    """A job. `succeeded` and `refused` count rows, `total` is null while it is not known, `error` tells why it failed.

    Ask again until `ended_at` is set; `result` and `refused_rows` are addresses of files, null where there is none.
    """

    uid: str
    kind: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    total: int | None
    done: int
    succeeded: int
    refused: int
    percent: int | None
    seconds_left: int | None
    source: str
    outcome: dict[str, Any]
    error: str
    error_text: str
    started_by: str
    account: str | None
    partner: str | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    result: str | None
    refused_rows: str | None


def job_out(job: Job) -> dict[str, Any]:
    """The answer for one job."""
    progress, at = progress_of(job), f"/api/v1/jobs/{job.uid}"
    kept = job.forgotten_at is None
    return {
        "uid": job.uid, "kind": job.kind, "title": title_of(job), "state": job.state, "total": job.total,
        "done": job.done, "succeeded": job.succeeded, "refused": job.refused, "percent": progress.percent,
        "seconds_left": progress.seconds_left, "source": job.source_name, "outcome": job.outcome,
        "error": job.error_code, "error_text": job.error_text, "started_by": job.starter_name,
        "account": job.account.identifier if job.account is not None else None,
        "partner": job.company.name if job.company is not None else None,
        "created_at": job.created_at, "started_at": job.started_at, "ended_at": job.ended_at,
        "result": f"{at}/result" if job.result_id and kept else None,
        "refused_rows": f"{at}/refused-rows" if job.refused and kept else None,
    }  # fmt: skip


def started(job: Job) -> Status[dict[str, Any]]:
    """202 and the job: what an operation answers that starts one (`response={202: JobOut, **PROBLEMS}`)."""
    return Status(202, job_out(job))
