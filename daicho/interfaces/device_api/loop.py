"""The front as a process of its own: one event loop that reads and answers, and the lanes' threads (RSGI, granian).

`daicho serve-devices` starts it. Thousands of slow devices wait here without a thread each.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Protocol

import django

from daicho.core.lanes import Lane, Ticket

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
django.setup()

from daicho.domain.devices.hot import Reply  # noqa: E402  after the applications are ready
from daicho.interfaces.device_api import answers  # noqa: E402
from daicho.interfaces.device_api.answers import Answer  # noqa: E402
from daicho.interfaces.device_api.front import LARGEST, SLOWEST  # noqa: E402
from daicho.interfaces.device_api.lanes import front  # noqa: E402


class LoopLane(Lane[Any, Reply]):
    """Tells the tasks of the event loop, all of a batch at once."""

    def tell(self, tickets: Sequence[Ticket[Any, Reply]]) -> None:
        tickets[0].waiting.get_loop().call_soon_threadsafe(settle, tickets)


def settle(tickets: Sequence[Ticket[Any, Reply]]) -> None:
    for ticket in tickets:
        if not ticket.waiting.done():  # its client went away
            ticket.waiting.set_result(ticket.answer)


class Scope(Protocol):
    """What granian tells of a request."""

    proto: str
    method: str
    path: str
    query_string: str
    client: str
    headers: Any


FRONT = front(LoopLane)


async def application(scope: Scope, protocol: Any) -> None:
    """Answer one request."""
    if scope.proto != "http":
        protocol.close(400)
        return
    answer = await answered(scope, protocol)
    protocol.response_bytes(answer.status, [*answer.headers], answer.body)


async def answered(scope: Scope, protocol: Any) -> Answer:
    headers = dict(scope.headers.items())
    if scope.path == "/healthz":
        return Answer(200, [("content-type", "application/json")], b'{"status":"ok"}')
    languages = headers.get("accept-language", "")
    body = b""
    if scope.method == "POST":
        try:
            async with asyncio.timeout(SLOWEST):
                body = await body_of(headers, protocol)
        except TimeoutError:
            return answers.problem(answers.too_slow(), "", languages)
    found = FRONT.read(
        scope.method, scope.path, scope.query_string, headers, body, scope.client.rpartition(":")[0].strip("[]")
    )  # fmt: skip
    if isinstance(found, Answer):
        return found
    waiting: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
    found.lane.put(Ticket(found.act, waiting))
    return found.answer(await waiting)


async def body_of(headers: dict[str, str], protocol: Any) -> bytes:
    """The body, or the beginning of one that is too large."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) <= LARGEST:
        whole: bytes = await protocol()
        return whole
    parts, size = [], 0
    async for part in protocol:
        parts.append(part)
        if (size := size + len(part)) > LARGEST:
            break
    return b"".join(parts)
