"""Acts that wait for one another are made together (docs/decisions/0014-shared-commit.md).

A lane is a queue and a thread that takes whatever is queued, makes it in one go, and tells each afterwards: the commit is
the window.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from django.db import close_old_connections

logger = logging.getLogger("daicho.lanes")

MOST = 64
"""Acts in one transaction."""
IDLE_SECONDS = 1.0
PATIENCE = 0.25
"""How long, of the time of the last batch, to wait for as many acts as it had: a batch of one costs half of one of eight."""


class Ticket[A, D]:
    """An act, what became of it (None: it was not made), and what its asker waits for."""

    __slots__ = ("act", "answer", "waiting")

    def __init__(self, act: A, waiting: Any) -> None:
        self.act = act
        self.answer: D | None = None
        self.waiting = waiting


class Lane[A, D]:
    """One queue of acts and the thread that makes them, begun with the first act.

    `make` decides many acts: for each its answer, or None for one that was not made. If it raises, none was made.
    """

    def __init__(self, name: str, make: Callable[[Sequence[A]], Sequence[D | None]]) -> None:
        self.name, self.make = name, make
        self._queue: SimpleQueue[Ticket[A, D]] = SimpleQueue()
        self._begun = threading.Lock()

    def ask(self, act: A) -> D | None:
        """Wait until the act is durable or decided otherwise."""
        done = threading.Lock()
        done.acquire()
        ticket = Ticket[A, D](act, done)
        self.put(ticket)
        done.acquire()
        return ticket.answer

    def put(self, ticket: Ticket[A, D]) -> None:
        self._queue.put(ticket)
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._work, name=f"lane {self.name}", daemon=True).start()

    def tell(self, tickets: Sequence[Ticket[A, D]]) -> None:
        """Called in the lane's thread when these are decided."""
        for ticket in tickets:
            ticket.waiting.release()

    @property
    def waiting(self) -> int:
        """How many acts are queued."""
        return self._queue.qsize()

    def _work(self) -> None:
        rested, last, took = time.monotonic(), 1, 0.0
        while True:
            tickets = self._take(last, took * PATIENCE)
            begun = time.monotonic()
            if begun - rested > IDLE_SECONDS:
                close_old_connections()  # its health is asked again before it is used
            for ticket, answer in zip(tickets, self._made([ticket.act for ticket in tickets]), strict=True):
                ticket.answer = answer
            self.tell(tickets)
            rested = time.monotonic()
            last, took = len(tickets) + self._queue.qsize(), rested - begun

    def _take(self, last: int, patience: float) -> list[Ticket[A, D]]:
        """Whatever is queued. Those who were answered a moment ago come back now: as many are awaited for a moment."""
        taken = [self._queue.get()]
        until = time.monotonic() + patience
        try:
            while len(taken) < MOST:
                wait = until - time.monotonic() if len(taken) < last else 0
                taken.append(self._queue.get(timeout=wait) if wait > 0 else self._queue.get_nowait())
        except Empty:
            pass
        return taken

    def _made(self, acts: Sequence[A]) -> Sequence[D | None]:
        try:
            return self.make(acts)
        except Exception:
            logger.warning("%s acts were not made together", len(acts), exc_info=True)
            close_old_connections()
            return [None] * len(acts)
