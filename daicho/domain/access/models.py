"""Who people and programs are, and what each may do where."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Lower

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row
from daicho.domain.access.rules import Role
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user whose address is taken as confirmed: whoever calls this vouches for it. Sign-up does not pass here."""
        fields.setdefault("email_confirmed_at", now())
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_operator=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by one mail address, who can log in once it is confirmed. `is_operator`: staff of the licensor."""

    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=100, blank=True)
    department = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=5, default="ja")
    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)
    keyboard_shortcuts = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=now)
    email_confirmed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email

    @property
    def mail_domain(self) -> str:
        return self.email.rpartition("@")[2].lower()


class PartnerCompany(Row):
    """A reseller or maintenance company; made by the operator."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.name


class PartnerMember(Row):
    """A user who records orders for a partner company."""

    company = models.ForeignKey(PartnerCompany, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="partner_memberships")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "user"], name="partner_member_once")]


class ApiClient(Row):
    """A program of one account, one partner company, or the operator: a secret (only its SHA-256 is kept), scopes,
    an end, and (in an account) grants of its own."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(
        SmartAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="api_clients"
    )
    company = models.ForeignKey(
        PartnerCompany, on_delete=models.PROTECT, null=True, blank=True, related_name="api_clients"
    )
    is_operator = models.BooleanField(default=False)
    name = models.CharField(max_length=100)
    secret_hash = models.CharField(max_length=64, unique=True)
    secret_hint = models.CharField(max_length=8)
    scopes = models.JSONField(default=list)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, company=None, is_operator=False)
                | Q(account=None, company__isnull=False, is_operator=False)
                | Q(account=None, company=None, is_operator=True),
                name="api_client_has_one_owner",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Grant(Row):
    """A right: a user or an API client + role + the account or one virtual account + optional end.

    Live while not revoked and not ended. What is over stays as history; `ended_at` says when its end was recorded.
    One holder has one live grant per scope.
    """

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="grants")
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="grants"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="grants"
    )
    api_client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=32, choices=Role.choices)
    ends_at = models.DateTimeField(null=True, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    granted_by_name = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "account"], condition=Q(revoked_at=None), name="grant_live_by_user"),
            models.Index(
                fields=["account", "virtual_account"], condition=Q(revoked_at=None), name="grant_live_by_scope"
            ),
            models.Index(
                fields=["ends_at"],
                condition=Q(revoked_at=None, ended_at=None, ends_at__isnull=False),
                name="grant_ending",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                "account",
                Coalesce("virtual_account", Value(0)),
                Coalesce("user", Value(0)),
                Coalesce("api_client", Value(0)),
                condition=Q(revoked_at=None, ended_at=None),
                name="grant_live_once_per_scope",
            ),
            models.CheckConstraint(
                condition=Q(user=None, api_client__isnull=False) | Q(user__isnull=False, api_client=None),
                name="grant_has_one_holder",
            ),
        ]


class Invitation(Row):
    """A mail that offers a right to somebody; the link is single-use and ends."""

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        WITHDRAWN = "withdrawn"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="invitations")
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=32, choices=Role.choices)
    language = models.CharField(max_length=5, default="ja")
    grant_ends_at = models.DateTimeField(null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    answered_at = models.DateTimeField(null=True, blank=True)


class AccessRequest(Row):
    """Somebody asks for a right; an administrator approves, changes or declines it (S9)."""

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="access_requests")
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_requests")
    role = models.CharField(max_length=32, choices=Role.choices)
    # What he typed, compared only when an administrator answers: nobody learns here which virtual accounts exist.
    virtual_account_name = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by_name = models.CharField(max_length=100, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "user"], condition=Q(state="open"), name="access_request_one_open"
            )
        ]


class HandOver(Row):
    """ "My colleague leaves": on a date every live grant of one user in the account becomes another's."""

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.PROTECT, related_name="hand_overs")
    from_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=64, blank=True)
    created_by_name = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=now)


class IdempotentRequest(Row):
    """The first answer to an API write, by who asked and his Idempotency-Key; kept 7 days."""

    owner = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotent_request_once")]


class Draft(Row):
    """What a person has typed so far in a wizard: survives a closed browser and an ended session."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    kind = models.CharField(max_length=32)
    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    account = models.ForeignKey(SmartAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)


class Preference(Row):
    """One remembered choice of a person: columns of a list, a saved view, steps of the tour."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    key = models.CharField(max_length=100)
    value = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="preference_once")]
