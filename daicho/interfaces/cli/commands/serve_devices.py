"""`daicho serve-devices`: a server for devices alone, one event loop a process, where there are many of them."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.commands.serve import serve
from daicho.interfaces.cli.output import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "serve-devices", help=_("start a server for devices alone: /device/ of the same address, by a reverse proxy")
    )
    parser.add_argument("--host", default="127.0.0.1", help=_("address to listen on (127.0.0.1)"))
    parser.add_argument("--port", type=int, default=8001, help=_("port to listen on (8001)"))
    parser.add_argument("--workers", type=int, default=1, help=_("processes (1); always one on SQLite"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return serve("daicho.interfaces.device_api.loop:application", "rsgi", arguments)
