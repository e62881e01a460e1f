"""Errors as problem details (RFC 9457), and JSON as the API writes it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.renderers import BaseRenderer
from ninja.responses import NinjaJSONEncoder

from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.tracing import request_id


class FieldProblem(Schema):
    """One field that cannot be taken."""

    field: str
    code: str
    detail: str


class Problem(Schema):
    """RFC 9457, with a stable public `code`; `data` holds the figures of the refusal."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    data: dict[str, Any] = {}
    errors: list[FieldProblem] = []


# What any operation may answer besides its own: `response={200: Out, **PROBLEMS}`.
PROBLEMS: dict[Any, Any] = {
    400: Problem, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem, 429: Problem,
}  # fmt: skip


class JsonRenderer(BaseRenderer):
    """UTF-8 as it is, no escapes."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return json.dumps(data, cls=NinjaJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    data: dict[str, Any] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> HttpResponse:
    """A problem details answer."""
    body = {
        "type": f"urn:daicho:error:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id.get(),
        "data": data or {},
        "errors": errors or [],
    }
    return HttpResponse(
        json.dumps(body, ensure_ascii=False, default=str), status=status, content_type="application/problem+json"
    )


def of_error(error: BusinessError) -> HttpResponse:
    """The answer for a refusal of the domain."""
    fields = (
        [{"field": name, "code": found.code, "detail": found.text()} for name, found in error.errors.items()]
        if isinstance(error, FieldErrors)
        else []
    )
    return problem(error.http_status, error.code, error.text(), data=error.data, errors=fields)
