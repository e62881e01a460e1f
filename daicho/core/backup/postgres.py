"""PostgreSQL: a zip with a member for each table, as COPY writes it, all read from one snapshot, and the manifest last.

It needs no programs of PostgreSQL and no rights beyond those that Daicho has anyway, and goes into any version from 15
on. The tables themselves come from the migrations.
"""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg import IsolationLevel, sql

from daicho.core.backup import manifest as told
from daicho.core.backup.manifest import Manifest, Tell

BLOCK = 1 << 20
MANIFEST = "manifest.json"
_TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> %s
GROUP BY c.relname ORDER BY c.relname
"""
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1"
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u', 'x'))
"""
_OTHERS = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def write(path: Path, tell: Tell) -> Manifest:
    session: Any = connection.get_new_connection(connection.get_connection_params())
    session.isolation_level, session.read_only = IsolationLevel.REPEATABLE_READ, True
    with session, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        columns = _columns(session)
        rows = {name: session.execute(_count(name)).fetchone()[0] for name in columns}
        done, all_rows = 0, sum(rows.values())
        for name, names in columns.items():
            with (
                archive.open(_member(name), "w", force_zip64=True) as file,
                session.cursor().copy(_copy(name, names, "TO STDOUT")) as stream,
            ):
                for block in stream:
                    file.write(block)
                    done += bytes(block).count(b"\n")
                    tell(done, all_rows)
        sequences = {
            name: list(session.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name)))
                       .fetchone())
            for (name,) in session.execute(_SEQUENCES).fetchall()
        }  # fmt: skip
        manifest = dataclasses.replace(Manifest.of_now(rows), columns=columns, sequences=sequences)
        archive.writestr(MANIFEST, manifest.to_json())
    return manifest


def read(path: Path) -> Manifest:
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(MANIFEST).decode()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise told.unreadable(path) from error
    return Manifest.from_json(text, path)


def refuse_company() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        if cursor.fetchone()[0]:
            raise told.in_use()


def restore(path: Path, manifest: Manifest, tell: Tell) -> None:
    """In one transaction: empty the tables, fill them, then make indexes and foreign keys anew, which checks them."""
    try:
        with transaction.atomic(), zipfile.ZipFile(path) as archive:
            session: Any = connection.connection
            tables = sql.SQL(", ").join(map(sql.Identifier, _columns(session)))
            session.execute(sql.SQL("TRUNCATE {}").format(tables))
            foreign_keys = session.execute(_FOREIGN_KEYS).fetchall()
            indexes = session.execute(_INDEXES).fetchall()
            for table, name, _ in foreign_keys:
                session.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            for name, _ in indexes:
                session.execute(f'DROP INDEX "{name}"')
            _fill(session, archive, manifest, tell)
            for _, definition in indexes:
                session.execute(definition)
            for table, name, definition in foreign_keys:
                session.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            for name, (last, is_called) in manifest.sequences.items():
                session.execute("SELECT setval(%s::regclass, %s, %s)", [f'"{name}"', last, is_called])
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise told.unreadable(path) from error
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _fill(session: Any, archive: zipfile.ZipFile, manifest: Manifest, tell: Tell) -> None:
    done, all_rows = 0, sum(manifest.rows.values())
    for name, expected in manifest.rows.items():
        with (
            archive.open(_member(name)) as file,
            session.cursor().copy(_copy(name, manifest.columns[name], "FROM STDIN")) as stream,
        ):
            while block := file.read(BLOCK):
                stream.write(block)
                done += block.count(b"\n")
                tell(done, all_rows)
        (found,) = session.execute(_count(name)).fetchone()
        if found != expected:
            raise told.rows_differ(name, expected, found)


def _columns(session: Any) -> dict[str, list[str]]:
    """The columns of every table that can be written; what is remembered for a short while only is left out."""
    return dict(session.execute(_TABLES, [settings.CACHES["default"]["LOCATION"]]).fetchall())


def _copy(table: str, columns: list[str], direction: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) " + direction).format(sql.Identifier(table), names)


def _count(table: str) -> sql.Composed:
    return sql.SQL("SELECT COUNT(*) FROM {}").format(sql.Identifier(table))


def _member(table: str) -> str:
    return f"{table}.copy"
