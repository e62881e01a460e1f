"""`daicho lots details`: the ledger columns of an account's lots as a file, out and in."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed, read_input


def add(acts: Subparsers) -> None:
    """`export` and `import` under `daicho lots details`."""
    parser = acts.add_parser("details", help=_("take the ledger columns of lots out as a file, or in"))
    ways = parser.add_subparsers(metavar="way", required=True)
    export = ways.add_parser("export", help=_("write one row for each lot into a file"))
    export.add_argument("file", type=Path, help=_("the file to write, .csv or .xlsx"))
    export.set_defaults(run=export_file)
    take = ways.add_parser("import", help=_("write down what a file says: all rows, or none"))
    take.add_argument("file", type=Path, help=_("CSV or XLSX, as `export` writes it"))
    take.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    take.set_defaults(run=import_file)
    for one in (export, take):
        one.add_argument("--account", required=True, metavar="DOMAIN", help=_("the domain identifier of the account"))
        add_json(one)


def export_file(arguments: argparse.Namespace) -> int:
    from daicho.core import tabular
    from daicho.domain.access.policy import find_account
    from daicho.domain.ledger.queries.details_file import file_head, file_rows
    from daicho.domain.ledger.queries.sight import look

    sight = look(console_actor(), find_account(console_actor(), arguments.account))
    head, rows, count = file_head(sight), file_rows(sight), 0

    def counted() -> Iterator[list[tabular.Cell]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    try:
        if arguments.file.suffix.lower() == ".xlsx":
            with tabular.xlsx_file(head, counted()) as book:
                arguments.file.write_bytes(book.read())
        else:
            with arguments.file.open("w", encoding="utf-8", newline="") as file:
                file.writelines(tabular.csv_lines(head, counted()))
    except OSError as error:
        return failed(arguments, "file_unwritable", f"{arguments.file}: {error.strerror}", 1)
    data = {"file": str(arguments.file), "lots": count}
    return answer(arguments, data, _("%(lots)d lots are in %(file)s.") % data)


def import_file(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a row is wrong; then nothing was written."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.ledger.commands.lot_details import import_lot_details
    from daicho.domain.ledger.queries.details_file import read_details_file

    content = read_input(arguments.file)
    actor = console_actor()
    account = find_account(actor, arguments.account)
    found = read_details_file(actor, account=account, content=content)
    problems = [
        {"row": p.row, "column": p.column, "code": p.error.code, "text": p.error.text()} for p in found.problems
    ]
    if problems:
        lines = [_("row %(row)d, %(column)s: %(text)s") % problem for problem in problems]
        answer(arguments, {"changed": 0, "errors": problems}, "\n".join(lines))
        return 1
    data = {"changed": len(found.changes), "unchanged": found.unchanged}
    if not arguments.dry_run:
        done = import_lot_details(actor, account=account, content=content)
        data = {"changed": done.changed, "unchanged": done.unchanged}
    text = _("%(changed)d lots changed, %(unchanged)d stay as they are.") % data
    return answer(arguments, data | {"written": not arguments.dry_run}, text)
