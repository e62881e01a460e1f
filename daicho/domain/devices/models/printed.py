"""What was imported from texts that devices printed: asked again, an import answers what it did."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.tenancy.models import SmartAccount


class PrintedImport(Row):
    """One import. `answer`: per device its handle, what was written of it, and each license's use before and after."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    answer = models.JSONField(default=list)
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "request_id"], name="printed_import_once"),
        ]

    def __str__(self) -> str:
        return self.uid
