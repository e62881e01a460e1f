"""`bin/torture [--rounds 50] [--database postgres|sqlite] [--seconds S] [--seed N]`: exit code 1 when a fault was found.

Each round: clients transfer, order and import files; the console imports one line by line, and in every fifth round a
large one becomes a job of the worker; something is killed with SIGKILL at one or two random moments and comes back. Then,
before anything is repeated, every act that was acknowledged must be there once, and every other one once or not at all;
each unanswered act is repeated with its request id until it is answered, and is then there exactly once. What a reader
saw meanwhile must be sums of some moment. After the last round a backup is restored into a second installation, which
must hold the same.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.serving import CONSOLE
from torture import judge, killer
from torture.large import LargeFile
from torture.reader import Reader
from torture.storm import ACKNOWLEDGED, UNKNOWN, Act, Pool, Storm
from torture.world import Installation, Program

FILE_LINES = 300
LARGE_EVERY = 5  # rounds
SOUND = {"postgres": {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
         "sqlite": {"synchronous": "full", "journal_mode": "wal"}}  # fmt: skip


class Torture:
    """One installation and its rounds. `totals`: counts over all rounds. `faults`: sentences, empty when all is well."""

    def __init__(self, installation: Installation, *, seconds: float, seed: int, say: Any = print) -> None:
        self.installation, self.seconds, self.say = installation, seconds, say
        self.chance = random.Random(seed)
        self.acts: list[Act] = []
        self.faults: list[str] = []
        self.totals = dict.fromkeys(
            ("rounds", "kills", "acts", "acknowledged", "unanswered", "of_these_done", "samples", "file_lines"), 0
        )

    def begin(self) -> None:
        """Start everything; refuses to go on without full durability."""
        self.installation.start()
        found = self.installation.inside("durability")
        if found != SOUND[self.installation.kind]:
            raise SystemExit(f"durability is not full: {found}")
        self.world = self.installation.inside("prepare")
        self.start: dict[Pool, int] = {
            (place["uid"], sku): self.world["stock"] for place in self.world["places"] for sku in self.world["skus"]
        }

    def round(self, number: int, targets: list[str] | None = None) -> None:
        port, chance = self.installation.port, self.chance
        storm = Storm(port, self.world, random.Random(chance.random()))
        reader = Reader(port, self.world)
        file = self._file(number)
        large = LargeFile(port, self.world, number, chance) if number % LARGE_EVERY == 1 else None
        file.start()
        if large:
            large.start()
        storm.start()
        reader.start()
        struck = []
        for target in targets or chance.choices(killer.targets(self.installation), k=chance.choice((1, 1, 2))):
            time.sleep(chance.uniform(0.2, self.seconds))
            if chance.random() < 0.5:
                file.kill()
            struck.append(killer.strike(self.installation, target, chance))
        time.sleep(self.seconds / 2)
        storm.stop()
        self.installation.wait_until_ready()
        self.acts += storm.acts
        open_acts = [act for act in storm.acts if act.state == UNKNOWN]
        written = self.installation.inside("written")
        faults = judge.judge_acts(self.acts, written)
        already = sum(judge.times_written(act, written)[0] == 1 for act in open_acts)
        faults += self._repeat(open_acts)
        self._finish(file)
        faults += large.finish() if large else []
        reader.stop()
        faults += self._end_of_round(number, reader, large)
        self.totals["rounds"] += 1
        self.totals["kills"] += len(struck)
        self.totals["acts"] += len(storm.acts)
        self.totals["acknowledged"] += sum(act.state == ACKNOWLEDGED for act in storm.acts) - len(open_acts)
        self.totals["unanswered"] += len(open_acts)
        self.totals["of_these_done"] += already
        self.totals["samples"] += len(reader.samples)
        self.faults += faults
        self.say(
            f"round {number}: killed {', '.join(struck)}; {len(storm.acts)} acts, {len(open_acts)} unanswered of which"
            f" {already} were done, {len(reader.samples)} readings, {len(faults)} faults"
        )

    def _repeat(self, acts: list[Act]) -> list[str]:
        """The same request ids again, until each is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=30)
        for act in acts:
            deadline = time.monotonic() + 60
            while act.state == UNKNOWN and time.monotonic() < deadline:
                act.send(connection)
        connection.close()
        return [f"{act.kind} {act.key} got no answer: {act.told}" for act in acts if act.state == UNKNOWN]

    def _file(self, number: int) -> Program:
        """The console imports a large file, line by line."""
        path = self.installation.top / f"orders-{number}.csv"
        place = self.world["places"][0]["name"]
        rows = [f"FILE-{number},{self.world['identifier']},{line},FILE,1,{place}" for line in range(1, FILE_LINES + 1)]
        path.write_text("\n".join(["order_number,domain,line,sku,quantity,virtual_account", *rows]))
        command = [str(CONSOLE), "orders", "import", str(path), "--each", f"{path}.result"]
        return Program("file", command, self.installation.top / "import.log", self.installation.env)

    def _finish(self, file: Program) -> None:
        """Wait for the import; a killed one is simply run again."""
        assert file.process is not None
        if file.process.wait(300):
            file.start()
            assert file.process.wait(300) == 0, "the import failed when it was repeated"

    def _end_of_round(self, number: int, reader: Reader, large: LargeFile | None) -> list[str]:
        written = self.installation.inside("written")
        faults = judge.judge_acts(self.acts, written)
        faults += judge.judge_sums(self.acts, self.start, written)
        faults += judge.judge_samples(reader.samples, self.acts, self.start)
        for book in ("lines", "lots"):
            if written[book].get(f"FILE-{number}") != FILE_LINES:
                faults.append(f"file {number}: {written[book].get(f'FILE-{number}')} {book} of {FILE_LINES}")
        self.totals["file_lines"] += FILE_LINES
        if large:
            faults += large.judge(written)
            self.totals["file_lines"] += large.act.lines
        checked = self.installation.console("check-ledger", "--deep")
        if checked.returncode:
            faults.append(f"check-ledger: {checked.stdout[:2000]}{checked.stderr[-500:]}")
        sealed = self.installation.console("audit", "verify")
        if sealed.returncode:
            faults.append(f"audit verify: {sealed.stdout[:500]}{sealed.stderr[-500:]}")
        return faults

    def restore(self) -> list[str]:
        """A backup of what the rounds have left, in a second installation of its own: the same rows, sound, and it opens."""
        file = self.installation.top / "torture.backup"
        made = self.installation.console("backup", str(file))
        if made.returncode:
            return [f"backup: {made.stderr[-1000:]}"]
        second = self.installation.second()
        restored = second.console("restore", str(file))
        faults = [f"restore: {restored.stdout[-1000:]}{restored.stderr[-1000:]}"] if restored.returncode else []
        if not faults:
            here, there = self.installation.inside("counts"), second.inside("counts")
            faults += [
                f"{name}: {here[name]} rows, restored {there[name]}" for name in here if here[name] != there[name]
            ]
            checked = second.console("check-ledger", "--deep")
            faults += [f"check-ledger of the restored: {checked.stdout[:2000]}"] if checked.returncode else []
            if not second.inside("log_in", email=self.world["email"], password=self.world["password"]):
                faults.append("nobody can log in after the restore")
        self.say(f"restored {file.stat().st_size / 1e6:.0f} MB: {len(faults)} faults")
        return faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/torture", description="Kill processes at random moments of a storm.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--seconds", type=float, default=3, help="longest wait before a kill (3)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="leave the installation in this new directory")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    ending: list[int] = []

    def end(number: int, _frame: object) -> None:
        """After this round; asked again, at once, so that its programs end with it."""
        if ending:
            sys.exit(128 + number)
        ending.append(number)

    signal.signal(signal.SIGTERM, end)
    if asked.keep:
        asked.keep.mkdir(parents=True)
    installation = Installation(asked.database, asked.keep)
    torture = Torture(
        installation, seconds=asked.seconds, seed=asked.seed, say=lambda text: print(text, file=sys.stderr)
    )
    print(f"seed {asked.seed}, {installation.kind} with full durability, in {installation.top}", file=sys.stderr)
    began = time.monotonic()
    try:
        torture.begin()
        for number in range(1, asked.rounds + 1):
            torture.round(number)
            if ending:
                break
        for program in (installation.server, installation.worker):
            program.stop()
        torture.faults += torture.restore()
    finally:
        if asked.keep is None:
            installation.close()
        else:
            for program in reversed(installation.programs):
                program.stop()
    told = {"database": asked.database, "seed": asked.seed, **torture.totals, "faults": len(torture.faults),
            "minutes": round((time.monotonic() - began) / 60, 1)}  # fmt: skip
    print(json.dumps(told) if asked.json else "\n".join(f"{name:14} {value}" for name, value in told.items()))
    for fault in torture.faults[:50]:
        print(f"FAULT: {fault}")
    return 1 if torture.faults else 0


if __name__ == "__main__":
    sys.exit(main())
