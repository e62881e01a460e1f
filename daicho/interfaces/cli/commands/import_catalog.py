"""`daicho import-catalog FILE`: products and license tags from a CSV."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("import-catalog", help=_("take products and license tags from a CSV file"))
    parser.add_argument("file", type=Path, help=_("the CSV file, in UTF-8 or Shift_JIS"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.catalog.commands import import_catalog

    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        return failed(arguments, "file_unreadable", f"{arguments.file}: {error.strerror}", 1)
    result = import_catalog(console_actor(), content=content)
    return answer(arguments, result, str(result))
