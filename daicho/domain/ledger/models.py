"""The two books (ledger.md): lots lie at places and are moved by postings; use is counted by unit and tag.

Only this room writes these tables. Every large one carries the account.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Unit(models.Model):
    """What draws licenses: a product instance, a failover group, or a hand-kept device record."""

    class Kind(models.TextChoices):
        RECORD = "record"
        INSTANCE = "instance"
        GROUP = "group"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)

    class Meta:
        indexes = [models.Index(fields=["virtual_account"], name="unit_by_virtual_account")]


class Lot(models.Model):
    """What was bought: immutable. Counts in [start_at, end_at); no end means for ever."""

    class Kind(models.TextChoices):
        PERPETUAL = "perpetual"
        TERM = "term"
        SUBSCRIPTION = "subscription"
        DEMO = "demo"

    class Billing(models.TextChoices):
        PREPAID = "prepaid"
        USAGE = "usage"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    billing = models.CharField(max_length=8, choices=Billing, default=Billing.PREPAID)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    # Orders stand above the ledger, so a lot keeps its line's public handle and number, not a foreign key.
    order_number = models.CharField(max_length=64, blank=True)
    order_line_uid = models.CharField(max_length=16, blank=True, db_index=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end_at=None) | Q(end_at__gt=F("start_at")), name="lot_ends_after_start")
        ]
        indexes = [
            models.Index(fields=["account", "end_at", "uid"], name="lot_by_end"),
            models.Index(fields=["account", "tag"], name="lot_by_tag"),
        ]


class Holder(models.Model):
    """What sets lots aside: a reservation or a license file of a higher room points to its row here."""

    class Kind(models.TextChoices):
        RESERVATION = "reservation"
        LICENSE_FILE = "license_file"

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="holders")
    kind = models.CharField(max_length=12, choices=Kind)
    # When its authorization or file was first shown: from then on it may be installed, so it is returned, never undone.
    shown_at = models.DateTimeField(null=True, blank=True)


class HolderLine(models.Model):
    """How much of a lot a holder holds: max(old, new) while a change is unconfirmed, else old = new."""

    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="lines")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+")
    old = models.BigIntegerField()
    new = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "lot"], name="holder_line_once"),
            models.CheckConstraint(condition=Q(old__gte=0, new__gte=0), name="holder_line_not_negative"),
        ]


class Place(models.Model):
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


class Holding(models.Model):
    """How much of a lot lies at a place: the sum of its postings."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="holdings")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="holdings")
    is_issue = models.BooleanField(default=False)
    quantity = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "lot"], name="holding_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0) | Q(is_issue=True), name="holding_not_negative"),
        ]


class Entry(models.Model):
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
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
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
        indexes = [models.Index(fields=["account", "-at", "-uid"], name="entry_by_time")]


class Posting(models.Model):
    """So many of a lot from one place to another; append-only."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
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


class Pool(models.Model):
    """Virtual account × tag: the row that lists read and commands lock. All figures follow from the books (I4–I7)."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="pools")
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="pools")
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="pools")
    pending = models.BigIntegerField(default=0)
    on_hand = models.BigIntegerField(default=0)
    usage_on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    fulfilled = models.BigIntegerField(default=0)
    in_use = models.BigIntegerField(default=0)
    lent = models.BigIntegerField(default=0)
    borrowed = models.BigIntegerField(default=0)
    metered = models.BigIntegerField(default=0)
    # min(start of pending, end of live lots): when a decision here must first settle time. `next_end_at`: the ends alone.
    next_change_at = models.DateTimeField(null=True, blank=True)
    next_end_at = models.DateTimeField(null=True, blank=True)
    purchased = models.GeneratedField(
        expression=F("on_hand") + F("reserved") + F("fulfilled"), output_field=models.BigIntegerField(), db_persist=True
    )
    balance = models.GeneratedField(
        expression=F("on_hand") - F("in_use") - F("lent") + F("borrowed") + F("metered"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    FIGURES: ClassVar[tuple[str, ...]] = (
        "pending", "on_hand", "usage_on_hand", "reserved", "fulfilled", "in_use", "lent", "borrowed", "metered",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["virtual_account", "tag"], name="pool_once"),
            models.CheckConstraint(
                condition=Q(pending__gte=0, on_hand__gte=0, reserved__gte=0, fulfilled__gte=0, in_use__gte=0)
                & Q(lent__gte=0, borrowed__gte=0, metered__gte=0, usage_on_hand__gte=0),
                name="pool_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["next_change_at"], condition=~Q(next_change_at=None), name="pool_due"),
            models.Index(fields=["account", "tag"], name="pool_by_tag"),
            models.Index(fields=["account", "balance", "uid"], name="pool_by_balance"),
            models.Index(fields=["account", "next_end_at", "uid"], name="pool_by_next_end"),
        ]

    @property
    def available(self) -> int:
        return max(0, int(self.balance))

    @property
    def short(self) -> int:
        return max(0, -int(self.balance))


class Use(models.Model):
    """What a unit uses of a tag: reported by it, and counted beyond what it holds reserved or fulfilled."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="uses")
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="uses")
    reported = models.BigIntegerField()
    counted = models.BigIntegerField()
    since = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "tag"], name="use_once"),
            models.CheckConstraint(condition=Q(reported__gte=0, counted__gte=0), name="use_not_negative"),
            models.CheckConstraint(condition=Q(counted__lte=F("reported")), name="use_counted_within_reported"),
        ]
        indexes = [models.Index(fields=["pool"], condition=Q(counted__gt=0), name="use_by_pool")]


class UseChange(models.Model):
    """A change of one unit's count of one tag; append-only. A move between pools is one row with two pools."""

    class ActClass(models.TextChoices):
        GIVE = "give"
        TAKE = "take"
        ASK = "ask"
        FACT = "fact"

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    pool_before = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    counted_before = models.BigIntegerField()
    pool_after = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    counted_after = models.BigIntegerField()
    act_class = models.CharField(max_length=4, choices=ActClass)
    cause = models.CharField(max_length=24)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="use_changes")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "request_id", "tag"], name="use_change_request_once")]
        indexes = [
            models.Index(fields=["pool_after", "at"], name="use_change_by_pool"),
            models.Index(fields=["pool_before"], name="use_change_by_pool_before"),
            models.Index(fields=["account", "request_id"], name="use_change_by_request"),
        ]


class TransferRequest(models.Model):
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
