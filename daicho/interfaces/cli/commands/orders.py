"""`daicho orders`: record orders from a file, list what waits for the operator, approve it."""

from __future__ import annotations

import argparse
import io
import uuid
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("orders", help=_("record and approve orders"))
    acts = parser.add_subparsers(metavar="act", required=True)
    record = acts.add_parser(
        "import", help=_("record the orders of a file: all rows or none; beyond 10,000 rows as a job of the worker")
    )
    record.add_argument("file", type=Path, help=_("CSV (UTF-8 or Shift_JIS) or XLSX"))
    record.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    record.add_argument(
        "--each",
        type=Path,
        metavar="RESULT",
        help=_("up to 200,000 rows: each line succeeds or fails alone; the rows that failed go to this CSV file"),
    )
    record.set_defaults(run=import_file)
    waiting = acts.add_parser("waiting", help=_("list partners' lines that wait for the operator"))
    waiting.set_defaults(run=list_waiting)
    approve = acts.add_parser("approve", help=_("let waiting lines land"))
    approve.add_argument("lines", nargs="+", metavar="line", help=_("the lines, as `orders waiting` names them"))
    approve.set_defaults(run=approve_waiting)
    for one in (record, waiting, approve):
        add_json(one)


def import_file(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a row is wrong; then nothing was written. A large file becomes a job of the worker."""
    from daicho.domain.orders import sheet
    from daicho.domain.orders.commands.imports import import_orders, is_large, preview_import

    content = read_input(arguments.file)
    actor = console_actor()
    if arguments.each is not None:
        return import_each(arguments, content)
    if is_large(io.BytesIO(content), len(content)):
        return start_large(arguments, content)
    preview = preview_import(actor, company=None, content=content)
    data = sheet.as_data(preview) | {"written": False}
    lines = [_("%(rows)d rows, %(new)d new lines, %(repeated)d recorded before.") % {
        "rows": data["rows"], "new": data["new_lines"], "repeated": data["repeated_lines"],
    }]  # fmt: skip
    for problem in preview.problems:
        where = {"row": problem.row, "column": problem.column, "text": problem.error.text()}
        lines.append("  " + _("row %(row)d, %(column)s: %(text)s") % where)
    if preview.problems:
        count = len(preview.bad_rows)
        lines.append(
            ngettext(
                "Nothing was written: %(count)d row is wrong.", "Nothing was written: %(count)d rows are wrong.", count
            )
            % {"count": count}
        )
    elif not arguments.dry_run:
        import_orders(actor, company=None, content=content)
        data["written"] = True
    answer(arguments, data, "\n".join(lines))
    return 1 if preview.problems else 0


def start_large(arguments: argparse.Namespace, content: bytes) -> int:
    """Start a job for a file of more lines than one act takes."""
    from daicho.domain.orders import sheet
    from daicho.domain.orders.commands.imports import keep_large, preview_large
    from daicho.domain.orders.commands.order_jobs import start_order_file

    actor = console_actor()
    preview = preview_large(actor, company=None, content=[content])
    data = sheet.as_data(preview) | {"job": None}
    lines = [_("%(rows)d rows; each line is recorded or refused by itself.") % data]
    for problem in preview.first.problems:
        where = {"row": problem.row, "column": problem.column, "text": problem.error.text()}
        lines.append("  " + _("row %(row)d, %(column)s: %(text)s") % where)
    if not arguments.dry_run:
        file = keep_large(actor, company=None, name=arguments.file.name, content=[content])
        job = start_order_file(actor, company=None, request_id=uuid.uuid4(), file=file, rows=preview.rows)
        data["job"] = job.uid
        lines.append(_("Job %(job)s was started; the worker runs it.") % data)
    return answer(arguments, data, "\n".join(lines))


def import_each(arguments: argparse.Namespace, content: bytes) -> int:
    """Record what can be recorded and write the rest to the result file; exit code 1 when a row failed."""
    from daicho.core.tabular import csv_lines
    from daicho.domain.orders import sheet
    from daicho.domain.orders.columns import COLUMNS
    from daicho.domain.orders.commands.imports import import_orders_singly

    new = repeated = 0
    failed_rows: list[list[str]] = []
    for part, done in import_orders_singly(console_actor(), company=None, content=content):
        new, repeated = new + done.new, repeated + done.repeated
        failed_rows += sheet.bad_rows_table(part, done.problems)[1]
    lines = csv_lines([*COLUMNS, "error"], failed_rows)
    arguments.each.write_text("".join(lines), encoding="utf-8", newline="")
    data = {"new_lines": new, "repeated_lines": repeated, "failed_rows": len(failed_rows)}
    text = _("%(new_lines)d new lines, %(repeated_lines)d recorded before, %(failed_rows)d rows failed.")
    answer(arguments, data, text % data)
    return 1 if failed_rows else 0


def list_waiting(arguments: argparse.Namespace) -> int:
    from daicho.domain.orders.queries.lines import list_waiting_lines

    rows = [
        {
            "line": row.uid,
            "order": row.line.order.number,
            "partner": row.line.order.company.name if row.line.order.company is not None else "",
            "account": row.line.account.identifier,
            "sku": row.line.tag.sku,
            "quantity": row.quantity,
        }
        for row in list_waiting_lines(console_actor())
    ]
    text = "\n".join("  ".join(str(cell) for cell in row.values()) for row in rows)
    return answer(arguments, rows, text or _("No line waits for the operator."))


def approve_waiting(arguments: argparse.Namespace) -> int:
    from daicho.domain.orders.commands.waiting import approve_lines
    from daicho.domain.orders.queries.lines import get_any_line

    actor = console_actor()
    decided = approve_lines(actor, lines=[get_any_line(actor, uid).line for uid in arguments.lines])
    text = ngettext("%(count)s line was approved.", "%(count)s lines were approved.", len(decided))
    return answer(arguments, {"approved": len(decided)}, text % {"count": len(decided)})
