"""Reservations: what is locked to a device without network, and the authorizations that it was given (product.md, Devices)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.devices.models.keys import SigningKey
from daicho.domain.ledger.models import Entry, Holder, Unit
from daicho.domain.tenancy.models import SmartAccount


class Reservation(Row):
    """Licenses set aside for one device, bound to the key that its request code carried.

    Whose they are is the holder's unit, which a replacement changes; `bound_unit` is whose key it is. What may be done in
    which state: `devices.reservation_states`.
    """

    class State(models.TextChoices):
        PREPARED = "prepared"
        WAITING = "waiting"
        INSTALLED = "installed"
        CHANGING = "changing"
        RETURNED = "returned"
        WITHDRAWN = "withdrawn"
        UNDONE = "undone"

    OPEN: ClassVar[tuple[str, ...]] = (State.PREPARED, State.WAITING, State.INSTALLED, State.CHANGING)

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    holder = models.OneToOneField(Holder, on_delete=models.PROTECT, related_name="reservation")
    bound_unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")  # of the ledger, by which it was made
    state = models.CharField(max_length=12, choices=State, default=State.PREPARED)
    state_since = models.DateTimeField(default=now)
    is_universal = models.BooleanField(default=False)  # lots were not chosen by a person

    public_key = models.BinaryField()
    thumbprint = models.CharField(max_length=43)
    nonce = models.CharField(max_length=16)
    product_id = models.CharField(max_length=64)
    serial = models.CharField(max_length=64)
    names = models.JSONField(default=dict)  # tag id → how the device calls it, where it does not say the SKU

    number = models.PositiveIntegerField(default=1)  # of the last authorization
    installed_number = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    created_by = models.CharField(max_length=200)
    statement = models.CharField(max_length=500, blank=True)
    memo = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thumbprint", "nonce"], condition=~Q(state="undone"), name="reservation_request_code_once"
            ),
            models.UniqueConstraint(fields=["entry"], name="reservation_entry_once"),
        ]
        indexes = [
            models.Index(fields=["account", "-state_since", "-uid"], name="reservation_by_state_since"),
            models.Index(fields=["account", "state", "-state_since", "-uid"], name="reservation_by_state"),
        ]

    def __str__(self) -> str:
        return self.uid


class ReservationAuthorization(Row):
    """An authorization as it was made: the file's document and the typed form, the same at each look."""

    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="authorizations", db_index=False
    )
    number = models.PositiveIntegerField()
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="+")
    document = models.TextField()
    code = models.TextField(blank=True)  # "" where it is too long to be typed
    made_at = models.DateTimeField(default=now)
    shown_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reservation", "number"], name="reservation_authorization_once")]


class ReservationAct(Row):
    """What was done with a reservation, by request: the same again is answered as the first time."""

    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="acts")
    request_id = models.UUIDField()
    act = models.CharField(max_length=12)
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)
    actor_name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "request_id"], name="reservation_act_once")]
