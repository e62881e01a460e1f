"""bin/test: the steps of bin/check, then the tests on both databases and in a browser; ends with one line of counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.support.steps import ROOT, STEPS, run_steps

PARALLEL = ["-n", "auto", "--dist", "loadfile"]
TESTS = ROOT / "tests"
AGENT = ROOT / "sdk/python"
RUNS = (
    ("tests on SQLite", "sqlite", ["-m", "not browser and not production and not crowd", *PARALLEL]),
    ("tests on PostgreSQL", "postgres", ["-m", "not browser and not production and not crowd", *PARALLEL]),
    ("a crowd on PostgreSQL", "postgres", ["-m", "crowd"]),
    (
        "the agent",
        "sqlite",
        ["-c", str(AGENT / "pyproject.toml"), "--rootdir", str(AGENT), "-p", "no:django", str(AGENT / "tests")],
    ),
    ("installation", "sqlite", ["-m", "production"]),
    ("browser journeys", "sqlite", ["-m", "browser", "-n", "2", "--dist", "load"]),
)
# One process serves this crowd, so it leaves a core to the runs named here: it goes on beside them.
BESIDE = ("a crowd on SQLite", "sqlite", ["-m", "crowd"])
WITH = {"installation", "browser journeys"}
COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")
NOTHING_COLLECTED = 5


def main(arguments: list[str]) -> int:
    started = time.monotonic()
    failed = run_steps([])
    counts = Counter({"passed": len(STEPS) - len(failed), "failed": len(failed), "skipped": 0})
    broken = bool(failed)

    def add(code: int, last: str) -> bool:
        for number, word in COUNT.findall(last):
            counts["failed" if word.startswith("error") else word] += int(number)
        return code not in {0, NOTHING_COLLECTED}

    with ThreadPoolExecutor(1) as pool:
        beside = None
        for title, database, options in RUNS:
            if title in WITH and beside is None:
                beside = pool.submit(pytest, BESIDE[1], [*BESIDE[2], *arguments], show=False)
            print(f"\n{title}", flush=True)
            code, lines = pytest(database, [*options, *arguments])
            broken |= add(code, closing_line(lines))
        if beside is not None:
            code, lines = beside.result()
            print(f"\n{BESIDE[0]}\n{''.join(lines)}", flush=True)
            broken |= add(code, closing_line(lines))
    if "DAICHO_REAL_DATA" not in os.environ:
        print("\nDAICHO_REAL_DATA is not set: the tests on real data were left out.")
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    print(f"\nin {minutes}:{seconds:02d}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if broken else 0


def pytest(database: str, options: list[str], *, show: bool = True) -> tuple[int, list[str]]:
    """Run pytest, show what it says as it says it, and return its exit code and its lines."""
    command = [sys.executable, "-m", "pytest", "-q", *options, *where(options)]
    environment = os.environ | {"DAICHO_TEST_DB": database}
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if show:
                print(line, end="", flush=True)
    return process.returncode, lines


def where(options: list[str]) -> list[str]:
    """The files of the one mark that is asked for: to collect all others takes half a minute. Named paths stay."""
    mark = options[options.index("-m") + 1] if "-m" in options else ""
    if not mark.isidentifier() or any((ROOT / option.partition("::")[0]).exists() for option in options):
        return []
    marked = [path for path in sorted(TESTS.rglob("*.py")) if f"mark.{mark}" in path.read_text()]
    return [str(path.parent if path.name == "conftest.py" else path) for path in marked]


def closing_line(lines: list[str]) -> str:
    """The last line that counts tests."""
    return next((line for line in reversed(lines) if COUNT.search(line)), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
