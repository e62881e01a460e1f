"""Every periodic job, in one list: what it does and how often; and who runs which kind of job that people start.

A job is idempotent: it looks for what is due and does that, so that running it twice or late changes nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daicho.domain.bulk.running import Run


@dataclass(frozen=True)
class Job:
    """`run` does the work; the next run is due `every` after the end of the last one."""

    name: str
    every: timedelta
    run: Callable[[], object]


def send_mail() -> object:
    """Mail of the outbox goes to the mail server (within 30 s, product.md §2)."""
    from daicho.interfaces.mail.sender import send_due

    return send_due()


def sweep_ledger() -> object:
    """Lots start and end that nobody touched (at most 60 s late, ledger.md)."""
    from daicho.domain.ledger.sweep import sweep_due

    return sweep_due()


def expire_devices() -> object:
    """Certificates end; instances that were silent too long return what they use (product.md, Devices)."""
    from daicho.domain.devices.commands.instances import expire_due

    return expire_due()


def watch_alerts() -> object:
    """Alerts follow the facts (within 60 s, product.md §2)."""
    from daicho.domain.alerts.watch import run

    return run()


def seal_events() -> object:
    """New events are sealed into the chain (within 60 s, product.md §2)."""
    from daicho.domain.audit.seal import seal_pending

    return seal_pending()


def run_openings() -> object:
    """Openings: reminders at half time, lapse after 30 days."""
    from daicho.domain.accounts.commands.due_openings import run_due_openings

    return run_due_openings()


def land_orders() -> object:
    """Order lines that waited for the agreement land (within a minute of its acceptance, product.md S17)."""
    from daicho.domain.orders.commands.waiting import deposit_waiting_due

    return deposit_waiting_due()


def end_grants() -> object:
    """Rights whose end has passed are recorded as ended; the door itself looks at the clock."""
    from daicho.domain.access.commands.grants import end_due_grants

    return end_due_grants()


def hand_over_rights() -> object:
    """Hand-overs of rights whose day has come are carried out."""
    from daicho.domain.access.commands.hand_overs import run_due_hand_overs

    return run_due_hand_overs()


def end_sessions() -> object:
    """Sessions that ended are removed."""
    from django.core.management import call_command

    return call_command("clearsessions")


def forget_requests() -> object:
    """Answers kept for repeated requests of programs are removed after their time."""
    from daicho.domain.access.commands.idempotency import forget_old_requests

    return forget_old_requests()


def forget_jobs() -> object:
    """Files and refused rows of jobs go 30 days after their end, uploads that nobody used after a day."""
    from daicho.domain.bulk.commands import forget_old_jobs
    from daicho.domain.files.store import drop_unused

    return forget_old_jobs(), drop_unused()


JOBS = (
    Job("send-mail", timedelta(seconds=2), send_mail),
    Job("sweep-ledger", timedelta(seconds=5), sweep_ledger),
    Job("expire-devices", timedelta(seconds=60), expire_devices),
    Job("watch-alerts", timedelta(seconds=20), watch_alerts),
    Job("seal-events", timedelta(seconds=30), seal_events),
    Job("land-orders", timedelta(seconds=20), land_orders),
    Job("run-openings", timedelta(minutes=5), run_openings),
    Job("end-grants", timedelta(minutes=1), end_grants),
    Job("hand-over-rights", timedelta(seconds=30), hand_over_rights),
    Job("end-sessions", timedelta(hours=1), end_sessions),
    Job("forget-requests", timedelta(hours=1), forget_requests),
    Job("forget-jobs", timedelta(hours=1), forget_jobs),
)


def transfer_file(run: Run) -> None:
    """Licenses move as a large file says."""
    from daicho.domain.ledger.commands.transfer_jobs import run_transfer_file

    run_transfer_file(run)


def transfer_matching(run: Run) -> None:
    """All that is spare and matches moves to one virtual account."""
    from daicho.domain.ledger.commands.transfer_jobs import run_transfer_matching

    run_transfer_matching(run)


def assign_matching(run: Run) -> None:
    """All that is unassigned and matches goes to one virtual account."""
    from daicho.domain.orders.commands.assign_matching import run_assign_matching

    run_assign_matching(run)


def order_file(run: Run) -> None:
    """The orders of a large file are recorded."""
    from daicho.domain.orders.commands.order_jobs import run_order_file

    run_order_file(run)


# Who runs which kind of job (bulk/kinds.py). What is rendered above this floor, such as an export of a portal's list,
# adds its own when the application starts.
RUNNERS: dict[str, Callable[[Run], None]] = {
    "license.transfer_file": transfer_file,
    "license.transfer_matching": transfer_matching,
    "license.assign_matching": assign_matching,
    "order.file": order_file,
}
