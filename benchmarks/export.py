"""A CSV file of N lots beside COPY of the same cells: `python -m benchmarks.export [--lots N] [--json]`.

One database with full durability, made for the run. The file is asked for as a browser asks (log-in, page, stream), in
this process; the limit is one COPY … TO STDOUT of the same columns in the same order, read by `psycopg`. Rows of both
sides are counted and must be equal. Latencies are those of the parts of the stream (64 KB each, the first included).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from typing import Any

PLACES, TAGS = 1_000, 50
LIMIT = """
COPY (SELECT l.uid, t.name, t.sku, v.name, p.kind, h.quantity, l.start_at, l.end_at, l.order_number
FROM ledger_holding h JOIN ledger_lot l ON l.id = h.lot_id JOIN ledger_place p ON p.id = h.place_id
JOIN tenancy_virtualaccount v ON v.id = p.virtual_account_id JOIN catalog_licensetag t ON t.id = l.tag_id
LEFT JOIN ledger_holder o ON o.id = p.holder_id LEFT JOIN ledger_unit u ON u.id = o.unit_id
WHERE h.account_id = {account} AND h.quantity > 0 AND l.kind = 'subscription' AND p.virtual_account_id IS NOT NULL
ORDER BY l.end_at NULLS LAST, l.uid, v.uid, p.kind, u.uid) TO STDOUT WITH (FORMAT csv)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lots", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    from tests.support import postgres

    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"DAICHO_DATA": data, "DAICHO_SECRET_KEY": "k" * 50, "DAICHO_LOG_LEVEL": "ERROR"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "daicho.config.settings"}
        os.environ["DAICHO_DATABASE_URL"] = postgres.start(durable=True)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        found = measure(asked.lots)
    print(json.dumps(found) if asked.json else "\n".join(f"{key:12} {value}" for key, value in found.items()))


def measure(lots: int) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client

    from daicho.domain.access.rules import Role
    from tests.world import grant, make_account, make_tag, make_user, make_virtual_account

    account = make_account("bench.example.jp", "Bench")
    person = make_user("admin@bench.example.jp", "Admin")
    grant(person, Role.ACCOUNT_ADMINISTRATOR, account)
    places = [make_virtual_account(account, f"拠点 {number}") for number in range(PLACES)]
    tags = [make_tag(f"T-{number:02}", f"Tag {number}", name_ja=f"種類 {number}") for number in range(TAGS)]
    fill(account.pk, [place.pk for place in places], [tag.pk for tag in tags], lots)
    connection.ensure_connection()

    started, size, limit_rows = time.perf_counter(), 0, 0
    with connection.cursor() as cursor, cursor.copy(LIMIT.format(account=account.pk)) as copied:
        for part in copied:
            size += len(part)
            limit_rows += 1
    limit = lots / (time.perf_counter() - started)

    browser = Client(HTTP_HOST="localhost")
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    started, waits, rows = time.perf_counter(), [], -1
    at = started
    answer: Any = browser.get("/a/bench.example.jp/subscriptions/?export=csv")
    for part in answer.streaming_content:
        waits.append((time.perf_counter() - at) * 1_000)
        rows += part.count(b"\r\n")
        at = time.perf_counter()
    rate = lots / (time.perf_counter() - started)
    if not rows == limit_rows == lots:
        sys.exit(f"rows differ: file {rows}, COPY {limit_rows}, lots {lots}")
    return {
        "rate": round(rate), "limit": round(limit), "ratio": round(rate / limit, 3),
        "p50_ms": round(statistics.median(waits), 2), "p99_ms": round(statistics.quantiles(waits, n=100)[98], 2),
        "rss_mb_max": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "rows": rows, "copy_rows": limit_rows,
    }  # fmt: skip


def fill(account: int, places: list[int], tags: list[int], lots: int) -> None:
    """Lots that lie in virtual accounts, by plain SQL; pools are not read by this list and stay empty."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_place (account_id, virtual_account_id, kind) SELECT %s, unnest(%s::bigint[]), 'on_hand'",
            [account, places],
        )
        cursor.execute(
            """INSERT INTO ledger_lot (uid, account_id, tag_id, kind, billing, start_at, end_at, order_number,
                order_line_uid, created_at)
            SELECT lpad(to_hex(g), 13, '0'), %s, (%s::bigint[])[1 + g %% %s], 'subscription', 'prepaid',
                now() - interval '1 day' * (g %% 700), now() + interval '1 day' * (1 + g %% 1000), 'PO-' || g / 10,
                lpad(to_hex(g), 13, '1'), now() FROM generate_series(1, %s) g""",
            [account, tags, len(tags), lots],
        )
        cursor.execute(
            """INSERT INTO ledger_holding (account_id, place_id, lot_id, is_issue, quantity)
            SELECT l.account_id, p.id, l.id, false, 10 FROM ledger_lot l JOIN ledger_place p
            ON p.virtual_account_id = (%s::bigint[])[1 + l.id * 7919 %% %s]""",
            [places, len(places)],
        )
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
