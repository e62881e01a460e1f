"""Every row of the database as text: what an act by somebody without rights must leave as it was."""

from __future__ import annotations

import hashlib

from django.apps import apps
from django.db import connection

# What any request may touch: sessions, what a person keeps for himself, counters of failed tries.
IGNORED = {"django_session", "usersessions_usersession", "daicho_cache", "access_idempotentrequest"}


def fingerprint() -> dict[str, str]:
    """Table → digest of its rows."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table in IGNORED or not model._meta.managed:
                continue
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            found[table] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found
