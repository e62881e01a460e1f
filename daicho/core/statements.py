"""Plain statements for the acts that come thousands of times a second: written once, on PostgreSQL prepared.

The ORM takes several times longer to write such a statement than the database to answer it. What comes back is still
the model, so nobody above notices.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from django.db import connection, models

from daicho.core.db import is_postgres

ROWS = 2_000  # per statement; SQLite takes 250,000 parameters at most
PREPARE_AFTER = 3  # times that a connection has seen the same text


def ask(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any.

    Parameters are numbers, text, UUIDs, instants, None; JSON as text. While queries are counted it goes Django's way.
    """
    if not is_postgres() or connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(statement, [_plain(value) for value in parameters])
            return cursor.fetchall() if cursor.description else []
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    session = connection.connection
    session.prepare_threshold = PREPARE_AFTER
    with connection.wrap_database_errors, psycopg.Cursor(session) as direct:
        direct.execute(statement, parameters)
        return direct.fetchall() if direct.description else []


def fetch[M: models.Model](model: type[M], rest: str, parameters: Sequence[Any] = ()) -> list[M]:
    """Rows of one table as models; `rest` stands behind FROM: WHERE …, ORDER BY …, FOR …."""
    select, names, converters = _reading(model, connection.vendor)
    found = []
    for row in ask(f"{select} {rest}", parameters):
        values = list(row)
        for place, convert in converters:
            values[place] = convert(values[place])
        found.append(model.from_db("default", names, values))
    return found


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], rest: str = ""
) -> list[tuple[Any, ...]]:
    """Insert many rows without making a model of each; `rest` may be ON CONFLICT … and RETURNING …."""
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    names = ", ".join(field.column for field in fields)
    one = f"({marks(fields)})"
    made: list[tuple[Any, ...]] = []
    for part in chunks(rows):
        values = ", ".join([one] * len(part))
        statement = f"INSERT INTO {model._meta.db_table} ({names}) VALUES {values} {rest}"  # noqa: S608
        made += ask(statement, parameters_of(fields, part))
    return made


def chunks[T](items: Sequence[T], size: int = ROWS) -> Iterator[Sequence[T]]:
    """The items in parts of at most `size`, in their order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def instant(value: Any) -> dt.datetime | None:
    """A read instant; SQLite knows nothing of zones."""
    if value is None or is_postgres():
        return value  # type: ignore[no-any-return]
    read: dt.datetime = connection.ops.convert_datetimefield_value(value, None, connection)  # type: ignore[attr-defined]
    return read


def marks(values: Sequence[Any]) -> str:
    """Placeholders for IN (…)."""
    return ", ".join(["%s"] * len(values)) or "NULL"


@functools.cache
def _reading(model: type[models.Model], vendor: str) -> tuple[str, list[str], list[tuple[int, Callable[[Any], Any]]]]:
    fields = model._meta.concrete_fields
    table = model._meta.db_table
    converters = [
        (place, convert) for place, field in enumerate(fields) if (convert := _converter(field, table)) is not None
    ]
    columns = ", ".join(f"{table}.{field.column}" for field in fields)
    return f"SELECT {columns} FROM {table}", [field.attname for field in fields], converters  # noqa: S608


def _converter(field: Any, table: str) -> Callable[[Any], Any] | None:
    """What Django would do to a value of this column."""
    column = field.get_col(table)
    steps = [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
    if not steps:
        return None

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert


def _plain(value: Any) -> Any:
    """What Django hands to the database for a value."""
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID) and not is_postgres():
        return value.hex  # kept without dashes on SQLite
    return value


def parameters_of(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The parameters for VALUES of these columns."""
    return [
        value if type(value) is int else field.get_db_prep_value(value, connection)
        for row in rows
        for field, value in zip(fields, row, strict=True)
    ]
