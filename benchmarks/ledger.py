"""How fast the ledger is, in one process, with full durability: `python -m benchmarks.ledger [sqlite|postgres]`.

Prints one line per figure: by the clock, and by the processor time of this process alone (what a busy machine leaves
unchanged; the database server's share is not in it). Nothing of the installation is touched: the database is made for the run.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import time_machine


@contextmanager
def installed(database: str) -> Iterator[None]:
    """An installation of its own, with full durability, gone afterwards."""
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"DAICHO_DATA": data, "DAICHO_SECRET_KEY": "k" * 50, "DAICHO_LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "daicho.config.settings"
        if database == "postgres":
            from tests.support import postgres

            os.environ["DAICHO_DATABASE_URL"] = postgres.start(durable=True)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        yield


def measure(database: str) -> None:
    from daicho.core.actor import Actor
    from daicho.core.clock import now
    from daicho.domain.ledger.batch import UseRequest, ask_many
    from daicho.domain.ledger.check import check_ledger
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
    from daicho.domain.ledger.commands.use import UseLine, assign_licenses
    from daicho.domain.ledger.models import Unit
    from daicho.domain.ledger.sweep import sweep_due
    from tests.world import make_account, make_tag, make_virtual_account

    actor = Actor.system("benchmark")
    account = make_account("bench.example.jp", "Bench")
    home, away = make_virtual_account(account, "Home"), make_virtual_account(account, "Away")
    tags = [make_tag(f"T-{number}", f"Tag {number}") for number in range(100)]
    yesterday = now() - dt.timedelta(days=1)
    lots = [NewLot(tag, 100_000, "perpetual", yesterday, None, home) for tag in tags]
    deposit_lots(actor, account=account, request_id=uuid.uuid4(), lots=lots)
    units = Unit.objects.bulk_create(Unit(account=account, virtual_account=home, kind="record") for _ in range(1_000))

    def say(what: str, count: int, act: Callable[[], object]) -> None:
        start, computed = time.perf_counter(), time.process_time()
        act()
        took, computed = time.perf_counter() - start, time.process_time() - computed
        print(f"{database:9} {what:40} {count / took:9,.0f}/s {count / computed:9,.0f}/s of this process's own time")

    def assign(count: int) -> None:
        for number in range(count):
            assign_licenses(
                actor,
                account=account,
                unit=units[number],
                request_id=uuid.uuid4(),
                lines=[UseLine(tags[number % 100], 1)],
            )

    def ask(batches: int, size: int, quantity: int) -> None:
        for batch in range(batches):
            ask_many(
                [
                    UseRequest.ask(units[(batch * size + n) % 1_000], uuid.uuid4(), [(tags[n % 100], quantity)])
                    for n in range(size)
                ]
            )

    def transfer(count: int, lines: int) -> None:
        for number in range(count):
            moves = [Move(home, away, tags[(number + line) % 100], 1) for line in range(lines)]
            transfer_licenses(actor, account=account, request_id=uuid.uuid4(), moves=moves)

    assign(20)
    say("assign, one per commit", 300, lambda: assign(300))
    for size in (1, 16, 64):
        say(f"ask (changed), {size} per commit", 20 * size, lambda size=size: ask(20, size, 2))
    say("ask (unchanged), 64 per commit", 20 * 64, lambda: ask(20, 64, 2))
    say("transfer of 1 line", 200, lambda: transfer(200, 1))
    say("transfer of 1,000 lines, lines", 1_000, lambda: transfer(1, 1_000))
    say("transfer of 10,000 lines, lines", 10_000, lambda: transfer(1, 10_000))
    ends = now() + dt.timedelta(hours=1)
    ending = [NewLot(tags[number % 100], 1, "term", yesterday, ends, home) for number in range(10_000)]
    say("deposit of 10,000 lots, lots", 10_000, lambda: deposit_lots(
        actor, account=account, request_id=uuid.uuid4(), lots=ending
    ))  # fmt: skip
    with time_machine.travel(ends, tick=True):
        say("sweep of 10,000 ends", 10_000, sweep_due)
        say("check_ledger", 1, check_ledger)


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with installed(name):
        measure(name)
