"""Transfers over HTTP beside plain SQL that writes the same rows: `python -m benchmarks.transfer [--clients N] [--lots N]`.

One database with full durability, made for the run; two server processes; clients that send one transfer each and wait
for the answer. The limit: `pgbench` with prepared statements and as many connections, one statement and one commit an
act. Both sides' rows per table are counted and must be equal per act (a holding or pool that acts of one commit share is
updated once for them).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.measure import asking, say

PLACES, TAGS, SERVERS = 200, 10, 2
TABLES = (
    "ledger_entry", "ledger_posting", "audit_event", "access_idempotentrequest",
)  # fmt: skip
UPDATED = ("ledger_holding", "ledger_pool")
PAIRS = """
CREATE TABLE bench_pair AS
SELECT row_number() OVER () AS id, h.account_id, h.place_id AS source, t.id AS target, h.lot_id, p1.id AS pool1,
       p2.id AS pool2, p1.virtual_account_id AS va1, p2.virtual_account_id AS va2
FROM ledger_holding h JOIN ledger_place s ON s.id = h.place_id AND s.kind = 'on_hand'
JOIN ledger_lot l ON l.id = h.lot_id
JOIN ledger_pool p1 ON p1.tag_id = l.tag_id AND p1.virtual_account_id = s.virtual_account_id
JOIN LATERAL (SELECT p.* FROM ledger_pool p WHERE p.tag_id = l.tag_id AND p.virtual_account_id <> s.virtual_account_id
              ORDER BY md5(p.id::text || h.id::text) LIMIT 1) p2 ON true
JOIN ledger_place t ON t.virtual_account_id = p2.virtual_account_id AND t.kind = 'on_hand'
WHERE h.quantity > 1000 LIMIT 1000;
CREATE UNIQUE INDEX ON bench_pair (id);
ANALYZE;
"""
LIMIT = r"""
\set n random(1, 1000)
WITH q AS MATERIALIZED (SELECT *, substr(md5(random()::text), 1, 13) u, gen_random_uuid() r FROM bench_pair WHERE id = :n),
locked AS MATERIALIZED (SELECT p.id FROM ledger_pool p WHERE p.id IN (SELECT pool1 FROM q UNION SELECT pool2 FROM q)
  ORDER BY p.virtual_account_id, p.tag_id FOR NO KEY UPDATE),
e AS (INSERT INTO ledger_entry (uid, account_id, request_id, fingerprint, kind, actor_kind, actor_name, at, memo, answer)
  SELECT u, account_id, r, repeat('f', 64), 'transfer', 'api_client', 'nightly sync', now(), '', '{}' FROM q RETURNING id),
po AS (INSERT INTO ledger_posting (account_id, entry_id, lot_id, source_id, target_id, quantity)
  SELECT q.account_id, e.id, q.lot_id, q.source, q.target, 1 FROM q, e),
less AS (UPDATE ledger_holding h SET quantity = h.quantity - 1 FROM q WHERE h.place_id = q.source AND h.lot_id = q.lot_id),
more AS (INSERT INTO ledger_holding (account_id, place_id, lot_id, is_issue, quantity)
  SELECT account_id, target, lot_id, false, 1 FROM q
  ON CONFLICT (place_id, lot_id) DO UPDATE SET quantity = ledger_holding.quantity + 1),
pl AS (UPDATE ledger_pool p SET on_hand = p.on_hand + CASE WHEN p.id = q.pool1 THEN -1 ELSE 1 END
  FROM q WHERE p.id IN (SELECT id FROM locked)),
ev AS (INSERT INTO audit_event (uid, account_id, virtual_account_id, other_virtual_account_id, kind, act, at, actor_kind,
    actor_name, actor_api_client_id, interface, address, subject, subject_uid, before, after, memo)
  SELECT substr(md5(random()::text || a), 1, 13), account_id, a, b, 'license.transferred', r, now(), 'api_client',
    'nightly sync', 1, 'api', '127.0.0.1', 'T-00', u,
    '{"on_hand": 100000, "in_use": 0, "reserved": 0, "balance": 100000}',
    '{"quantity": 1, "direction": "out", "on_hand": 100000, "in_use": 0, "reserved": 0, "balance": 100000}', ''
  FROM q, LATERAL (VALUES (va1, va2), (va2, va1)) v(a, b)),
i AS (INSERT INTO access_idempotentrequest (owner, key, fingerprint, status, answer, created_at)
  SELECT 'client', r::text, repeat('f', 64), 201, '{"entry": "dj4h0xxg15tga", "request": null}', now() FROM q)
SELECT 1;
"""


def main() -> None:
    asked = arguments()
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.support import postgres
    from tests.support.serving import environment, free_port, running, wait_for

    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        setting = environment(Path(data), port, DAICHO_LOG_LEVEL="ERROR", DAICHO_DATA=data)
        if not asked.sqlite:
            setting |= {"DAICHO_DATABASE_URL": postgres.start(durable=True)}
        world = run_here(setting, "prepare", str(asked.lots))
        found: dict[str, Any] = {"clients": asked.clients, "lots": asked.lots}
        before = {} if asked.sqlite else rows_of(setting["DAICHO_DATABASE_URL"])
        with running("serve", "--port", str(port), "--workers", str(SERVERS), environment=setting) as server:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            asyncio.run(storm(port, world, asked.clients, 2))  # warm
            found |= asyncio.run(storm(port, world, asked.clients, asked.seconds))
            found["rss_mb_max"] = peak_memory(server.pid)
        if not asked.sqlite:
            url = setting["DAICHO_DATABASE_URL"]
            middle = rows_of(url)
            found["rows"] = per_act(before, middle)
            found["limit"] = limit(url, asked.clients, asked.seconds)
            found["limit_rows"] = per_act(middle, rows_of(url))
            if not same_rows(found["rows"], found["limit_rows"]):
                raise SystemExit(f"the two sides write different rows: {found['rows']} {found['limit_rows']}")
            found["ratio"] = round(found["rate"] / found["limit"], 3)
        say(found, as_json=asked.json)


def arguments() -> argparse.Namespace:
    parser = asking(__doc__)
    parser.add_argument("--lots", type=int, default=1_000_000)
    parser.add_argument("--sqlite", action="store_true", help="the same on SQLite, one process, without a limit")
    return parser.parse_args()


def run_here(setting: dict[str, str], what: str, *words: str) -> dict[str, Any]:
    """Run a part of this file in the installation's environment; it answers in JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.transfer_world", what, *words],
        env=setting, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


# ── the crowd ──


async def storm(port: int, world: dict[str, Any], clients: int, seconds: float) -> dict[str, Any]:
    """So many clients transfer one license at a time for so long."""
    times: list[float] = []
    wrong: list[bytes] = []
    begun = time.perf_counter()
    await asyncio.gather(
        *(client(port, world, number, begun + seconds, times, wrong) for number in range(clients))
    )  # fmt: skip
    took = time.perf_counter() - begun
    if wrong:
        raise SystemExit(f"{len(wrong)} refused, the first: {wrong[0]!r}")
    times.sort()
    return {
        "rate": round(len(times) / took, 1),
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
    }


async def client(
    port: int, world: dict[str, Any], number: int, until: float, times: list[float], wrong: list[bytes]
) -> None:
    dice = random.Random(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /api/v1/accounts/{world['identifier']}/transfers HTTP/1.1\r\nHost: localhost:{port}\r\n"
        f"Authorization: {world['authorization']}\r\nContent-Type: application/json\r\n"
    )
    while (begun := time.perf_counter()) < until:
        source, target = dice.sample(world["places"], 2)
        move = {"source": source, "target": target, "sku": dice.choice(world["skus"]), "quantity": 1}
        body = json.dumps({"moves": [move]})
        writer.write(f"{head}Idempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", answer.lower())
        content = await reader.readexactly(int(length[1]) if length else 0)
        times.append(time.perf_counter() - begun)
        if answer[9:12] != b"201":
            wrong.append(content)
    writer.close()


# ── the limit ──


def limit(url: str, clients: int, seconds: float) -> float:
    """Acts a second by one plain statement each."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PAIRS)  # type: ignore[arg-type]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(LIMIT)
        script.flush()
        done = subprocess.run(
            [pgbench(), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(int(seconds)), "-f", script.name,
             url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(done.stdout + done.stderr)
    return round(float(found[1]), 1)


def pgbench() -> str:
    from tests.support.postgres import system_binaries

    binaries = system_binaries()
    found = shutil.which("pgbench", path=f"{binaries}:{os.environ['PATH']}")
    if found is None:
        raise SystemExit("pgbench is missing: install PostgreSQL's server and client programs")
    return found


def rows_of(url: str) -> dict[str, int]:
    """Rows of each table that only grows, and rows written so far of those that are updated."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        time.sleep(1.5)  # the counters of a session arrive a second late
        found = {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in TABLES}  # type: ignore[index,arg-type]
        for name in UPDATED:
            statement = "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = %s"
            found[name] = connection.execute(statement, [name]).fetchone()[0]  # type: ignore[index]
    return found


def per_act(before: dict[str, int], after: dict[str, int]) -> dict[str, float]:
    acts = after["ledger_entry"] - before["ledger_entry"]
    return {name: round((after[name] - before[name]) / acts, 2) for name in before}


def same_rows(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    """Whether both sides write the same: new rows exactly; a row that acts of one commit share is updated once for them."""
    return all(ours[name] == theirs[name] for name in TABLES) and all(
        0.9 * theirs[name] <= ours[name] <= theirs[name] for name in UPDATED
    )


def peak_memory(server: int) -> int:
    """The largest peak of the server's processes, in MB."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    peaks = [re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{number}/status").read_text()) for number in [server, *children]]
    return max(int(peak[1]) for peak in peaks if peak) // 1024


if __name__ == "__main__":
    main()
