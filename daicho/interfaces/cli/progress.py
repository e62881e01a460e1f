"""A bar on standard error for what takes longer than two seconds; nothing where nobody watches."""

from __future__ import annotations

import sys
import time
from types import TracebackType

WIDTH = 40
AFTER, EVERY = 2.0, 0.2  # seconds


class Bar:
    """Use as a context; `tell(done, all)` may be called as often as wanted."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.next = time.monotonic() + AFTER
        self.is_shown = False

    def tell(self, done: int, whole: int) -> None:
        if time.monotonic() < self.next or not sys.stderr.isatty():
            return
        self.next, self.is_shown = time.monotonic() + EVERY, True
        share = min(1.0, done / whole) if whole else 1.0
        filled = round(share * WIDTH)
        sys.stderr.write(f"\r{self.title} [{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}")
        sys.stderr.flush()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_shown:
            sys.stderr.write("\n")
