"""How long what holds, and when a device is to come again (product.md, Devices): one place, set by the operator."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.conf import settings

HOUR = dt.timedelta(hours=1)


def _days(name: str) -> dt.timedelta:
    return dt.timedelta(days=settings.DEVICE_TIMERS[name])


def certificate_life() -> dt.timedelta:
    return _days("CERTIFICATE_DAYS")


def renewal_age() -> dt.timedelta:
    """The age of a certificate from which it is to be renewed, always before it ends."""
    return min(_days("RENEW_DAYS"), certificate_life() - HOUR)


def silence_limit() -> dt.timedelta:
    """After so long without a word an authorization expires and its use returns."""
    return _days("SILENCE_DAYS")


def evaluation_seconds() -> int:
    """How long a device may be used without an authorization, in seconds of use."""
    return int(_days("EVALUATION_DAYS").total_seconds())


def key_notice() -> dt.timedelta:
    """How long a new signing key is known before it signs."""
    return _days("KEY_NOTICE_DAYS")


def contact_within(at: dt.datetime, uid: str, *, is_short: bool, next_change_at: dt.datetime | None) -> dt.timedelta:
    """When an instance is to come again: within 30 days, 12 hours while it lacks licenses, and at most an hour after a
    strict pool that it draws on changes (spread over that hour, so that a fleet does not come at once)."""
    within = dt.timedelta(hours=settings.DEVICE_TIMERS["SHORT_HOURS"]) if is_short else _days("CONTACT_DAYS")
    if next_change_at is not None:
        share = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4]) / 2**32
        within = min(within, max(dt.timedelta(0), next_change_at - at) + HOUR * share)
    return max(within, dt.timedelta(minutes=1))
