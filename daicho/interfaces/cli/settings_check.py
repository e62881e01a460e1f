"""Wrong settings are refused before anything starts."""

from __future__ import annotations

import sys

from django.core import checks


def problems_with_settings(*, databases: bool = False) -> list[checks.CheckMessage]:
    """All errors that the system checks find, those of the database too where it must already be there."""
    found = checks.run_checks(databases=["default"] if databases else None)
    return [message for message in found if message.is_serious() and not message.is_silenced()]


def settings_are_sound() -> bool:
    """Print what is wrong, each with its id and hint; True when nothing is."""
    problems = problems_with_settings()
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems
