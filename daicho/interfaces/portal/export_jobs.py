"""A long list as a file, made by the worker: the list's own page is asked for it, as the person who wants it.

So the file holds what the page's download would hold, and the page asks the door again.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, QueryDict
from django.http.request import HttpRequest
from django.urls import resolve
from django.utils import timezone

from daicho.core.db import is_postgres
from daicho.core.errors import Forbidden, NotFound
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.bulk.running import Run

PART = 1024 * 1024
FILE_NAME = re.compile(r'filename="([^"]+)"')


def run_export(run: Run) -> None:
    """The runner of a list's file. Steps name no cursor: a file that was broken off is begun again."""
    user = ensure_signed_in(run.actor)
    rows = 0

    def tell(count: int) -> None:
        nonlocal rows
        rows += count
        if is_postgres():
            run.step(done=count, succeeded=count)

    with timezone.override(ZoneInfo(user.time_zone)):
        request = _request(run, user)
        request.tell_rows = tell  # type: ignore[attr-defined]
        found = resolve(run.params["path"])
        try:
            answer: Any = found.func(request, *found.args, **found.kwargs)
        except Http404:
            raise NotFound from None
        if answer.status_code != 200 or not getattr(answer, "streaming", False):
            raise Forbidden(run.job.kind)
        name = FILE_NAME.search(answer["Content-Disposition"])
        with _Parts(answer) as parts:
            if not is_postgres():
                run.step(done=rows, succeeded=rows)
            run.result(name[1] if name else f"list.{run.params['format']}", answer["Content-Type"], parts)
    run.expect(rows)


def _request(run: Run, user: Any) -> HttpRequest:
    """What the person's browser would send: the address of the list, and the wish for a file."""
    query = QueryDict(run.params["query"], mutable=True)
    query["export"] = run.params["format"]
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = run.params["path"]
    request.GET = query  # type: ignore[assignment]
    request.META |= {"REMOTE_ADDR": run.job.address, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.user = user
    return request


class _Parts:
    """The bytes of an answer. On SQLite they are made before the first is kept: it cannot write while it reads."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.file = answer, None if is_postgres() else tempfile.TemporaryFile()  # noqa: SIM115  closed below

    def __enter__(self) -> Iterable[bytes]:
        if self.file is None:
            return self.answer.streaming_content  # type: ignore[no-any-return]
        self.file.writelines(self.answer.streaming_content)
        self.file.seek(0)
        return iter(lambda: self.file.read(PART), b"")  # type: ignore[union-attr]

    def __exit__(self, *_error: object) -> None:
        for file in (getattr(self.answer, "file_to_stream", None), self.file):
            if file is not None:
                file.close()  # not the answer: that would end a request, and with it the connection
