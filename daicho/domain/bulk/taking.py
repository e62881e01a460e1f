"""Who runs which job: taken by one conditional UPDATE, held by a lease, given back or ended by whoever holds the claim.

A claim is a number of its own for each taking, so that two threads of one worker, or a worker that was started again
under the name of a dead one, never hold the same job. These are acts of the machinery; only the end of a job leaves a
line in the event log.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import translation

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.domain.access.models import ApiClient, User
from daicho.domain.audit.record import record
from daicho.domain.bulk.errors import StarterGone
from daicho.domain.bulk.models import OPEN, Job, Refusal
from daicho.domain.bulk.queries import title_of
from daicho.domain.mailbox.commands import post_mail

LEASE = dt.timedelta(seconds=60)
"""Longest rest of a job after its worker was killed."""
MOST_ATTEMPTS = 5
"""Takings without getting on after which a job has failed."""

MAILED_AFTER = dt.timedelta(minutes=2)

_held: set[uuid.UUID] = set()  # claims of this process
_lock = threading.Lock()


def take_job(kinds: Collection[str], worker: str) -> Job | None:
    """Take a job that is due and that nobody holds; None when there is none.

    Owners take turns: one of an owner's jobs runs at a time, and the owner whose last turn lies furthest back is next.
    """
    instant = now()
    open_ones = list(
        Job.objects.filter(state__in=OPEN, kind__in=kinds, due_at__lte=instant)
        .order_by("pk")
        .values_list("pk", "owner", "lease_until")[:2_000]
    )
    busy = {owner for _, owner, lease in open_ones if lease is not None and lease > instant}
    first: dict[str, int] = {}
    for pk, owner, _ in open_ones:
        if owner not in busy:
            first.setdefault(owner, pk)
    turns = Job.objects.filter(owner__in=first).values("owner").annotate(last=Max("taken_at"))
    last = {row["owner"]: row["last"] for row in turns}
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    for _, pk in sorted(first.items(), key=lambda item: (last.get(item[0]) or never, item[1])):
        claim = uuid.uuid4()
        free = Job.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now()), pk=pk, state__in=OPEN)
        with _lock:
            _held.add(claim)
        taken = free.update(
            state=Job.State.RUNNING,
            claim=claim,
            worker=worker,
            lease_until=now() + LEASE,
            taken_at=now(),
            started_at=Coalesce(F("started_at"), now()),
            attempts=F("attempts") + 1,
        )
        if taken:
            return Job.objects.select_related("account", "company", "source").get(pk=pk)
        drop_claim(claim)
    return None


def back_to_checkpoint(job: Job) -> None:
    """What the last taking counted and refused behind its last cursor is done again, so it is forgotten."""
    counts = {name: job.checkpoint.get(name, 0) for name in ("done", "succeeded", "refused")}
    with transaction.atomic():
        Refusal.objects.filter(job=job, number__gte=job.checkpoint.get("refusals", 0)).delete()
        Job.objects.filter(pk=job.pk, claim=job.claim).update(**counts)
    for name, value in counts.items():
        setattr(job, name, value)


def drop_claim(claim: uuid.UUID) -> None:
    """This process holds the job no more."""
    with _lock:
        _held.discard(claim)


def renew_leases() -> None:
    """Hold on to what this process runs for another 60 s; a job whose row is being written renews itself."""
    with _lock:
        claims = list(_held)
    if not claims:
        return
    with transaction.atomic():
        mine = Job.objects.filter(claim__in=claims, state=Job.State.RUNNING)
        free = list(mine.select_for_update(skip_locked=True).values_list("pk", flat=True))
        Job.objects.filter(pk__in=free, claim__in=claims).update(lease_until=now() + LEASE)


def give_back(job: Job, *, again_in: dt.timedelta = dt.timedelta(0), counts: bool = True) -> None:
    """Another worker may take the job, after a pause; `counts=False`: it was interrupted in order, not by a fault."""
    Job.objects.filter(pk=job.pk, claim=job.claim).update(
        state=Job.State.WAITING,
        claim=None,
        worker="",
        lease_until=None,
        due_at=now() + again_in,
        attempts=F("attempts") if counts else Greatest(F("attempts") - 1, 0),
    )


def end_job(job: Job, state: str, *, code: str = "", text: str = "") -> bool:
    """The job is over, told in the event log in the name of whoever started it; False when the claim was lost."""
    with transaction.atomic():
        ended = Job.objects.filter(pk=job.pk, claim=job.claim, state=Job.State.RUNNING).update(
            state=state,
            ended_at=now(),
            claim=None,
            worker="",
            lease_until=None,
            error_code=code,
            error_text=text[:500],
        )
        if not ended:
            return False
        job.refresh_from_db()
        record(
            _named(job),
            "job.ended",
            account=job.account,
            subject=title_of(job),
            subject_uid=job.uid,
            after={
                "kind": job.kind,
                "state": job.state,
                "succeeded": job.succeeded,
                "refused": job.refused,
            }
            | ({"error": code} if code else {}),
        )
        _mail_starter(job)
    return True


def _mail_starter(job: Job) -> None:
    """A person who has left the page meanwhile hears that his job has ended; one who cancelled it knows."""
    person = job.user
    long = job.ended_at is not None and job.ended_at - job.created_at >= MAILED_AFTER
    if person is None or not person.is_active or not long or job.state == Job.State.CANCELLED:
        return
    with translation.override(person.language):
        title = title_of(job)
    post_mail(
        "job_ended",
        to=person.email,
        to_name=person.name,
        language=person.language,
        time_zone=person.time_zone,
        once=f"job-ended:{job.uid}",
        title=title,
        uid=job.uid,
        failed=job.state == Job.State.FAILED,
        reason=job.error_text,
        succeeded=job.succeeded,
        refused=job.refused,
        identifier=job.account.identifier if job.account is not None and not person.is_operator else "",
        company=job.company.uid if job.company is not None and not person.is_operator else "",
    )


def starter_of(job: Job) -> Actor:
    """Whoever started the job, with the rights of this moment. Raises `starter_gone` for who cannot log in any more."""
    at = now()
    if job.user_id is not None:
        user = User.objects.filter(pk=job.user_id, is_active=True).first()
        if user is None:
            raise StarterGone
        return _named(job, is_operator=user.is_operator)
    if job.api_client_id is not None:
        live = Q(ends_at=None) | Q(ends_at__gt=at)
        client = ApiClient.objects.filter(live, pk=job.api_client_id, revoked_at=None).select_related("company").first()
        if client is None or (client.company is not None and not client.company.is_active):
            raise StarterGone
        return _named(job, is_operator=client.is_operator, scopes=frozenset(client.scopes))
    return _named(job, is_operator=True)


def _named(job: Job, *, is_operator: bool = False, scopes: frozenset[str] = frozenset()) -> Actor:
    kind = ActorKind.SYSTEM
    if job.user_id is not None:
        kind = ActorKind.USER
    elif job.api_client_id is not None:
        kind = ActorKind.API_CLIENT
    return Actor(
        kind,
        job.starter_name,
        user_id=job.user_id,
        api_client_id=job.api_client_id,
        is_operator=is_operator,
        interface=job.interface,
        address=job.address,
        language=job.language,
        scopes=scopes,
        request_id=job.request_id,
    )
