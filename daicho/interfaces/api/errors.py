"""Every way a request can fail, as a problem with a code."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, ValidationError

from daicho.core.errors import BusinessError, NotFound
from daicho.core.storage import AGAIN_IN_SECONDS, storage_fault
from daicho.core.tracing import request_id
from daicho.interfaces.api.problems import of_error, problem

logger = logging.getLogger("daicho.api")


def install(api: NinjaAPI) -> None:
    api.add_exception_handler(BusinessError, _refused)
    api.add_exception_handler(Http404, _missing)
    api.add_exception_handler(AuthenticationError, _unauthenticated)
    api.add_exception_handler(AuthorizationError, _csrf)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http)
    api.add_exception_handler(Exception, _internal)


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return of_error(error)


def _missing(request: HttpRequest, error: Any) -> HttpResponse:
    return of_error(NotFound())


def _unauthenticated(request: HttpRequest, error: Any) -> HttpResponse:
    answer = problem(401, "authentication_required", _("Send the secret of an API client, or log in to the portal."))
    answer["WWW-Authenticate"] = 'Bearer realm="daicho"'
    return answer


def _csrf(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(403, "csrf_failed", _("Send the CSRF token of your session in the header X-CSRFToken."))


def _http(request: HttpRequest, error: Any) -> HttpResponse:
    code = {400: "bad_request", 403: "csrf_failed", 429: "too_many_requests"}.get(error.status_code, "refused")
    return problem(error.status_code, code, str(error))


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    fields = []
    for found in error.errors:
        where = [
            str(part) for part in found["loc"] if part not in ("body", "query", "path", "header", "form", "payload")
        ]
        fields.append({"field": ".".join(where), "code": str(found["type"]), "detail": str(found["msg"])})
    return problem(422, "invalid_input", _("Check the marked fields. Nothing was saved."), errors=fields)


def _internal(request: HttpRequest, error: Any) -> HttpResponse:
    if settings.DEBUG_PROPAGATE_EXCEPTIONS:
        raise error
    return fault(request, error)


def fault(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """A storage that cannot save: 503, to be sent again. Anything else: 500 with the number that is in the log."""
    unavailable = storage_fault(error)
    if unavailable is not None:
        logger.error("%s %s: storage %s", request.method, request.path, unavailable.data["reason"], exc_info=error)
        answer = of_error(unavailable)
        answer["Retry-After"] = str(AGAIN_IN_SECONDS)
        return answer
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(
        500,
        "internal",
        _(
            "We could not do this. Nothing was saved. Try again in a few minutes; if it persists, give the desk the number %(number)s."
        )
        % {"number": request_id.get()[:8].upper()},
    )
