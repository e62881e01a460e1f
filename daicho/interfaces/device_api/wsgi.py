"""The front in the web server's own processes: asked before Django, answered by its lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from daicho.interfaces.device_api.answers import Answer
from daicho.interfaces.device_api.front import LARGEST, PREFIX, Asked, Front

type Environ = dict[str, Any]
type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def before(application: Application, front: Front) -> Application:
    """An application that lets the front answer what begins with /device/ and this one all else."""

    def ask(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return application(environ, start_response)
        answer = answered(front, path, environ)
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, [*answer.headers, ("content-length", str(len(answer.body)))])
        return [answer.body]

    return ask


def answered(front: Front, path: str, environ: Environ) -> Answer:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    method = environ["REQUEST_METHOD"]
    body = environ["wsgi.input"].read(length_of(environ)) if method == "POST" else b""
    found = front.read(
        method, path, environ.get("QUERY_STRING", ""), headers, body, environ.get("REMOTE_ADDR", "")
    )  # fmt: skip
    if isinstance(found, Asked):
        return found.answer(found.lane.ask(found.act))
    return found


def length_of(environ: Environ) -> int:
    """How much there is to read, and no more than shows that it is too large; what comes in chunks tells no length."""
    given = environ.get("CONTENT_LENGTH") or ""
    if given.isdecimal():
        return min(int(given), LARGEST + 1)
    return LARGEST + 1 if "HTTP_TRANSFER_ENCODING" in environ else 0
