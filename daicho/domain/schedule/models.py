"""When each periodic job ran, who runs it now, and which workers are alive."""

from __future__ import annotations

from django.db import models


class JobRun(models.Model):
    """One periodic job. While `lease_until` lies ahead, `holder` runs it and nobody else may."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=128, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    last_started = models.DateTimeField(null=True, blank=True)
    last_succeeded = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField(default=0)  # in a row; 0 after a success

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A worker process, by host and process id, and when it was last seen."""

    name = models.CharField(max_length=128, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
