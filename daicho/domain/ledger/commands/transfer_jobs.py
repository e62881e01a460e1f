"""Transfers of many rows as jobs: a large file, or all licenses that match a filter. Each row succeeds or fails alone."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from itertools import batched
from typing import Any

from daicho.core.actor import Actor
from daicho.core.commands import command, one_act
from daicho.domain.access.policy import ensure_may, find_virtual_account
from daicho.domain.access.rules import Permission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import Run
from daicho.domain.files.models import StoredFile
from daicho.domain.ledger.commands.transfer_lines import Line, Refused, transfer_lines
from daicho.domain.ledger.door import ensure_may_somewhere
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.queries.pools import PoolCriteria, spare_pools
from daicho.domain.ledger.queries.sight import look
from daicho.domain.ledger.queries.transfer_file import COLUMNS, Reader, Row, rows_of
from daicho.domain.ledger.rules import Choice
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

FILE = "license.transfer_file"
MATCHING = "license.transfer_matching"
PART = 500
POOL_COLUMNS = ("sku", "virtual_account", "spare")


@command(permission=Permission.LICENSES_MANAGE, events=("job.started",))
def start_transfer_file(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    file: StoredFile,
    rows: int,
    choice: str = Choice.SOONEST_END,
    memo: str = "",
) -> Job:
    """Let the worker move licenses as a large file says; each of its rows succeeds or fails alone.

    The actor must manage licenses somewhere in the account; each row asks again where it is. `rows`: how many there
    are to be done. Raises as `start_job`.
    """
    ensure_may_somewhere(actor, Permission.LICENSES_MANAGE, account)
    params = {"choice": Choice(choice), "memo": memo[:500]}
    return start_job(
        actor, kind=FILE, request_id=request_id, account=account, params=params, source=file, total=rows,
        title={"account": account.name},
    )  # fmt: skip


@command(permission=Permission.LICENSES_MANAGE, events=("job.started",))
def start_transfer_matching(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    criteria: PoolCriteria,
    target: VirtualAccount,
    virtual_account: VirtualAccount | None = None,
    below: bool = False,
    choice: str = Choice.SOONEST_END,
    memo: str = "",
) -> Job:
    """Let the worker move all that is spare of the licenses that match a filter to one virtual account.

    Meant are the licenses that are in the list now; what comes to it later stays where it is. How much is spare is
    decided when the turn comes. Each license of a virtual account succeeds or fails alone. Raises as `start_job`.
    """
    ensure_may(actor, Permission.LICENSES_MANAGE, account, target)
    sight = look(actor, account, virtual_account, below=below)
    found = spare_pools(sight, criteria).exclude(virtual_account=target)
    params = {
        "criteria": {name: value for name, value in asdict(criteria).items() if value != getattr(PoolCriteria(), name)},
        "virtual_account": virtual_account.uid if virtual_account is not None else None,
        "below": below, "target": target.uid, "choice": Choice(choice), "memo": memo[:500],
        "upper": Pool.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
    }  # fmt: skip
    return start_job(
        actor, kind=MATCHING, request_id=request_id, account=account, params=params, total=found.count(),
        title={"target": target.name},
    )  # fmt: skip


def run_transfer_file(run: Run) -> None:
    """The runner of a large file, part by part; each part and the cursor behind it are one transaction."""
    run.head(list(COLUMNS))
    with tempfile.TemporaryFile() as file:
        file.writelines(run.source_parts())
        done_to = run.cursor.get("row", 1)
        left = (row for row in rows_of(file) if row.number > done_to)
        for part in batched(left, PART):
            with one_act():
                _take_part(run, part)


def _take_part(run: Run, rows: Sequence[Row]) -> None:
    account = _account_of(run)
    cells = {row.number: [row.cells.get(key, "") for key in COLUMNS] for row in rows}
    lines, problems = Reader(look(run.actor, account, lists=False)).understand(rows)
    refusals = [Refused.of(problem.row, problem.column, problem.error) for problem in problems]
    refusals += _carry(run, rows[0].number, list(cells.items()), lines)
    for one in sorted(refusals, key=lambda one: one.number):
        run.refuse(one.number, one.column, one.code, one.text, cells[one.number])
    refused = {one.number for one in refusals}
    run.step(done=len(rows), succeeded=len(rows) - len(refused), cursor={"row": rows[-1].number})


def run_transfer_matching(run: Run) -> None:
    """The runner of all that matches: pools in the order they were made, up to the last one there was at the start."""
    run.head(POOL_COLUMNS)
    while True:
        with one_act():
            if not _take_pools(run):
                return


def _take_pools(run: Run) -> bool:
    account, params = _account_of(run), run.params
    target = find_virtual_account(run.actor, account, params["target"])
    uid = params["virtual_account"]
    place = find_virtual_account(run.actor, account, uid) if uid else None
    sight = look(run.actor, account, place, below=params["below"])
    after = run.cursor.get("pool", 0)
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in params["criteria"].items()
    }
    matching = (
        spare_pools(sight, PoolCriteria(**given))
        .exclude(virtual_account=target)
        .filter(pk__gt=after, pk__lte=params["upper"])
    )
    pools = list(matching.order_by("pk")[:PART])
    if not pools:
        return False
    lines = [Line(pool.pk, pool.virtual_account, target, pool.tag, None) for pool in pools]
    cells = {pool.pk: [pool.tag.sku, pool.virtual_account.name, pool.available] for pool in pools}
    content = [target.uid, after, params["upper"]]
    refused = _carry(run, after, content, lines)
    for one in refused:
        run.refuse(None, one.column, one.code, one.text, cells[one.number])
    run.step(done=len(pools), succeeded=len(pools) - len(refused), cursor={"pool": pools[-1].pk})
    return True


def _carry(run: Run, part: int, content: Any, lines: Sequence[Line]) -> list[Refused]:
    """Move what can be moved of a part; returns what was refused."""
    if not lines:
        return []
    done = transfer_lines(
        run.actor, account=_account_of(run), request_id=run.request_id(part), content=content, lines=lines,
        choice=run.params["choice"], memo=run.params["memo"],
    )  # fmt: skip
    if done.entry is not None:
        entries = [*run.job.outcome.get("entries", []), done.entry.uid]
        run.tell(licenses=run.job.outcome.get("licenses", 0) + done.quantity, entries=entries)
    return done.refused


def _account_of(run: Run) -> SmartAccount:
    """The account of the job, as it is now."""
    account = run.job.account
    if account is None:
        raise LookupError(f"{run.job} works in no account")
    account.refresh_from_db()
    return account
