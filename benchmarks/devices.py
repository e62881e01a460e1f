"""How fast devices are decided, in one process, with full durability: `python -m benchmarks.devices [sqlite|postgres]`.

As benchmarks/ledger.py: one line per figure, by the clock and by the processor time of this process. Every request is signed
and verified, every answer signed; what HTTP costs is not in it. Requests are made beforehand.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.ledger import installed

INSTANCES = 640


def measure(database: str) -> None:
    from daicho.core.actor import Actor
    from daicho.core.clock import now
    from daicho.domain.devices import hot, wire
    from daicho.domain.devices.commands.tokens import issue_tokens, secret_of
    from daicho.domain.ledger.check import check_ledger
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from tests.support.device_client import Client, Request, unsigned
    from tests.world import make_account, make_tag, make_virtual_account

    actor = Actor.system("benchmark")
    account = make_account("bench.example.jp", "Bench")
    places = [make_virtual_account(account, f"Place {number}") for number in range(20)]
    tags = [make_tag(f"T-{number}", f"Tag {number}") for number in range(10)]
    lots = [NewLot(tag, 100_000, "perpetual", now(), None, place) for place in places for tag in tags]
    deposit_lots(actor, account=account, request_id=uuid.uuid4(), lots=lots)
    tokens = issue_tokens(
        actor, account=account, virtual_accounts=places, request_id=uuid.uuid4(), uses=100_000, standing=False
    )
    secrets = [secret_of(token) for token in tokens]
    clients = [Client() for _ in range(INSTANCES)]

    def read(request: Request) -> wire.Signed:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return wire.read_request(request.path, headers, request.body, "192.0.2.1")

    def say(
        what: str, make: Callable[[Sequence[wire.Signed]], list[Any]], asked: Sequence[wire.Signed], size: int
    ) -> list[Any]:
        replies: list[Any] = []
        start, computed = time.perf_counter(), time.process_time()
        for at in range(0, len(asked), size):
            replies += make(asked[at : at + size])
        took, computed = time.perf_counter() - start, time.process_time() - computed
        wrong = [reply for reply in replies if reply.status >= 300]
        if wrong:
            raise SystemExit(f"{what}: {wrong[0]}")
        print(
            f"{database:9} {what:40} {len(asked) / took:9,.0f}/s {len(asked) / computed:9,.0f}/s of this process's own time"
        )
        return replies

    asked = [client.register(secrets[number % 20], "EXR", f"S{number}")[0] for number, client in enumerate(clients)]
    replies = say("register, 64 per commit", hot.register_many, [read(one) for one in asked], 64)
    for client, reply in zip(clients, replies, strict=True):
        client.take(unsigned(reply.document["certificate"]))
    for size in (1, 16, 64):
        some = clients if size > 1 else clients[:100]
        asked = [client.authorize({f"T-{number % 10}": size + 1}) for number, client in enumerate(some)]
        say(f"authorize (changed), {size} per commit", hot.authorize_many, [read(one) for one in asked], size)
    for size in (16, 64):
        asked = [client.authorize({f"T-{number % 10}": 65}) for number, client in enumerate(clients)]
        say(f"renewal (unchanged), {size} at once", hot.authorize_many, [read(one) for one in asked], size)
    asked = [client.renew()[0] for client in clients]
    say("certificate, 64 per commit", hot.renew_certificates, [read(one) for one in asked], 64)
    findings = check_ledger()
    if findings:
        raise SystemExit(f"the ledger is broken: {findings[0]}")


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with installed(name):
        measure(name)
