"""Requests take turns: so many at a time as Python can run, on so many database connections.

The server accepts more than that, because acts that share a commit (interfaces/api/lanes.py) only wait there. Without
turns all of them would run at once, slower than a few, and each would hold a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from queue import LifoQueue
from threading import Semaphore
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

ALIAS = "default"
STREAMS = 8
"""Answers of one process that may go on apart at a time: whoever reads a long file slowly keeps nobody waiting."""
_END = object()


class Turns:
    """So many connections, lent to whoever has his turn."""

    def __init__(self, count: int) -> None:
        self.free: LifoQueue[BaseDatabaseWrapper] = LifoQueue()  # the last one used knows its statements best
        self.streams = Semaphore(STREAMS)
        for _ in range(count):
            self.add()

    def add(self) -> None:
        """One connection more, opened when it is used."""
        made = connections.create_connection(ALIAS)
        made.inc_thread_sharing()
        self.free.put(made)

    def take(self) -> Turn:
        """Wait for a turn; to be given back."""
        connection = self.free.get()
        connection.close_if_unusable_or_obsolete()
        return Turn(self, connection)


class Turn:
    """A borrowed connection. It may be used in whatever thread, inside `here`."""

    def __init__(self, turns: Turns, connection: BaseDatabaseWrapper) -> None:
        self._turns, self._connection = turns, connection
        self._is_over = self._is_apart = False

    def go_apart(self) -> None:
        """Keep the connection to the end and let another one take this turn, unless many did so already."""
        self._is_apart = self._turns.streams.acquire(blocking=False)
        if self._is_apart:
            self._turns.add()

    @contextmanager
    def here(self) -> Iterator[None]:
        """Let it be this thread's connection."""
        connections[ALIAS] = self._connection
        try:
            yield
        finally:
            del connections[ALIAS]

    def give_back(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._is_apart:
                self._connection.close()
                self._turns.streams.release()
                return
            self._connection.close_if_unusable_or_obsolete()
            self._turns.free.put(self._connection)

    def while_streaming(self, parts: Iterator[Any]) -> Generator[Any]:
        """The parts of an answer that reads the database as it goes, whatever thread sends them."""
        try:
            while True:
                with self.here():
                    part = next(parts, _END)
                if part is _END:
                    return
                yield part
        finally:
            with self.here():
                if callable(close := getattr(parts, "close", None)):
                    close()
            self.give_back()


_turns: Turns | None = None


def begin_turns(count: int) -> None:
    """From now on requests of this process take turns. Called by the server; tests and the console have one thread."""
    global _turns
    _turns = Turns(count)


@contextmanager
def one_turn() -> Iterator[None]:
    """Have a turn within this block."""
    if _turns is None:
        yield
        return
    turn = _turns.take()
    try:
        with turn.here():
            yield
    finally:
        turn.give_back()


class TurnsMiddleware:
    """Lets each request have its turn; an answer that streams goes on apart, with its connection."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _turns is None:
            return self.get_response(request)
        turn = _turns.take()
        streams = False
        try:
            with turn.here():
                response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse):
                turn.go_apart()
                response.streaming_content = turn.while_streaming(iter(response))
                # parts that nobody ever asked for do not give anything back
                response._resource_closers.append(turn.give_back)  # type: ignore[attr-defined]
                streams = True
            return response
        finally:
            if not streams:
                turn.give_back()
