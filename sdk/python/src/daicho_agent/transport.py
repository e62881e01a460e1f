"""HTTP with what the standard library has: proxies of the environment, a private CA, no redirects."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any, Protocol

from daicho_agent.errors import AgentError, ServerUnreachableError

TIMEOUT = 30.0  # seconds without a byte
LARGEST = 16 * 1024 * 1024
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Answer:
    """What the server said: always a JSON object."""

    status: int
    document: dict[str, Any]
    retry_after: float = 0.0


class Transport(Protocol):
    """How requests travel; tests and simulators bring their own."""

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Send one request; `path` begins below the server's address. Raises ServerUnreachableError."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, and a signed path would no longer be the signed one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


class HttpTransport:
    """Talks to one server. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are obeyed; `proxy` goes before them."""

    def __init__(self, server: str, *, ca_file: str = "", proxy: str = "", timeout: float = TIMEOUT) -> None:
        self.server = checked_server(server)
        self.timeout = timeout
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if proxy:
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        try:
            context = ssl.create_default_context()
            if ca_file:
                context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as problem:
            text = "The file of certificates {path} cannot be used: {reason}"
            raise AgentError("ca_file_unusable", text, path=ca_file, reason=problem) from problem
        handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(f"{self.server}{path}", data=body, headers=headers, method=method)  # noqa: S310 - checked_server
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return _read(response.status, response.headers, response.read(LARGEST))
        except urllib.error.HTTPError as answer:
            with answer:
                return _read(answer.code, answer.headers, answer.read(LARGEST))
        except urllib.error.URLError as problem:
            raise _unreachable(self.server, problem.reason) from problem
        except (OSError, http.client.HTTPException) as problem:
            raise _unreachable(self.server, problem) from problem


def checked_server(server: str) -> str:
    """The address without its last slash. Plain HTTP only to this machine: a token must not be read on its way."""
    parts = urllib.parse.urlsplit(server)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise AgentError("server_address", "This is not the address of a server: {server}", server=server)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        text = "{server} is not encrypted. Use https://, with --ca-file for a private certificate authority."
        raise AgentError("server_not_encrypted", text, server=server)
    return server.rstrip("/")


def _read(status: int, headers: Message, content: bytes) -> Answer:
    after = headers.get("Retry-After", "")
    seconds = float(after) if after.isdecimal() else 0.0
    try:
        document = json.loads(content)
        if not isinstance(document, dict):
            raise ValueError("not an object")
    except ValueError as problem:
        text = "What answered is not Daicho (HTTP {status}): a proxy, a log-in page, or a wrong address?"
        raise ServerUnreachableError(text, code="not_daicho", after=seconds, status=status) from problem
    return Answer(status, document, seconds)


def _unreachable(server: str, reason: object) -> ServerUnreachableError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        text = (
            "The certificate of {server} is not trusted: {reason}. "
            "If it comes from a private certificate authority, name its file: --ca-file"
        )
        return ServerUnreachableError(
            text, code="certificate_untrusted", server=server, reason=reason.verify_message or reason
        )
    return ServerUnreachableError("{server} cannot be reached: {reason}", server=server, reason=reason)
