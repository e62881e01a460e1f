"""A bare load generator: keep-alive connections of HTTP/1.1, one request at a time on each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.measure import percentile

type Ask = Callable[[int, int], bytes]
"""The bytes of a request, by client and turn."""


@dataclass
class Answers:
    """What came back: seconds per answer, how often each status, the first body that was not wanted."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    size: int = 0
    wrong: bytes = b""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds if self.seconds else 0.0

    def ms(self, percent: float) -> float:
        return percentile(self.times, percent) * 1_000


def request(method: str, path: str, port: int, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """One request, ready to send."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, ask: Ask, *, clients: int = 1, seconds: float = 5, turns: int = 0, wanted: int = 200) -> Answers:
    """Let clients ask, one after the other on each connection, for so long or so many turns."""
    return asyncio.run(_run(port, ask, clients, seconds, turns, wanted))


async def _run(port: int, ask: Ask, clients: int, seconds: float, turns: int, wanted: int) -> Answers:
    answers = Answers()
    started = time.perf_counter()
    until = started + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        turn = 0
        while turn < turns or (not turns and time.perf_counter() < until):
            sent = time.perf_counter()
            writer.write(ask(number, turn))
            status, body = await _answer(reader)
            answers.times.append(time.perf_counter() - sent)
            answers.statuses[status] += 1
            answers.size += len(body)
            if status != wanted and not answers.wrong:
                answers.wrong = body
            turn += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    answers.seconds = time.perf_counter() - started
    return answers


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if (at := head.find(b"content-length:")) >= 0:
        return status, await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
    body = b""
    if b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    return status, body
