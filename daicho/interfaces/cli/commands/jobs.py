"""`daicho jobs`: how the periodic jobs are doing."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from django.utils.translation import gettext as _

from daicho.domain.schedule.queries import jobs
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("jobs", help=_("show when each periodic job last succeeded and which one fails"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a job's last run failed."""
    found = jobs()
    lines = [
        f"{job.name:<18} {job.last_succeeded:%Y-%m-%d %H:%M:%S} UTC {job.last_error}"
        if job.last_succeeded
        else f"{job.name:<18} {'–':<23} {job.last_error}"
        for job in found
    ]
    answer(arguments, [asdict(job) for job in found], "\n".join(lines) or _("No worker has run yet."))
    return 1 if any(job.failures for job in found) else 0
