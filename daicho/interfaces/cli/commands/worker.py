"""`daicho worker`: sends mail, ends and starts licenses, raises alerts, seals the event log."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers
from daicho.interfaces.cli.settings_check import settings_are_sound


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("worker", help=_("start a worker for mail, ends, alerts and the seal"))
    parser.add_argument("--once", action="store_true", help=_("run every job that is due once, then stop"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not settings_are_sound():
        return 3
    from daicho.interfaces.jobs.worker import Worker

    worker = Worker()
    return worker.run_once() if arguments.once else worker.run_forever()
