"""What a run is judged by: latencies, and the peak memory of every process of ours."""

from __future__ import annotations

import argparse
import json
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Line:
    """One row of the table. Rates per second, times in milliseconds; `limit` is the raw limit of the same run.

    `target`: what `value` must not pass (ms). None where nothing was promised.
    """

    name: str
    p50_ms: float
    p99_ms: float
    rate: float | None = None
    limit: float | None = None
    limit_ms: float | None = None
    target_ms: float | None = None
    status: int = 200

    @property
    def missed(self) -> bool:
        return self.status != 200 or (self.target_ms is not None and self.p50_ms > self.target_ms)


@dataclass
class Result:
    """What a benchmark found: the figures of its main line, and a table."""

    rate: float | None = None
    limit: float | None = None
    ratio: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    lines: list[Line] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: float) -> float:
    """Of a sample that need not be sorted; 0 of an empty one."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * percent / 100))] if found else 0.0


class Watch:
    """The largest resident set of each process that was looked at, in MB, by what it is."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    @contextmanager
    def over(self, pid: int) -> Iterator[None]:
        """Look at a process and all its descendants, short-lived ones too, until the end of the block."""
        over = threading.Event()

        def look() -> None:
            while True:
                for number in family(pid):
                    self._note(number)
                if over.wait(0.1):
                    return

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _note(self, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        if peak:
            name = next((w.decode() for w in words if w in (b"serve", b"worker")), os.path.basename(words[0].decode()))
            self.peaks[f"{name} {pid}"] = max(self.peaks.get(f"{name} {pid}", 0), int(peak[1]) // 1024)

    @property
    def largest(self) -> int:
        return max(self.peaks.values(), default=0)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found, look = [], [pid]
    while look:
        number = look.pop()
        found.append(number)
        try:
            for task in Path(f"/proc/{number}/task").iterdir():
                look += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def asking(description: str | None) -> argparse.ArgumentParser:
    """What a benchmark with a world of its own is asked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--json", action="store_true")
    return parser


def say(found: dict[str, Any], *, as_json: bool) -> None:
    """Its figures, for people or for programs."""
    print(json.dumps(found) if as_json else "\n".join(f"{name:12} {value}" for name, value in found.items()))
