"""`daicho load-demo`: the demonstration's own world, once; prints its log-ins every time."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed

type LogIn = dict[str, str]
"""who (a few words), email, password."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("load-demo", help=_("load the demonstration world and print its log-ins"))
    parser.add_argument("--empty", action="store_true", help=_("leave the demo world out; only make the operator"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not settings.DEMO:
        return failed(arguments, "demo_only", _("Only a demonstration (DAICHO_DEMO=1) takes the demo world."), 1)
    kept: Path = settings.DATA / "log-ins.json"
    if not kept.exists():
        log_ins = only_the_operator() if arguments.empty else whole_world()
        kept.write_text(json.dumps(log_ins, ensure_ascii=False))
    log_ins = json.loads(kept.read_text())
    lines = [f"  {log_in['email']:<32} {log_in['password']:<28} {log_in['who']}" for log_in in log_ins]
    return answer(arguments, log_ins, "\n".join(lines))


def only_the_operator() -> list[LogIn]:
    from daicho.domain.access.commands.people import create_operator

    password = secrets.token_urlsafe(12)
    user = create_operator(console_actor(), email="operator@kumo.example", password=password, name="Operator")
    return [{"who": _("Operator"), "email": user.email, "password": password}]


def whole_world() -> list[LogIn]:
    from daicho.interfaces.cli.demo.load import load

    return load()
