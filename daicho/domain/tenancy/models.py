"""The two nouns every row points to: the company's Smart Account and its virtual accounts (S5, S6)."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row


class SmartAccount(Row):
    """One company, known by its domain identifier, which is unique while the account takes it."""

    class State(models.TextChoices):
        PROVISIONAL = "provisional"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"
        RELEASED = "released"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    identifier = models.CharField(max_length=253)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=State, default=State.PROVISIONAL)
    country = models.CharField(max_length=2, default="JP")
    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    postal_code = models.CharField(max_length=20, blank=True)
    region = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    street = models.CharField(max_length=200, blank=True)
    building = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    # Written by the accounts room, read by all. None: no agreement was ever accepted (product.md, good standing).
    good_standing_until = models.DateTimeField(null=True, blank=True)
    transfers_need_approval = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identifier"], condition=~Q(state="released"), name="smart_account_identifier_taken_once"
            )
        ]

    def __str__(self) -> str:
        return self.identifier

    def in_good_standing(self, at: dt.datetime | None = None) -> bool:
        return self.good_standing_until is not None and self.good_standing_until > (at or now())


class VirtualAccount(Row):
    """A child account: a department, a place, a maintenance partner. `path` is "/id/id/" from the root to itself."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="virtual_accounts")
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, blank=True, db_index=True)
    depth = models.PositiveSmallIntegerField(default=1)
    is_default = models.BooleanField(default=False)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    created_at = models.DateTimeField(default=now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name_key"], condition=Q(deleted_at=None), name="virtual_account_name_once"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(is_default=True), name="virtual_account_one_default"
            ),
            models.CheckConstraint(condition=Q(depth__gte=1, depth__lte=8), name="virtual_account_depth"),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(deleted_at=None), name="virtual_account_default_stays"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VirtualAccountTag(Row):
    """A free label of a virtual account, 20 at most."""

    virtual_account = models.ForeignKey(VirtualAccount, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)
    name_key = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["virtual_account", "name_key"], name="virtual_account_tag_once")]

    def __str__(self) -> str:
        return self.name
