"""How an account comes to be and stays in good standing: openings, agreements, guides for customers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.tenancy.models import SmartAccount


class Opening(Row):
    """A request to open a Smart Account: draft → [held] → [awaiting_approver] → awaiting_activation → active."""

    class State(models.TextChoices):
        DRAFT = "draft"
        HELD = "held"
        AWAITING_APPROVER = "awaiting_approver"
        AWAITING_ACTIVATION = "awaiting_activation"
        ACTIVE = "active"
        DECLINED = "declined"
        LAPSED = "lapsed"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="openings")
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="openings")
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    step = models.PositiveSmallIntegerField(default=1)
    is_representative = models.BooleanField(null=True, blank=True)
    approver_email = models.EmailField(max_length=254, blank=True)
    approver_name = models.CharField(max_length=100, blank=True)
    identifier = models.CharField(max_length=253, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, default="JP")
    postal_code = models.CharField(max_length=20, blank=True)
    region = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    street = models.CharField(max_length=200, blank=True)
    building = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    # Why it is held, as codes of accounts.rules; the question is mailed, the answer comes by the link.
    held_for = models.JSONField(default=list, blank=True)
    question = models.CharField(max_length=1000, blank=True)
    answer = models.CharField(max_length=1000, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    operator_approved_at = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=100, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    # One link is open at a time: reason, approver or activation, by state. Only its SHA-256 is kept.
    link_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    link_expires_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    last_step_at = models.DateTimeField(default=now)
    held_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "last_step_at"], name="opening_by_state"),
            models.Index(fields=["identifier"], name="opening_by_identifier"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["awaiting_approver", "awaiting_activation", "active"]),
                name="opening_one_live_per_account",
            )
        ]


class KnownCustomer(Row):
    """The operator's customer file: an address shown to confirm instead of asked for (S14)."""

    domain = models.CharField(max_length=253, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, default="JP")
    postal_code = models.CharField(max_length=20, blank=True)
    region = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    street = models.CharField(max_length=200, blank=True)
    building = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=32, blank=True)


class Contest(Row):
    """ "This is our domain": somebody contests an account with the operator."""

    class State(models.TextChoices):
        OPEN = "open"
        UPHELD = "upheld"
        REJECTED = "rejected"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    identifier = models.CharField(max_length=253)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by_name = models.CharField(max_length=100, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=now)
    decided_at = models.DateTimeField(null=True, blank=True)


class Agreement(Row):
    """A version of the account agreement. In force from `effective_at` on, until a newer one is."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    version = models.PositiveIntegerField(unique=True)
    title_ja = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    text_ja = models.TextField()
    text_en = models.TextField()
    published_at = models.DateTimeField(default=now)
    effective_at = models.DateTimeField()
    published_by_name = models.CharField(max_length=100)


class Acceptance(Row):
    """Who accepted which text when: the text itself is the version's, which never changes; its hash is kept too."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="acceptances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    user_name = models.CharField(max_length=100)
    user_email = models.EmailField(max_length=254)
    role = models.CharField(max_length=32)
    language = models.CharField(max_length=5)
    text_hash = models.CharField(max_length=64)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "agreement"], name="agreement_accepted_once")]


class Guide(Row):
    """A document or video that the operator offers to customers (S24)."""

    class Kind(models.TextChoices):
        DOCUMENT = "document"
        VIDEO = "video"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    language = models.CharField(max_length=5)
    kind = models.CharField(max_length=8, choices=Kind)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    login_needed = models.BooleanField(default=False)
    is_main = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
