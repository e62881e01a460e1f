"""Wrong settings are refused before anything starts."""

from __future__ import annotations

import sys

from django.core import checks


def problems_with_settings() -> list[checks.CheckMessage]:
    """What is wrong with the settings; only where nothing is, what is wrong elsewhere, which may need the database."""
    ours = checks.run_checks(tags=["daicho"])
    if any(map(stops, ours)):
        return ours
    return ours + [message for message in checks.run_checks() if stops(message) and message not in ours]


def stops(problem: checks.CheckMessage) -> bool:
    """Whether Daicho does not start with this problem; a warning is only shown."""
    return problem.is_serious() and not problem.is_silenced()


def settings_are_sound() -> bool:
    """Print what is wrong, each with its id and hint; True when nothing stops the start."""
    problems = problems_with_settings()
    for problem in problems:
        print(problem, file=sys.stderr)
    return not any(map(stops, problems))
