"""Acts of programs that wait for one another share a commit (docs/decisions/0014-shared-commit.md).

A lane (core/lanes.py) makes whatever acts are queued in one transaction, and answers each after the commit. It answers
what succeeds and what the rules refuse. What is repeated, malformed, unusual or unlucky is not answered here: nothing was
written for it, and it goes the ordinary way, alone, as if it had never been here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from ninja import Schema
from pydantic import ValidationError

from daicho.core.errors import BusinessError
from daicho.core.lanes import Lane
from daicho.core.text import fingerprint
from daicho.domain.access.queries import Knock
from daicho.interfaces.api.idempotency import MAX_KEY
from daicho.interfaces.api.problems import of_error

LARGEST = 16_384
"""Bytes of a body; a longer one has many lines and is worth a commit of its own."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a request asks, as far as it can be read without the database. `place`: the parts of its path."""

    knock: Knock
    key: str
    fingerprint: str
    place: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: str


type Decision = Answer | BusinessError | None
"""The answer, the refusal, or None: not made, to be made alone."""
type ActLane = Lane[Act, Answer | BusinessError]


@dataclass(frozen=True, slots=True)
class Route:
    """The acts of one address: how their body is read, and the lane that makes them."""

    path: re.Pattern[str]
    schema: type[Schema]
    lane: ActLane


def read(request: HttpRequest, route: Route, place: dict[str, str]) -> Act | None:
    """The act, or None if it must go the ordinary way: without key or secret, too long, malformed."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "").strip()
    length = request.META.get("CONTENT_LENGTH", "")
    if scheme.lower() != "bearer" or not 0 < len(key) <= MAX_KEY or not length.isdecimal() or int(length) > LARGEST:
        return None
    try:
        request.get_host()
        body = route.schema.model_validate_json(request.body)
    except (DisallowedHost, ValidationError):
        return None
    uid, _, secret = token.strip().partition(".")
    content = [request.method, request.get_full_path(), hashlib.sha256(request.body).hexdigest()]
    knock = Knock(uid, secret, request.META.get("REMOTE_ADDR", ""))
    return Act(knock, key, fingerprint(content), place, body)


def answer_together(request: HttpRequest, routes: Sequence[Route]) -> HttpResponse | None:
    """The answer of an act that was decided together with others, if this is one."""
    for route in routes:
        if (found := route.path.fullmatch(request.path_info)) is not None:
            act = read(request, route, found.groupdict())
            answer = route.lane.ask(act) if act is not None else None
            if answer is None:
                return None
            if isinstance(answer, BusinessError):
                return _refusal(request, answer)
            content = answer.content.encode()
            return HttpResponse(content, status=answer.status, headers={
                "Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content)),
            })  # fmt: skip
    return None


def _refusal(request: HttpRequest, error: BusinessError) -> HttpResponse:
    """The refusal in the language that the request asks for, with the headers of the middleware that it did not pass."""
    language = translation.get_language_from_request(request)
    with translation.override(language):
        answer = of_error(error)
    answer["Content-Language"] = language
    answer["Content-Length"] = str(len(answer.content))
    patch_vary_headers(answer, ["Accept-Language"])
    return answer
