"""`daicho serve`: the web server."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers
from daicho.interfaces.cli.settings_check import settings_are_sound

THREADS = 32
"""Requests that one process accepts at a time. Most only wait, for their turn or for the commit that they share."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("serve", help=_("start the web server"))
    parser.add_argument("--host", default="127.0.0.1", help=_("address to listen on (127.0.0.1)"))
    parser.add_argument("--port", type=int, default=8000, help=_("port to listen on (8000)"))
    parser.add_argument("--workers", type=int, default=2, help=_("processes (2); always one on SQLite"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return serve("daicho.config.wsgi:application", "wsgi", arguments, threads=THREADS)


def serve(application: str, interface: str, arguments: argparse.Namespace, *, threads: int | None = None) -> int:
    """Serve an application until it is told to end; `arguments`: host, port, workers. 3: the settings are not sound."""
    if not settings_are_sound():
        return 3
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        application,
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces(interface),
        workers=1 if settings.ON_SQLITE else arguments.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels(settings.ENV["DAICHO_LOG_LEVEL"].lower()),
        log_dictconfig=server_log(),
        blocking_threads=threads,
    ).serve()
    return 0


def server_log() -> dict[str, object]:
    """The server's own messages, in the form and at the place of all others."""
    handler = {"handlers": ["stderr"], "propagate": False}
    known = {"()": "daicho.interfaces.cli.commands.serve.without_threads_warning"}
    return settings.LOGGING | {
        "filters": settings.LOGGING.get("filters", {}) | {"known": known},
        "loggers": settings.LOGGING["loggers"]
        | {"_granian": handler | {"filters": ["known"]}, "granian.access": dict(handler)},
    }


def without_threads_warning() -> Callable[[logging.LogRecord], bool]:
    """Granian warns of more threads than twice the cores; ours take turns."""
    return lambda record: "Python threads" not in record.getMessage()
