"""A file of so many lines that it becomes a job of the worker, which is killed like everything else."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from typing import Any

from torture.storm import UNKNOWN, Act, file_act

LINES, PER_ORDER = 10_500, 500


class LargeFile:
    """`act` starts the job; `finish` waits until the job has ended and says what is wrong with it."""

    def __init__(self, port: int, world: dict[str, Any], number: int, chance: random.Random) -> None:
        self.port, self.world, self.prefix = port, world, f"JOB-{number}-"
        self.pause = chance.uniform(0, 1)
        place = world["places"][-1]["name"]
        rows = [
            f"{self.prefix}{line // PER_ORDER},{world['identifier']},{line % PER_ORDER + 1},FILE,1,{place}"
            for line in range(LINES)
        ]
        key = f"00000000-0000-4000-8000-{number:012}"
        self.act: Act = file_act("job", key, rows, world["operator"], {})

    def start(self) -> None:
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self) -> None:
        time.sleep(self.pause)
        self._ask_until_answered(60)

    def _ask_until_answered(self, seconds: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        deadline = time.monotonic() + seconds
        while self.act.state == UNKNOWN and time.monotonic() < deadline:
            self.act.send(connection)
            time.sleep(0.1)
        connection.close()

    def finish(self, seconds: float = 300) -> list[str]:
        self.thread.join()
        self._ask_until_answered(60)
        if not self.act.told.startswith("202"):
            return [f"the job of {self.prefix} was not begun: {self.act.told}"]
        path = f"/api/v1/jobs/{json.loads(self.act.answer)['uid']}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            connection.request("GET", path, headers={"Authorization": self.world["operator"]})
            job = json.loads(connection.getresponse().read())
            if job["state"] not in {"waiting", "running"}:
                break
            time.sleep(0.3)
        connection.close()
        if (job["state"], job["succeeded"], job["refused"]) != ("done", LINES, 0):
            return [f"the job of {self.prefix} ended as {job}"]
        return []

    def judge(self, written: dict[str, Any]) -> list[str]:
        """Each line stands once in both books, however often the worker was killed."""
        faults = []
        for book in ("lines", "lots"):
            found = [count for order, count in written[book].items() if order.startswith(self.prefix)]
            if sum(found) != LINES or max(found) != PER_ORDER:
                faults.append(f"the job of {self.prefix}: {sum(found)} {book} of {LINES}")
        return faults
