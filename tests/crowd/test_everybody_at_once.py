"""Everything at once over TCP against two server processes: the books are exact, and hold what was acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.crowd.asking import Connection, Outcome, persist
from tests.crowd.prepare_everybody import START
from tests.crowd.test_no_oversell import new_database
from tests.support.serving import console, environment, free_port, running, wait_for

CLIENTS, ACTS = 8, 40
pytestmark = [pytest.mark.crowd, pytest.mark.postgres]


class Person:
    """A client that acts at random, and writes down what it was told: (virtual account, SKU) → licenses and seats."""

    def __init__(self, number: int, port: int, world: dict[str, Any]) -> None:
        self.number, self.world = number, world
        self.dice = random.Random(number)
        self.connection = Connection(port)
        self.account = f"/api/v1/accounts/{world['identifier']}"
        self.on_hand: Counter[tuple[str, str]] = Counter()
        self.in_use: Counter[tuple[str, str]] = Counter()
        self.cancelled = 0
        self.entries: list[tuple[str, str, str, str, int]] = []
        self.refused: Counter[str] = Counter()
        self.replayed = 0

    async def act(self, path: str, body: dict[str, Any], *, as_operator: bool = False) -> Any:
        """One act, sometimes asked for twice with the same key; None when it is refused."""
        headers = {
            "Authorization": self.world["operator" if as_operator else "authorization"],
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        content = json.dumps(body).encode()
        status, answer = await persist(self.connection, path, headers, content, Outcome())
        if status >= 400:
            code = json.loads(answer)["code"]
            assert status == 409 or code == "bad_quantity", answer
            self.refused[code] += 1
            return None
        if self.dice.random() < 0.3:
            self.replayed += 1
            assert (status, answer) == await persist(self.connection, path, headers, content, Outcome())
        return json.loads(answer)

    async def live(self) -> None:
        for turn in range(ACTS):
            sku, quantity = self.dice.choice(self.world["skus"]), self.dice.randint(1, 9)
            source, target = self.dice.sample(list(self.world["places"]), 2)
            device = self.dice.choice(self.world["devices"][source])
            line = {"lines": [{"sku": sku, "quantity": quantity}]}
            match self.dice.choice(["transfer", "transfer", "assign", "assign", "release", "undo", "deposit"]):
                case "transfer":
                    move = {"source": source, "target": target, "sku": sku, "quantity": quantity}
                    done = await self.act(f"{self.account}/transfers", {"moves": [move]})
                    if done is not None:
                        self.moved(source, target, sku, quantity)
                        self.entries.append((done["entry"], source, target, sku, quantity))
                case "undo" if self.entries:
                    entry, source, target, sku, quantity = self.entries[-1]
                    if await self.act(f"{self.account}/transfers/{entry}/undo", {}) is not None:
                        self.moved(target, source, sku, quantity)
                        self.entries.pop()
                case "assign" | "undo":
                    if await self.act(f"{self.account}/devices/{device}/assign", line) is not None:
                        self.in_use[source, sku] += quantity
                case "release":
                    if await self.act(f"{self.account}/devices/{device}/release", line) is not None:
                        self.in_use[source, sku] -= quantity
                case "deposit":
                    ordered = {"sku": sku, "quantity": quantity, "virtual_account": self.world["places"][target]}
                    number, identifier = f"PO-{self.number}-{turn}", self.world["identifier"]
                    order = {"number": number, "identifier": identifier, "lines": [ordered]}
                    if await self.act("/api/v1/operator/orders", order, as_operator=True) is not None:
                        self.on_hand[target, sku] += quantity
        line = self.world["lines"][self.number]
        done = await self.act(f"/api/v1/operator/order-lines/{line}/cancel", {}, as_operator=True)
        self.cancelled += done["cancelled"]
        self.connection.close()

    def moved(self, source: str, target: str, sku: str, quantity: int) -> None:
        self.on_hand[source, sku] -= quantity
        self.on_hand[target, sku] += quantity


async def everybody(people: list[Person]) -> None:
    await asyncio.gather(*(person.live() for person in people))


def test_the_books_hold_exactly_what_a_mixed_crowd_was_told(tmp_path: Path) -> None:
    port, url = free_port(), new_database()
    setting = environment(tmp_path, port, DAICHO_DATABASE_URL=url, DAICHO_LOG_LEVEL="ERROR")
    assert console("migrate", "--no-static", environment=setting).returncode == 0
    prepared = subprocess.run(
        [sys.executable, "-m", "tests.crowd.prepare_everybody", str(CLIENTS)],
        env=setting, capture_output=True, text=True, check=True,
    )  # fmt: skip
    world: dict[str, Any] = json.loads(prepared.stdout)
    people = [Person(number, port, world) for number in range(CLIENTS)]
    with running("serve", "--port", str(port), "--workers", "2", environment=setting):
        wait_for(f"http://127.0.0.1:{port}/healthz")
        asyncio.run(everybody(people))
    assert sum(person.replayed for person in people) > 20
    checked = console("check-ledger", "--deep", "--json", environment=setting)
    assert checked.returncode == 0, checked.stdout

    with psycopg.connect(url) as database:
        pools = database.execute(
            "SELECT v.uid, t.sku, p.on_hand, p.in_use FROM ledger_pool p JOIN catalog_licensetag t ON t.id = p.tag_id"
            " JOIN tenancy_virtualaccount v ON v.id = p.virtual_account_id"
        ).fetchall()
    on_hand = Counter({(place, sku): START for place in world["places"] for sku in world["skus"]})
    in_use: Counter[tuple[str, str]] = Counter()
    for person in people:
        on_hand.update(person.on_hand)
        in_use.update(person.in_use)
    told = {key: (on_hand[key], in_use[key]) for key in on_hand}
    assert {(place, sku): (have, used) for place, sku, have, used in pools if (place, sku) in told} == told
    left = sum(have for _, sku, have, _ in pools if sku == world["cancelled_sku"])
    assert left == 5 * CLIENTS - sum(person.cancelled for person in people)
