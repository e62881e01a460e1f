"""A kind of job for tests: takes in lines, part by part, and notes which it took in how often."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from daicho.core.actor import Actor
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import Run, run_due_jobs
from daicho.domain.tenancy.models import SmartAccount

KIND = "test.lines"
PART = 2


class Lines:
    """The runner. `before` may be set to something that happens before a part; odd words are refused."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.ids: dict[int, uuid.UUID] = {}
        self.before: Callable[[int, Run], None] = lambda part, run: None

    def __call__(self, run: Run) -> None:
        lines = run.source().decode().split() if run.job.source else run.params["lines"]
        run.expect(len(lines))
        run.head(["word"])
        for at in range(run.cursor.get("at", 0), len(lines), PART):
            self.before(at // PART, run)
            if run.job.account is not None:
                ensure_may(run.actor, Permission.LICENSES_MANAGE, run.job.account)
            request_id = run.request_id(at)
            again = self.ids.setdefault(at, request_id) != request_id
            part = lines[at : at + PART]
            for row, line in enumerate(part, at + 2):
                if line.startswith("!"):
                    run.refuse(row, "word", "odd_word", "This word is odd.", [line])
                elif not again:
                    self.taken[line] += 1
            good = sum(not line.startswith("!") for line in part)
            run.step(done=len(part), succeeded=good, cursor={"at": at + len(part)})
        run.tell(words=sum(self.taken.values()))

    def run(self, **given: Any) -> int:
        return run_due_jobs({KIND: self}, worker="w1", **given)


def start(actor: Actor, *lines: str, account: SmartAccount | None = None, **fields: Any) -> Job:
    fields.setdefault("request_id", uuid.uuid4())
    params = {"lines": list(lines)} if lines else {}
    return start_job(actor, kind=KIND, account=account, params=params, source_name="words.csv", **fields)
