"""The event log: inserted with the act, append-only by trigger, sealed in a chain of blocks (S3)."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Event(Row):
    """Who did what, when, before and after, from where.

    One row has one scope: the installation (no account), an account, or one virtual account of it. An act that touches
    two virtual accounts writes a row for each, with the same `act`, and neither row holds words of the other side.
    """

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    other_virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=48)
    act = models.UUIDField()
    at = models.DateTimeField(default=now)
    actor_kind = models.CharField(max_length=12)
    actor_name = models.CharField(max_length=200)
    actor_user_id = models.BigIntegerField(null=True)
    actor_api_client_id = models.BigIntegerField(null=True)
    interface = models.CharField(max_length=8)
    address = models.CharField(max_length=45, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    subject_uid = models.CharField(max_length=40, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    memo = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-at", "-uid"], name="event_by_account"),
            models.Index(fields=["virtual_account", "-at", "-uid"], name="event_by_virtual_account"),
            models.Index(fields=["account", "subject_uid"], name="event_by_subject"),
            models.Index(fields=["account", "actor_user_id", "-at"], name="event_by_actor"),
        ]


class SealBlock(Row):
    """A link of the chain. Its hash (audit.rules) covers its number, time, the previous hash and its events' digests."""

    number = models.PositiveBigIntegerField(unique=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    events = models.PositiveIntegerField()
    sealed_at = models.DateTimeField()


class Seal(Row):
    """The digest of one event and the block that holds it. A plain number, so that a missing event is noticed."""

    event_id = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    block = models.ForeignKey(SealBlock, on_delete=models.PROTECT, related_name="seals")
