"""What uses licenses, as people see it: kept by hand, or by the instance that registered as this device."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.catalog.models import Product
from daicho.domain.ledger.models import Unit
from daicho.domain.tenancy.models import SmartAccount


class Device(Row):
    """A device of one account. Its virtual account is its unit's; its uses are the unit's uses.

    A record kept by hand becomes that of the instance with its product ID and serial number when it registers.
    """

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="devices")
    unit = models.OneToOneField(Unit, on_delete=models.PROTECT, related_name="device")
    catalog_product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200)
    product_id = models.CharField(max_length=100, blank=True)
    serial = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True, blank=True)
    # Which one took its place when it failed: if it comes back, it is refused.
    replaced_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["account", "name_key", "uid"], name="device_by_name"),
            models.Index(fields=["account", "serial"], name="device_by_serial"),
        ]

    def __str__(self) -> str:
        return self.name
