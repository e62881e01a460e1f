"""`bin/bench check`: how long `daicho check-ledger` takes on a million lots, beside a plain scan of the same tables."""

from __future__ import annotations

import time

from benchmarks.limits import statement_ms
from benchmarks.measure import Line, Result
from benchmarks.setting import Setting
from tests.support.serving import CONSOLE, environment

TABLES = ("ledger_lot", "ledger_holding", "ledger_posting", "ledger_pool", "ledger_use", "ledger_usechange")


def run(setting: Setting) -> Result:
    """Rate and limit are lots per second."""
    import subprocess

    scans = [statement_ms(setting.url, f"SELECT COUNT(*), SUM(id) FROM {table}", 3) for table in TABLES]
    limit = setting.lots / (sum(scans) / 1_000)
    result = Result(limit=limit)
    settings = environment(setting.data, 8000, DAICHO_LOG_LEVEL="ERROR", DAICHO_DATABASE_URL=setting.url)
    for name, words in (("check-ledger", []), ("check-ledger --deep", ["--deep"])):
        started = time.perf_counter()
        process = subprocess.Popen([CONSOLE, "check-ledger", *words], env=settings, stdout=subprocess.PIPE, text=True)
        with setting.watch.over(process.pid):
            said = process.communicate()[0]
        took = (time.perf_counter() - started) * 1_000
        status = 200 if process.returncode == 0 else 500
        result.lines.append(Line(name, took, took, setting.lots / took * 1_000, limit, sum(scans), None, status))
        result.more[name] = said.strip().splitlines()[-1] if said.strip() else ""
    result.rate, result.p50_ms, result.p99_ms = (result.lines[0].rate, result.lines[0].p50_ms, result.lines[0].p99_ms)
    result.ratio = (result.rate or 0) / limit
    return result
