"""What allauth tells about passwords and two-step log-in, kept in the event log.

allauth offers these moments only as signals; nothing of our own is wired this way.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.http import HttpRequest

from daicho.domain.access.commands.people import note_failed_log_in, note_user_event
from daicho.interfaces.portal.web import actor_of


def listen() -> None:
    """Begin to listen; called once, when the portal is ready."""
    for signal in (password_changed, password_set, password_reset):
        signal.connect(_password_changed, dispatch_uid="daicho.password")
    authenticator_added.connect(_two_step_on, dispatch_uid="daicho.two_step")
    authentication_failed.connect(_wrong_code, dispatch_uid="daicho.wrong_code")
    authenticator_removed.connect(_two_step_off, dispatch_uid="daicho.two_step")


def _password_changed(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    note_user_event(actor_of(request), user=user, kind="user.password_changed")


def _wrong_code(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    note_failed_log_in(actor_of(request), email=user.email)


def _two_step_on(request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        note_user_event(actor_of(request), user=user, kind="user.two_step_on")


def _two_step_off(request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        note_user_event(actor_of(request), user=user, kind="user.two_step_off")
