"""`daicho licenses`: list what an account has, state a period, move licenses by a file, undo."""

from __future__ import annotations

import argparse
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input

STATES = ("short", "ended", "ending", "not_started", "in_compliance")


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("licenses", help=_("list, transfer and undo licenses of an account"))
    acts = parser.add_subparsers(metavar="act", required=True)
    listing = acts.add_parser("list", help=_("list licenses by virtual account"))
    listing.add_argument("--state", choices=STATES, default="", help=_("only licenses in this state"))
    listing.add_argument("--text", default="", help=_("only those whose SKU, name or virtual account holds this"))
    listing.set_defaults(run=list_licenses)
    statement = acts.add_parser("statement", help=_("state what came in, went out and ended between two days"))
    statement.add_argument("--since", type=date.fromisoformat, required=True, metavar="DATE", help=_("first day"))
    statement.add_argument("--until", type=date.fromisoformat, required=True, metavar="DATE", help=_("last day"))
    statement.add_argument("--virtual-account", default="", metavar="NAME", help=_("only this virtual account"))
    statement.add_argument("--lines", action="store_true", help=_("each line, not only the sums by license"))
    statement.set_defaults(run=state_period)
    transfer = acts.add_parser(
        "transfer",
        help=_("move licenses as a file says: all rows or none; beyond 10,000 rows a job, each row by itself"),
    )
    transfer.add_argument("file", type=Path, help=_("CSV or XLSX: source, target, sku, quantity, lot"))
    transfer.add_argument("--memo", default="", help=_("a note for the event log, such as an approval number"))
    transfer.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    transfer.set_defaults(run=transfer_file)
    undo = acts.add_parser("undo", help=_("undo an act by a counter entry"))
    undo.add_argument("entry", help=_("the number of the act"))
    undo.add_argument("--memo", default="", help=_("a note for the event log, such as an approval number"))
    undo.set_defaults(run=undo_act)
    for one in (listing, statement, transfer, undo):
        one.add_argument("--account", required=True, metavar="DOMAIN", help=_("the domain identifier of the account"))
        add_json(one)


def list_licenses(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.ledger.queries.pools import PoolCriteria, every_pool
    from daicho.domain.ledger.queries.sight import look
    from daicho.domain.ledger.queries.states import state_of

    actor = console_actor()
    sight = look(actor, find_account(actor, arguments.account))
    criteria = PoolCriteria(text=arguments.text, state=arguments.state)
    rows = [
        {
            "sku": pool.tag.sku,
            "virtual_account": pool.virtual_account.name,
            "state": state_of(pool),
            "purchased": pool.purchased,
            "in_use": pool.in_use,
            "balance": pool.balance,
        }
        for pool in every_pool(sight, criteria)
    ]
    text = "\n".join("  ".join(str(cell) for cell in row.values()) for row in rows)
    return answer(arguments, rows, text or _("No license matches."))


def state_period(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.access.queries_tree import virtual_account_named
    from daicho.domain.ledger.queries.sight import look
    from daicho.domain.ledger.queries.statement import Period, every_line, find_balances

    actor = console_actor()
    account = find_account(actor, arguments.account)
    name = arguments.virtual_account
    place = virtual_account_named(actor, account, name) if name else None
    sight, period = look(actor, account, place, lists=False), Period(arguments.since, arguments.until)
    balances = find_balances(sight, period)
    figures = ("received", "taken", "ended")
    if arguments.lines:
        rows = [
            {"at": line.at.isoformat(), "entry": line.entry_uid, "act": line.act, "sku": line.tag.sku}
            | {name: getattr(line, name) for name in figures}
            | {"total": line.total, "memo": line.memo}
            for line in every_line(sight, period, balances)
        ]
    else:
        rows = [
            {"sku": one.tag.sku} | {name: getattr(one, name) for name in ("opening", *figures, "closing")}
            for one in balances
        ]
    text = "\n".join("  ".join(str(cell) for cell in row.values()) for row in rows)
    return answer(arguments, rows, text or _("Nothing counted or moved between these days."))


def transfer_file(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a row is wrong; then nothing was written."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.ledger.commands.transfer import preview_transfer, transfer_licenses
    from daicho.domain.ledger.queries.sight import look
    from daicho.domain.ledger.queries.transfer_file import read_transfer_file

    content = read_input(arguments.file)
    actor = console_actor()
    account = find_account(actor, arguments.account)
    found = read_transfer_file(look(actor, account), content)
    if found.is_large:
        return transfer_large_file(arguments, account, found, content)
    problems = [
        {"row": p.row, "column": p.column, "code": p.error.code, "text": p.error.text()} for p in found.problems
    ]
    if problems:
        lines = [_("row %(row)d, %(column)s: %(text)s") % problem for problem in problems]
        answer(arguments, {"entry": None, "errors": problems}, "\n".join(lines))
        return 1
    preview = preview_transfer(actor, account=account, moves=found.moves)
    effects = [
        {"virtual_account": e.virtual_account.name, "sku": e.tag.sku, "before": e.before, "after": e.after, "missing": e.missing}
        for e in preview.effects
    ]  # fmt: skip
    lines = [_("%(virtual_account)s %(sku)s: %(before)d → %(after)d") % effect for effect in effects]
    entry = None
    if not arguments.dry_run:
        made = transfer_licenses(
            actor, account=account, request_id=uuid.uuid4(), moves=found.moves, memo=arguments.memo
        ).entry
        entry = made.uid if made else None
        count = sum(move.quantity for move in found.moves)
        lines.append(
            ngettext("%(count)s license transferred", "%(count)s licenses transferred", count) % {"count": count}
        )
    return answer(arguments, {"entry": entry, "effects": effects}, "\n".join(lines))


def transfer_large_file(arguments: argparse.Namespace, account: Any, found: Any, content: bytes) -> int:
    """Start a job for a file of more rows than one act takes; exit code 1 when no row of it can be taken."""
    from daicho.domain.files.store import keep
    from daicho.domain.ledger.commands.transfer_jobs import start_transfer_file

    told = {"job": None, "rows": found.count, "bad_rows": found.bad_rows}
    lines = [_("%(rows)d rows, each of which is moved or refused by itself; %(bad_rows)d cannot be taken.") % told]
    for problem in found.problems:
        where = {"row": problem.row, "column": problem.column, "text": problem.error.text()}
        lines.append("  " + _("row %(row)d, %(column)s: %(text)s") % where)
    if not arguments.dry_run and found.bad_rows < found.count:
        actor = console_actor()
        file = keep(arguments.file.name, "application/octet-stream", [content], actor=actor)
        job = start_transfer_file(
            actor, account=account, request_id=uuid.uuid4(), file=file, rows=found.count, memo=arguments.memo
        )
        told["job"] = job.uid
        lines.append(_("Job %(job)s was started; the worker runs it.") % told)
    answer(arguments, told, "\n".join(lines))
    return 1 if found.bad_rows == found.count else 0


def undo_act(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.ledger.commands.undo import undo_entry

    actor = console_actor()
    account = find_account(actor, arguments.account)
    made = undo_entry(actor, account=account, entry_uid=arguments.entry, request_id=uuid.uuid4(), memo=arguments.memo)
    return answer(arguments, {"entry": made.uid}, _("Undone by %(entry)s.") % {"entry": made.uid})
