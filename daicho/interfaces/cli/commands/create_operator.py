"""`daicho create-operator MAIL`: a member of the licensor's staff."""

from __future__ import annotations

import argparse
import getpass
import sys

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("create-operator", help=_("create a member of the operator's staff"))
    parser.add_argument("email", help=_("mail address to log in with"))
    parser.add_argument("--name", default="", help=_("name of the person"))
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help=_("read the password from standard input instead of asking for it"),
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.commands.people import create_operator

    password = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else getpass.getpass(_("Password: "))
    actor = console_actor()
    user = create_operator(
        actor, email=arguments.email, name=arguments.name, password=password, language=actor.language
    )
    text = _("The operator %(email)s can log in; a one-time code app is set up at the first log-in.")
    return answer(arguments, {"email": user.email}, text % {"email": user.email})
