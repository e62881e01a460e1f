"""When to try again: doubled each time up to an hour, and never together with others."""

from __future__ import annotations

import random

LONGEST = 3600.0  # seconds


def delay(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failures in a row (at least 1)."""
    return float(min(LONGEST, 2.0 ** min(failures - 1, 12)) * chance.uniform(0.5, 1.5))
