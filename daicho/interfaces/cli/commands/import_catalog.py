"""`daicho import-catalog FILE`: products or license tags from a CSV, XLSX or JSON file."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("import-catalog", help=_("take products or license tags from a file"))
    parser.add_argument("file", type=Path, help=_("CSV (UTF-8 or Shift_JIS), XLSX or JSON"))
    parser.add_argument("--dry-run", action="store_true", help=_("say what would change, write nothing"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.catalog.commands.imports import import_catalog

    content = read_input(arguments.file)
    result = import_catalog(console_actor(), content=content, dry_run=arguments.dry_run)
    counts = {"rows": result.rows, "added": result.added, "changed": result.changed, "unchanged": result.unchanged}
    lines = [_("%(rows)d rows: %(added)d new, %(changed)d changed, %(unchanged)d unchanged.") % counts]
    for problem in result.problems:
        where = {"row": problem.row, "column": problem.column, "text": problem.error.text()}
        lines.append("  " + _("row %(row)d, %(column)s: %(text)s") % where)
    if result.problems:
        count = len(result.problems)
        lines.append(
            ngettext(
                "Nothing was written: %(count)d row is wrong.", "Nothing was written: %(count)d rows are wrong.", count
            )
            % {"count": count}
        )
    answer(arguments, result.as_data(), "\n".join(lines))
    return 1 if result.problems else 0
