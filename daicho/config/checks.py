"""System checks of the settings: `daicho.E0nn` a value cannot be read, `daicho.E1nn` values do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TAG = "daicho"


@register(TAG)
def unreadable_values(**_: Any) -> list[CheckMessage]:
    """E001–E099: a value of the environment cannot be read; E100: the name is unknown."""
    return [Error(problem.message, hint=problem.hint, id=f"daicho.{problem.code}") for problem in settings.ENV.problems]


@register(TAG)
def secret_key(**_: Any) -> list[CheckMessage]:
    """E101: the key is short. E102: none is set although the database is a server."""
    hint = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))"'
    if not settings.ENV["DAICHO_SECRET_KEY"] and not settings.ON_SQLITE:
        return [Error("DAICHO_SECRET_KEY is not set.", hint=hint, id="daicho.E102")]
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        return [
            Error("DAICHO_SECRET_KEY is too short to be safe: at least 50 characters.", hint=hint, id="daicho.E101")
        ]
    return []


@register(TAG)
def site_is_secure(**_: Any) -> list[CheckMessage]:
    """E103: a real installation is reached over plain http from elsewhere. E104: DEBUG is on for such a site."""
    if settings.SITE.hostname in {"localhost", "127.0.0.1", "::1"} or settings.DEMO:
        return []
    found: list[CheckMessage] = []
    if not settings.SECURE:
        found.append(
            Error(
                "DAICHO_SITE_URL begins with http://: passwords and sessions would travel in the clear.",
                hint="Put a reverse proxy with TLS in front, set an https:// address and DAICHO_TRUSTED_PROXIES.",
                id="daicho.E103",
            )
        )
    if settings.DEBUG:
        found.append(Error("DAICHO_DEBUG is on for a public address.", hint="Unset DAICHO_DEBUG.", id="daicho.E104"))
    return found


@register(TAG)
def demonstration_is_local(**_: Any) -> list[CheckMessage]:
    """W105: the demonstration shows every mail to everybody who reaches it."""
    if settings.DEMO and settings.SITE.hostname not in {"localhost", "127.0.0.1", "::1"}:
        return [
            Warning(
                "DAICHO_DEMO is on for an address that others reach: every mail is shown to everybody.",
                hint="Unset DAICHO_DEMO, or serve on localhost.",
                id="daicho.W105",
            )
        ]
    return []


@register(TAG)
def sqlite_directory(**_: Any) -> list[CheckMessage]:
    """E106: the directory of the SQLite file is not there."""
    name = str(settings.DATABASES["default"]["NAME"])
    in_memory = "memory" in name
    if settings.ON_SQLITE and not in_memory and not Path(name).parent.is_dir():
        return [
            Error(
                f"The directory of the database {name} does not exist.",
                hint="Create it, or correct DAICHO_DATABASE_URL or DAICHO_DATA.",
                id="daicho.E106",
            )
        ]
    return []
