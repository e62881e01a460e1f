"""Orders of one line, one commit each: `bin/bench deposit [--lots N] [--clients N] [--seconds S] [--keep DIR] [--json]`.

As many processes as there are clients call the command that portal and API call; each order lands in a random virtual
account. The limit: `pgbench` with prepared statements and as many connections, one statement an order. Rows per table
and order are counted on both sides and must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid
from typing import Any

from benchmarks.measure import percentile, say
from benchmarks.setting import Setting, opened

TABLES = (
    "orders_order", "orders_orderline", "ledger_entry", "ledger_lot", "ledger_posting", "ledger_holding", "audit_event",
)  # fmt: skip
TARGETS = """
SELECT row_number() OVER (), p.account_id, p.id, p.virtual_account_id, p.tag_id, h.id, v.name, t.sku
FROM ledger_pool p JOIN catalog_licensetag t ON t.id = p.tag_id AND t.ladder_id IS NULL
JOIN ledger_place h ON h.virtual_account_id = p.virtual_account_id AND h.kind = 'on_hand'
JOIN tenancy_virtualaccount v ON v.id = p.virtual_account_id WHERE p.account_id = 1
ORDER BY md5(p.id::text) LIMIT 1000
"""
PREPARE = f"""
CREATE TABLE bench_target (n, account_id, pool_id, virtual_account_id, tag_id, place_id, name, sku) AS {TARGETS};
CREATE UNIQUE INDEX ON bench_target (n);
ANALYZE bench_target;
"""
LIMIT = r"""
\set n random(1, 1000)
WITH q AS MATERIALIZED (SELECT *, md5(random()::text) m, gen_random_uuid() r, now() a FROM bench_target WHERE n = :n),
locked AS MATERIALIZED (SELECT p.id FROM ledger_pool p, q WHERE p.id = q.pool_id FOR NO KEY UPDATE),
o AS (INSERT INTO orders_order (uid, number, number_key, account_id, customer_reference, memo, recorded_by_name, created_at)
  SELECT substr(m, 1, 13), m, m, account_id, '', '', 'Bench', a FROM q RETURNING id),
e AS (INSERT INTO ledger_entry (uid, account_id, request_id, fingerprint, kind, actor_kind, actor_name, at, memo, answer)
  SELECT substr(m, 2, 13), account_id, r, repeat('f', 64), 'deposit', 'system', 'Bench', a, '', '{}' FROM q RETURNING id),
l AS (INSERT INTO ledger_lot (uid, account_id, tag_id, kind, billing, start_at, end_at, order_number, order_line_uid, created_at)
  SELECT substr(m, 3, 13), account_id, tag_id, 'term', 'prepaid', a, a + interval '3 years', m, substr(m, 4, 13), a FROM q
  RETURNING id),
po AS (INSERT INTO ledger_posting (account_id, entry_id, lot_id, source_id, target_id, quantity)
  SELECT q.account_id, e.id, l.id, i.id, q.place_id, 1 FROM q, e, l, ledger_place i WHERE i.kind = 'issued'),
h AS (INSERT INTO ledger_holding (account_id, place_id, lot_id, is_issue, quantity)
  SELECT q.account_id, i.id, l.id, true, -1 FROM q, l, ledger_place i WHERE i.kind = 'issued'
  UNION ALL SELECT q.account_id, q.place_id, l.id, false, 1 FROM q, l),
ol AS (INSERT INTO orders_orderline (uid, account_id, order_id, line_number, tag_id, quantity, kind, billing, start_on, end_on,
    virtual_account_id, state, fingerprint, decided_by_name, decision_reason, created_at, lot_id, deposited_at)
  SELECT substr(m, 4, 13), account_id, o.id, 1, tag_id, 1, 'term', 'prepaid', a::date, a::date + 1095, virtual_account_id,
    'deposited', repeat('f', 64), '', '', a, l.id, a FROM q, o, l),
pl AS (UPDATE ledger_pool p SET on_hand = p.on_hand + 1 FROM q WHERE p.id = q.pool_id AND p.id IN (SELECT id FROM locked)),
ev AS (INSERT INTO audit_event (uid, account_id, virtual_account_id, kind, act, at, actor_kind, actor_name, interface, address,
    subject, subject_uid, before, after, memo)
  SELECT substr(m, place, 13), account_id, virtual_account_id, kind, r, a, 'system', 'Bench', 'api', '', sku,
    substr(m, 1, 13), '{"on_hand": 100000, "in_use": 0, "reserved": 0, "balance": 100000}',
    '{"quantity": 1, "direction": "in", "on_hand": 100000, "in_use": 0, "reserved": 0, "balance": 100000}', ''
  FROM q, (VALUES (5, 'license.deposited'), (6, 'order.recorded')) AS kinds(place, kind))
SELECT 1;
"""


def main() -> None:
    if sys.argv[1:2] == ["client"]:
        client(float(sys.argv[2]), int(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(prog="bin/bench deposit", description=__doc__)
    parser.add_argument("--lots", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--keep", default="", metavar="DIR", help="keep the loaded world there for the next run")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with opened(
        "postgres", asked.lots, keep=asked.keep, writes=True, clients=asked.clients, seconds=asked.seconds
    ) as setting:
        say(run(setting), as_json=asked.json)


def run(setting: Setting) -> dict[str, Any]:
    """Both sides, one after the other, and what each wrote."""
    import psycopg

    with psycopg.connect(setting.url, autocommit=True) as session:
        session.execute(PREPARE)
    before = rows_of(setting.url)
    command = [sys.executable, "-m", "benchmarks.deposit", "client", str(setting.seconds)]
    processes = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(setting.clients)
    ]
    found = []
    for process in processes:
        found.append(json.loads(process.communicate()[0].splitlines()[-1]))
        if process.returncode:
            sys.exit("a client broke off")
    middle = rows_of(setting.url)
    times = [one for client in found for one in client["times"]]
    limit = _limit(setting)
    ours, raw = per_order(before, middle), per_order(middle, rows_of(setting.url))
    print(f"rows an order {ours}\npgbench       {raw}", file=sys.stderr)
    if ours != raw:
        sys.exit("the two sides wrote different rows")
    rate = len(times) / max(client["took"] for client in found)
    return {
        "rate": round(rate, 1), "limit": limit, "ratio": round(rate / limit, 3),
        "p50_ms": round(percentile(times, 50), 1), "p99_ms": round(percentile(times, 99), 1),
        "rss_mb_max": max(client["rss_mb"] for client in found), "clients": setting.clients, "lots": setting.lots,
        "rows": ours, "limit_rows": raw,
    }  # fmt: skip


def client(seconds: float, number: int) -> None:
    """Record orders for so long, one after the other; says how long each took."""
    import resource

    import django

    django.setup()
    from django.db import connection

    from daicho.core.actor import Actor
    from daicho.domain.orders.commands.record import record_order
    from daicho.domain.orders.rules import LineInput, OrderInput

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sku FROM bench_target ORDER BY n")
        targets = cursor.fetchall()
    dice, times = random.Random(number), []
    begun = time.perf_counter()
    while (started := time.perf_counter()) < begun + seconds:
        place, sku = dice.choice(targets)
        line = LineInput(sku, 1, "term", 1, end_on="2099-12-31", virtual_account=place)
        order = OrderInput(f"ONE-{uuid.uuid4()}", "bench.example.jp", [line])
        record_order(Actor.system("Bench"), company=None, order=order)
        times.append((time.perf_counter() - started) * 1_000)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"times": times, "took": took, "rss_mb": peak}))


def _limit(setting: Setting) -> float:
    from benchmarks.transfer import pgbench

    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(LIMIT)
        script.flush()
        done = subprocess.run(
            [pgbench(), "-n", "-M", "prepared", "-c", str(setting.clients), "-j", "2", "-T",
             str(max(1, int(setting.seconds))), "-f", script.name, setting.url],
            capture_output=True, text=True, check=False, env=os.environ,
        )  # fmt: skip
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if rate is None:
        sys.exit(done.stdout + done.stderr)
    return round(float(rate[1]), 1)


def rows_of(url: str) -> dict[str, int]:
    """Rows of each table, and rows of pools written so far."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as session:
        time.sleep(1.5)  # the counters of a session arrive a second late
        found = {name: session.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in TABLES}  # type: ignore[index]
        statement = "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'ledger_pool'"
        return found | {"ledger_pool": session.execute(statement).fetchone()[0]}  # type: ignore[index]


def per_order(before: dict[str, int], after: dict[str, int]) -> dict[str, float]:
    orders = after["orders_order"] - before["orders_order"]
    return {name: round((after[name] - before[name]) / orders, 2) for name in before}


if __name__ == "__main__":
    main()
