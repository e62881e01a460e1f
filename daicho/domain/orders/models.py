"""What was bought: orders recorded by the operator and by partner companies (S20)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.access.models import PartnerCompany
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Lot
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class Order(Row):
    """An order of one account. Identity: recording company (none: the operator) + order number."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    company = models.ForeignKey(PartnerCompany, on_delete=models.PROTECT, null=True, blank=True, related_name="orders")
    number = models.CharField(max_length=64)
    number_key = models.CharField(max_length=64)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="orders", db_index=False)
    ordered_on = models.DateField(null=True, blank=True)
    customer_reference = models.CharField(max_length=100, blank=True)
    memo = models.CharField(max_length=500, blank=True)
    recorded_by_name = models.CharField(max_length=200)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(Coalesce("company", Value(0)), "number_key", name="order_number_once_per_company")
        ]
        indexes = [models.Index(fields=["account", "-created_at", "-uid"], name="order_by_account")]

    def __str__(self) -> str:
        return self.number


class OrderLine(Row):
    """One line: so many of a tag from a day to a day. It deposits exactly one lot, at once or when it may.

    `state` says how far the line came; what lies unassigned, or was cancelled later, the ledger's holdings say
    (queries.lines reads them), and `unassigned` follows them within a minute.
    """

    class State(models.TextChoices):
        WAITING_OPERATOR = "waiting_operator"
        WAITING_AGREEMENT = "waiting_agreement"
        UNASSIGNED = "unassigned"
        DEPOSITED = "deposited"
        CANCELLED = "cancelled"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line_number = models.PositiveIntegerField()
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Lot.Kind)
    billing = models.CharField(max_length=8, choices=Lot.Billing, default=Lot.Billing.PREPAID)
    start_on = models.DateField(null=True, blank=True)
    end_on = models.DateField(null=True, blank=True)
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=20, choices=State)
    # What the recorder wrote, so that the same again is told from something else.
    fingerprint = models.CharField(max_length=64)
    decided_by_name = models.CharField(max_length=100, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=now)
    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    deposited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "line_number"], name="order_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity"),
        ]
        indexes = [
            models.Index(fields=["account", "state"], name="order_line_waiting", condition=~Q(state="deposited")),
            models.Index(fields=["account", "-created_at", "-uid"], name="order_line_by_account"),
        ]


class PartnerAllowance(Row):
    """How many of a tag a partner company may deposit in a month without asking the operator (default none)."""

    company = models.ForeignKey(PartnerCompany, on_delete=models.CASCADE, related_name="allowances")
    tag = models.ForeignKey(LicenseTag, on_delete=models.PROTECT, related_name="+")
    monthly_quantity = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "tag"], name="partner_allowance_once")]


class WrongName(Row):
    """A name of no virtual account that a partner company gave for an order, and when last; kept for a day."""

    company = models.ForeignKey(PartnerCompany, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    name_digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "account", "name_digest"], name="wrong_name_once")]
        indexes = [models.Index(fields=["account", "at"], name="wrong_name_by_account")]
