"""Backup and restore, whichever the database is."""

from __future__ import annotations

import os
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from daicho.core.backup import manifest as told
from daicho.core.backup import postgres, sqlite
from daicho.core.backup.manifest import Manifest, Tell
from daicho.core.db import is_postgres


def write_backup(path: Path, tell: Tell) -> Manifest:
    """Write the database as it is at this moment into a new file, readable by its owner alone.

    Others go on writing. Refuses a file that exists. What was begun and not ended is removed.
    """
    if path.exists():
        raise told.file_exists(path)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        manifest = postgres.write(part, tell) if is_postgres() else sqlite.write(part, tell)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """What the file holds; refuses what is no backup of this kind of database."""
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(16) == b"SQLite format 3\0"
    except OSError as error:
        raise told.unreadable(path) from error
    found = sqlite.read(path) if is_sqlite else postgres.read(path)
    if found.database != connection.vendor:
        raise told.other_database(found)
    return found


def restore_backup(path: Path, tell: Tell, *, replace: bool = False) -> Manifest:
    """Put a backup into the database of this installation, whole or not at all.

    Refuses a database that has users unless `replace` is said, one that somebody is connected to, and a backup whose
    migrations are not those of this version.
    """
    manifest = read_manifest(path)
    if not replace and _has_users():
        raise told.not_empty()
    if is_postgres():
        postgres.refuse_company()
        call_command("migrate", interactive=False, verbosity=0)
        _refuse_other_version(manifest, set(told.migrations()))
        postgres.restore(path, manifest, tell)
    else:
        _refuse_other_version(manifest, _of_this_version())
        sqlite.restore(path, manifest, tell)
    call_command("createcachetable", verbosity=0)
    return manifest


def _has_users() -> bool:
    users = get_user_model()
    return users._meta.db_table in connection.introspection.table_names() and users._default_manager.exists()


def _of_this_version() -> set[str]:
    from django.db.migrations.loader import MigrationLoader

    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


def _refuse_other_version(manifest: Manifest, here: set[str]) -> None:
    if difference := here ^ set(manifest.migrations):
        raise told.other_version(manifest, difference)
