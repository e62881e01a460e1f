"""Set-based writes that Django's ORM does not speak: one statement for many rows, the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

from daicho.core.db import is_postgres
from daicho.core.statements import among, as_table, ask, chunks, marks, parameters_of


def numbers(statement: str, *lists: Sequence[int]) -> list[tuple[int, ...]]:
    """The rows of a query of whole numbers; each %s in it stands for a list of them, as in IN (%s).

    The hot path asks these thousands of times a second; the ORM takes longer to write them than the database to answer.
    """
    if is_postgres():  # one array for each list, so that the statement reads the same for however many
        return ask(statement.replace("IN (%s)", "= ANY(%s)"), [list(values) for values in lists])
    return ask(statement % tuple(map(marks, lists)), [value for values in lists for value in values])


def take_from_holdings(rows: Sequence[tuple[int, int, int]]) -> None:
    """Take from holdings that are there; a row is (place, lot, how many)."""
    for part in chunks(rows):
        values, parameters = as_table(["bigint"] * 3, part)
        statement = (
            "UPDATE ledger_holding SET quantity = ledger_holding.quantity - v.column3"  # noqa: S608
            f" FROM {values} WHERE ledger_holding.place_id = v.column1 AND ledger_holding.lot_id = v.column2"
        )
        taken = ask(f"{statement} RETURNING ledger_holding.id", parameters)
        if len(taken) != len(part):
            raise LookupError("a holding that an act takes from is missing")


def empty_holdings(ids: Sequence[int]) -> None:
    """Take all from holdings that are there and guarded; each by its primary key."""
    for part in chunks(ids):
        condition, parameters = among("id", part)
        ask(f"UPDATE ledger_holding SET quantity = 0 WHERE {condition}", parameters)  # noqa: S608


def add_to_holdings(rows: Sequence[tuple[int, int, int, bool, int]]) -> None:
    """Add to holdings, making those that are missing; a row is (account, place, lot, is_issue, what to add)."""
    for part in chunks(rows):
        values, parameters = as_table(["bigint", "bigint", "bigint", "boolean", "bigint"], part)
        statement = (
            "INSERT INTO ledger_holding (account_id, place_id, lot_id, is_issue, quantity)"  # noqa: S608
            f" SELECT * FROM {values} WHERE true ON CONFLICT (place_id, lot_id)"
            " DO UPDATE SET quantity = ledger_holding.quantity + excluded.quantity"
        )
        ask(statement, parameters)


def set_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set fields of many rows; a row is (primary key, value of each column …)."""
    table = model._meta.db_table
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in columns)]
    types = [field.rel_db_type(connection) for field in fields]
    quoted = connection.ops.quote_name  # a column may be called like a word of SQL
    assignments = ", ".join(
        f"{quoted(field.column)} = v.column{number}" for number, field in enumerate(fields[1:], start=2)
    )
    for part in chunks(rows):
        flat = parameters_of(fields, part)
        values, parameters = as_table(types, [flat[at : at + len(fields)] for at in range(0, len(flat), len(fields))])
        ask(f"UPDATE {table} SET {assignments} FROM {values} WHERE {table}.id = v.column1", parameters)  # noqa: S608
