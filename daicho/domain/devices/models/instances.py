"""Product instances: devices that register and draw licenses by themselves (product.md, Devices)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.devices.models.records import Device
from daicho.domain.devices.models.tokens import RegistrationToken
from daicho.domain.tenancy.models import SmartAccount

ALIVE = ("registered", "expired")
"""States in which an instance may still be answered: registered, or expired and to be renewed."""
IS_ALIVE = Q(registration__in=ALIVE)


class Instance(Row):
    """The row that every request of a device reads and at most one writes: its keys, its states, its last contact.

    Out of compliance is not stored: an authorized instance is so while a tag that it draws is short in its pool. A
    device without an instance is unregistered.
    """

    class Registration(models.TextChoices):
        REGISTERED = "registered"
        EXPIRED = "expired"
        REPLACED = "replaced"
        REMOVED = "removed"

    class Authorization(models.TextChoices):
        NONE = "none"
        EVALUATION = "evaluation"
        EVALUATION_EXPIRED = "evaluation_expired"
        AUTHORIZED = "authorized"
        AUTHORIZATION_EXPIRED = "authorization_expired"
        RESERVED = "reserved"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    # A device whose instance was removed may register again: the former instance stays, to be refused.
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="instances")
    token = models.ForeignKey(
        RegistrationToken, on_delete=models.PROTECT, null=True, blank=True, related_name="instances"
    )
    registration = models.CharField(max_length=12, choices=Registration, default=Registration.REGISTERED)
    authorization = models.CharField(max_length=24, choices=Authorization, default=Authorization.NONE)
    authorization_since = models.DateTimeField(default=now)
    evaluation_seconds = models.PositiveIntegerField(default=0)  # of use, as the agent counts it
    allows_export_controlled = models.BooleanField(default=False)

    thumbprint = models.CharField(max_length=43)  # RFC 7638, of the public key
    public_key = models.BinaryField()
    mac_key_sealed = models.BinaryField()
    mac_generation = models.PositiveIntegerField(default=1)
    # What was good before a renewal stays good until the present MAC key is first used: a lost answer locks nobody out.
    former_mac_key_sealed = models.BinaryField(null=True, blank=True)
    former_mac_generation = models.PositiveIntegerField(null=True, blank=True)
    former_public_key = models.BinaryField(null=True, blank=True)
    former_thumbprint = models.CharField(max_length=43, blank=True)
    certificate_from = models.DateTimeField()
    certificate_until = models.DateTimeField()

    registered_at = models.DateTimeField(default=now)
    registration_request_id = models.UUIDField()
    registration_created = models.BigIntegerField(default=0)  # by the device's clock: an older one again is a replay
    last_contact_at = models.DateTimeField(default=now)
    contact_due_at = models.DateTimeField()
    last_sequence = models.BigIntegerField(default=0)
    last_request_id = models.UUIDField(null=True, blank=True)
    last_fingerprint = models.CharField(max_length=64, blank=True)
    last_answer = models.TextField(blank=True)
    reused_sequence_at = models.DateTimeField(null=True, blank=True)  # since when two seem to use this identity
    software_name = models.CharField(max_length=100, blank=True)
    software_version = models.CharField(max_length=100, blank=True)
    agent_version = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device"], condition=IS_ALIVE, name="instance_once_alive"),
            models.UniqueConstraint(fields=["thumbprint"], condition=IS_ALIVE, name="instance_key_once"),
        ]
        indexes = [
            models.Index(fields=["thumbprint"], name="instance_by_key"),
            models.Index(
                fields=["former_thumbprint"], condition=~Q(former_thumbprint=""), name="instance_by_former_key"
            ),
            # Their condition is that of the questions, word by word: else PostgreSQL reads every instance.
            models.Index(fields=["last_contact_at"], condition=IS_ALIVE, name="instance_by_contact"),
            models.Index(fields=["contact_due_at"], condition=IS_ALIVE, name="instance_by_due"),
            models.Index(fields=["certificate_until"], condition=IS_ALIVE, name="instance_by_certificate"),
            models.Index(
                fields=["account"], condition=Q(reused_sequence_at__isnull=False), name="instance_seems_twice"
            ),
        ]

    def __str__(self) -> str:
        return self.uid

    @property
    def is_alive(self) -> bool:
        """Whether it may still be answered: registered, or expired and to be renewed."""
        return self.registration in ALIVE
