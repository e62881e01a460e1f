"""The machine of `state_machine.py`, run: 200 examples of 50 steps on SQLite (with its other half), some on PostgreSQL."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ledger.state_machine import Acts
from tests.world import World


def run(world: World, number: int, examples: int) -> None:
    """The same examples every time: the seed stands in the test's name, a failure prints how to repeat it alone."""
    run_state_machine_as_test(
        seed(number)(Acts.in_world(world, f"Acts{number}")),
        settings=settings(
            max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck),
            database=None, print_blob=True,
        ),
    )  # fmt: skip


@pytest.mark.sqlite
@pytest.mark.parametrize("number", [1])
def test_whatever_is_done_in_whatever_order_the_books_are_those_of_the_reference(world: World, number: int) -> None:
    run(world, number, 100)


@pytest.mark.postgres
@pytest.mark.parametrize("number", [3])
def test_the_same_on_postgresql_where_instants_and_locks_are_others(world: World, number: int) -> None:
    run(world, number, 15)
