"""Start and cancel jobs, and forget what they kept."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.text import fingerprint
from daicho.domain.access.models import PartnerCompany
from daicho.domain.audit.record import record
from daicho.domain.bulk.errors import JobEnded, RequestIdReused, TooManyJobs
from daicho.domain.bulk.kinds import KINDS
from daicho.domain.bulk.models import OPEN, Job, Refusal
from daicho.domain.bulk.queries import find_job, title_of
from daicho.domain.files.models import StoredFile
from daicho.domain.files.store import drop
from daicho.domain.tenancy.models import SmartAccount

OPEN_AT_ONCE = 20
"""Jobs of one person or program that may wait or run at a time."""
KEPT = dt.timedelta(days=30)
BATCH = 5_000


def start_job(
    actor: Actor,
    *,
    kind: str,
    request_id: uuid.UUID,
    account: SmartAccount | None = None,
    company: PartnerCompany | None = None,
    params: Mapping[str, Any] | None = None,
    title: Mapping[str, str | int] | None = None,
    source: StoredFile | None = None,
    source_name: str = "",
    total: int | None = None,
) -> Job:
    """Put a job into the queue of the worker; called by a command that has asked the door and said yes.

    The same request id of the same caller is the same job, whether it waits, runs or has ended; with other content it
    raises `request_id_reused`. `params` are plain JSON for the runner, `title` fills the placeholders of the kind's name
    (`file` and `total` are there already). Raises `too_many_jobs`.
    """
    if kind not in KINDS:
        raise LookupError(f"unknown kind of job {kind}")
    content = fingerprint(
        [kind, account and account.pk, company and company.pk, params or {}, source and source.sha256]
    )
    with transaction.atomic():
        known = _known(actor, request_id, content)
        if known is not None:
            return known
        if Job.objects.filter(owner=actor.owner, state__in=OPEN).count() >= OPEN_AT_ONCE:
            raise TooManyJobs(OPEN_AT_ONCE)
        made = Job(
            kind=kind,
            owner=actor.owner,
            request_id=request_id,
            fingerprint=content,
            account=account,
            company=company,
            user_id=actor.user_id,
            api_client_id=actor.api_client_id,
            starter_name=actor.name[:200],
            interface=actor.interface,
            address=actor.address,
            language=actor.language,
            title=dict(title or {}),
            params=dict(params or {}),
            source=source,
            source_name=(source_name or (source.name if source is not None else ""))[:200],
            total=total,
        )
        Job.objects.bulk_create([made], ignore_conflicts=True)  # two at once: the second waits, then finds the first
        job = _known(actor, request_id, content)
        if job is None:
            raise LookupError("a job vanished while it was made")
        if job.uid == made.uid:
            record(
                actor,
                "job.started",
                account=account,
                subject=title_of(job),
                subject_uid=job.uid,
                after={"kind": kind} | ({"company": company.name} if company is not None else {}),
            )
        return job


def _known(actor: Actor, request_id: uuid.UUID, content: str) -> Job | None:
    job = Job.objects.filter(owner=actor.owner, request_id=request_id).first()
    if job is not None and job.fingerprint != content:
        raise RequestIdReused
    return job


@command(permission=None, events=("job.cancelled",))
def cancel_job(actor: Actor, *, uid: str) -> Job:
    """A job ends before its end: at once while it waits, after the part it is at while it runs; what is done stays.

    Whoever sees the job may cancel it. A job that is being cancelled already is left as it is. Raises `job_ended`.
    """
    job = find_job(actor, uid)
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.WAITING)
    asked = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, cancel_asked=False)
    if not waiting.update(state=Job.State.CANCELLED, ended_at=now()) and not asked.update(cancel_asked=True):
        job.refresh_from_db()
        if not job.is_open:
            raise JobEnded
        return job
    record(
        actor,
        "job.cancelled",
        account=job.account,
        subject=title_of(job),
        subject_uid=job.uid,
        after={"kind": job.kind},
    )
    job.refresh_from_db()
    return job


def forget_old_jobs() -> int:
    """Drop the files and refused rows of jobs that ended more than 30 days ago; returns of how many jobs."""
    old = Job.objects.filter(ended_at__lt=now() - KEPT, forgotten_at=None).order_by("ended_at")
    forgotten = 0
    for job in old.select_related("source", "result")[:500]:
        while part := list(Refusal.objects.filter(job=job).order_by("number").values_list("pk", flat=True)[:BATCH]):
            Refusal.objects.filter(pk__in=part).delete()
        with transaction.atomic():
            files = [file for file in (job.source, job.result) if file is not None]
            Job.objects.filter(pk=job.pk).update(source=None, result=None, forgotten_at=now())
        for file in files:
            _drop_if_unused(file)
        forgotten += 1
    return forgotten


def _drop_if_unused(file: StoredFile) -> None:
    """Another job may work on the same file; then it goes with that one, or with the unused ones a day later."""
    if not Job.objects.filter(source=file).exists() and not Job.objects.filter(result=file).exists():
        drop(file)
