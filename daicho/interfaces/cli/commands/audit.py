"""`daicho audit verify`: is the event log what was sealed?"""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("audit", help=_("the event log"))
    acts = parser.add_subparsers(metavar="act", required=True)
    verify = acts.add_parser("verify", help=_("prove that no event was changed; names the first wrong one"))
    add_json(verify)
    verify.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.audit.seal import verify

    wrong = verify()
    text = str(wrong) if wrong else _("Every sealed event is unchanged.")
    answer(arguments, {"ok": not wrong, "first_wrong": str(wrong) if wrong else None}, text)
    return 1 if wrong else 0
