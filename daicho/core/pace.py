"""What nobody waits for gives way to what somebody waits for: the sweep, the seals, the alerts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from daicho.core.db import is_postgres
from daicho.core.statements import ask

GOAL = 0.04
"""Seconds that a transaction of the background aims at: so long may an act wait for it."""
_turns = threading.Lock()
_OTHERS = (
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND state <> 'idle' AND pid <> pg_backend_pid()"
)


@contextmanager
def in_background() -> Iterator[None]:
    """One transaction of the background: one at a time in this process, and then a pause while others are at work.

    The pause is at most as long as the transaction was, so that two cores serve people at least half of the time.
    SQLite does not say who waits: it has one writer, and who waits for it looks again every few milliseconds.
    """
    with _turns:
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        if not is_postgres():
            time.sleep(min(took, GOAL))
        elif ask(_OTHERS)[0][0]:
            time.sleep(took)


class Size:
    """How much to take at a time, so that it takes as long as it should: learnt from the last time."""

    def __init__(self, first: float, least: float, most: float) -> None:
        self.amount, self.least, self.most = first, least, most

    def learn(self, done: int, seconds: float) -> None:
        """So much took so long. Goes at most twice as far, or back to half, in one step."""
        if done:
            wanted = done * GOAL / max(seconds, 0.001)
            self.amount = max(self.least, min(self.most, 2 * self.amount, max(self.amount / 2, wanted)))
