"""Jobs and the rows that they refused."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.access.models import ApiClient, PartnerCompany
from daicho.domain.files.models import StoredFile
from daicho.domain.tenancy.models import SmartAccount


class Job(Row):
    """Work that takes longer than a page may: who started it, what it works on, how far it is, what came of it.

    `checkpoint` holds the cursor from which another worker goes on, with the counts that belong to it. While
    `lease_until` lies ahead, the taking named by `claim` runs it and nobody else may.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    kind = models.CharField(max_length=48)
    owner = models.CharField(max_length=80)  # Actor.owner: whose request ids these are, and who takes turns with whom
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    company = models.ForeignKey(PartnerCompany, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    api_client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starter_name = models.CharField(max_length=200)
    interface = models.CharField(max_length=8)
    address = models.CharField(max_length=45, blank=True)
    language = models.CharField(max_length=5, default="en")

    title = models.JSONField(default=dict)  # what fills the placeholders of the kind's name
    params = models.JSONField(default=dict)
    source = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source_name = models.CharField(max_length=200, blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    total = models.BigIntegerField(null=True, blank=True)
    done = models.BigIntegerField(default=0)
    succeeded = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    checkpoint = models.JSONField(default=dict)
    columns = models.JSONField(default=list)  # heads of the file of refused rows
    result = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    result_name = models.CharField(max_length=200, blank=True)
    outcome = models.JSONField(default=dict)  # facts for the page: what the job made, by uid
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.CharField(max_length=500, blank=True)  # in the starter's language

    created_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)  # when its files and refused rows went
    cancel_asked = models.BooleanField(default=False)

    due_at = models.DateTimeField(default=now)
    taken_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=128, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since it last got on

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "request_id"], name="job_request_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="job_open"),
            models.Index(fields=["owner", "-taken_at"], name="job_by_owner"),
            models.Index(fields=["account", "-created_at", "-uid"], name="job_by_account"),
            models.Index(fields=["company", "-created_at", "-uid"], name="job_by_company"),
            models.Index(fields=["-created_at", "-uid"], name="job_by_time"),
            models.Index(fields=["ended_at"], condition=Q(forgotten_at=None), name="job_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def cursor(self) -> dict[str, Any]:
        """Where another worker would go on; {} at the beginning."""
        found: dict[str, Any] = self.checkpoint.get("cursor", {})
        return found

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in OPEN


OPEN = (Job.State.WAITING, Job.State.RUNNING)


class Refusal(Row):
    """Why a row of the source was not taken. `number` counts the job's refusals, `row` is the line in the source."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="refusals")
    number = models.PositiveIntegerField()
    row = models.PositiveIntegerField(null=True)
    column = models.CharField(max_length=64, blank=True, db_column="in_column")  # COLUMN is a word of SQL
    code = models.CharField(max_length=64)
    text = models.CharField(max_length=500)
    cells = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="job_refusal_once")]
