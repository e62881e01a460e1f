"""Rows by the hundred thousand: COPY on PostgreSQL, `executemany` on SQLite, indexes made afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction


@contextmanager
def quick() -> Iterator[None]:
    """Without secondary indexes, triggers and foreign keys inside; with all of them, sequences and statistics after."""
    tables = [model._meta.db_table for model in apps.get_models()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute(
                """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN
                   (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u')) AND indexdef NOT LIKE 'CREATE UNIQUE%%'""",
                [tables],
            )
        else:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%%'")
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        with transaction.atomic():
            yield
        for _, definition in indexes:
            cursor.execute(definition)
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def insert(label: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows of the named fields (`id`, `account`, …) into a model's table, the other fields by their defaults.

    Values as both databases take them: instants by `stamp`, JSON as text, UUIDs in hex.
    """
    model = apps.get_model(label)
    given = {model._meta.get_field(name).column for name in columns}
    rest: list[Any] = [
        item for item in model._meta.concrete_fields
        if item.column not in given and not isinstance(item, models.AutoField | models.GeneratedField)
    ]  # fmt: skip
    constants = tuple(item.get_db_prep_save(item.get_default(), connection) for item in rest)
    names = [model._meta.get_field(name).column for name in columns] + [item.column for item in rest]
    quoted = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {model._meta.db_table} ({quoted}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row, *constants))
        else:
            marks = ", ".join("?" * len(names))
            plain = cursor.connection.cursor()  # Django's own cursor rewrites every statement
            plain.executemany(
                f"INSERT INTO {model._meta.db_table} ({quoted}) VALUES ({marks})", ((*row, *constants) for row in rows)
            )


def stamp(at: dt.datetime) -> str:
    """An instant as both databases read it (the session of PostgreSQL is in UTC)."""
    return at.replace(tzinfo=None).isoformat(" ")
