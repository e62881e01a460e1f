"""`daicho version`"""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho import __version__
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("version", help=_("print the version"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return answer(arguments, {"version": __version__}, __version__)
