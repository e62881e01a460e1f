"""Book 1: lots lie at places and are moved by postings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.ledger.models.lots import Holder, Lot
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Place(Row):
    """Where lots lie. Outside of all accounts: issued, cancelled, converted. Of an account: unassigned.
    Of a virtual account: pending, on_hand, ended, and with a holder reserved and fulfilled."""

    class Kind(models.TextChoices):
        ISSUED = "issued"
        CANCELLED = "cancelled"
        CONVERTED = "converted"
        UNASSIGNED = "unassigned"
        PENDING = "pending"
        ON_HAND = "on_hand"
        RESERVED = "reserved"
        FULFILLED = "fulfilled"
        ENDED = "ended"

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            # `nulls_distinct` does nothing on SQLite, hence coalesce (ledger.md, place).
            models.UniqueConstraint(
                Coalesce("account", Value(0)),
                Coalesce("virtual_account", Value(0)),
                "kind",
                Coalesce("holder", Value(0)),
                name="place_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["issued", "cancelled", "converted"], account=None, virtual_account=None, holder=None
                )
                | Q(kind="unassigned", account__isnull=False, virtual_account=None, holder=None)
                | Q(
                    kind__in=["pending", "on_hand", "ended"],
                    virtual_account__isnull=False,
                    account__isnull=False,
                    holder=None,
                )
                | Q(
                    kind__in=["reserved", "fulfilled"],
                    virtual_account__isnull=False,
                    account__isnull=False,
                    holder__isnull=False,
                ),
                name="place_kind_fits",
            ),
        ]
        indexes = [
            models.Index(fields=["account"], condition=Q(virtual_account=None), name="place_of_no_virtual_account")
        ]


class Holding(Row):
    """How much of a lot lies at a place: the sum of its postings."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="holdings", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="holdings")
    is_issue = models.BooleanField(default=False)
    quantity = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "lot"], name="holding_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0) | Q(is_issue=True), name="holding_not_negative"),
        ]


TRANSFERS = ("transfer", "reuse", "move_unit", "assign_order", "undo")
"""Kinds of entries that the list of transfers shows."""


class Entry(Row):
    """One act that moved lots: the request that caused it, and its first answer for whoever repeats it."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"
        ASSIGN_ORDER = "assign_order"
        TRANSFER = "transfer"
        RESERVE = "reserve"
        RETURN = "return"
        FULFIL = "fulfil"
        CONVERT = "convert"
        CO_TERM = "co_term"
        CANCEL = "cancel"
        REVOKE = "revoke"
        CORRECT = "correct"
        TIME = "time"
        UNDO = "undo"
        REUSE = "reuse"
        MOVE_UNIT = "move_unit"
        REPLACE = "replace"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind)
    actor_kind = models.CharField(max_length=12)
    actor_name = models.CharField(max_length=200)
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(default=now)
    memo = models.CharField(max_length=500, blank=True)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "request_id"], name="entry_request_once")]
        indexes = [
            models.Index(fields=["account", "-at", "-uid"], name="entry_by_time"),
            # Deposits and what the clock does are many times more.
            models.Index(
                fields=["account", "-at", "-uid"],
                condition=Q(kind__in=TRANSFERS),
                name="transfer_by_time",
            ),
        ]


class Posting(Row):
    """So many of a lot from one place to another; append-only."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="postings")
    source = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="posting_quantity_positive"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="posting_moves"),
        ]


class TransferRequest(Row):
    """A transfer that waits for an administrator of its source (account setting)."""

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="+")
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    moves = models.JSONField()
    memo = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=200)
    decided_by_name = models.CharField(max_length=200, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "request_id"], name="transfer_request_once")]
