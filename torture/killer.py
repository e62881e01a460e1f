"""Kills something at a random moment, and lets it come back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

from torture.world import Installation


def targets(installation: Installation) -> list[str]:
    return ["server", "one web process", "worker"] + (["database"] if installation.database else [])


def strike(installation: Installation, target: str, chance: random.Random) -> str:
    """SIGKILL, a pause, and a new start; what was killed, for the report."""
    if target == "one web process":
        children = installation.server.children()
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(children), signal.SIGKILL)  # the web server starts another one by itself
        return target
    program = {"server": installation.server, "worker": installation.worker, "database": installation.database}[target]
    assert program is not None
    program.kill()
    time.sleep(chance.uniform(0, 0.5))
    installation.revive(program)
    return target
