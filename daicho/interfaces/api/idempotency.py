"""The same write again returns the first answer: `Idempotency-Key` around every operation that is not a GET.

The key is claimed in the act's own transaction, so an answer is remembered exactly when the act is. A refusal (4xx, 5xx)
rolls both back and may be tried again. Two at once: the second waits for the first, then gets its answer.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import Router

from daicho.core.commands import one_act
from daicho.core.text import fingerprint
from daicho.domain.access.commands.idempotency import claim_request, keep_answer
from daicho.interfaces.api.auth import AUTHENTICATION, owner_of
from daicho.interfaces.api.problems import problem

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 200
type Run = Callable[..., HttpResponse]


def remember_answers(router: Router) -> None:
    """Wrap every write of the router. Called once, before the router is mounted."""
    for view in router.path_operations.values():
        for operation in view.operations:
            if WRITES & set(operation.methods):
                wrap(operation)


def wrap(operation: Any) -> None:
    operation._run_decorators = [*getattr(operation, "_run_decorators", []), once]
    operation.run = once(operation.run)


def once(run: Run) -> Run:
    """One write, done once per key."""

    @functools.wraps(run)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key or not _knows_caller(request):
            return _atomic(request, run, kwargs)
        if len(key) > MAX_KEY:
            return problem(422, "bad_idempotency_key", _("An Idempotency-Key has at most 200 characters."))
        content = [request.method, request.get_full_path(), *_digests(request)]
        with one_act():
            claim = claim_request(owner=owner_of(request), key=key, fingerprint=fingerprint(content))
            if claim.is_other_content:
                return problem(409, "request_id_reused", _("This Idempotency-Key was used for another request."))
            if claim.status is not None:
                kept = HttpResponse(claim.answer, status=claim.status, content_type="application/json")
                kept["Idempotency-Replayed"] = "true"
                return kept
            response = run(request, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            else:
                keep_answer(claim, status=response.status_code, answer=_without_secret(response.content.decode()))
            return response

    return answer


def _digests(request: HttpRequest) -> list[Any]:
    """What the request carries, by its digest: a body as it came, a form by its fields and files.

    An uploaded file is read in chunks, so that it is never held whole, and where its parts were cut does not count.
    """
    if request.method != "POST" or request.content_type != "multipart/form-data":
        return [hashlib.sha256(request.body).hexdigest()]
    try:
        fields, files = request.POST, request.FILES
    except MultiPartParserError:
        return []  # a second look finds nothing in it, and the operation says what it lacks
    digests: list[Any] = [sorted((name, fields.getlist(name)) for name in fields)]
    for name in sorted(files):
        for file in files.getlist(name):
            digest = hashlib.sha256()
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
            digests.append([name, file.name, digest.hexdigest()])
    return digests


def _without_secret(answer: str) -> str:
    """What is kept of an answer: a secret that is shown once is not, so a repeated request reads null there."""
    if '"secret":' not in answer:
        return answer
    data = json.loads(answer)
    return json.dumps(data | {"secret": None}, ensure_ascii=False, separators=(",", ":"))


def _atomic(request: HttpRequest, run: Run, kwargs: dict[str, Any]) -> HttpResponse:
    """Without a key a write is still one transaction: a refusal after a first command undoes that too."""
    with one_act():
        response = run(request, **kwargs)
        if response.status_code >= 400:
            transaction.set_rollback(True)
        return response


def _knows_caller(request: HttpRequest) -> bool:
    """Authenticate early, so that keys belong to their caller; who fails here gets his 401 from the operation."""
    if hasattr(request, "daicho_actor"):
        return True
    for method in AUTHENTICATION:
        try:
            if method(request):
                return True
        except Exception:  # a failed CSRF check, say: the operation's own checks answer it
            return False
    return False
