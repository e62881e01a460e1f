"""A large order file as a spool (see spooling.py): read once by a process of its own, then part by part."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import daicho
from daicho.core import tabular
from daicho.domain.catalog import errors as catalog_errors
from daicho.domain.orders.columns import COLUMNS, HEADER, NEEDED
from daicho.domain.orders.sheet import Sheet, add_order

PART = 2_000
"""Lines of one act: enough to share a commit, few enough to lock pools for less than a second."""
HERE = Path(daicho.__file__).parent.parent


@contextmanager
def spooled(parts: Iterable[bytes]) -> Iterator[IO[str]]:
    """The rows of a CSV or XLSX file in the order in which they are recorded. Raises as `read_sheet`."""
    with tempfile.TemporaryDirectory(prefix="daicho-orders-") as scratch:
        source, target = Path(scratch, "source"), Path(scratch, "spool")
        with source.open("wb") as file:
            file.writelines(parts)
        if code := read_apart(source, target):
            raise _problem(code)
        source.unlink()
        with target.open(encoding="utf-8") as spool:
            yield spool


def read_apart(source: Path, target: Path) -> str:
    """Let a process of its own write the spool; returns the code of what the file lacks."""
    reader = [sys.executable, "-m", "daicho.domain.orders.spooling", str(source), str(target)]
    done = subprocess.run(reader, stdout=subprocess.PIPE, text=True, check=False, cwd=HERE)
    return done.stdout or ("broken_off" if done.returncode else "")


def _problem(code: str) -> Exception:
    """What the reader refused, in the words of this language."""
    known = tabular.PROBLEMS | {
        "nothing_in_file": catalog_errors.nothing_in_file,
        "unknown_columns": lambda: catalog_errors.no_columns(", ".join(NEEDED)),
    }
    return known[code]() if code in known else RuntimeError("the process that reads order files broke off")


def parts_from(spool: IO[str], done: int = 0, size: int = PART) -> Iterator[Sheet]:
    """The rows behind the first `done` ones, in sheets of about `size` lines, each line with its number.

    An order is torn apart only where it is larger than that, always at the same lines.
    """
    part = Sheet()
    rows: list[int] = []
    for at, line in enumerate(spool):
        if at < done:
            continue
        row, place, count, header, cells = json.loads(line)
        if place == 1 and part.rows and len(part.rows) + min(count, size) > size:
            yield part
            part = Sheet()
        part.rows[row] = dict(zip(COLUMNS, cells, strict=True))
        part.rows[row]["line"] = part.rows[row]["line"] or str(place)
        rows.append(row)
        if place == count or place % size == 0:
            add_order(part, rows, dict(zip(HEADER, header, strict=True)))
            rows = []
            if place % size == 0:
                yield part
                part = Sheet()
    if part.rows:
        yield part


def count_rows(spool: IO[str]) -> int:
    """How many rows there are; the spool stands at its beginning again."""
    found = sum(1 for _ in spool)
    spool.seek(0)
    return found
