"""When a mail that was not taken is tried again. Pure."""

from __future__ import annotations

import datetime as dt

PAUSES = tuple(dt.timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 60, 120, 240, 480, 720, 720))
"""After the n-th attempt; when they are used up (almost two days) the mail has failed and waits for the operator."""
LONGEST_SENDING = dt.timedelta(minutes=10)
"""How long a sender may hold a mail; after that it is taken for dead and the mail is due again."""


def pause_after(attempts: int) -> dt.timedelta | None:
    """How long to wait after so many attempts; None: no more."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


def pause_while_unreachable(attempts: int, age: dt.timedelta) -> dt.timedelta | None:
    """How long to wait while the server cannot be reached, so that mail flows soon after it is back (RFC 5321 4.5.4.1)."""
    if age > dt.timedelta(days=5):
        return None
    return min(PAUSES[min(attempts, len(PAUSES)) - 1], dt.timedelta(minutes=10))
