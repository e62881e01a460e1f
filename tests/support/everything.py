"""bin/test: the steps of bin/check, then the tests on both databases and in a browser; ends with one line of counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter

from tests.support.steps import ROOT, STEPS, run_steps

PARALLEL = ["-n", "auto", "--dist", "loadfile"]
RUNS = (
    ("tests on SQLite", "sqlite", ["-m", "not browser and not production and not crowd", *PARALLEL]),
    ("tests on PostgreSQL", "postgres", ["-m", "not browser and not production and not crowd", *PARALLEL]),
    ("a crowd on SQLite", "sqlite", ["-m", "crowd"]),
    ("a crowd on PostgreSQL", "postgres", ["-m", "crowd"]),
    ("installation", "sqlite", ["-m", "production"]),
    ("browser journeys", "sqlite", ["-m", "browser"]),
)
COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")
NOTHING_COLLECTED = 5


def main(arguments: list[str]) -> int:
    started = time.monotonic()
    failed = run_steps([])
    counts = Counter({"passed": len(STEPS) - len(failed), "failed": len(failed), "skipped": 0})
    broken = bool(failed)
    for title, database, options in RUNS:
        print(f"\n{title}", flush=True)
        code, last = pytest(database, [*options, *arguments])
        for number, word in COUNT.findall(last):
            counts["failed" if word.startswith("error") else word] += int(number)
        broken |= code not in {0, NOTHING_COLLECTED}
    if "DAICHO_REAL_DATA" not in os.environ:
        print("\nDAICHO_REAL_DATA is not set: the tests on real data were left out.")
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    print(
        f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped in {minutes}:{seconds:02d}"
    )
    return 1 if broken else 0


def pytest(database: str, options: list[str]) -> tuple[int, str]:
    """Run pytest, show what it says as it says it, and return its exit code and its closing line."""
    command = [sys.executable, "-m", "pytest", "-q", *options]
    environment = os.environ | {"DAICHO_TEST_DB": database}
    last = ""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line if COUNT.search(line) else last
    return process.returncode, last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
