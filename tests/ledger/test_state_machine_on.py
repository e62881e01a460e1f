"""The other half of `test_state_machine.py`: a file of its own, so that two processes share the two."""

from __future__ import annotations

import pytest

from tests.ledger.test_state_machine import run
from tests.world import World


@pytest.mark.sqlite
@pytest.mark.parametrize("number", [2])
def test_whatever_else_is_done_the_books_are_those_of_the_reference(world: World, number: int) -> None:
    run(world, number, 100)
