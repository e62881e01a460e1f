"""Jobs: what takes longer than an answer may."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from daicho.core.tabular import csv_lines
from daicho.domain.access import policy
from daicho.domain.bulk import queries
from daicho.domain.bulk.commands import cancel_job
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.jobs import JobOut, job_out
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Uid

router = Router(tags=["Jobs"])
CSV = "text/csv; charset=utf-8"


def _file_of(*media_types: str) -> dict[str, Any]:
    return {"responses": {200: {"content": {media: {} for media in media_types}}}}


@router.get("/jobs", response={200: Paged[JobOut], **PROBLEMS}, operation_id="listJobs")
def list_jobs(request: HttpRequest, paging: Query[PageParams]) -> Any:
    """The jobs that the caller started, the newest first."""
    return paged(queries.own_jobs(actor_of(request), cursor=paging.cursor, size=paging.size), job_out)


@router.get("/accounts/{identifier}/jobs", response={200: Paged[JobOut], **PROBLEMS}, operation_id="listAccountJobs")
def list_account_jobs(request: HttpRequest, identifier: str, paging: Query[PageParams]) -> Any:
    """The jobs of an account, the newest first: all for its administrators, one's own for others."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return paged(queries.jobs_of_account(actor, account, cursor=paging.cursor, size=paging.size), job_out)


@router.get("/partner/{company}/jobs", response={200: Paged[JobOut], **PROBLEMS}, operation_id="listPartnerJobs")
def list_partner_jobs(request: HttpRequest, company: str, paging: Query[PageParams]) -> Any:
    """The jobs of a partner company, the newest first."""
    actor = actor_of(request)
    found = policy.get_company(actor, company)
    return paged(queries.jobs_of_company(actor, found, cursor=paging.cursor, size=paging.size), job_out)


@router.get("/operator/jobs", response={200: Paged[JobOut], **PROBLEMS}, operation_id="listAllJobs")
def list_all_jobs(request: HttpRequest, paging: Query[PageParams], open_only: bool = False) -> Any:
    """The jobs of the installation, the newest first, for its operator; `open_only`: those that wait or run."""
    page = queries.all_jobs(actor_of(request), open_only=open_only, cursor=paging.cursor, size=paging.size)
    return paged(page, job_out)


@router.get("/jobs/{uid}", response={200: JobOut, **PROBLEMS}, operation_id="getJob")
def get_job(request: HttpRequest, uid: Uid) -> Any:
    """How far a job is, and what came of it."""
    return job_out(queries.find_job(actor_of(request), uid))


@router.post("/jobs/{uid}/cancel", response={200: JobOut, **PROBLEMS}, operation_id="cancelJob")
def post_cancel(request: HttpRequest, uid: Uid) -> Any:
    """End a job before its end: at once while it waits, after the rows it is at while it runs. What is done stays done."""
    return job_out(cancel_job(actor_of(request), uid=uid))


@router.get(
    "/jobs/{uid}/result",
    response={200: bytes, **PROBLEMS},
    operation_id="getJobResult",
    openapi_extra=_file_of("application/octet-stream"),
)
def get_result(request: HttpRequest, uid: Uid) -> StreamingHttpResponse:
    """The file that the job made, for 30 days after its end."""
    actor = actor_of(request)
    file, parts = queries.result_of(actor, queries.find_job(actor, uid))
    answer = StreamingHttpResponse(parts, content_type=file.media_type)
    answer["Content-Length"] = str(file.size)
    answer["Content-Disposition"] = "attachment"  # a file, wherever it is opened
    return answer


@router.get(
    "/jobs/{uid}/refused-rows",
    response={200: bytes, **PROBLEMS},
    operation_id="getJobRefusedRows",
    openapi_extra=_file_of(CSV),
)
def get_refused_rows(request: HttpRequest, uid: Uid) -> StreamingHttpResponse:
    """CSV of every refused row, with where and why in front; for 30 days after the job's end."""
    actor = actor_of(request)
    table = queries.refused_rows(actor, queries.find_job(actor, uid))
    return StreamingHttpResponse((line.encode() for line in csv_lines(table.columns, table.rows)), content_type=CSV)
