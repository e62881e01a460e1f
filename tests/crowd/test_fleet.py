"""A crowd of devices over TCP and two processes, one killed midway: an enforced license is never used once too often, what is
not enforced is counted to the last one, and a token admits as many as it says (ledger.md, ASK; product.md, Devices)."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crowd.asking import Connection, Outcome, persist
from tests.crowd.test_no_oversell import kill_one_worker, new_database
from tests.support.device_client import Client, Request, unsigned
from tests.support.serving import console, environment, free_port, running, wait_for

CLIENTS, ADMITTED, SEATS, ASKS = 64, 48, 100, 15
pytestmark = pytest.mark.crowd


async def ask(connection: Connection, request: Request, outcome: Outcome) -> tuple[int, dict[str, Any]]:
    status, answer = await persist(connection, request.path, request.headers, request.body, outcome)
    return status, json.loads(answer)


async def device(
    port: int, number: int, world: dict[str, Any], outcome: Outcome, has: dict[int, dict[str, int]]
) -> None:
    """Registers, if it still may, and asks for another quantity each time."""
    client, connection, chance = Client(), Connection(port), random.Random(number)
    request, _ = client.register(world["token"], "EXR-24", f"SN-{number}")
    status, answer = await ask(connection, request, outcome)
    if status != 201:
        outcome.refusals[answer["code"]] += 1
        connection.close()
        return
    client.take(unsigned(answer["certificate"]))
    for _turn in range(ASKS):
        wanted = {"STRICT": chance.randint(1, 6), "FREE": chance.randint(1, 6)}
        status, answer = await ask(connection, client.authorize(wanted), outcome)
        assert status == 200, answer
        outcome.answers += 1
        granted = unsigned(answer["authorization"])["licenses"]
        has[number] = {line["tag"]: line["quantity"] for line in granted}
        assert has[number]["FREE"] == wanted["FREE"]
    connection.close()


async def crowd(
    port: int, world: dict[str, Any], midway: Callable[[], None]
) -> tuple[Outcome, dict[int, dict[str, int]]]:
    outcome, has = Outcome(), dict[int, dict[str, int]]()
    seen: list[dict[str, int]] = []
    tasks = [asyncio.create_task(device(port, number, world, outcome, has)) for number in range(CLIENTS)]
    killed = False
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.2)
        seen.append(await asyncio.to_thread(pools, port, world))
        if not killed and outcome.answers > ADMITTED * ASKS // 3:
            midway()
            killed = True
    await asyncio.gather(*tasks)
    assert all(one.get("STRICT", 0) <= SEATS for one in seen)
    return outcome, has


def pools(port: int, world: dict[str, Any]) -> dict[str, int]:
    """What a reader sees in use."""
    address = f"http://127.0.0.1:{port}/api/v1/accounts/{world['identifier']}/licenses"
    request = urllib.request.Request(
        address, headers={"Authorization": world["authorization"], "Host": f"localhost:{port}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {row["license"]["sku"]: row["in_use"] for row in json.load(answer)["items"]}
    except OSError:
        return {}  # the process that was killed had taken it


@pytest.mark.postgres
def test_a_fleet_over_two_processes_of_which_one_is_killed_midway(tmp_path: Path) -> None:
    port = free_port()
    setting = environment(tmp_path, port, DAICHO_DATABASE_URL=new_database(), DAICHO_LOG_LEVEL="ERROR")
    assert console("migrate", "--no-static", environment=setting).returncode == 0
    prepared = subprocess.run(
        [sys.executable, "-m", "tests.crowd.prepare_fleet", str(ADMITTED), str(SEATS)],
        env=setting | {"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    world = json.loads(prepared.stdout)
    with running("serve", "--port", str(port), "--workers", "2", environment=setting) as server:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        outcome, has = asyncio.run(crowd(port, world, lambda: kill_one_worker(server)))
        final = pools(port, world)
    assert outcome.refusals == {"token_used_up": CLIENTS - ADMITTED}
    assert len(has) == ADMITTED
    assert final["STRICT"] == sum(one["STRICT"] for one in has.values()) <= SEATS
    assert final["FREE"] == sum(one["FREE"] for one in has.values())
    checked = console("check-ledger", "--deep", "--json", environment=setting)
    assert checked.returncode == 0, checked.stdout
