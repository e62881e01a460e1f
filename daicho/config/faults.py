"""What nothing else has caught, answered in the form of the interface that was asked."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse

from daicho.interfaces.api import errors as api
from daicho.interfaces.portal.views import errors as portal


def server_error(request: HttpRequest) -> HttpResponse:
    """A problem for programs, a page for people. A commit that fails comes here, since it fails after the view."""
    error = sys.exc_info()[1]
    if request.path.startswith("/api/"):
        return api.fault(request, error)
    return portal.server_error(request)
