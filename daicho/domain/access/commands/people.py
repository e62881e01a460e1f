"""People come, confirm their address, log in and out (S10). Log-in itself is allauth's; what happened is kept here."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.core.text import clean
from daicho.domain.access.errors import BadAddress, LastAdministrator
from daicho.domain.access.giving import lock_account, rewrite_grant
from daicho.domain.access.models import User
from daicho.domain.access.policy import live_grants
from daicho.domain.access.rules import OUTSIDER_PERIOD, Role, is_outsider
from daicho.domain.audit.record import record
from daicho.domain.tenancy.rules import normal_address


def checked_address(text: str) -> str:
    """A mail address in the form that is stored and compared. Raises `bad_address` (422)."""
    address = normal_address(text)
    try:
        validate_email(address)
    except ValidationError:
        raise BadAddress from None
    if len(address) > 254:
        raise BadAddress
    return address


def acting_as(actor: Actor, user: User) -> Actor:
    """The same request, acted by a person who is just becoming known in it."""
    return replace(actor, kind=ActorKind.USER, name=user.name or user.email, user_id=user.pk)


@command(permission=None, events=("user.registered",))
def register_user(actor: Actor, *, user: User, name: str, department: str, language: str) -> User:
    """Somebody signs up; the person can log in once the address is confirmed.

    `user` carries the address and the password that the sign-up has checked.
    """
    user.email = normal_address(user.email)
    user.name, user.department, user.language = clean(name)[:100], clean(department)[:100], language
    user.save()
    record(
        acting_as(actor, user), "user.registered", subject=user.email, subject_uid=user.uid,
        after={"name": user.name, "department": user.department},
    )  # fmt: skip
    return user


@command(permission=None, events=("user.edited",))
def confirm_address(actor: Actor, *, user: User, email: str) -> None:
    """A person has shown that the mail address is his; from now on it is the one he is known by.

    Where a change of address makes him a partner user, his rights get an end (S23), unless the account would be left
    without an administrator.
    """
    before = {"email": user.email, "confirmed": user.email_confirmed_at is not None}
    user.email = normal_address(email)
    user.email_confirmed_at = now()
    user.save(update_fields=["email", "email_confirmed_at"])
    after = {"email": user.email, "confirmed": True}
    if after != before:
        record(
            acting_as(actor, user), "user.edited", subject=user.email, subject_uid=user.uid, before=before, after=after
        )
    if before["email"] != user.email:
        _end_rights_of_outsider(actor, user)


def _end_rights_of_outsider(actor: Actor, user: User) -> None:
    for grant in live_grants().filter(user=user, ends_at=None).select_related("account", "virtual_account", "user"):
        if is_outsider(user.mail_domain, grant.account.identifier):
            with contextlib.suppress(LastAdministrator), transaction.atomic():
                lock_account(grant.account)
                rewrite_grant(actor, grant, Role(grant.role), now() + OUTSIDER_PERIOD)


@command(permission=None, events=("operator.created",))
def create_operator(actor: Actor, *, email: str, password: str, name: str = "", language: str = "ja") -> User:
    """The owner of the machine makes somebody staff of the licensor; he sets up two-step log-in at his first log-in.

    Only at the console. Somebody who has signed up becomes staff and keeps his password when `password` is empty.
    Raises `bad_address`, `password_missing`.
    """
    if not actor.is_system:
        raise NotFound
    address = checked_address(email)
    user = User.objects.filter(email=address).first()
    if user is None and not password:
        raise BusinessError("password_missing", 422, _("Enter a password for the new operator."))
    if user is None:
        user = User.objects.create_user(address, password, name=clean(name)[:100], language=language, is_operator=True)
    else:
        user.is_operator, user.is_active = True, True
        user.email_confirmed_at = user.email_confirmed_at or now()
        if password:
            user.set_password(password)
        user.save()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    record(actor, "operator.created", subject=user.email, subject_uid=user.uid)
    return user


@command(
    permission=None,
    events=(
        "user.logged_in",
        "user.logged_out",
        "user.password_changed",
        "user.two_step_on",
        "user.two_step_off",
        "user.sessions_ended",
    ),
)
def note_user_event(actor: Actor, *, user: User, kind: str) -> None:
    """The log keeps that a person logged in or out, changed his password or two-step log-in, or ended sessions."""
    record(acting_as(actor, user), kind, subject=user.email, subject_uid=user.uid)


@command(permission=None, events=("user.log_in_failed",))
def note_failed_log_in(actor: Actor, *, email: str) -> None:
    """The log keeps that somebody failed to log in with an address, whether or not anybody is known by it."""
    record(actor, "user.log_in_failed", subject=normal_address(email)[:254])
