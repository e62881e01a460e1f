"""An order file into a full database: `bin/bench import [--lots N] [--lines N] [--xlsx] [--keep DIR] [--json]`.

The file names 1,000 virtual accounts of the big account, ten lines an order, twelve kinds of licenses a virtual account.
The clock runs from its last byte, before it is stored and its job started as portal and API do, until the job has ended and
the last line is found by its order's number. A worker of its own runs the job as in production. The limit: COPY of the same rows into a copy of the same database, on
one connection. p50 and p99 are those of reading the job's state meanwhile.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

from benchmarks.copying import Copier, beside
from benchmarks.measure import percentile, say
from benchmarks.setting import Setting, opened

PLACES = 1_000
PER_ORDER = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench import", description=__doc__)
    parser.add_argument("--lots", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--xlsx", action="store_true", help="the same as a workbook")
    parser.add_argument("--keep", default="", metavar="DIR", help="keep the loaded world there for the next run")
    parser.add_argument("--clients", type=int, default=1, help="(one file at a time)")
    parser.add_argument("--seconds", type=float, default=0, help="(as long as it takes)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with opened("postgres", asked.lots, keep=asked.keep, writes=True) as setting:
        found = run(setting, asked.lines, xlsx=asked.xlsx)
        say(found, as_json=asked.json)


def run(setting: Setting, lines: int, *, xlsx: bool = False) -> dict[str, Any]:
    """Send the file and follow its job."""
    from django.db import connection

    from daicho.core.actor import Actor, ActorKind
    from daicho.core.tabular import csv_lines, xlsx_bytes
    from daicho.domain.access.models import User
    from daicho.domain.ledger.check import check_ledger
    from daicho.domain.orders.columns import COLUMNS
    from daicho.domain.orders.commands.imports import keep_large
    from daicho.domain.orders.commands.order_jobs import start_order_file
    from daicho.domain.orders.queries.lines import Filters, list_all_lines

    rows = list(file_rows(lines))
    content = xlsx_bytes(COLUMNS, rows) if xlsx else "".join(csv_lines(COLUMNS, rows)).encode()
    last = str(rows[-1][0])
    del rows
    connection.close()
    copier = Copier(setting.url)
    operator = User.objects.get(email=setting.who["operator"])
    actor = Actor(ActorKind.USER, operator.name, user_id=operator.pk, is_operator=True, interface="api")
    waits: list[float] = []
    with setting.working():
        time.sleep(5)  # until it has started
        started = time.perf_counter()
        file = keep_large(actor, company=None, name="orders.xlsx" if xlsx else "orders.csv", content=[content])
        job = start_order_file(actor, company=None, request_id=uuid.uuid4(), file=file)
        while job.is_open:
            time.sleep(0.05)
            asked = time.perf_counter()
            job.refresh_from_db()
            waits.append((time.perf_counter() - asked) * 1_000)
        shown = list_all_lines(actor, filters=Filters(text=last)).rows
        seconds = time.perf_counter() - started
    if job.succeeded != lines or not shown:
        sys.exit(f"not all lines were recorded: {job.state} {job.error_text} {job.succeeded} of {lines}")
    found = beside(copier, seconds, lines, _note)
    if wrong := check_ledger():
        sys.exit(f"the books are not sound: {len(wrong)} findings, the first: {wrong[0]}")
    return found | {
        "lots": setting.lots, "p50_ms": round(percentile(waits, 50), 1), "p99_ms": round(percentile(waits, 99), 1),
        "rss_mb_max": max((peak for name, peak in setting.watch.peaks.items() if name.startswith("worker")), default=0),
        "rss_mb": setting.watch.peaks, "bytes": len(content),
    }  # fmt: skip


def file_rows(lines: int) -> Iterator[tuple[str | int, ...]]:
    """The lines of the file, for virtual accounts and licenses that the world has."""
    from benchmarks.world import TAGS_PER_VIRTUAL_ACCOUNT, tag_of
    from daicho.domain.catalog.models import LicenseTag
    from daicho.domain.tenancy.models import VirtualAccount

    skus = list(LicenseTag.objects.order_by("pk").values_list("sku", flat=True))
    places = list(
        VirtualAccount.objects.filter(account__identifier="bench.example.jp")
        .order_by("pk")
        .values_list("name", flat=True)
    )
    today = dt.datetime.now(dt.UTC).date()
    for number in range(lines):
        order = number // PER_ORDER
        place = order * 7919 % min(PLACES, len(places))
        sku = skus[tag_of(place, number % TAGS_PER_VIRTUAL_ACCOUNT)]
        yield (
            f"NIGHT-{order:07}", number % PER_ORDER + 1, "bench.example.jp", places[place], sku, number % 50 + 1, "term",
            "prepaid", today.isoformat(), today.replace(year=today.year + 1 + order % 3, day=1).isoformat(),
            today.isoformat(), f"稟議第{order % 9999:04}号", "夜間取込",
        )  # fmt: skip


def _note(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
