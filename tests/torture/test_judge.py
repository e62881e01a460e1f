"""The judge of `bin/torture` finds what was planted, in the books as they are written, and nothing where all is well."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

import pytest
from django.test import Client

from torture import inside, judge
from torture.reader import Sample
from torture.storm import ACKNOWLEDGED, REFUSED, UNKNOWN, Act, Pool, Storm


@pytest.fixture
def scene(db: None) -> tuple[list[Act], dict[Pool, int]]:
    """Six transfers, two orders and a file, each sent once by the storm's own words and answered; and how it began."""
    world = inside.prepare()
    start = {(place["uid"], sku): world["stock"] for place in world["places"] for sku in world["skus"]}
    storm, chance = Storm(0, world, random.Random(1)), random.Random(2)
    acts = (
        [storm._transfer(chance) for _ in range(6)] + [storm._order(chance) for _ in range(2)] + [storm._file(chance)]
    )
    for number, act in enumerate(acts):
        act.began, act.answered = float(number), number + 0.5
        send(act)
    return acts, start


def send(act: Act, key: str = "") -> None:
    answer = Client().post(
        act.path,
        act.body,
        content_type=act.content_type,
        headers={"Authorization": act.authorization, "Idempotency-Key": key or act.key},
    )
    assert answer.status_code == 201, answer.content
    act.state, act.told = ACKNOWLEDGED, "201"


def faults(acts: list[Act], start: dict[Pool, int]) -> list[str]:
    written = json.loads(json.dumps(inside.written()))
    return judge.judge_acts(acts, written) + judge.judge_sums(acts, start, written)


def test_what_was_told_and_is_there_is_no_fault(scene: Any) -> None:
    acts, start = scene
    assert faults(acts, start) == []
    acts[0].state = UNKNOWN
    assert judge.judge_acts(acts, inside.written()) == [], "an act without an answer may have been done"


def test_an_act_that_stands_twice_is_found(scene: Any) -> None:
    acts, start = scene
    send(acts[0], str(uuid.uuid4()))
    found = faults(acts, start)
    assert acts[0].key in found[0]
    assert any(line.startswith("pool") for line in found), "the figures differ from the sum, too"


def test_an_act_that_is_lost_or_done_by_half_or_against_a_refusal_is_found(scene: Any) -> None:
    acts, _start = scene
    for number in (0, 6, 8):
        written = inside.written()
        for book in ("transfers", "lines", "lots"):
            written[book].pop(acts[number].key, None)
        assert [acts[number].key in line for line in judge.judge_acts(acts, written)] == [True]
    acts[1].state = REFUSED
    written = inside.written()
    written["lots"][acts[6].key] -= 1
    found = judge.judge_acts(acts, written)
    assert [acts[1].key in found[0], acts[6].key in found[1], len(found)] == [True, True, 2]


def test_a_figure_that_no_moment_had_is_found(scene: Any) -> None:
    acts, start = scene
    figures = dict(start)
    for act in acts[:2]:
        for pool, change in act.changes.items():
            figures[pool] += change
    between = Sample(1.6, 1.9, figures)
    assert judge.judge_samples([between], acts, start) == []
    stale = Sample(3.1, 3.2, figures)
    assert judge.judge_samples([stale], acts, start), "the third act was answered before it was asked"
    pool, change = next(iter(acts[2].changes.items()))
    by_half = Sample(2.1, 2.2, figures | {pool: figures[pool] + change})
    assert judge.judge_samples([by_half], acts, start), "one side of a transfer alone"
