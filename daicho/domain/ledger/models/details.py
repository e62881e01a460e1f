"""What a company writes down about a lot, beside the lot: no figure of the two books depends on it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.files.models import StoredFile
from daicho.domain.ledger.models.lots import Lot
from daicho.domain.tenancy.models import SmartAccount


class LotDetails(Row):
    """The columns that a Japanese ledger of licenses wants. Each text as typed, and its `name_key` to be searched by.

    `amount` is a whole number of the smallest unit of `currency` (ISO 4217), at most 2^53 − 1; both or neither.
    """

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, primary_key=True, related_name="details")
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    management_number = models.CharField(max_length=100, blank=True)
    management_number_key = models.TextField(blank=True)
    certificate_number = models.CharField(max_length=100, blank=True)
    certificate_number_key = models.TextField(blank=True)
    department = models.CharField(max_length=100, blank=True)
    department_key = models.TextField(blank=True)
    storage_place = models.CharField(max_length=100, blank=True)
    storage_place_key = models.TextField(blank=True)
    note = models.CharField(max_length=500, blank=True)
    note_key = models.TextField(blank=True)
    amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    changed_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount=None, currency="") | (Q(amount__gte=0, amount__lte=2**53 - 1) & ~Q(currency="")),
                name="lot_amount_has_currency",
            )
        ]


class LotAttachment(Row):
    """A file kept with a lot: a certificate, a contract. It belongs to the company. Lots that were exchanged share files."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="attachments")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    added_by_name = models.CharField(max_length=200)
    added_at = models.DateTimeField(default=now)
