"""Plain statements for the acts that come thousands of times a second: written once, on PostgreSQL prepared.

The ORM takes several times longer to write such a statement than the database to answer it. What comes back is still
the model, so nobody above notices.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from daicho.core.db import is_postgres

ROWS = 2_000  # per statement; SQLite takes 250,000 parameters at most
MANY = 50  # rows from which on PostgreSQL takes them as a stream or as arrays: no statement of their size is written
PREPARE_AFTER = 3  # times that a connection has seen the same text


class JsonText(str):
    """JSON that is written out already, for a column that keeps JSON."""

    __slots__ = ()


def ask(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any.

    Parameters are numbers, text, UUIDs, instants, None; JSON as text. While queries are counted it goes Django's way.
    """
    ours = connections[DEFAULT_DB_ALIAS]  # asking `connection` for each of its parts costs more than it looks
    if ours.vendor != "postgresql" or ours.queries_logged:
        with ours.cursor() as cursor:
            cursor.execute(statement, [_plain(value) for value in parameters])
            return cursor.fetchall() if cursor.description else []
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    ours.validate_no_broken_transaction()
    session = ours.connection
    session.prepare_threshold = PREPARE_AFTER
    with ours.wrap_database_errors, psycopg.Cursor(session) as direct:
        direct.execute(statement, parameters)
        return direct.fetchall() if direct.description else []


def among(column: str, values: Iterable[Any]) -> tuple[str, list[Any]]:
    """The condition that a column holds one of these values, with its parameters.

    On PostgreSQL they are one array, so that the statement reads the same, and is prepared once, for however many.
    """
    wanted = list(values)
    if is_postgres():
        return f"{column} = ANY(%s)", [wanted]
    return f"{column} IN ({marks(wanted)})", wanted


def fetch[M: models.Model](model: type[M], rest: str, parameters: Sequence[Any] = ()) -> list[M]:
    """Rows of one table as models; `rest` stands behind FROM: WHERE …, ORDER BY …, FOR …."""
    table = model._meta.db_table
    columns, read = read_columns(model, table)
    return [read(list(row)) for row in ask(f"SELECT {columns} FROM {table} {rest}", parameters)]  # noqa: S608


def read_columns[M: models.Model](model: type[M], alias: str) -> tuple[str, Callable[[list[Any]], M]]:
    """The columns of a table that a longer statement calls `alias`, and what makes a model of their values."""
    columns, names, converters = _reading(model, alias, connection.vendor)

    def read(values: list[Any]) -> M:
        for place, convert in converters:
            values[place] = convert(values[place])
        return model.from_db("default", names, values)

    return columns, read


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], rest: str = ""
) -> list[tuple[Any, ...]]:
    """Insert many rows without making a model of each; `rest` may be ON CONFLICT … and RETURNING …."""
    fields, types, names = _writing(model, tuple(columns), connection.vendor)
    if not rest and takes_arrays(rows):
        _copy(model, fields, rows)
        return []
    made: list[tuple[Any, ...]] = []
    for part in chunks(rows):
        if len(part) > 1 and is_postgres():
            values, parameters = as_table(types, list(_ready(fields, part)))
            values = f"SELECT * FROM {values}"  # noqa: S608
        else:
            values = "VALUES " + ", ".join([f"({marks(fields)})"] * len(part))
            parameters = parameters_of(fields, part)
        made += ask(f"INSERT INTO {model._meta.db_table} ({names}) {values} {rest}", parameters)
    return made


@functools.cache
def _writing(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> tuple[list[Any], list[str], str]:
    """The fields that a statement writes, their types, and their columns in one line."""
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    return fields, [field.rel_db_type(connection) for field in fields], ", ".join(field.column for field in fields)


def as_table(types: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Rows as a table v (column1, column2 …) to select from, and its parameters.

    PostgreSQL takes them as one array for each column, so that the statement reads the same for however many; SQLite
    needs no types, and its casts would change dates.
    """
    if is_postgres():
        names = ", ".join(f"column{number}" for number in range(1, len(types) + 1))
        arrays = ", ".join(f"%s::{name.partition('(')[0]}[]" for name in types)  # a cast to varchar(9) would cut
        return f"unnest({arrays}) AS v({names})", [[*map(_bare, column)] for column in zip(*rows, strict=True)]
    one = f"({marks(types)})"
    return f"(VALUES {', '.join([one] * len(rows))}) AS v", [value for row in rows for value in row]


def _bare(value: Any) -> Any:
    """An array must not mix text with names of choices."""
    return str(value) if isinstance(value, (Enum, JsonText)) else value


def _ready(fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    prepared = [_prepared(field) for field in fields]
    if not any(prepared):
        return rows
    return (
        [
            value if prepare is None or value is None or type(value) is JsonText else prepare(value, connection)
            for prepare, value in zip(prepared, row, strict=True)
        ]
        for row in rows
    )


def insert_numbered(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Insert many rows and return their primary keys, in their order."""
    if not takes_arrays(rows):
        return [number for (number,) in insert_rows(model, columns, rows, "RETURNING id")]
    numbers = new_ids(model, len(rows))
    insert_rows(model, ["id", *columns], [(number, *row) for number, row in zip(numbers, rows, strict=True)])
    return numbers


def takes_arrays(rows: Sequence[Any]) -> bool:
    """Whether so many rows are better streamed, or sent as one array for each column."""
    return len(rows) >= MANY and is_postgres() and not connection.queries_logged


def _copy(model: type[models.Model], fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(field.column for field in fields)
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as direct,
        direct.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as stream,
    ):
        for row in _ready(fields, rows):
            stream.write_row(row)


def _prepared(field: Any) -> Callable[[Any, Any], Any] | None:
    """What PostgreSQL's driver does not know to do with a value of this column; it knows all plain ones."""
    plain = (models.CharField, models.IntegerField, models.BooleanField, models.DateField, models.ForeignKey)
    return None if isinstance(field, (*plain, models.AutoField, models.UUIDField)) else field.get_db_prep_value


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """Primary keys for rows that are about to be written; needs a transaction."""
    table = model._meta.db_table
    if is_postgres():
        sequence = (
            "WITH s AS MATERIALIZED (SELECT CAST(pg_get_serial_sequence(%s, 'id') AS regclass) AS name)"
            " SELECT nextval(s.name) FROM s, generate_series(1, %s)"
        )
        return [number for (number,) in ask(sequence, [table, count])]
    largest = (
        f"SELECT MAX(n) FROM (SELECT MAX(id) AS n FROM {table}"  # noqa: S608
        " UNION ALL SELECT seq FROM sqlite_sequence WHERE name = %s) AS known"
    )
    first = (ask(largest, [table])[0][0] or 0) + 1
    return list(range(first, first + count))


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by the thousand: COPY on PostgreSQL, `executemany` on SQLite. Fields not named get their defaults."""
    named: list[Any] = [model._meta.get_field(name) for name in columns]
    others: list[Any] = [
        field
        for field in model._meta.concrete_fields
        if field not in named and not isinstance(field, models.AutoField | models.GeneratedField)
    ]
    rest = tuple(field.get_default() for field in others)
    fields = [*named, *others]
    whole = ((*row, *rest) for row in rows)
    if is_postgres():
        _copy(model, fields, whole)
        return
    names = ", ".join(field.column for field in fields)
    statement = f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks(fields)})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, [parameters_of(fields, [row]) for row in whole])


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
def _reading(
    model: type[models.Model], alias: str, vendor: str
) -> tuple[str, list[str], list[tuple[int, Callable[[Any], Any]]]]:
    fields = model._meta.concrete_fields
    converters = [
        (place, convert)
        for place, field in enumerate(fields)
        if (convert := _converter(field, model._meta.db_table)) is not None
    ]
    return ", ".join(f"{alias}.{field.column}" for field in fields), [field.attname for field in fields], converters


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


_AS_THEY_ARE = (int, JsonText)


def parameters_of(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The parameters for VALUES of these columns."""
    ours = connections[DEFAULT_DB_ALIAS]
    return [
        value if value is None or type(value) in _AS_THEY_ARE else field.get_db_prep_value(value, ours)
        for row in rows
        for field, value in zip(fields, row, strict=True)
    ]
