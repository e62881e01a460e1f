"""A large order file as a job: the worker records it part by part, and each line succeeds or fails alone."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.db import connection, connections

from daicho.core.actor import Actor
from daicho.core.commands import command, one_act
from daicho.core.db import is_postgres
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import Cancelled, Run, Stopped
from daicho.domain.files.models import StoredFile
from daicho.domain.orders.columns import COLUMNS
from daicho.domain.orders.commands.record import ensure_may_record
from daicho.domain.orders.commands.record_large import Part, record_part
from daicho.domain.orders.order_file import PART, count_rows, parts_from, spooled
from daicho.domain.orders.sheet import Sheet

KIND = "order.file"
PART_OF_SQLITE = 500  # one transaction keeps every other writer waiting
ABREAST = 2  # parts recorded at a time on PostgreSQL


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
    """The runner of a large file. Raises as `read_sheet`.

    On PostgreSQL two parts are recorded at a time, each in a transaction of its own, and counted in their order; a part
    that was recorded and not counted when its worker was killed does nothing when it is done again. On SQLite, which has
    one writer, a part and its cursor are one transaction.
    """
    run.head(list(COLUMNS))
    with spooled(run.source_parts()) as spool:
        if run.job.total is None:
            run.expect(count_rows(spool))
        done = run.cursor.get("rows", 0)
        if is_postgres() and not connection.in_atomic_block:
            _record_abreast(run, parts_from(spool, done, PART), done)
            return
        for part in parts_from(spool, done, PART_OF_SQLITE):
            done += len(part.rows)
            with one_act():
                _count(run, part, record_part(run.actor, company=run.job.company, part=part), done)


def _record_abreast(run: Run, parts: Iterable[Sheet], done: int) -> None:
    """Two parts at a time: while the database checks and writes one, the next is planned and sent."""
    flying: deque[tuple[Sheet, Future[Part]]] = deque()
    opened: set[Any] = set()

    def record(actor: Actor, part: Sheet) -> Part:
        opened.add(connections["default"])
        with one_act():
            return record_part(actor, company=run.job.company, part=part)

    def land() -> None:
        nonlocal done
        part, future = flying.popleft()
        found = future.result()
        done += len(part.rows)
        _count(run, part, found, done)

    try:
        with ThreadPoolExecutor(ABREAST) as hands:
            try:
                for part in parts:
                    flying.append((part, hands.submit(record, run.actor, part)))
                    if len(flying) > ABREAST:
                        land()
                while flying:
                    land()
            except (Cancelled, Stopped):
                while flying:  # what is recorded is counted, too
                    with suppress(Cancelled, Stopped):
                        land()
                raise
    finally:
        for one in opened:
            one.inc_thread_sharing()
            one.close()


def _count(run: Run, part: Sheet, found: Part, done: int) -> None:
    """Tell what became of a part, and from where another worker would go on."""
    for problem in found.problems:
        cells = [part.rows[problem.row][column] for column in COLUMNS]
        run.refuse(problem.row, problem.column, problem.error.code, problem.error.text(), cells)
    outcome = run.job.outcome
    told = {"new": found.new, "repeated": found.repeated, **found.landed}
    refused = len({problem.row for problem in found.problems})
    run.tell(**{name: outcome.get(name, 0) + number for name, number in told.items()})
    run.step(done=len(part.rows), succeeded=len(part.rows) - refused, cursor={"rows": done})
