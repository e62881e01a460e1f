"""A crowd over TCP: clients that each ask many times for one seat, and repeat with the same key when nobody answers."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TRIES = 60


@dataclass
class Outcome:
    """What the crowd was told: seats got by SKU, refusals by code, how often a request had to be repeated."""

    seats: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    answers: int = 0


class Connection:
    """One keep-alive connection of HTTP/1.1, opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        return status, await reader.readexactly(length)

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def client(port: int, number: int, asks: int, world: dict[str, Any], outcome: Outcome) -> None:
    connection = Connection(port)
    path = f"/api/v1/accounts/{world['identifier']}/devices/{world['devices'][number]}/assign"
    for turn in range(asks):
        sku = world["skus"][(number * 7 + turn) % len(world["skus"])]
        headers = {
            "Authorization": world["authorization"],
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        body = json.dumps({"lines": [{"sku": sku, "quantity": 1}]}).encode()
        status, answer = await persist(connection, path, headers, body, outcome)
        outcome.answers += 1
        if status in (200, 201):
            outcome.seats[sku] += 1
        else:
            outcome.refusals[json.loads(answer)["code"]] += 1
    connection.close()


async def persist(
    connection: Connection, path: str, headers: dict[str, str], body: bytes, outcome: Outcome
) -> tuple[int, bytes]:
    """Ask until there is an answer: a broken connection or a dying server says nothing, so the key is sent again."""
    for attempt in range(TRIES):
        try:
            status, answer = await asyncio.wait_for(connection.post(path, headers, body), 60)
            if status < 500:
                return status, answer
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        connection.close()
        outcome.repeated += 1
        await asyncio.sleep(min(1.0, 0.05 * (attempt + 1)))
    raise AssertionError(f"no answer after {TRIES} tries: {path}")


def run_crowd(port: int, world: dict[str, Any], *, asks: int, midway: Callable[[], None] | None = None) -> Outcome:
    """Let every client ask; `midway` is called once, when half of all answers are in."""
    outcome = Outcome()

    async def disturb(total: int) -> None:
        while outcome.answers < total // 2:
            await asyncio.sleep(0.05)
        if midway is not None:
            midway()

    async def everybody() -> None:
        clients = len(world["devices"])
        watcher = asyncio.create_task(disturb(clients * asks))
        await asyncio.gather(*(client(port, number, asks, world, outcome) for number in range(clients)))
        await watcher

    asyncio.run(everybody())
    return outcome
