"""`daicho bulk`: the jobs that people and programs started. (`daicho jobs` shows what the worker does by the clock.)"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from daicho.core.errors import BusinessError
from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed, refused

if TYPE_CHECKING:
    from daicho.domain.bulk.models import Job


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("bulk", help=_("look at jobs that people started, and cancel them"))
    acts = parser.add_subparsers(metavar="act", required=True)
    every = acts.add_parser("list", help=_("list the jobs that wait or run"))
    every.add_argument("--all", action="store_true", help=_("also those that have ended; the newest 200"))
    every.set_defaults(run=list_jobs)
    one = acts.add_parser("show", help=_("show how far a job is"))
    one.set_defaults(run=show)
    end = acts.add_parser("cancel", help=_("end a job before its end; what is done stays done"))
    end.set_defaults(run=cancel)
    file = acts.add_parser("result", help=_("save a job's result file, or its refused rows as CSV"))
    file.add_argument("--refused", action="store_true", help=_("the refused rows in place of the result"))
    file.set_defaults(run=save)
    for act in (one, end, file):
        act.add_argument("job", help=_("the job, as `bulk list` names it"))
    file.add_argument("file", type=Path, help=_("where to save it"))
    for act in (every, one, end, file):
        add_json(act)


def list_jobs(arguments: argparse.Namespace) -> int:
    from daicho.domain.bulk.queries import all_jobs

    found = all_jobs(console_actor(), open_only=not arguments.all, size=200).rows
    return answer(arguments, [_data(job) for job in found], "\n".join(map(_line, found)) or _("There are no jobs."))


def show(arguments: argparse.Namespace) -> int:
    from daicho.domain.bulk.queries import find_job

    try:
        job = find_job(console_actor(), arguments.job)
    except BusinessError as error:
        return refused(arguments, error)
    return answer(arguments, _data(job), "\n".join(filter(None, (_line(job), job.error_text))))


def cancel(arguments: argparse.Namespace) -> int:
    from daicho.domain.bulk.commands import cancel_job

    try:
        job = cancel_job(console_actor(), uid=arguments.job)
    except BusinessError as error:
        return refused(arguments, error)
    return answer(arguments, _data(job), _line(job))


def save(arguments: argparse.Namespace) -> int:
    """Exit code 1 when there is no such file."""
    from daicho.core.tabular import csv_lines
    from daicho.domain.bulk.queries import find_job, refused_rows, result_of

    actor = console_actor()
    try:
        job = find_job(actor, arguments.job)
        if arguments.refused:
            table = refused_rows(actor, job)
            parts = (line.encode() for line in csv_lines(table.columns, table.rows))
        else:
            parts = (part for part in result_of(actor, job)[1])
    except BusinessError as error:
        return refused(arguments, error)
    try:
        with arguments.file.open("wb") as file:
            for part in parts:
                file.write(part)
    except OSError as error:
        return failed(arguments, "file_not_written", f"{arguments.file}: {error.strerror}", 1)
    return answer(arguments, {"file": str(arguments.file)}, str(arguments.file))


def _line(job: Job) -> str:
    from daicho.domain.bulk.queries import title_of

    total = f"/{job.total}" if job.total is not None else ""
    return f"{job.uid}  {job.state:<9}  {job.done}{total}  {job.refused}  {title_of(job)}  {job.starter_name}"


def _data(job: Job) -> dict[str, Any]:
    from daicho.domain.bulk.queries import progress_of, title_of

    return {
        "uid": job.uid, "kind": job.kind, "title": title_of(job), "state": job.state, "total": job.total,
        "done": job.done, "succeeded": job.succeeded, "refused": job.refused, "percent": progress_of(job).percent,
        "outcome": job.outcome, "error": job.error_code, "error_text": job.error_text, "started_by": job.starter_name,
        "created_at": job.created_at, "started_at": job.started_at, "ended_at": job.ended_at, "worker": job.worker,
    }  # fmt: skip
