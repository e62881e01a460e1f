"""All unassigned lines that match a filter go to one virtual account: a job, each line of which succeeds or fails alone."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.actor import Actor
from daicho.core.commands import command, one_act
from daicho.domain.access.policy import ensure_may, find_virtual_account
from daicho.domain.access.rules import Permission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import Run
from daicho.domain.ledger.commands.assign_rest import assign_rest
from daicho.domain.ledger.door import ensure_of
from daicho.domain.orders import errors
from daicho.domain.orders.landing import follow_holdings
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import Filters, unassigned_lines
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

MATCHING = "license.assign_matching"
PART = 500
COLUMNS = ("order_number", "line", "sku")


@command(permission=Permission.ORDERS_ASSIGN, events=("job.started",))
def start_assign_matching(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    virtual_account: VirtualAccount,
    filters: Filters | None = None,
    memo: str = "",
) -> Job:
    """Let the worker assign all that is unassigned of the lines that match a filter to one virtual account.

    Meant are the lines that are there now; what is ordered later stays unassigned. Raises as `start_job`.
    """
    ensure_may(actor, Permission.ORDERS_ASSIGN, account)
    ensure_of(account, virtual_account)
    found = unassigned_lines(actor, account, filters)
    wanted = filters or Filters()
    params = {
        "text": wanted.text, "kind": wanted.kind, "since": wanted.since.isoformat() if wanted.since else None,
        "virtual_account": virtual_account.uid, "memo": memo[:500],
        "upper": OrderLine.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
    }  # fmt: skip
    return start_job(
        actor, kind=MATCHING, request_id=request_id, account=account, params=params, total=found.count(),
        title={"target": virtual_account.name},
    )  # fmt: skip


def run_assign_matching(run: Run) -> None:
    """The runner: lines in the order they were recorded, up to the last one there was at the start."""
    run.head(COLUMNS)
    while True:
        with one_act():
            if not _take_lines(run):
                return


def _take_lines(run: Run) -> bool:
    account, params = run.job.account, run.params
    if account is None:
        raise LookupError(f"{run.job} works in no account")
    account.refresh_from_db()
    place = find_virtual_account(run.actor, account, params["virtual_account"])
    since = dt.date.fromisoformat(params["since"]) if params["since"] else None
    filters = Filters(text=params["text"], kind=params["kind"], since=since)
    after = run.cursor.get("line", 0)
    found = unassigned_lines(run.actor, account, filters).filter(pk__gt=after, pk__lte=params["upper"])
    lines = {line.lot.uid: line for line in found.order_by("pk")[:PART] if line.lot is not None}
    if not lines:
        return False
    done = assign_rest(
        run.actor, account=account, request_id=run.request_id(after), content=[place.uid, after, params["upper"]],
        lot_uids=list(lines), virtual_account=place, memo=params["memo"],
    )  # fmt: skip
    follow_holdings([line.lot_id for line in lines.values() if line.lot_id is not None])
    for uid in done.empty:
        _refuse(run, lines[uid])
    if done.entry is not None:
        told = run.job.outcome
        run.tell(licenses=told.get("licenses", 0) + done.quantity, entries=[*told.get("entries", []), done.entry.uid])
    last = max(line.pk for line in lines.values())
    run.step(done=len(lines), succeeded=len(lines) - len(done.empty), cursor={"line": last})
    return True


def _refuse(run: Run, line: OrderLine) -> None:
    """Somebody else was faster with this line."""
    error = errors.not_unassigned(line.order.number, line.line_number, 0)
    cells: list[Any] = [line.order.number, line.line_number, line.tag.sku]
    run.refuse(None, "line", error.code, error.text(), cells)
