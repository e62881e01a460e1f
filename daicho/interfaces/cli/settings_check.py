"""Wrong settings are refused before anything starts."""

from __future__ import annotations

import sys

from django.core import checks


def problems_with_settings() -> list[checks.CheckMessage]:
    """Errors of the settings; only where there are none those of all else, which may need the database."""
    ours = [message for message in checks.run_checks(tags=["daicho"]) if message.is_serious()]
    return ours or [message for message in checks.run_checks() if message.is_serious() and not message.is_silenced()]


def settings_are_sound() -> bool:
    """Print what is wrong, each with its id and hint; True when nothing is."""
    problems = problems_with_settings()
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems
