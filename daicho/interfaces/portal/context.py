"""What every page may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from daicho import __version__


def portal(request: HttpRequest) -> dict[str, Any]:
    """Version, operator, support desk and the maintenance notice in the page's language."""
    return {
        "version": __version__,
        "demo": settings.DEMO,
        "operator_name": settings.OPERATOR_NAME,
        "support_mail": settings.SUPPORT_MAIL,
        "support_phone": settings.SUPPORT_PHONE,
        "maintenance_notice": settings.MAINTENANCE_NOTICE.get(get_language() or "en", ""),
    }
