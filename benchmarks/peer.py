"""The same seat assignment against us and against a peer: `python -m benchmarks.peer [--clients N] [--seconds S] [--json]`.

The peer is `license-manager-backend` 5.0.0 from PyPI, in an environment of its own, under uvicorn with as many workers as
we have processes, on a database of its own of the same PostgreSQL (full durability), its tables from its own metadata.
Measured: seats a second over 40 kinds with plenty of them, and how many of 100 seats are sold when 64 clients ask for
four each. The peer has no event log, no repeated requests and no ledger behind a seat.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.measure import asking, say

PACKAGE = "license-manager-backend==5.0.0"
KINDS, WORKERS, CROWD, SEATS = 40, 2, 64, 100
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "daicho-bench" / "peer-5.0.0"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Seller:
    """Somebody who sells seats: `ask` makes path and body of one request by client and turn; None: the scarce kind."""

    port: int
    headers: dict[str, str]
    ask: Callable[[int, int | None], tuple[str, dict[str, Any]]]


def main() -> None:
    asked = asking(__doc__).parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.support import postgres

    server = postgres.start(durable=True)
    found: dict[str, Any] = {"clients": asked.clients}
    with peer(server) as other:
        asyncio.run(crowd(other, asked.clients, seconds=2))
        found["peer_rate"] = asyncio.run(crowd(other, asked.clients, seconds=asked.seconds))[0]
        found["peer_sold"] = asyncio.run(crowd(other, CROWD, turns=4))[1]
    with ourselves(server) as us:
        asyncio.run(crowd(us, asked.clients, seconds=2))
        found["rate"] = asyncio.run(crowd(us, asked.clients, seconds=asked.seconds))[0]
        found["sold"] = asyncio.run(crowd(us, CROWD, turns=4))[1]
    found["ratio"] = round(found["rate"] / found["peer_rate"], 2)
    say(found, as_json=asked.json)


# ── the crowd ──


async def crowd(seller: Seller, clients: int, *, seconds: float = 0, turns: int = 0) -> tuple[float, int]:
    """Seats sold a second, and seats sold. With `turns` each client asks so often for the scarce kind."""
    sold: list[int] = [0] * clients
    begun = time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", seller.port)
        turn = 0
        while turn < turns if turns else time.perf_counter() < begun + seconds:
            path, content = seller.ask(number, None if turns else turn)
            body = json.dumps(content)
            lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{seller.port}", "Content-Type: application/json"]
            lines += [f"{name}: {value}" for name, value in seller.headers.items()]
            lines += [f"Idempotency-Key: {uuid.uuid4()}", f"Content-Length: {len(body)}", "", body]
            writer.write("\r\n".join(lines).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            answer = await reader.readexactly(int(length[1]) if length else 0)
            status = int(head[9:12])
            if status not in (200, 201, 409):
                raise SystemExit(f"{path} answered {status}: {answer!r}")
            sold[number] += status != 409
            turn += 1
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    return round(sum(sold) / (time.perf_counter() - begun), 1), sum(sold)


# ── the peer ──


@contextmanager
def peer(server: str) -> Iterator[Seller]:
    """The peer, installed once and served with its own database."""
    from tests.support.postgres import settings_of
    from tests.support.serving import free_port, wait_for

    python = installed()
    where = settings_of(new_database(server, "peer"))
    documents: dict[str, Any] = {}
    with issuer(documents) as domain:
        setting = {name: value for name, value in os.environ.items() if not name.startswith(("DAICHO_", "DJANGO_"))}
        setting |= {
            "ARMASEC_DOMAIN": domain, "ARMASEC_USE_HTTPS": "false", "LOG_LEVEL": "ERROR", "DEPLOY_ENV": "BENCH",
            "DATABASE_HOST": where["HOST"], "DATABASE_PORT": where["PORT"], "DATABASE_USER": where["USER"],
            "DATABASE_PSWD": where["PASSWORD"] or "none", "DATABASE_NAME": where["NAME"],
        }  # fmt: skip
        made = subprocess.run(
            [python, "-P", ROOT / "benchmarks/peer_setup.py", f"http://{domain}/", str(KINDS)],
            env=setting, stdout=subprocess.PIPE, text=True, check=True, cwd=CACHE,
        )  # fmt: skip
        world = json.loads(made.stdout.splitlines()[-1])
        documents["/keys"] = world["keys"]
        port = free_port()
        process = subprocess.Popen(
            [python, "-m", "uvicorn", "lm_api.main:app", "--port", str(port), "--workers", str(WORKERS),
             "--log-level", "error", "--no-access-log"],
            env=setting, cwd=CACHE,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/lm/health", 204)

            def ask(client: int, turn: int | None) -> tuple[str, dict[str, Any]]:
                kinds = world["features"]
                kind = world["scarce"] if turn is None else kinds[(client * 7 + turn) % len(kinds)]
                return "/lm/bookings", {"job_id": world["jobs"][client % 64], "feature_id": kind, "quantity": 1}

            yield Seller(port, {"Authorization": f"Bearer {world['token']}"}, ask)
        finally:
            process.terminate()
            process.wait(20)


def installed() -> Path:
    """The interpreter of the peer's environment, made on the first run."""
    python = CACHE / "bin" / "python"
    if not (CACHE / "ready").exists():
        tool = next((found for found in (ROOT / ".uv/bin/uv",) if found.exists()), Path("uv"))
        subprocess.run([tool, "venv", "--quiet", "--clear", "--python", sys.executable, CACHE], check=True)
        subprocess.run([tool, "pip", "install", "--quiet", "--python", python, PACKAGE, "uvicorn"], check=True)
        (CACHE / "ready").touch()
    return python


@contextmanager
def issuer(documents: dict[str, Any]) -> Iterator[str]:
    """A token issuer as the peer asks for: its configuration and its keys. Gives its host and port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(documents.get(self.path, {})).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    domain = f"127.0.0.1:{site.server_port}"
    documents["/.well-known/openid-configuration"] = {
        "issuer": f"http://{domain}/", "jwks_uri": f"http://{domain}/keys",
    }  # fmt: skip
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        yield domain
    finally:
        site.shutdown()


# ── ourselves ──


@contextmanager
def ourselves(server: str) -> Iterator[Seller]:
    """Daicho with a device for each client, and the same kinds of seats."""
    from benchmarks.transfer import run_here
    from tests.support.serving import environment, free_port, running, wait_for

    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        url = new_database(server, "daicho")
        setting = environment(Path(data), port, DAICHO_LOG_LEVEL="ERROR", DAICHO_DATABASE_URL=url)
        world = run_here(setting, "seats", str(KINDS))
        with running("serve", "--port", str(port), "--workers", str(WORKERS), environment=setting):
            wait_for(f"http://127.0.0.1:{port}/healthz")

            def ask(client: int, turn: int | None) -> tuple[str, dict[str, Any]]:
                kinds = world["skus"]
                sku = world["scarce"] if turn is None else kinds[(client * 7 + turn) % len(kinds)]
                path = f"/api/v1/accounts/{world['identifier']}/devices/{world['devices'][client % 64]}/assign"
                return path, {"lines": [{"sku": sku, "quantity": 1}]}

            yield Seller(port, {"Authorization": world["authorization"]}, ask)


def new_database(server: str, name: str) -> str:
    """An empty database beside the first one."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return server.rpartition("/")[0] + f"/{name}"


if __name__ == "__main__":
    main()
