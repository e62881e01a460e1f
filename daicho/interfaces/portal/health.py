"""`/healthz`: the process answers. `/readyz`: it can do its work. For load balancers, so without host or session."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from daicho import __version__
from daicho.domain.schedule.commands import try_to_write
from daicho.domain.schedule.queries import worker_seen_recently
from daicho.interfaces.portal.turns import one_turn

type GetResponse = Callable[[HttpRequest], HttpResponse]

TRIED_EVERY_SECONDS = 5
_written_at = float("-inf")


class HealthMiddleware:
    """Answers both addresses before any check of host, scheme or session; all else goes on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok", "version": __version__})
        if request.path == "/readyz":
            with one_turn():
                return readiness()
        return self.get_response(request)


def readiness() -> JsonResponse:
    """200 when database, storage, migrations and worker are in order, else 503; the body names each of them.

    `storage`: something could be written. Tried at most every five seconds, however often this is asked.
    """
    found = {"database": False, "storage": False, "migrations": False, "worker": False}
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found["database"] = True
        executor = MigrationExecutor(connection)
        found["migrations"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        found["storage"] = found["migrations"] and _can_write()
        found["worker"] = found["migrations"] and worker_seen_recently()
    except DatabaseError:
        connection.close()
    ready = all(found.values())
    answer = {"status": "ok" if ready else "not ready", "version": __version__, **found}
    response = JsonResponse(answer, status=200 if ready else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a poll's 503 is an answer, not an error
    return response


def _can_write() -> bool:
    """Whether the database takes a write now, or took one a moment ago."""
    global _written_at
    if time.monotonic() - _written_at < TRIED_EVERY_SECONDS:
        return True
    try:
        try_to_write()
    except DatabaseError:
        return False
    _written_at = time.monotonic()
    return True
