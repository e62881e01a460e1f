"""100 seats are sold 100 times: over TCP, under a crowd, also when a server process dies (ledger.md, TAKE)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.crowd.asking import Outcome, run_crowd
from tests.support import postgres
from tests.support.serving import console, environment, free_port, running, wait_for

CLIENTS, ASKS, TAGS, SEATS = 64, 400, 40, 100
pytestmark = pytest.mark.crowd


def play(
    settings: dict[str, str], port: int, *, midway: Callable[[subprocess.Popen[bytes]], None] | None = None
) -> Outcome:
    assert console("migrate", "--no-static", environment=settings).returncode == 0
    prepared = subprocess.run(
        [sys.executable, "-m", "tests.crowd.prepare", str(CLIENTS), str(TAGS), str(SEATS)],
        env=settings, capture_output=True, text=True, check=True,
    )  # fmt: skip
    world: dict[str, Any] = json.loads(prepared.stdout)
    with running("serve", "--port", str(port), "--workers", "2", environment=settings) as server:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        return run_crowd(port, world, asks=ASKS, midway=(lambda: midway(server)) if midway else None)


def assert_exactly_all_seats_are_sold(outcome: Outcome, settings: dict[str, str]) -> None:
    assert len(outcome.seats) == TAGS
    assert set(outcome.seats.values()) == {SEATS}
    assert set(outcome.refusals) == {"not_enough_licenses"}
    assert outcome.refusals.total() == CLIENTS * ASKS - TAGS * SEATS
    checked = console("check-ledger", "--json", environment=settings)
    assert checked.returncode == 0, checked.stdout


def new_database() -> str:
    """An empty database of its own on the run's PostgreSQL."""
    run = postgres.database()
    name = f"crowd_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(
        host=run["HOST"],
        port=run["PORT"],
        user=run["USER"],
        password=run["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # a name of our own making
    return os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + f"/{name}"


def kill_one_worker(server: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    workers = [int(child) for child in children if b"daicho" in Path(f"/proc/{child}/cmdline").read_bytes()]
    os.kill(workers[-1], signal.SIGKILL)


@pytest.mark.sqlite
def test_one_process_on_sqlite_sells_each_seat_once(tmp_path: Path) -> None:
    port = free_port()
    setting = environment(tmp_path, port, DAICHO_LOG_LEVEL="ERROR")
    assert_exactly_all_seats_are_sold(play(setting, port), setting)


@pytest.mark.postgres
def test_two_processes_on_postgresql_sell_each_seat_once_also_when_one_is_killed_midway(tmp_path: Path) -> None:
    port = free_port()
    setting = environment(tmp_path, port, DAICHO_DATABASE_URL=new_database(), DAICHO_LOG_LEVEL="ERROR")
    outcome = play(setting, port, midway=kill_one_worker)
    assert outcome.repeated > 0, "the kill was not noticed"
    assert_exactly_all_seats_are_sold(outcome, setting)
