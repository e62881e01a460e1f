"""A typed word inside texts of many rows: found by an index of letter pairs on PostgreSQL, by reading the rows on SQLite.

Record 0010 tells what was tried. Words are compared in lower case; a word of one letter has no pair and is always read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BooleanField, F, Func

MOST_PAIRS = 16
FUNCTION = """CREATE OR REPLACE FUNCTION daicho_pairs(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 500
AS $$ SELECT ARRAY(SELECT substr(word, i, 2) FROM generate_series(1, length(word) - 1) i) $$"""


def pairs(word: str) -> list[str]:
    """Each two letters that stand side by side, as the index knows them."""
    return list(dict.fromkeys(word[i : i + 2] for i in range(len(word) - 1)))[:MOST_PAIRS]


class Holds(Func):
    """Whether one of the fields holds a word, for `filter`. `indexed`: ask the PairsIndex of exactly these fields.

    Without it rows are read one by one: right where many match and the first some are wanted.
    """

    output_field: ClassVar[BooleanField[Any, Any]] = BooleanField()

    def __init__(self, word: str, *fields: str, indexed: bool = False) -> None:
        super().__init__(*(F(name) for name in fields))
        self.word = word.lower()
        self.indexed = indexed

    def _text(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        columns, parameters = [], []
        for source in self.source_expressions:
            statement, values = compiler.compile(source)
            columns.append(statement)
            parameters += values
        return together(columns), parameters

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        text, parameters = self._text(compiler, connection)
        return f"instr({text}, %s) > 0", [*parameters, self.word]

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:
        text, parameters = self._text(compiler, connection)
        if not self.indexed or len(self.word) < 2:
            return f"strpos({text}, %s) > 0", [*parameters, self.word]
        found = f"daicho_pairs({text}) @> %s::text[]"
        if len(self.word) == 2:  # the pair says it all
            return found, [*parameters, pairs(self.word)]
        return f"({found} AND strpos({text}, %s) > 0)", [*parameters, pairs(self.word), *parameters, self.word]


def together(columns: Sequence[str]) -> str:
    """The columns as one text; a word never reaches from one into the next, since words hold no white space."""
    return f"lower({' || '.join([columns[0], *(f"' ' || {name}" for name in columns[1:])])})"


class PairsIndex(migrations.operations.base.Operation):
    """A migration that lets PostgreSQL find the rows whose columns hold a word; SQLite reads them."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, name: str, *columns: str) -> None:
        self.table = table
        self.name = name
        self.columns = columns

    def state_forwards(self, app_label: str, state: Any) -> None:
        return None

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(FUNCTION)
            text = together([f'"{name}"' for name in self.columns])
            schema_editor.execute(f"CREATE INDEX {self.name} ON {self.table} USING gin (daicho_pairs({text}))")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {self.name}")

    def describe(self) -> str:
        return f"Find rows of {self.table} by words"
