"""The raw limit of writing: the same rows, and the same new figures of pools, by COPY into a copy of the same world."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

TABLES = (
    "orders_order", "ledger_entry", "ledger_lot", "ledger_posting", "ledger_holding", "orders_orderline", "audit_event",
)  # fmt: skip
FIGURES = (
    "pending", "on_hand", "usage_on_hand", "reserved", "fulfilled", "in_use", "lent", "borrowed", "metered",
    "next_change_at", "next_end_at",
)  # fmt: skip


@dataclass
class Written:
    """Rows of each table that were new, pools whose figures changed, and how long it took."""

    rows: dict[str, int]
    seconds: float


class Copier:
    """Looks at a database before and after an act, and writes what the act wrote into a copy of what was before."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.server = url.rpartition("/")[0]
        with _session(self.server + "/postgres") as session:
            session.execute("DROP DATABASE IF EXISTS raw WITH (FORCE)")
            name = url.rpartition("/")[2]
            session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            session.execute(f"CREATE DATABASE raw TEMPLATE {name} STRATEGY file_copy")
        with _session(url) as session:
            self.last = {name: _one(session, f"SELECT COALESCE(MAX(id), 0) FROM {name}") for name in TABLES}
            session.execute("CREATE TABLE bench_pool AS SELECT * FROM ledger_pool")

    def written(self, seconds: float) -> Written:
        """What the act wrote."""
        with _session(self.url) as session:
            rows = {name: _one(session, f"SELECT COUNT(*) FROM {name} WHERE id > {self.last[name]}") for name in TABLES}
            rows["ledger_pool"] = _one(session, f"SELECT COUNT(*) FROM ({_pools('id')}) AS pools")
        return Written(rows, seconds)

    def limit(self) -> Written:
        """The same rows in the copy: one COPY for each table, one UPDATE for the pools, one commit."""
        files: dict[str, IO[bytes]] = {}
        with _session(self.url) as session:
            columns = {name: _columns(session, name) for name in (*TABLES, "ledger_pool")}
            for name in TABLES:
                files[name] = _out(
                    session, f"SELECT {columns[name]} FROM {name} WHERE id > {self.last[name]} ORDER BY id"
                )
            files["ledger_pool"] = _out(session, _pools(columns["ledger_pool"]))
        figures = ", ".join(f"{name} = new.{name}" for name in FIGURES)
        rows = {}
        with _session(self.server + "/raw") as session:
            session.execute("VACUUM ANALYZE")
            session.execute("CHECKPOINT")
            session.execute(f"CREATE TABLE new_pool AS SELECT {columns['ledger_pool']} FROM ledger_pool LIMIT 0")
            started = time.perf_counter()
            with session.transaction():
                for name in TABLES:
                    rows[name] = _in(session, f"COPY {name} ({columns[name]})", files[name])
                _in(session, "COPY new_pool", files["ledger_pool"])
                update = f"UPDATE ledger_pool AS pool SET {figures} FROM new_pool AS new WHERE pool.id = new.id"
                made = (
                    f"INSERT INTO ledger_pool ({columns['ledger_pool']}) OVERRIDING SYSTEM VALUE SELECT * FROM new_pool AS new"
                    " WHERE NOT EXISTS (SELECT FROM ledger_pool AS pool WHERE pool.id = new.id)"
                )
                rows["ledger_pool"] = session.execute(update).rowcount + session.execute(made).rowcount
            return Written(rows, time.perf_counter() - started)


def _pools(columns: str) -> str:
    """Pools that are new or have other figures than before."""
    figures = ", ".join(f"pool.{name}" for name in FIGURES)
    return (
        f"SELECT {columns} FROM ledger_pool AS pool WHERE NOT EXISTS (SELECT FROM bench_pool AS old"
        f" WHERE old.id = pool.id AND ROW({figures.replace('pool.', 'old.')}) IS NOT DISTINCT FROM ROW({figures}))"
    )


def _session(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True)


def _one(session: Any, statement: str) -> int:
    return int(session.execute(statement).fetchone()[0])


def _columns(session: Any, table: str) -> str:
    statement = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position"
    )
    return ", ".join(name for (name,) in session.execute(statement, [table]).fetchall())


def _out(session: Any, statement: str) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  read later by `_in`
    with session.cursor().copy(f"COPY ({statement}) TO STDOUT (FORMAT binary)") as copied:
        for part in copied:
            file.write(part)
    file.seek(0)
    return file


def _in(session: Any, statement: str, file: IO[bytes]) -> int:
    cursor = session.cursor()
    with cursor.copy(f"{statement} FROM STDIN (FORMAT binary)") as copy:
        while part := file.read(1024 * 1024):
            copy.write(part)
    return int(cursor.rowcount)


def beside(copier: Copier, seconds: float, lines: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures of the act and of its limit; the two must have written the same rows."""
    ours, raw = copier.written(seconds), copier.limit()
    say(f"rows {ours.rows}")
    say(f"COPY {raw.rows}")
    if ours.rows != raw.rows:
        raise SystemExit("the two sides wrote different rows")
    rate, limit = lines / ours.seconds, lines / raw.seconds
    return {
        "rate": round(rate), "limit": round(limit), "ratio": round(rate / limit, 3), "seconds": round(ours.seconds, 1),
        "limit_seconds": round(raw.seconds, 1), "lines": lines, "rows": ours.rows, "limit_rows": raw.rows,
    }  # fmt: skip
