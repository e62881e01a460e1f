"""Acts of programs that wait for one another share a commit (docs/decisions/0014-shared-commit.md).

A thread of the process takes whatever acts are queued, makes them in one transaction, and answers each after the commit.
It answers only what succeeds. What is refused, repeated, malformed or unlucky is not answered here: nothing was written
for it, and it goes the ordinary way, alone, as if it had never been here.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import ValidationError

from daicho.core.text import fingerprint
from daicho.domain.access.queries import Knock
from daicho.interfaces.api.idempotency import MAX_KEY

logger = logging.getLogger("daicho.api")

MOST = 64
"""Acts in one transaction."""
LARGEST = 16_384
"""Bytes of a body; a longer one has many lines and is worth a commit of its own."""
IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Act:
    """What a request asks, as far as it can be read without the database. `place`: the parts of its path."""

    knock: Knock
    key: str
    fingerprint: str
    place: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: str


type Make = Callable[[Sequence[Act]], list[Answer | None]]


class Lane:
    """One queue of acts and the thread that makes them, begun with the first act."""

    def __init__(self, name: str, make: Make) -> None:
        self.name, self.make = name, make
        self._queue: SimpleQueue[_Ticket] = SimpleQueue()
        self._begun = threading.Lock()

    def ask(self, act: Act) -> Answer | None:
        """Wait until the act is durable; None: not made, to be made alone."""
        ticket = _Ticket(act)
        self._queue.put(ticket)
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._work, name=f"lane {self.name}", daemon=True).start()
        ticket.done.acquire()
        return ticket.answer

    def _work(self) -> None:
        rested = time.monotonic()
        while True:
            tickets = self._take()
            if time.monotonic() - rested > IDLE_SECONDS:
                close_old_connections()  # its health is asked again before it is used
            for ticket, answer in zip(tickets, self._made([ticket.act for ticket in tickets]), strict=True):
                ticket.answer = answer
                ticket.done.release()
            rested = time.monotonic()

    def _take(self) -> list[_Ticket]:
        taken = [self._queue.get()]
        try:
            while len(taken) < MOST:
                taken.append(self._queue.get_nowait())
        except Empty:
            pass
        return taken

    def _made(self, acts: Sequence[Act]) -> list[Answer | None]:
        try:
            return self.make(acts)
        except Exception:
            logger.warning("%s acts go alone", len(acts), exc_info=True)
            close_old_connections()
            return [None] * len(acts)


class _Ticket:
    __slots__ = ("act", "answer", "done")

    def __init__(self, act: Act) -> None:
        self.act = act
        self.answer: Answer | None = None
        self.done = threading.Lock()
        self.done.acquire()


@dataclass(frozen=True, slots=True)
class Route:
    """The acts of one address: how their body is read, and the lane that makes them."""

    path: re.Pattern[str]
    schema: type[Schema]
    lane: Lane


def read(request: HttpRequest, route: Route, place: dict[str, str]) -> Act | None:
    """The act, or None if it must go the ordinary way: without key or secret, too long, malformed."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "").strip()
    length = request.META.get("CONTENT_LENGTH", "")
    if scheme.lower() != "bearer" or not 0 < len(key) <= MAX_KEY or not length.isdecimal() or int(length) > LARGEST:
        return None
    try:
        request.get_host()
        body = route.schema.model_validate_json(request.body)
    except (DisallowedHost, ValidationError):
        return None
    uid, _, secret = token.strip().partition(".")
    content = [request.method, request.get_full_path(), hashlib.sha256(request.body).hexdigest()]
    knock = Knock(uid, secret, request.META.get("REMOTE_ADDR", ""))
    return Act(knock, key, fingerprint(content), place, body)


def answer_together(request: HttpRequest, routes: Sequence[Route]) -> HttpResponse | None:
    """The answer of an act that was made together with others, if this is one and it succeeded."""
    for route in routes:
        if (found := route.path.fullmatch(request.path_info)) is not None:
            act = read(request, route, found.groupdict())
            answer = route.lane.ask(act) if act is not None else None
            if answer is None:
                return None
            content = answer.content.encode()
            return HttpResponse(content, status=answer.status, headers={
                "Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content)),
            })  # fmt: skip
    return None
