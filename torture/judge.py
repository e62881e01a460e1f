"""Compares what clients were told with what is there. Every sentence that comes out of here is a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from torture.reader import Sample
from torture.storm import ACKNOWLEDGED, REFUSED, Act, Pool


def times_written(act: Act, written: dict[str, Any]) -> list[int]:
    """How often the act stands in each book that it writes; all must be equal: it is whole or not at all."""
    if act.kind == "transfer":
        return [written["transfers"].get(act.key, 0)]
    return [written["lines"].get(act.key, 0) / act.lines, written["lots"].get(act.key, 0) / act.lines]


def judge_acts(acts: Iterable[Act], written: dict[str, Any]) -> list[str]:
    """Acknowledged: exactly once. Refused: never. Unknown: once or not at all."""
    faults = []
    for act in acts:
        found = times_written(act, written)
        allowed = {ACKNOWLEDGED: {1}, REFUSED: {0}}.get(act.state, {0, 1})
        if len(set(found)) > 1 or found[0] not in allowed:
            faults.append(f"{act.kind} {act.key} ({act.state}, told {act.told[:60]!r}) stands {found} times")
    return faults


def judge_sums(acts: Iterable[Act], start: dict[Pool, int], written: dict[str, Any]) -> list[str]:
    """Each pool holds what it began with and what was acknowledged."""
    expected = Counter(start)
    for act in acts:
        if act.state == ACKNOWLEDGED:
            expected.update(act.changes)
    found = {tuple(name.rsplit(" ", 1)): held for name, held in written["pools"].items()}
    return [
        f"pool {pool}: holds {found.get(pool)}, acknowledged acts make {held}"
        for pool, held in expected.items()
        if found.get(pool) != held
    ]


def judge_samples(samples: Iterable[Sample], acts: list[Act], start: dict[Pool, int]) -> list[str]:
    """Each figure read is the sum at some moment of the wait: what was answered before it was asked is in, what began
    after it was answered is not, and each act in between may be in or not. So it is for the sum over all pools, too, in
    which a transfer seen by half would show."""
    done = [act for act in acts if act.state == ACKNOWLEDGED]
    faults = []
    for sample in samples:
        certain, possible = Counter(start), []
        for act in done:
            if act.answered is not None and act.answered <= sample.asked:
                certain.update(act.changes)
            elif act.began < sample.answered:
                possible.append(act)
        for pool, figure in sample.figures.items():
            if figure not in reachable(certain[pool], [act.changes.get(pool, 0) for act in possible]):
                faults.append(
                    f"pool {pool} was read as {figure}, no moment between had that ({certain[pool]} for certain)"
                )
        total = sum(sample.figures.values())
        if total not in reachable(sum(certain.values()), [sum(act.changes.values()) for act in possible]):
            faults.append(f"all pools together were read as {total}, no moment between had that")
    return faults


def reachable(certain: int, changes: Iterable[int]) -> set[int]:
    """All sums with any of the changes."""
    sums = {certain}
    for change in changes:
        if change:
            sums |= {value + change for value in sums}
    return sums
