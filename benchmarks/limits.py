"""The raw limit of reading: the same rows by one plain, prepared statement on one connection."""

from __future__ import annotations

import sqlite3
import time
from urllib.parse import urlsplit

from benchmarks.measure import percentile


def statement_ms(url: str, statement: str, turns: int = 200) -> float:
    """The median time of a statement with all its rows fetched, in milliseconds."""
    times = []
    if url.startswith("sqlite"):
        database = sqlite3.connect(urlsplit(url).path)
        for _ in range(turns):
            started = time.perf_counter()
            database.execute(statement).fetchall()
            times.append(time.perf_counter() - started)
        database.close()
    else:
        import psycopg

        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as session:
            for _ in range(turns):
                started = time.perf_counter()
                session.execute(statement).fetchall()
                times.append(time.perf_counter() - started)
    return percentile(times[turns // 10 :], 50) * 1_000
