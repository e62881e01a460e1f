"""What every request passes before it reaches a page: its id, its true origin, the limits of its session."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from daicho.core.outliving import outliving
from daicho.core.proxies import client_behind, is_trusted
from daicho.core.tracing import request_id

type GetResponse = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger("daicho.request")

VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}\Z")


class OutlivingMiddleware:
    """Keeps what an act noted although it was refused, once its transaction is over."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with outliving():
            return self.get_response(request)


class RequestContextMiddleware:
    """Gives each request an id (a valid X-Request-ID is kept), believes trusted proxies, logs one line per answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if VALID_REQUEST_ID.match(given) else uuid.uuid4().hex)
        try:
            believe_trusted_proxies(request)
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            logger.info(
                "%s %s %s",
                request.method,
                request.path,
                response.status_code,
                extra={"status": response.status_code, "milliseconds": round((time.perf_counter() - started) * 1000)},
            )
            return response
        finally:
            request_id.reset(token)


def believe_trusted_proxies(request: HttpRequest) -> None:
    """Replace the peer's address and scheme by what trusted proxies say of them (`client_behind`)."""
    peer, forwarded_for = request.META.get("REMOTE_ADDR", ""), request.META.pop("HTTP_X_FORWARDED_FOR", "")
    if not is_trusted(peer, settings.TRUSTED_PROXIES):
        return
    if request.META.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() == "https":
        request.META["wsgi.url_scheme"] = "https"
    request.META["REMOTE_ADDR"] = client_behind(peer, forwarded_for, settings.TRUSTED_PROXIES)


class CleanAddressMiddleware:
    """Refuses an address that holds a NUL character: no name has one, and PostgreSQL cannot even be asked for it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(b"400: a NUL character in the address\n", status=400, content_type="text/plain")
        return self.get_response(request)


class SessionLimitsMiddleware:
    """Ends a session 7 days after log-in, and keeps it alive 12 hours beyond its last use (product.md §3).

    The session is written at most every five minutes, so that reading pages stays free of writes.
    """

    TOUCH_EVERY = 300
    BEGAN, TOUCHED = "began", "touched"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            began = request.session.setdefault(self.BEGAN, now)
            if now - began > settings.SESSION_LONGEST:
                logout(request)
            elif now - request.session.get(self.TOUCHED, 0) >= self.TOUCH_EVERY:
                request.session[self.TOUCHED] = now
        return self.get_response(request)


class UserLanguageMiddleware:
    """Shows pages in the language that the person chose, on every machine (S10)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.language != translation.get_language():
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language  # as LocaleMiddleware does
        return self.get_response(request)
