"""Real worker processes: stopped in order, and killed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import CONSOLE, console, migrated

pytestmark = pytest.mark.production


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return migrated(tmp_path, DAICHO_DEMO="1")


@pytest.fixture
def worker(settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([CONSOLE, "worker"], env=settings, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def last_success(settings: dict[str, str]) -> dict[str, str | None]:
    listed = json.loads(console("jobs", "--json", environment=settings).stdout)
    return {job["name"]: job["last_succeeded"] for job in listed}


def wait_until_all_ran(settings: dict[str, str]) -> dict[str, str | None]:
    for _ in range(40):
        found = last_success(settings)
        if found and all(found.values()):
            return found
        time.sleep(0.5)
    raise AssertionError(f"not every job succeeded: {found}")


def test_every_job_succeeds_on_an_empty_installation(settings, worker) -> None:
    wait_until_all_ran(settings)
    assert console("jobs", environment=settings).returncode == 0


def test_sigterm_ends_a_worker_within_seconds_however_often_it_comes(settings, worker) -> None:
    wait_until_all_ran(settings)
    for _ in range(50):
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0


def test_after_a_kill_the_next_worker_takes_over(settings, worker) -> None:
    before = wait_until_all_ran(settings)
    worker.kill()
    worker.wait()
    with subprocess.Popen([CONSOLE, "worker"], env=settings, stderr=subprocess.DEVNULL) as second:
        try:
            for _ in range(40):
                if (last_success(settings)["send-mail"] or "") > (before["send-mail"] or ""):
                    return
                time.sleep(0.5)
            raise AssertionError("the second worker did not take over")
        finally:
            second.terminate()
