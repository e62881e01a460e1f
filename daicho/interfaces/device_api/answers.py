"""What a device hears: signed documents in JSON, or a problem (RFC 9457) in the language that it asks for."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import parse_accept_lang_header

from daicho.core.errors import BusinessError
from daicho.domain.devices.hot import Reply

AGAIN_SECONDS = 2
"""When a device may come again that could not be served."""
type Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


def unsupported_protocol() -> BusinessError:
    return BusinessError("unsupported_protocol", 404, _("This is no address of the device protocol, version 1."))


def method_not_allowed(allowed: str) -> BusinessError:
    return BusinessError("method_not_allowed", 405, _("Use %(allowed)s here."), allowed=allowed)


def too_large(limit: int) -> BusinessError:
    return BusinessError("too_large", 413, _("A request may have %(limit)s bytes."), limit=limit)


def too_slow() -> BusinessError:
    return BusinessError("too_slow", 408, _("The request did not arrive in time. Send it again."))


def too_busy() -> BusinessError:
    return BusinessError("too_busy", 503, _("The server cannot answer now. Send the request again in a moment."))


def answer_of(reply: Reply, request_id: str, languages: str) -> Answer:
    """The answer to a decided request. `languages`: its Accept-Language."""
    if isinstance(reply.document, BusinessError):
        return problem(reply.document, request_id, languages)
    return Answer(reply.status, [("content-type", "application/json"), *STANDING], dumps(reply.document))


def problem(error: BusinessError, request_id: str, languages: str) -> Answer:
    """Problem details; `time` of the data stands beside them, as the protocol has it."""
    language = language_among(languages)
    with translation.override(language):
        detail = error.text()
    data = dict(error.data)
    beside = {"time": data.pop("time")} if "time" in data else {}
    body = {
        "type": f"urn:daicho:error:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.http_status,
        "code": error.code,
        "detail": detail,
        "request_id": request_id,
        "data": data,
    } | beside  # fmt: skip
    headers = [("content-type", "application/problem+json"), ("content-language", language),
               ("vary", "Accept-Language"), *STANDING]  # fmt: skip
    if error.http_status in {429, 503}:
        headers.append(("retry-after", str(AGAIN_SECONDS)))
    if error.code == "method_not_allowed":
        headers.append(("allow", error.data["allowed"]))
    return Answer(error.http_status, headers, dumps(body))


STANDING: Headers = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


@functools.lru_cache(maxsize=256)
def language_among(languages: str) -> str:
    """The first of these that we speak, or the installation's own."""
    for code, _weight in parse_accept_lang_header(languages[:500]):
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)
