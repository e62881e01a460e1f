"""Keep the first answer to a request of a program (product.md, Licenses: everything is idempotent)."""

from __future__ import annotations

import datetime as dt

from django.db import models

from daicho.core.clock import now
from daicho.domain.access.models import IdempotentRequest

KEPT = dt.timedelta(days=7)


class Claim:
    """A claimed key: its first answer when there is one, and whether it was used for other content."""

    def __init__(self, row: IdempotentRequest, fingerprint: str) -> None:
        self.row = row
        self.is_other_content = row.fingerprint != fingerprint
        self.status = row.status
        self.answer = row.answer


def claim_request(*, owner: str, key: str, fingerprint: str) -> Claim:
    """Claim a key inside the caller's transaction; waits while another transaction holds the same key."""
    IdempotentRequest.objects.bulk_create(
        [IdempotentRequest(owner=owner, key=key, fingerprint=fingerprint)], ignore_conflicts=True
    )
    row = IdempotentRequest.objects.select_for_update().get(owner=owner, key=key)
    return Claim(row, fingerprint)


def keep_answer(claim: Claim, *, status: int, answer: str) -> None:
    """Remember the answer of the act that is about to commit."""
    IdempotentRequest.objects.filter(pk=claim.row.pk).update(status=status, answer=answer)


def forget_old_requests() -> int:
    """Drop answers older than 7 days; returns how many."""
    old: models.QuerySet[IdempotentRequest] = IdempotentRequest.objects.filter(created_at__lt=now() - KEPT)
    return old.delete()[0]
