"""Many acts at the same time, each on its own thread and connection (PostgreSQL: row locks are the point)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from django.db import connection

from daicho.core.errors import BusinessError


class Crowd:
    """Run acts at once; refusals are collected, anything else fails the test."""

    def __init__(self, acts: Sequence[Callable[[], object]]) -> None:
        self.acts = acts
        self.refused: list[BusinessError] = []
        self.failed: list[BaseException] = []

    def run(self) -> list[BusinessError]:
        """All acts, started together; the refusals, in no particular order."""
        start = threading.Barrier(len(self.acts))

        def act(one: Callable[[], object]) -> None:
            try:
                start.wait(30)
                one()
            except BusinessError as error:
                self.refused.append(error)
            except BaseException as error:
                self.failed.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=act, args=[one]) for one in self.acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        if self.failed:
            raise self.failed[0]
        return self.refused
