"""What was bought, and what sets it aside for a unit."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Unit(Row):
    """What draws licenses: a product instance, a failover group, or a hand-kept device record."""

    class Kind(models.TextChoices):
        RECORD = "record"
        INSTANCE = "instance"
        GROUP = "group"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)

    class Meta:
        indexes = [models.Index(fields=["virtual_account"], name="unit_by_virtual_account")]


class Lot(Row):
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
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+", db_index=False)
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
            models.Index(fields=["account", "start_at", "uid"], name="lot_by_start"),
        ]


class Holder(Row):
    """What sets lots aside: a reservation or a license file of a higher room points to its row here."""

    class Kind(models.TextChoices):
        RESERVATION = "reservation"
        LICENSE_FILE = "license_file"

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="holders")
    kind = models.CharField(max_length=12, choices=Kind)
    # When its authorization or file was first shown: from then on it may be installed, so it is returned, never undone.
    shown_at = models.DateTimeField(null=True, blank=True)


class HolderLine(Row):
    """How much of a lot a holder holds: max(old, new) while a change is unconfirmed, else old = new."""

    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="lines", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+")
    old = models.BigIntegerField()
    new = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "lot"], name="holder_line_once"),
            models.CheckConstraint(condition=Q(old__gte=0, new__gte=0), name="holder_line_not_negative"),
        ]
