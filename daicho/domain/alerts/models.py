"""What needs somebody: alerts with a beginning and an end, and how each person wants to hear of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

DEFAULT_DAYS = (90, 30, 7)


def default_days() -> list[int]:
    return list(DEFAULT_DAYS)


URGENCY = Case(
    When(severity="major", then=Value(1)),
    When(severity="minor", then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)


class Alert(Row):
    """One fact that lasts: unresolved once per (kind, source)."""

    class Severity(models.TextChoices):
        MAJOR = "major"
        MINOR = "minor"
        INFORMATIONAL = "informational"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="alerts")
    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, null=True, related_name="alerts")
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=14, choices=Severity)
    source = models.CharField(max_length=80)
    data = models.JSONField(default=dict)
    action_due_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(default=now)
    hidden_until = models.DateTimeField(null=True, blank=True)
    hidden_by_name = models.CharField(max_length=100, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source"], condition=Q(resolved_at=None), name="alert_once_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["account", "virtual_account"], condition=Q(resolved_at=None), name="alert_open"),
            models.Index(fields=["account", "-since", "-uid"], name="alert_by_time"),
            models.Index(
                "account",
                URGENCY,
                "action_due_at",
                F("since").desc(),
                "uid",
                condition=Q(resolved_at=None),
                name="alert_by_urgency",
            ),
        ]


class NotificationSetting(Row):
    """How one person hears of an account: mail at once, the daily summary, and how many days before an end."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_settings")
    account = models.ForeignKey(SmartAccount, on_delete=models.CASCADE, related_name="+")
    at_once = models.BooleanField(default=True)
    daily_summary = models.BooleanField(default=True)
    days = models.JSONField(default=default_days)
    muted_kinds = models.JSONField(default=list)
    # The day, in the user's zone, whose summary is settled, and the instant up to which it told.
    summarized_on = models.DateField()
    summarized_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "account"], name="notification_setting_once")]
        indexes = [models.Index(fields=["summarized_on"], name="notification_setting_due")]


class ExtraAddress(Row):
    """A further address of the account's own domain that gets the mails, once confirmed."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.CASCADE, related_name="extra_addresses")
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=5, default="ja")
    token_hash = models.CharField(max_length=64, unique=True)
    token_expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    summarized_on = models.DateField()
    summarized_at = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "email"], name="extra_address_once")]
