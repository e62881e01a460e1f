"""What a license ledger says of a lot beyond its quantity: columns that people fill in. The lot itself never changes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.domain.ledger.models.lots import Lot
from daicho.domain.tenancy.models import SmartAccount


class LotDetails(models.Model):
    """The columns of one lot; no row means that nobody filled in any. Empty text: not filled in.

    Text is kept as typed; `…_key` is what is compared and searched (`core.text.name_key`). `amount`: what the whole lot
    cost, in the smallest unit of its currency (ISO 4217: yen, cents), with `currency` or both left out.
    `revision` grows with each change, so that nobody overwrites what he has not seen.
    """

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, primary_key=True, related_name="details")
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    management_number = models.CharField(max_length=64, blank=True)
    management_number_key = models.CharField(max_length=200, blank=True)
    certificate_number = models.CharField(max_length=100, blank=True)
    certificate_number_key = models.CharField(max_length=200, blank=True)
    department = models.CharField(max_length=100, blank=True)
    department_key = models.CharField(max_length=200, blank=True)
    storage_place = models.CharField(max_length=100, blank=True)
    storage_place_key = models.CharField(max_length=200, blank=True)
    amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    note = models.CharField(max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=now)
    changed_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount=None, currency="") | (Q(amount__gte=0, amount__lt=2**53) & ~Q(currency="")),
                name="lot_details_amount_with_currency",
            )
        ]
        indexes = [
            models.Index(fields=["account", "department_key"], name="lot_details_by_department"),
            models.Index(fields=["account", "storage_place_key"], name="lot_details_by_storage"),
            models.Index(fields=["account", "management_number_key"], name="lot_details_by_number"),
        ]
