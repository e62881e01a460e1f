"""Where a benchmark runs: a database with full durability holding a world, and our processes on it.

A loaded world can be kept (`--keep DIR`): the next run uses it as it is (`writes=False`) or a copy of it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Watch
from tests.support.serving import SECRET_KEY, environment, free_port, running, wait_for

VERSION = 1  # of world.py and load.py: a kept world of another version is made anew
MEMORY = ("shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=15min")


@dataclass
class Setting:
    """`who`: how to ask (people.py). `watch` collects the peak memory of every process of ours."""

    database: str
    lots: int
    clients: int
    seconds: float
    workers: int
    url: str
    data: Path
    who: dict[str, Any]
    watch: Watch = field(default_factory=Watch)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """`daicho serve` on this database; gives its port."""
        port = free_port()
        settings = environment(self.data, port, DAICHO_LOG_LEVEL="ERROR", DAICHO_DATABASE_URL=self.url)
        words = ("serve", "--port", str(port), "--workers", str(self.workers))
        with running(*words, environment=settings) as server, self.watch.over(server.pid):
            wait_for(f"http://127.0.0.1:{port}/healthz")
            yield port

    @contextmanager
    def working(self) -> Iterator[None]:
        """`daicho worker` on this database."""
        settings = environment(self.data, 8000, DAICHO_LOG_LEVEL="ERROR", DAICHO_DATABASE_URL=self.url)
        with running("worker", environment=settings) as worker, self.watch.over(worker.pid):
            yield


@contextmanager
def opened(
    database: str,
    lots: int,
    *,
    keep: str = "",
    clients: int = 1,
    seconds: float = 10,
    workers: int = 2,
    writes: bool = False,
) -> Iterator[Setting]:
    """A world of so many lots, made or kept; Django of this process uses it. `writes`: the run gets a copy."""
    with tempfile.TemporaryDirectory(prefix="daicho-bench-") as scratch:
        Path(scratch).chmod(0o755)  # the server runs as another user where this process is root
        top = (Path(keep) if keep else Path(scratch)) / f"{database}-{lots}"
        top.mkdir(parents=True, exist_ok=True)
        os.environ |= {"DAICHO_DATA": str(top), "DAICHO_SECRET_KEY": SECRET_KEY, "DAICHO_LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "daicho.config.settings"
        note = top / "world.json"
        known = json.loads(note.read_text()) if note.exists() else {}
        fresh = known.get("version") != VERSION
        url = _postgres(top, fresh) if database == "postgres" else _sqlite(top, fresh)
        os.environ["DAICHO_DATABASE_URL"] = url
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        who = _fill(note, lots) if fresh else _wake(known)
        if writes:
            url = _copy(database, url, top)
        yield Setting(database, lots, clients, seconds, workers, url, top, who)


def _postgres(top: Path, fresh: bool) -> str:
    import psycopg

    from tests.support import postgres

    if fresh:
        shutil.rmtree(top / "server", ignore_errors=True)
    server = postgres.start(durable=True, keep=top / "server", options=MEMORY)
    refuse_without_durability(server)
    if fresh:
        with psycopg.connect(server, autocommit=True) as session:
            session.execute("CREATE DATABASE world")
    return server.rpartition("/")[0] + "/world"


def refuse_without_durability(url: str) -> None:
    """Figures of a server that may lose what it acknowledged mean nothing."""
    import psycopg

    with psycopg.connect(url) as session:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            row = session.execute(f"SHOW {name}").fetchone()
            if row is None or row[0] != "on":
                sys.exit(f"{name} is off on this PostgreSQL: a benchmark needs full durability")


def _sqlite(top: Path, fresh: bool) -> str:
    if fresh:
        for file in top.glob("daicho.sqlite3*"):
            file.unlink()
    return f"sqlite:///{top.absolute()}/daicho.sqlite3"


def _fill(note: Path, lots: int) -> dict[str, Any]:
    from benchmarks import load, people, world
    from daicho.domain.ledger.check import check_ledger

    started = time.perf_counter()
    took = load.load(world.facts(lots, dt.datetime.now(dt.UTC)))
    if wrong := check_ledger():
        sys.exit(f"the world is not sound: {len(wrong)} findings, the first: {wrong[0]}")
    who = people.invite_everybody()
    _rest()
    _analyze()
    print(f"loaded {lots:,} lots in {time.perf_counter() - started:.0f} s {took}", file=sys.stderr)
    note.write_text(json.dumps({"version": VERSION, "who": who}))
    return who


def _wake(known: dict[str, Any]) -> dict[str, Any]:
    """A kept world catches up with what started or ended since."""
    from daicho.domain.ledger.sweep import sweep_due

    if sweep_due() + _rest() > 1_000:
        _analyze()
    who: dict[str, Any] = known["who"]
    return who


def _rest() -> int:
    """What the worker would still have to do is done, so that it does not weigh on what is measured."""
    from daicho.domain.alerts import watch
    from daicho.domain.audit.seal import seal_pending

    watch.run()
    return seal_pending()


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _copy(database: str, url: str, top: Path) -> str:
    """The run's own database, a copy of the kept one; Django of this process turns to it."""
    from django.db import connection

    connection.close()
    if database == "sqlite":
        shutil.copyfile(top / "daicho.sqlite3", top / "run.sqlite3")
        url = f"sqlite:///{top.absolute()}/run.sqlite3"
        connection.settings_dict["NAME"] = str(top / "run.sqlite3")
    else:
        import psycopg

        with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as session:
            session.execute("DROP DATABASE IF EXISTS run WITH (FORCE)")
            session.execute("CREATE DATABASE run TEMPLATE world STRATEGY file_copy")
        url = url.rpartition("/")[0] + "/run"
        connection.settings_dict["NAME"] = "run"
    os.environ["DAICHO_DATABASE_URL"] = url
    return url
