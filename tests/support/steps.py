"""The steps of bin/check: each one line with its time; the output of those that fail. All run, whatever fails."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"

DATA = tempfile.TemporaryDirectory(prefix="daicho-check-")  # a fresh clone has none of its own

PRODUCTION = {  # a sound production environment, for Django's own deployment checks
    "DJANGO_SETTINGS_MODULE": "daicho.config.settings",
    "DAICHO_DATA": DATA.name,
    "DAICHO_SITE_URL": "https://licenses.example.co.jp",
    "DAICHO_SECRET_KEY": "fifty characters and more, for a check that starts nothing and keeps nothing 0123456789",
}
TESTING = {"DJANGO_SETTINGS_MODULE": "tests.support.settings"}


@dataclass(frozen=True)
class Step:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    needs: str = ""  # a file without which there is nothing to check yet

    def run(self) -> tuple[bool, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DAICHO_")}
        result = subprocess.run(
            self.command,
            cwd=ROOT,
            env=environment | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.returncode == 0, result.stdout


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


TEMPLATES = "daicho/interfaces/portal/templates"
STEPS = (
    Step("format", ["ruff", "format", "--check", "--output-format", "concise", "."]),
    Step("lint", ["ruff", "check", "--output-format", "concise", "."]),
    Step("types", ["mypy", "--no-error-summary"], TESTING),
    Step(
        "types of the agent",
        ["mypy", "--no-error-summary", "--config-file", "sdk/python/pyproject.toml", "sdk/python/src"],
    ),
    Step("contracts", ["lint-imports", "--no-logo"]),
    Step("templates", ["djlint", "--lint", "--quiet", TEMPLATES], needs=TEMPLATES),
    Step("spelling", ["codespell"]),
    Step("settings", python("django", "check", "--deploy", "--fail-level", "WARNING"), PRODUCTION),
    Step("migrations", python("django", "makemigrations", "--check", "--dry-run"), TESTING),
    Step("translations", python("tests.support.messages", "--check")),
    Step("openapi", python("tests.support.openapi", "--check"), TESTING, needs="tests/support/openapi.py"),
    Step("coverage", python("tests.support.coverage_doc", "--check"), TESTING, needs="tests/support/coverage_doc.py"),
    Step("operations", python("tests.support.settings_doc", "--check")),
)


def run_steps(names: list[str]) -> list[str]:
    """Run the named steps (none: all) and return the names of those that failed."""
    unknown = set(names) - {step.name for step in STEPS}
    if unknown:
        raise SystemExit(f"No such step: {', '.join(sorted(unknown))}. There are: {', '.join(s.name for s in STEPS)}")
    failed = []
    for step in STEPS:
        if (names and step.name not in names) or not (ROOT / step.needs).exists():
            continue
        started = time.monotonic()
        good, output = step.run()
        print(f"{'ok  ' if good else 'FAIL'} {step.name:<14}{time.monotonic() - started:6.1f} s", flush=True)
        if not good:
            failed.append(step.name)
            print("     " + output.strip().replace("\n", "\n     "), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(1 if run_steps(sys.argv[1:]) else 0)
