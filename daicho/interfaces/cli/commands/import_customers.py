"""`daicho import-customers FILE`: addresses that requesters confirm instead of entering them (S14)."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "import-customers", help=_("take the customer file: addresses that requesters confirm")
    )
    parser.add_argument("file", type=Path, help=_("the CSV or XLSX file"))
    parser.add_argument("--dry-run", action="store_true", help=_("only check the file"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.accounts.commands.customers import import_customers

    content = read_input(arguments.file)
    done = import_customers(console_actor(), content=content, dry_run=arguments.dry_run)
    told = _("Customers added: %(added)s. Changed: %(changed)s.") % {"added": done.added, "changed": done.changed}
    return answer(arguments, {"added": done.added, "changed": done.changed, "dry_run": arguments.dry_run}, told)
