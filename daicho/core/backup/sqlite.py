"""SQLite: the backup is a database, made page by page from one snapshot, with its manifest in a table of its own."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

from daicho.core.backup import manifest as told
from daicho.core.backup.manifest import Manifest, Tell

PAGES = 2_000  # copied between two words on the progress
KEPT_IN = "daicho_backup"


def write(path: Path, tell: Tell) -> Manifest:
    with closing(_open(database())) as source, closing(_open(path)) as target:
        source.execute("BEGIN")
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # from here on it reads one moment
        source.backup(target, pages=PAGES, progress=lambda _status, left, all_: tell(all_ - left, all_))
        target.execute("PRAGMA journal_mode = DELETE")
        manifest = Manifest.of_now(_rows(target))
        target.execute(f"CREATE TABLE {KEPT_IN} (manifest TEXT NOT NULL)")
        target.execute(f"INSERT INTO {KEPT_IN} VALUES (?)", [manifest.to_json()])  # noqa: S608
    return manifest


def read(path: Path) -> Manifest:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            (text,) = file.execute(f"SELECT manifest FROM {KEPT_IN}").fetchone()  # noqa: S608
    except (sqlite3.Error, TypeError) as error:
        raise told.unreadable(path) from error
    return Manifest.from_json(text, path)


def restore(path: Path, manifest: Manifest, tell: Tell) -> None:
    """A whole new file stands beside the old one before it takes its place."""
    connection.close()
    target = database()
    _refuse_company(target)
    new = target.with_name(f"{target.name}.restoring")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    try:
        with closing(_open(path)) as source, closing(_open(new)) as copy:
            source.backup(copy, pages=PAGES, progress=lambda _status, left, all_: tell(all_ - left, all_))
            copy.execute(f"DROP TABLE {KEPT_IN}")
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise told.unreadable(path)
            found = _rows(copy)
            for table, expected in manifest.rows.items():
                if found.get(table) != expected:
                    raise told.rows_differ(table, expected, found.get(table, 0))
        for suffix in ("-wal", "-shm"):  # of the old file: its last words must not be added to the new one
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(new, target.stat().st_mode & 0o777)
        os.replace(new, target)
        _keep_name(target.parent)
    except sqlite3.DatabaseError as error:
        raise told.unreadable(path) from error
    finally:
        new.unlink(missing_ok=True)


def database() -> Path:
    return Path(connection.settings_dict["NAME"])


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=30)


def _refuse_company(target: Path) -> None:
    """SQLite leaves the WAL only when nobody else has the file open."""
    if not target.exists():
        return
    with closing(sqlite3.connect(target, isolation_level=None, timeout=1)) as alone:
        try:
            alone.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise told.in_use() from error
        except sqlite3.DatabaseError:
            return  # what stands there is no database any more: nobody works with it


def _rows(file: sqlite3.Connection) -> dict[str, int]:
    tables = file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> ?"
        " ORDER BY name", [KEPT_IN],
    ).fetchall()  # fmt: skip
    return {name: file.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608


def _keep_name(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
