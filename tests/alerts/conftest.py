"""Alerts live by the clock: it stands at noon in Tokyo, Tuesday 2026-11-24, until a test moves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC), tick=False) as traveller:
        yield traveller
