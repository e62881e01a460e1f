"""When the database cannot take or give data: full, read-only, gone, or held by somebody too long.

Such a fault is nobody's mistake and nothing of the act was saved, so it has a code of its own and an answer that says
when to come again. Everything else that a database complains of is a fault of ours and stays one.
"""

from __future__ import annotations

import sqlite3

import psycopg
from django.db import Error
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError

AGAIN_IN_SECONDS = 30

TEXTS = {
    "full": _("The disk of the database is full. Nothing was saved. Try again in a few minutes."),
    "read_only": _("The database can only be read at the moment. Nothing was saved. Try again in a few minutes."),
    "unreachable": _("The database cannot be reached at the moment. Nothing was saved. Try again in a few minutes."),
    "busy": _("The database is busy with something long. Nothing was saved. Try again in a few minutes."),
}

# Primary result codes of SQLite. An I/O error is what a full quota or a vanished volume looks like.
_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
}
# SQLSTATE, by its beginning: the longest that fits counts. Class 08 and 57P are lost or refused connections.
_SQLSTATE = {"53100": "full", "58030": "full", "25006": "read_only", "53300": "busy", "55P03": "busy",
             "08": "unreachable", "57P": "unreachable"}  # fmt: skip


class StorageUnavailable(BusinessError):
    """`reason`: full, read_only, unreachable or busy. The same request may be sent again."""

    def __init__(self, reason: str) -> None:
        super().__init__("storage_unavailable", 503, TEXTS[reason], reason=reason)


def storage_fault(error: BaseException | None) -> StorageUnavailable | None:
    """The fault of the storage that is behind an exception, if one is."""
    while error is not None:
        if isinstance(error, StorageUnavailable):
            return error
        reason = _reason(error)
        if reason is not None:
            return StorageUnavailable(reason)
        error = error.__cause__ or (error.__context__ if isinstance(error, Error) else None)
    return None


def _reason(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return _SQLITE.get(code & 0xFF) if code is not None else None
    if isinstance(error, psycopg.Error):
        if error.sqlstate is None:  # the connection could not be made, or broke in the middle
            return "unreachable" if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else None
        fits = [state for state in _SQLSTATE if error.sqlstate.startswith(state)]
        return _SQLSTATE[max(fits, key=len)] if fits else None
    return None
