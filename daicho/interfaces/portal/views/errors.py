"""The page for a fault of ours, drawn even when what a page needs (the database, the session) is what failed."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.template import loader

logger = logging.getLogger("daicho.request")


def server_error(request: HttpRequest) -> HttpResponse:
    """500 with the number that finds the fault in the log; for a part of a page, a line for its banner."""
    body: str
    try:
        body = loader.render_to_string("500.html", request=request)
    except Exception:
        logger.exception("the page for a fault could not be drawn with its frame")
        body = loader.get_template("500.html").render()
    return HttpResponse(body, status=500)
