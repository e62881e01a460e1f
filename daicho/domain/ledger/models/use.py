"""Book 2: use is counted by unit and tag; pools carry the figures of both books."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models.lots import Unit
from daicho.domain.ledger.models.moves import Entry
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Pool(Row):
    """Virtual account × tag: the row that lists read and commands lock. All figures follow from the books (I4–I7)."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="pools", db_index=False)
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="pools", db_index=False)
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
            models.Index(fields=["account", "tag", "balance"], name="pool_by_tag"),
            models.Index(fields=["account", "balance", "uid"], name="pool_by_balance"),
            models.Index(fields=["account", "next_end_at", "uid"], name="pool_by_next_end"),
        ]

    @property
    def available(self) -> int:
        return max(0, int(self.balance))

    @property
    def short(self) -> int:
        return max(0, -int(self.balance))


class Use(Row):
    """What a unit uses of a tag: reported by it, and counted beyond what it holds reserved or fulfilled."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="uses", db_index=False)
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


class UseChange(Row):
    """A change of one unit's count of one tag; append-only. A move between pools is one row with two pools."""

    class ActClass(models.TextChoices):
        GIVE = "give"
        TAKE = "take"
        ASK = "ask"
        FACT = "fact"

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", db_index=False)
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    pool_before = models.ForeignKey(
        Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    counted_before = models.BigIntegerField()
    pool_after = models.ForeignKey(
        Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
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
