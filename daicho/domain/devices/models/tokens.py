"""Registration tokens: what lets a device into a virtual account (product.md, Devices)."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class RegistrationToken(Row):
    """A secret that so many devices may register with, for so long; either limit ends it.

    The secret is found by its SHA-256 and kept sealed (`core.sealing`), so that those who may issue it can see it again.
    """

    class State(models.TextChoices):
        OPEN = "open"
        USED_UP = "used_up"
        EXPIRED = "expired"
        REVOKED = "revoked"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="registration_tokens")
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="registration_tokens")
    description = models.CharField(max_length=200, blank=True)
    secret_hash = models.CharField(max_length=64, unique=True)
    secret_sealed = models.BinaryField()
    secret_hint = models.CharField(max_length=8)
    allows_export_controlled = models.BooleanField(default=False)
    max_uses = models.PositiveIntegerField(default=10)
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    request_id = models.UUIDField()
    created_at = models.DateTimeField(default=now)
    created_by = models.CharField(max_length=200)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["virtual_account", "request_id"], name="registration_token_request_once"),
            models.CheckConstraint(condition=Q(uses__lte=F("max_uses")), name="registration_token_within_uses"),
            models.CheckConstraint(
                condition=Q(max_uses__gte=1, max_uses__lte=100_000), name="registration_token_uses_limit"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at", "uid"], name="registration_token_by_age"),
            models.Index(fields=["expires_at"], condition=Q(revoked_at=None), name="registration_token_by_end"),
        ]

    def __str__(self) -> str:
        return self.description or self.uid

    @property
    def uses_left(self) -> int:
        return int(self.max_uses - self.uses)

    def state_at(self, at: dt.datetime) -> State:
        """What it is good for; a revoked one stays revoked, whatever else has ended it."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at <= at:
            return self.State.EXPIRED
        return self.State.USED_UP if self.uses >= self.max_uses else self.State.OPEN
