"""What a backup says of itself, and the reasons for which one is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_lazy as _

from daicho import __version__
from daicho.core.clock import now
from daicho.core.errors import BusinessError

FORMAT = 1
Tell = Callable[[int, int], None]
"""Called with how much is done and how much there is, in units of the caller's choice."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`rows`: by table. `secret`: tells whether the secret key is the same, without telling the key."""

    format: int
    daicho: str
    database: str
    made_at: str
    secret: str
    migrations: list[str]
    rows: dict[str, int]
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, list[int | bool]] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def of_now(cls, rows: dict[str, int]) -> Manifest:
        return cls(FORMAT, __version__, connection.vendor, now().isoformat(), secret_mark(), migrations(), rows)

    @classmethod
    def from_json(cls, text: str, path: Path) -> Manifest:
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise unreadable(path) from error
        if found.format != FORMAT:
            raise unreadable(path)
        return found


def migrations() -> list[str]:
    """What the database has been through, as `room.0001_name`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def secret_mark() -> str:
    return hashlib.sha256(b"daicho backup" + settings.SECRET_KEY.encode()).hexdigest()[:12]


def file_exists(path: Path) -> BusinessError:
    return BusinessError("file_exists", 409, _("%(path)s exists already. Name a new file."), path=str(path))


def unreadable(path: Path) -> BusinessError:
    return BusinessError("backup_unreadable", 422, _("%(path)s is not a whole backup of Daicho."), path=str(path))


def other_database(manifest: Manifest) -> BusinessError:
    return BusinessError(
        "backup_of_other_database", 409,
        _("The backup is of a %(found)s database, and this installation uses %(here)s."),
        found=manifest.database, here=connection.vendor,
    )  # fmt: skip


def other_version(manifest: Manifest, difference: set[str]) -> BusinessError:
    return BusinessError(
        "backup_of_other_version", 409,
        _(
            "The backup was made by version %(version)s, whose tables are not those of this one (%(migration)s)."
            " Restore it with that version, then install this one and run `daicho migrate`."
        ),
        version=manifest.daicho, migration=min(difference),
    )  # fmt: skip


def not_empty() -> BusinessError:
    return BusinessError(
        "database_not_empty", 409,
        _("The database holds data. To lose them for what the backup holds, say --replace."),
    )  # fmt: skip


def in_use() -> BusinessError:
    return BusinessError(
        "database_in_use", 409, _("Somebody is connected to the database. Stop web server and worker first.")
    )


def rows_differ(table: str, expected: int, found: int) -> BusinessError:
    return BusinessError(
        "backup_incomplete", 422,
        _("%(table)s should have %(expected)d rows and has %(found)d. Nothing was restored."),
        table=table, expected=expected, found=found,
    )  # fmt: skip
