"""Jobs as people and programs see them: their own, those of the account they administer, those of their company."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.tabular import Cell
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import companies_of, ensure_may, ensure_operator, ensure_partner, scope_of
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.bulk.errors import ResultGone
from daicho.domain.bulk.kinds import KINDS
from daicho.domain.bulk.models import OPEN, Job, Refusal
from daicho.domain.files.models import StoredFile
from daicho.domain.files.store import parts
from daicho.domain.tenancy.models import SmartAccount

ORDER = ("-created_at", "-uid")


def title_of(job: Job) -> str:
    """What the job does, in the language that is active now."""
    words: dict[str, str | int] = {"file": job.source_name, "total": job.total or 0} | job.title
    return str(KINDS.get(job.kind, job.kind)) % words


def find_job(actor: Actor, uid: str) -> Job:
    """The job with this uid if the actor may see it: its starter while he has any right there, an administrator of the
    account, a member of the company, an operator. Raises NotFound."""
    job = Job.objects.select_related("account", "company", "source", "result").filter(uid=uid).first()
    if job is None or not (is_own(actor, job) or _is_over(actor, job)):
        raise NotFound
    return job


def is_own(actor: Actor, job: Job) -> bool:
    """Whether the actor started the job and still has any right where it works."""
    if job.owner != actor.owner:
        return False
    if job.account is not None and not actor.is_operator and scope_of(actor, job.account).is_nothing():
        return False
    return job.company is None or actor.is_operator or companies_of(actor).filter(pk=job.company.pk).exists()


def _is_over(actor: Actor, job: Job) -> bool:
    if _is_operator(actor):
        return True
    if job.company is not None:
        return companies_of(actor).filter(pk=job.company.pk).exists()
    return job.account is not None and Permission.SETTINGS_MANAGE in scope_of(actor, job.account).everywhere


def _is_operator(actor: Actor) -> bool:
    return actor.is_operator and (actor.api_client_id is None or OperatorPermission.SUPPORT in actor.scopes)


def may_read_content(actor: Actor, job: Job) -> bool:
    """Whether the actor may have the job's files and refused rows: an operator has no part in what a company works on."""
    if job.account is None or is_own(actor, job) or actor.is_system:
        return True
    return Permission.SETTINGS_MANAGE in scope_of(actor, job.account).everywhere


def jobs_of_account(actor: Actor, account: SmartAccount, *, cursor: str | None = None, size: int = 50) -> Page[Job]:
    """The newest jobs of an account first: all of them for its administrators, one's own for others."""
    scope = ensure_may(actor, Permission.ACCOUNT_VIEW, account)
    found = Job.objects.filter(account=account, company=None)
    if Permission.SETTINGS_MANAGE not in scope.everywhere:
        found = found.filter(owner=actor.owner)
    return _page(found, cursor, size)


def jobs_of_company(actor: Actor, company: PartnerCompany, *, cursor: str | None = None, size: int = 50) -> Page[Job]:
    """The newest jobs of a partner company first."""
    ensure_partner(actor, company)
    return _page(Job.objects.filter(company=company), cursor, size)


def all_jobs(actor: Actor, *, open_only: bool = False, cursor: str | None = None, size: int = 50) -> Page[Job]:
    """The newest jobs of the installation first, for its operator."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    return _page(Job.objects.filter(state__in=OPEN) if open_only else Job.objects.all(), cursor, size)


def own_jobs(actor: Actor, *, cursor: str | None = None, size: int = 50) -> Page[Job]:
    """The newest jobs that the actor started and may still see."""
    found = Job.objects.filter(owner=actor.owner)
    if not actor.is_operator:
        gone = [
            account.pk
            for account in SmartAccount.objects.filter(pk__in=found.exclude(account=None).values("account")).distinct()
            if scope_of(actor, account).is_nothing()
        ]
        found = found.exclude(account__in=gone).filter(Q(company=None) | Q(company__in=companies_of(actor)))
    return _page(found, cursor, size)


def _page(found: QuerySet[Job], cursor: str | None, size: int) -> Page[Job]:
    return keyset_page(found.select_related("account", "company"), ORDER, cursor=cursor, size=size, count=True)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `percent` and `seconds_left` are None while that cannot be told; `rate`: rows a second."""

    percent: int | None
    rate: float | None
    seconds_left: int | None


def progress_of(job: Job) -> Progress:
    """How far the job is, and how long it takes at the pace it had so far."""
    percent = min(100, job.done * 100 // job.total) if job.total else None
    if job.state == Job.State.DONE:
        percent = 100
    until = job.ended_at or now()
    if job.started_at is None or not job.done:
        return Progress(percent, None, None)
    rate = job.done / max((until - job.started_at).total_seconds(), 0.001)
    left = int((job.total - job.done) / rate) if job.total and job.state == Job.State.RUNNING else None
    return Progress(percent, rate, max(left, 0) if left is not None else None)


def first_refusals(actor: Actor, job: Job, *, limit: int = 50) -> list[Refusal]:
    """The first rows that the job refused, in their order."""
    if not may_read_content(actor, job):
        return []
    return list(Refusal.objects.filter(job=job).order_by("number")[:limit])


@dataclass(frozen=True, slots=True)
class RefusedRows:
    """A file of the refused rows: the columns of the source behind where and why each was refused."""

    name: str
    columns: list[str]
    rows: Iterator[list[Cell]]


def refused_rows(actor: Actor, job: Job) -> RefusedRows:
    """Every row that the job refused, once with all its faults, ready to be mended and taken in again.

    The columns `row`, `column`, `code`, `reason` stand before those of the source. Raises NotFound, `result_gone`.
    """
    if not may_read_content(actor, job) or not job.refused:
        raise NotFound
    if job.forgotten_at is not None:
        raise ResultGone
    stem = (job.source_name or job.kind).rpartition(".")[0] or job.source_name or job.kind
    found = Refusal.objects.filter(job=job).order_by("number")
    by_row = itertools.groupby(
        found.iterator(chunk_size=2_000), lambda one: one.number if one.row is None else -one.row
    )
    rows = (_joined(list(faults)) for _, faults in by_row)
    return RefusedRows(f"{stem}-refused", ["row", "column", "code", "reason", *job.columns], rows)


def _joined(faults: list[Refusal]) -> list[Cell]:
    """The faults of one row as one line: twice in the file, it would be taken in twice."""
    columns = ", ".join(dict.fromkeys(fault.column for fault in faults if fault.column))
    codes = ", ".join(dict.fromkeys(fault.code for fault in faults))
    return [faults[0].row, columns, codes, " ".join(fault.text for fault in faults), *faults[0].cells]


def result_of(actor: Actor, job: Job) -> tuple[StoredFile, Iterator[bytes]]:
    """The file that the job made, and its bytes. Raises NotFound, `result_gone`."""
    if not may_read_content(actor, job) or not job.result_name:
        raise NotFound
    if job.result is None:
        raise ResultGone
    return job.result, parts(job.result)
