"""What can be licensed: products, license tags, ladders of substitution."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row


class Product(Row):
    """A device model or an application that licenses are used on."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    vendor = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    part_number = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=320, unique=True)  # name keys of vendor, name and part number
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.name


class Ladder(Row):
    """Tags of which a better one covers a lesser one, 1:1 (ledger.md, ladder)."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class LicenseTag(Row):
    """A kind of license. `rank` 1 is the best tier of its ladder."""

    class Enforcement(models.TextChoices):
        UNENFORCED = "unenforced"
        ENFORCED = "enforced"
        EXPORT_CONTROLLED = "export_controlled"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    sku = models.CharField(max_length=100, unique=True)
    sku_key = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    name_ja = models.CharField(max_length=200, blank=True)
    regid = models.CharField(max_length=300, null=True, blank=True, unique=True)
    family = models.CharField(max_length=100, blank=True)
    enforcement = models.CharField(max_length=20, choices=Enforcement, default=Enforcement.UNENFORCED)
    ladder = models.ForeignKey(Ladder, on_delete=models.PROTECT, null=True, blank=True, related_name="tags")
    rank = models.PositiveSmallIntegerField(null=True, blank=True)
    description = models.CharField(max_length=500, blank=True)
    description_ja = models.CharField(max_length=500, blank=True)
    is_sold = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ladder", "rank"], condition=~Q(ladder=None), name="license_tag_rank_once"),
            models.CheckConstraint(
                condition=Q(ladder=None, rank=None) | Q(ladder__isnull=False, rank__isnull=False),
                name="license_tag_rank_in_ladder",
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def is_strict(self) -> bool:
        """A device's ask is refused rather than counted short (enforced or export-controlled)."""
        return self.enforcement != self.Enforcement.UNENFORCED
