"""What every test stands on: a sound ledger afterwards, no network, and data only where it is."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

pytest_plugins = ["tests.world"]

collect_ignore = ["api/test_schemathesis.py"] if settings.ON_SQLITE else []  # to collect it alone takes seconds
REAL_DATA = os.environ.get("DAICHO_REAL_DATA", "")


def pytest_report_header() -> list[str]:
    lines = [f"database: {connection.vendor}"]
    if not REAL_DATA:
        lines.append("real data: DAICHO_REAL_DATA is not set, so tests on real data are not collected")
    return lines


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = set()
    if not REAL_DATA:
        absent.add("real_data")
    absent.add("postgres" if settings.ON_SQLITE else "sqlite")
    left_out = [item for item in items if absent & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(autouse=True)
def ledger_stays_sound(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that used the database each invariant of the ledger still holds."""
    uses_database = request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(
        request.fixturenames
    )
    if not uses_database or request.node.get_closest_marker("broken_ledger"):
        yield
        return
    request.getfixturevalue("db")  # so that this check comes before the database is emptied
    yield
    if connection.needs_rollback:
        return
    from daicho.domain.ledger.check import check_ledger

    findings = check_ledger()
    assert not findings, "the ledger is broken:\n" + "\n".join(str(finding) for finding in findings)


@pytest.fixture(autouse=True)
def english_unless_said_otherwise() -> Iterator[None]:
    """A test that speaks Japanese leaves no Japanese behind for the next one."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Only this machine can be reached: a test that calls the internet fails at once."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        if self.family in {socket.AF_INET, socket.AF_INET6} and host not in {"127.0.0.1", "::1", "localhost"}:
            raise OSError(f"tests do not reach {host}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()
