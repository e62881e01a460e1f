"""What every page may use."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from daicho import __version__
from daicho.interfaces.portal.navigation import frame_context


def portal(request: HttpRequest) -> dict[str, Any]:
    """Version, operator, support desk, the maintenance notice in the page's language, and the frame of the page.

    `new_request_id` goes into a hidden field of every form that writes, so that a double click acts once.
    """
    return {
        "version": __version__,
        "demo": settings.DEMO,
        "operator_name": settings.OPERATOR_NAME,
        "support_mail": settings.SUPPORT_MAIL,
        "support_phone": settings.SUPPORT_PHONE,
        "maintenance_notice": settings.MAINTENANCE_NOTICE.get(get_language() or "en", ""),
        "new_request_id": request.POST.get("request_id") or str(uuid.uuid4()),
    } | frame_context(request)
