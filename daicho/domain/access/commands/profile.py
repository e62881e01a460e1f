"""What a person decides about himself: name, department, language, time zone, looks (design.md, own settings)."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import clean
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.audit.record import record

PUBLIC_FACTS = ("name", "department", "language", "time_zone")


@command(permission=None, events=("user.edited",))
def set_language(actor: Actor, *, language: str) -> None:
    """A person reads and gets mails in another language from now on."""
    user = ensure_signed_in(actor)
    _save(actor, user, {"language": _language(language)})


@command(permission=None, events=("user.edited",))
def edit_profile(
    actor: Actor,
    *,
    name: str,
    department: str,
    language: str,
    time_zone: str,
    theme: str,
    keyboard_shortcuts: bool,
) -> User:
    """A person changes his own name, department, language, time zone, theme and keyboard shortcuts.

    Raises `invalid_input` with the fields that cannot be taken.
    """
    user = ensure_signed_in(actor)
    errors: dict[str, BusinessError] = {}
    name, department = clean(name), clean(department)
    if not name:
        errors["name"] = BusinessError("name_missing", 422, _("Enter your name."))
    for field, text in (("name", name), ("department", department)):
        if len(text) > 100:
            errors[field] = BusinessError("too_long", 422, _("Enter at most %(limit)d characters."), limit=100)
    if language not in dict(settings.LANGUAGES):
        errors["language"] = BusinessError("unknown_language", 422, _("Choose one of the languages."))
    if time_zone not in zoneinfo.available_timezones():
        errors["time_zone"] = BusinessError("unknown_time_zone", 422, _("Choose one of the time zones."))
    if theme not in User.Theme.values:
        errors["theme"] = BusinessError("unknown_theme", 422, _("Choose one of the themes."))
    if errors:
        raise FieldErrors(errors)
    changed = {
        "name": name,
        "department": department,
        "language": language,
        "time_zone": time_zone,
        "theme": theme,
        "keyboard_shortcuts": keyboard_shortcuts,
    }
    _save(actor, user, changed)
    return user


def _save(actor: Actor, user: User, changed: dict[str, Any]) -> None:
    before = {name: getattr(user, name) for name in changed}
    differing = [name for name in changed if changed[name] != before[name]]
    if not differing:
        return
    for name in differing:
        setattr(user, name, changed[name])
    user.save(update_fields=differing)
    told = [name for name in differing if name in PUBLIC_FACTS]
    if told:
        record(
            actor,
            "user.edited",
            subject=user.email,
            subject_uid=user.uid,
            before={name: before[name] for name in told},
            after={name: changed[name] for name in told},
        )


def _language(code: str) -> str:
    if code not in dict(settings.LANGUAGES):
        raise BusinessError("unknown_language", 422, _("Choose one of the languages."))
    return code
