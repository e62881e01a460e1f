"""`daicho check`: are the settings sound?"""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers, add_json, answer
from daicho.interfaces.cli.settings_check import problems_with_settings, stops


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("check", help=_("check the settings"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    problems = problems_with_settings()
    found = [{"id": problem.id, "message": problem.msg, "hint": problem.hint} for problem in problems]
    text = "\n".join(str(problem) for problem in problems) or _("The settings are sound.")
    stopped = any(map(stops, problems))
    answer(arguments, {"ok": not stopped, "problems": found}, text)
    return 3 if stopped else 0
