"""Ninety days of use without an authorization, counted by the device itself."""

from __future__ import annotations

import time

from daicho_agent.state import State

LIMIT = 90 * 86_400  # seconds of use


def seconds_since_boot() -> float:
    """How long the device has been running, sleep included where the system tells it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def count(state: State, now: float, *, running: bool, uptime: float) -> None:
    """Add what was used since the last count, but no time in which the device was off; then go on or stop counting."""
    if state.evaluation_counted_at:
        gap = min(now - state.evaluation_counted_at, uptime)
        state.evaluation_seconds = min(LIMIT, state.evaluation_seconds + max(0.0, gap))
    state.evaluation_counted_at = now if running else 0.0


def seconds_left(state: State, now: float, *, uptime: float) -> float:
    """What remains of it at this moment."""
    running = state.evaluation_counted_at
    gap = max(0.0, min(now - running, uptime)) if running else 0.0
    return max(0.0, LIMIT - state.evaluation_seconds - gap)
