"""What makes a function a command: one transaction, an actor first, and a line in the table of capabilities."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from threading import RLock
from typing import Concatenate

from django.db import connection, transaction

from daicho.core.actor import Actor
from daicho.core.db import is_postgres


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """One row of docs/coverage.md. `permission` None: anybody, or a rule of its own told in the docstring."""

    name: str
    module: str
    sentence: str
    permission: str | None
    events: tuple[str, ...]


REGISTRY: dict[str, CommandInfo] = {}
_turn = RLock()  # SQLite has one writer and lets others try again after a sleep; in one process they queue here instead
_at_edge: ContextVar[bool] = ContextVar("at_edge", default=False)


@contextmanager
def one_act() -> Iterator[None]:
    """One transaction that is undone as a whole when a command raises: the commands called here need no savepoint.

    Those that they call in turn have one, so that a command may still take a refusal of another as an answer.
    """
    with nullcontext() if is_postgres() else _turn, transaction.atomic():
        token = _at_edge.set(True)
        try:
            yield
        finally:
            _at_edge.reset(token)


def command[**P, R](
    *, permission: str | None, events: tuple[str, ...]
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Register a command and run it in one transaction (a savepoint inside another one).

    `permission` is what its `ensure_may` asks for, `events` are the kinds that it may record.
    """

    def register(function: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        sentence = (function.__doc__ or "").strip().split("\n")[0]
        name: str = function.__name__
        if name in REGISTRY and REGISTRY[name].module != function.__module__:
            raise LookupError(f"two commands are called {name}: {REGISTRY[name].module}, {function.__module__}")
        REGISTRY[name] = CommandInfo(name, function.__module__, sentence, permission, events)

        @functools.wraps(function)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            at_edge = _at_edge.get() and connection.in_atomic_block
            token = _at_edge.set(False)
            try:
                with transaction.atomic(savepoint=not at_edge):
                    return function(actor, *args, **kwargs)
            finally:
                _at_edge.reset(token)

        return run

    return register
