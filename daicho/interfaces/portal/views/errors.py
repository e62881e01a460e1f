"""The page for a fault of ours, drawn even when what a page needs (the database, the session) is what failed."""

from __future__ import annotations

import logging
import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader

from daicho.core.storage import AGAIN_IN_SECONDS, storage_fault

logger = logging.getLogger("daicho.request")


def server_error(request: HttpRequest) -> HttpResponse:
    """500 with the number that finds the fault in the log; for a part of a page, a line for its banner.

    503 with its reason when the storage cannot save or be read: whatever was entered may be sent again.
    """
    unavailable = storage_fault(sys.exc_info()[1])
    if unavailable is None:
        return HttpResponse(_drawn("500.html", request), status=500)
    page = HttpResponse(_drawn("errors/storage.html", request, error=unavailable), status=503)
    page["Retry-After"] = str(AGAIN_IN_SECONDS)
    return page


def _drawn(template: str, request: HttpRequest, **context: object) -> str:
    try:
        return loader.render_to_string(template, context, request=request)
    except Exception:
        logger.exception("the page for a fault could not be drawn with its frame")
        return loader.get_template(template).render(context)
