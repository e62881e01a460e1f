"""A device, a server, and a clock for each that only moves when a test says so."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_server import START, FakeServer

from daicho_agent import Agent, Identity
from daicho_agent.state import Store

IDENTITY = Identity("EXR-24", "SN-1", "edge-1", "ExampleOS", "17.3")


class Device:
    """An agent with a clock that may be wrong; `agent` is opened anew for each act, as processes are."""

    def __init__(self, server: FakeServer, path: Path) -> None:
        self.server = server
        self.path = path
        self.clock_error = 0.0
        self.uptime = float("inf")
        self.naps: list[float] = []

    @property
    def agent(self) -> Agent:
        return Agent(
            Store(self.path),
            transport_for=lambda server, ca_file: self.server,
            clock=lambda: self.server.time + self.clock_error,
            uptime=lambda: self.uptime,
            sleep=self.naps.append,
            chance=random.Random(1),
        )

    def register(self, **options: object) -> None:
        self.agent.register("https://daicho.test", "TOKEN", IDENTITY, **options)  # type: ignore[arg-type]

    def live(self, seconds: float) -> None:
        """Let time pass with a daemon running."""
        until = self.server.time + seconds
        while self.server.time < until:
            self.server.time = min(until, self.server.time + max(43_200.0, self.agent.tick()))
        self.agent.tick()


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.owned = {"ROUTE-ADV": 10, "SEC-T": 2}
    server.enforced = {"SEC-T"}
    return server


@pytest.fixture
def make_device(server: FakeServer, tmp_path: Path) -> Callable[[str], Device]:
    return lambda name: Device(server, tmp_path / name / "state.json")


@pytest.fixture
def device(make_device: Callable[[str], Device]) -> Device:
    return make_device("one")


__all__ = ["IDENTITY", "START", "Device"]
