"""The demonstration shows the one-time code of its own operator, whose authenticator app nobody has."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.conf import settings

OPERATOR = "operator@kumo.example"


def operators_code() -> str:
    """The code that logs the demonstration's operator in now; "" outside a demonstration, or without the operator."""
    if not settings.DEMO:
        return ""
    found = Authenticator.objects.filter(user__email=OPERATOR, type=Authenticator.Type.TOTP).first()
    if found is None:
        return ""
    _before, counter, *_later = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(decrypt(found.data["secret"]), counter)))
