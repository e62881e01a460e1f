"""What keeps a company at work: which device took the place of which."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.devices.models import Device, RegistrationToken
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Replacement(Row):
    """A failed device and the one that took over all it used and held (S4). `token`: issued for the new one to register with."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="+")
    failed = models.OneToOneField(Device, on_delete=models.PROTECT, related_name="replacement")
    successor = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="replaces")
    token = models.ForeignKey(RegistrationToken, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    moved = models.JSONField(default=list)  # what went over: [{sku, quantity, reserved}]
    memo = models.CharField(max_length=500, blank=True)
    request_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)
    by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "request_id"], name="replacement_request_once")]
        indexes = [models.Index(fields=["account", "-at", "uid"], name="replacement_by_age")]
