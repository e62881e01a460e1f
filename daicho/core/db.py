"""What the two databases say differently."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def take_turns(name: str) -> None:
    """Wait until no other transaction that said the same name is open; must itself be said inside a transaction.

    On SQLite every transaction begins IMMEDIATE, so there is only one writer anyway.
    """
    if is_postgres():
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


class AppendOnly(migrations.operations.base.Operation):
    """A migration that makes the database refuse UPDATE and DELETE on a table, whoever asks."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str) -> None:
        self.table = table

    def state_forwards(self, app_label: str, state: Any) -> None:
        return None

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = self.table
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"""CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"""
            )
            schema_editor.execute(
                f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"""
            )
        else:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
                    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
                )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = self.table
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {table}_append_only()")
        else:
            for verb in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")

    def describe(self) -> str:
        return f"Make {self.table} append-only"


class DropFieldIndexes(migrations.operations.base.Operation):
    """A migration that drops the indexes that Django gave single columns of a table by itself.

    `columns`: those of foreign keys that a composite index begins with. On PostgreSQL the twins for LIKE go with them,
    of every column of the table: uids are compared whole. A plain DROP INDEX, so SQLite does not make the table anew.
    Another migration says the same to Django's state (`db_index=False`).
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, table: str, *columns: str) -> None:
        self.table = table
        self.columns = columns

    def state_forwards(self, app_label: str, state: Any) -> None:
        return None

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        own = "|".join(self.columns) or "$."  # none
        needless = re.compile(rf"{self.table}_({own})_[0-9a-f]{{8}}|{self.table}_\w+_like")
        with schema_editor.connection.cursor() as cursor:
            found = schema_editor.connection.introspection.get_constraints(cursor, self.table)
        for name, about in found.items():
            if about["index"] and not about["unique"] and needless.fullmatch(name):
                schema_editor.execute(f'DROP INDEX "{name}"')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for column in self.columns:
            name = f"{self.table}_{column}_{hashlib.sha256(column.encode()).hexdigest()[:8]}"
            schema_editor.execute(f'CREATE INDEX "{name}" ON {self.table} ({column})')

    def describe(self) -> str:
        return f"Drop the indexes of {self.table} that nothing reads"
