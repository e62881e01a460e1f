"""Clients that transfer and order as fast as they are answered, and remember exactly what they were told."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Pool = tuple[str, str]  # virtual account (uid), SKU

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


@dataclass
class Act:
    """One request: what it changes if it is done, and what its client knows of it."""

    kind: str
    key: str
    path: str
    body: bytes
    content_type: str
    authorization: str
    changes: dict[Pool, int]
    lines: int
    began: float = 0.0
    answered: float | None = None
    state: str = UNKNOWN
    told: str = ""
    answer: str = ""

    def send(self, connection: http.client.HTTPConnection) -> None:
        """Ask once. Whatever is no clear yes or no leaves it unknown: a broken connection, a 5xx."""
        headers = {
            "Authorization": self.authorization, "Idempotency-Key": self.key, "Content-Type": self.content_type,
        }  # fmt: skip
        self.began = self.began or time.monotonic()
        try:
            connection.request("POST", self.path, self.body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.told = type(error).__name__
            return
        self.told, self.answer = f"{response.status} {text[:200]}", text
        if response.status < 300:
            self.answered, self.state = time.monotonic(), ACKNOWLEDGED
        elif response.status < 500 and response.status != 429:
            self.answered, self.state = time.monotonic(), REFUSED


HEAD = "order_number,domain,line,sku,quantity,virtual_account"


def file_act(kind: str, key: str, rows: list[str], authorization: str, changes: dict[Pool, int]) -> Act:
    """A CSV file of orders that is sent by the operator's program."""
    mark = uuid.uuid4().hex
    disposition = 'Content-Disposition: form-data; name="file"; filename="orders.csv"'
    text = "\r\n".join([f"--{mark}", disposition, "Content-Type: text/csv", "", HEAD, *rows, f"--{mark}--", ""])
    content_type = f"multipart/form-data; boundary={mark}"
    path = "/api/v1/operator/order-imports"
    return Act(kind, key, path, text.encode(), content_type, authorization, changes, len(rows))


@dataclass
class Storm:
    """`acts`: all that was sent, in no order."""

    port: int
    world: dict[str, Any]
    chance: random.Random
    clients: int = 8
    acts: list[Act] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.threads = [
            threading.Thread(target=self._client, args=(random.Random(self.chance.random()),), daemon=True)
            for _ in range(self.clients)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def _client(self, chance: random.Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.is_set():
            act = self._next(chance)
            self.acts.append(act)
            act.send(connection)
            if act.state == UNKNOWN:
                time.sleep(0.1)
        connection.close()

    def _next(self, chance: random.Random) -> Act:
        dice = chance.random()
        return self._transfer(chance) if dice < 0.75 else self._order(chance) if dice < 0.9 else self._file(chance)

    def _transfer(self, chance: random.Random) -> Act:
        """One to three lines, one entry."""
        key = str(uuid.uuid4())
        moves, changes = [], Counter[Pool]()
        for _ in range(chance.choice((1, 1, 1, 3))):
            source, target = chance.sample(self.world["places"], 2)
            sku, quantity = chance.choice(self.world["skus"]), chance.randint(1, 3)
            moves.append({"source": source["uid"], "target": target["uid"], "sku": sku, "quantity": quantity})
            changes[source["uid"], sku] -= quantity
            changes[target["uid"], sku] += quantity
        body = json.dumps({"moves": moves, "memo": key}).encode()
        path = f"/api/v1/accounts/{self.world['identifier']}/transfers"
        return Act("transfer", key, path, body, "application/json", self.world["customer"], dict(changes), len(moves))

    def _order(self, chance: random.Random) -> Act:
        key = str(uuid.uuid4())
        lines, changes = self._lines(chance, 3)
        body = json.dumps({"number": key, "identifier": self.world["identifier"], "lines": lines}).encode()
        return Act(
            "order", key, "/api/v1/operator/orders", body, "application/json", self.world["operator"], changes, 3
        )

    def _file(self, chance: random.Random) -> Act:
        """An order of thirty lines as a CSV file, all or nothing."""
        key = str(uuid.uuid4())
        lines, changes = self._lines(chance, 30)
        rows = [
            f"{key},{self.world['identifier']},{number},{line['sku']},{line['quantity']},{line['virtual_account']}"
            for number, line in enumerate(lines, start=1)
        ]
        return file_act("file", key, rows, self.world["operator"], changes)

    def _lines(self, chance: random.Random, count: int) -> tuple[list[dict[str, Any]], dict[Pool, int]]:
        lines, changes = [], Counter[Pool]()
        for _ in range(count):
            place, sku, quantity = (
                chance.choice(self.world["places"]),
                chance.choice(self.world["skus"]),
                chance.randint(1, 2),
            )
            lines.append({"sku": sku, "quantity": quantity, "virtual_account": place["name"]})
            changes[place["uid"], sku] += quantity
        return lines, dict(changes)
