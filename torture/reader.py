"""Polls the figures of all pools while the storm goes on, and notes when it asked and when it was answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from torture.storm import Pool


@dataclass(frozen=True)
class Sample:
    asked: float
    answered: float
    figures: dict[Pool, int]


@dataclass
class Reader:
    port: int
    world: dict[str, Any]
    samples: list[Sample] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._poll, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        self.thread.join(60)

    def _poll(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.wait(0.02):
            try:
                sample = self.look(connection)
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            if sample is not None:
                self.samples.append(sample)
        connection.close()

    def look(self, connection: http.client.HTTPConnection) -> Sample | None:
        """All pools in one page, so one moment; None when it was not answered well."""
        asked = time.monotonic()
        path = f"/api/v1/accounts/{self.world['identifier']}/licenses?size=100&text=T-"
        connection.request("GET", path, headers={"Authorization": self.world["customer"]})
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            return None
        rows = json.loads(text)["items"]
        figures = {(row["virtual_account"]["uid"], row["license"]["sku"]): row["purchased"] for row in rows}
        return Sample(asked, time.monotonic(), figures)
