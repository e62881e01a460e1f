"""What must be kept although the act that noted it is refused and undone: wrong guesses, say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DatabaseError

type Write = Callable[[], None]

logger = logging.getLogger("daicho.outliving")
_notes: ContextVar[list[Write] | None] = ContextVar("outliving", default=None)


@contextmanager
def outliving() -> Iterator[None]:
    """Around a request, outside of its transactions: what was noted within is written at the end, whatever happened."""
    notes: list[Write] = []
    token = _notes.set(notes)
    try:
        yield
    finally:
        _notes.reset(token)
        for write in notes:
            try:
                write()
            except DatabaseError:  # the answer stands, noted or not
                logger.exception("a note could not be kept")


def outlive(write: Write) -> None:
    """Write at the end of the request; at once where there is none (a job's refused lines undo nothing)."""
    notes = _notes.get()
    if notes is None:
        write()
    else:
        notes.append(write)
