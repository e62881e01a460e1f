"""`daicho check-ledger`: does every invariant of the ledger hold?"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("check-ledger", help=_("check every invariant of the ledger"))
    parser.add_argument("--deep", action="store_true", help=_("also replay the whole history"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.ledger.check import check_ledger

    findings = check_ledger(deep=arguments.deep)
    count = len(findings)
    summary = ngettext("The ledger is broken: %(count)d finding.", "The ledger is broken: %(count)d findings.", count)
    text = "\n".join([summary % {"count": count}, *map(str, findings)]) if findings else _("The ledger is sound.")
    answer(arguments, {"ok": not findings, "findings": [asdict(finding) for finding in findings]}, text)
    return 1 if findings else 0
