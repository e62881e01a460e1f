"""The keys with which Daicho signs what it grants; devices know their public halves."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.rows import Row


class SigningKey(Row):
    """An Ed25519 key of the installation. `version`: of the key set that made it known.

    Known from `created_at`, signing from `signs_from` until the next one does, verified until `retired_at`.
    """

    kid = models.CharField(max_length=64, unique=True)  # RFC 7638 thumbprint
    version = models.PositiveIntegerField(unique=True)
    public_key = models.BinaryField()
    private_key_sealed = models.BinaryField()
    key_set = models.TextField()  # the signed key set of this version: by the key before, the first one by itself
    created_at = models.DateTimeField(default=now)
    signs_from = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.kid
