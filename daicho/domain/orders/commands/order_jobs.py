"""A large order file as a job: the worker records it part by part, and each line succeeds or fails alone."""

from __future__ import annotations

import uuid

from daicho.core.actor import Actor
from daicho.core.commands import command, one_act
from daicho.core.db import is_postgres
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import Run
from daicho.domain.files.models import StoredFile
from daicho.domain.orders.columns import COLUMNS
from daicho.domain.orders.commands.record import ensure_may_record
from daicho.domain.orders.commands.record_large import record_part
from daicho.domain.orders.order_file import PART, count_rows, parts_from, spooled
from daicho.domain.orders.sheet import Sheet

KIND = "order.file"
PART_OF_SQLITE = 500  # one transaction keeps every other writer waiting


@command(permission=OperatorPermission.ORDERS, events=("job.started",))
def start_order_file(
    actor: Actor,
    *,
    company: PartnerCompany | None,
    request_id: uuid.UUID,
    file: StoredFile,
    rows: int | None = None,
) -> Job:
    """Let the worker record the orders of a large file; each of its lines succeeds or fails alone.

    `company` as in `record_order`; `rows`: how many there are, if somebody counted them. Raises as `start_job`.
    """
    ensure_may_record(actor, company)
    return start_job(actor, kind=KIND, request_id=request_id, company=company, source=file, total=rows)


def run_order_file(run: Run) -> None:
    """The runner; each part and the cursor behind it are one transaction. Raises as `read_sheet`."""
    run.head(list(COLUMNS))
    with spooled(run.source_parts()) as spool:
        if run.job.total is None:
            run.expect(count_rows(spool))
        done = run.cursor.get("rows", 0)
        for part in parts_from(spool, done, PART if is_postgres() else PART_OF_SQLITE):
            done += len(part.rows)
            with one_act():
                _take_part(run, part, done)


def _take_part(run: Run, part: Sheet, done: int) -> None:
    found = record_part(run.actor, company=run.job.company, part=part)
    for problem in found.problems:
        cells = [part.rows[problem.row][column] for column in COLUMNS]
        run.refuse(problem.row, problem.column, problem.error.code, problem.error.text(), cells)
    outcome = run.job.outcome
    told = {"new": found.new, "repeated": found.repeated, **found.landed}
    run.tell(**{name: outcome.get(name, 0) + number for name, number in told.items()})
    refused = len({problem.row for problem in found.problems})
    run.step(done=len(part.rows), succeeded=len(part.rows) - refused, cursor={"rows": done})
