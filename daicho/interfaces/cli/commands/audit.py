"""`daicho audit verify`: is the event log what was sealed? `--export FILE`: does an exported file say what the log says?"""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("audit", help=_("the event log"))
    acts = parser.add_subparsers(metavar="act", required=True)
    verify = acts.add_parser("verify", help=_("prove that no event was changed; names the first wrong one"))
    verify.add_argument("--export", type=Path, metavar="FILE", help=_("compare an exported file (CSV, XLSX, JSON) too"))
    add_json(verify)
    verify.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.event_export import verify_export
    from daicho.domain.audit.seal import seal_status, verify

    wrong = verify()
    if arguments.export is not None:
        try:
            with arguments.export.open("rb") as file:
                wrong = wrong or verify_export(file)
        except OSError as error:
            return failed(arguments, "file_unreadable", f"{arguments.export}: {error.strerror}", 1)
    head = seal_status()
    result = {
        "ok": not wrong,
        "first_wrong": str(wrong) if wrong else None,
        "fault": wrong.fault if wrong else None,
        "event": wrong.event or None if wrong else None,
        "block": wrong.block if wrong else None,
        "blocks": head.blocks,
        "head": head.head,
    }
    if wrong:
        text = str(wrong)
    else:
        text = _("Every sealed event is unchanged.")
        if arguments.export is not None:
            text += "\n" + _("The file says what the log says.")
    answer(arguments, result, text)
    return 1 if wrong else 0
