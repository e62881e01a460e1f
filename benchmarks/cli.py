"""`bin/bench NAME [--lots N] [--clients N] [--seconds S] [--json]`: one benchmark, on a database that it starts itself.

`list`, `check` and `sweep` measure a world of N lots (world.py) that can be kept between runs with `--keep DIR`; the others bring
their own worlds and take the same options.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
from dataclasses import asdict

from benchmarks.measure import Line, Result
from benchmarks.setting import Setting, opened

HERE = {"list": False, "check": False, "sweep": True}
"""Benchmarks on the shared world, and whether they write."""
ALONE = ("transfer", "deposit", "import", "export", "peer")


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ALONE and (module := find(name)):
        sys.argv = [f"bin/bench {name}", *sys.argv[2:]]
        importlib.import_module(module).main()
        return 0
    asked = arguments()
    with opened(
        asked.database, asked.lots, keep=asked.keep, clients=asked.clients, seconds=asked.seconds, workers=asked.workers,
        writes=HERE[asked.name],
    ) as setting:  # fmt: skip
        result = importlib.import_module(f"benchmarks.{asked.name}").run(setting)
        tell(asked.name, setting, result, as_json=asked.json)
    return 1 if any(line.status != 200 for line in result.lines) else 0


def find(name: str) -> str:
    """The module of a benchmark, "" while nobody wrote it."""
    for module in (f"benchmarks.{name}", f"benchmarks.{name}_orders"):
        if importlib.util.find_spec(module):
            return module
    return ""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    known = [*HERE, *(name for name in ALONE if find(name))]
    parser.add_argument("name", choices=known)
    parser.add_argument("--lots", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2, help="for each line of the table")
    parser.add_argument("--workers", type=int, default=2, help="server processes (always one on SQLite)")
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--keep", default="", metavar="DIR", help="keep the loaded world there for the next run")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def tell(name: str, setting: Setting, result: Result, *, as_json: bool) -> None:
    """The table, or one JSON object."""
    found = {
        "benchmark": name, "database": setting.database, "lots": setting.lots, "clients": setting.clients,
        "cores": os.cpu_count(), "rate": rounded(result.rate), "limit": rounded(result.limit),
        "ratio": rounded(result.ratio, 3), "p50_ms": rounded(result.p50_ms), "p99_ms": rounded(result.p99_ms),
        "rss_mb_max": setting.watch.largest,
    }  # fmt: skip
    if as_json:
        lines = [
            {k: rounded(v) if isinstance(v, float) else v for k, v in asdict(line).items()} for line in result.lines
        ]
        print(json.dumps(found | {"rss_mb": setting.watch.peaks, "lines": lines} | result.more, ensure_ascii=False))
        return
    print(f"{'':44}{'p50 ms':>9}{'p99 ms':>9}{'SQL ms':>9}{'ratio':>7}{'target':>8}{'rate/s':>9}")
    for line in result.lines:
        print(row(line))
    print("  ".join(f"{key} {value}" for key, value in (found | result.more).items() if value is not None))


def row(line: Line) -> str:
    ratio = f"{line.p50_ms / line.limit_ms:.1f}" if line.limit_ms else ""
    limit = f"{line.limit_ms:.2f}" if line.limit_ms else ""
    target = f"{line.target_ms:.0f}" if line.target_ms is not None else ""
    rate = f"{line.rate:,.0f}" if line.rate else ""
    judged = ("  missed" if line.missed else "  met") if line.target_ms is not None else ""
    mark = f"  HTTP {line.status}" if line.status != 200 else judged
    return f"{line.name[:44]:44}{line.p50_ms:9.2f}{line.p99_ms:9.2f}{limit:>9}{ratio:>7}{target:>8}{rate:>9}{mark}"


def rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


if __name__ == "__main__":
    sys.exit(main())
