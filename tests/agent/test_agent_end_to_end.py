"""The agent against the server itself: both sides mean the same bytes, and neither knows the other's code."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import time_machine
from daicho_agent import Agent, Identity, show
from daicho_agent.errors import IdentityConflictError, RefusedError, ServerUnreachableError
from daicho_agent.state import Store
from daicho_agent.transport import Answer

from daicho.core.clock import now
from daicho.core.lanes import Lane
from daicho.domain.devices import signing
from daicho.domain.devices.commands.tokens import secret_of
from daicho.domain.devices.models import Instance
from daicho.domain.devices.printed.reading import read_printed
from daicho.domain.devices.signing import rotate_keys
from daicho.interfaces.device_api.lanes import front
from daicho.interfaces.device_api.wsgi import before
from tests.devices.conftest import Fleet, fleet
from tests.support.steps import ROOT

__all__ = ["fleet"]
IDENTITY = Identity("EXR-24", "SN-1", "edge-1", "ExampleOS", "17.3")


class Inline(Lane[Any, Any]):
    """Decides at once, in the transaction of the test."""

    def ask(self, act: Any) -> Any:
        return self.make([act])[0]


class Wire:
    """What lies between them. `lose`: so many answers get lost on the way."""

    def __init__(self) -> None:
        self.application = before(lambda environ, start: [], front(Inline))
        self.lose = 0

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        told: list[Any] = []
        where, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": where, "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.9",
            "wsgi.input": io.BytesIO(body or b""), "CONTENT_LENGTH": str(len(body or b"")),
        }  # fmt: skip
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        parts = self.application(environ, lambda status, answer_headers: told.append(status))
        content = b"".join(parts)
        if self.lose:
            self.lose -= 1
            raise ServerUnreachableError("the answer was lost")
        return Answer(int(told[0][:3]), json.loads(content))


class Device:
    """A device with its state in a file; its clock may be wrong."""

    def __init__(self, wire: Wire, path: Path) -> None:
        self.wire, self.path, self.wrong = wire, path, 0.0

    @property
    def agent(self) -> Agent:
        return Agent(
            Store(self.path), transport_for=lambda server, ca_file: self.wire, sleep=lambda seconds: None,
            clock=lambda: now().timestamp() + self.wrong, uptime=lambda: float("inf"), chance=random.Random(1),
        )  # fmt: skip

    def register(self, fleet: Fleet, **options: Any) -> None:
        self.agent.register("http://localhost:8000", secret_of(fleet.token()), IDENTITY, **options)


@pytest.fixture
def device(fleet: Fleet, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    settings.SITE_URL = "http://localhost:8000"
    fleet.world.deposit(fleet.world.storage, 5, fleet.world.osaka)
    return Device(Wire(), tmp_path / "state.json")


def in_use(fleet: Fleet) -> int:
    return int(fleet.world.pool(fleet.world.osaka, fleet.world.storage).in_use)


def test_it_registers_draws_renews_and_leaves(fleet: Fleet, device: Device) -> None:
    device.register(fleet)
    assert device.agent.use("STO-STD", 3)
    assert in_use(fleet) == 3
    assert device.agent.status().authorization.startswith("authorized")
    device.agent.renew()
    assert Instance.objects.get().last_sequence == 1  # the same list again: nothing was written
    device.agent.renew(certificate=True)
    assert device.agent.use("STO-STD", 4)
    assert Instance.objects.get().mac_generation == 2
    device.agent.release("STO-STD")
    assert in_use(fleet) == 0
    device.agent.deregister()
    assert Instance.objects.get().registration == "removed"


def test_lost_answers_cost_nothing(fleet: Fleet, device: Device) -> None:
    device.wire.lose = 2
    device.register(fleet)
    device.wire.lose = 2
    assert device.agent.use("STO-STD", 2)
    device.wire.lose = 2
    device.agent.renew(certificate=True)
    assert device.agent.use("STO-STD", 3)
    assert (Instance.objects.count(), in_use(fleet)) == (1, 3)


def test_a_clock_a_month_off_is_corrected(fleet: Fleet, device: Device) -> None:
    device.wrong = -30 * 86_400.0
    device.register(fleet)
    assert device.agent.use("STO-STD", 2)
    device.wrong = 30 * 86_400.0
    assert device.agent.use("STO-STD", 3)
    assert in_use(fleet) == 3


def test_a_cloned_image_is_told_what_to_do(fleet: Fleet, device: Device, tmp_path: Path) -> None:
    device.register(fleet)
    device.agent.use("STO-STD", 1)
    shutil.copy(device.path, tmp_path / "clone.json")
    clone = Device(device.wire, tmp_path / "clone.json")
    device.agent.use("STO-STD", 2)
    with pytest.raises(IdentityConflictError, match="register --new-identity"):
        clone.agent.use("STO-STD", 4)
    assert in_use(fleet) == 2
    clone.register(fleet, new_identity=True)
    assert Instance.objects.filter(registration="registered").count() == 2


def test_keys_that_changed_while_it_was_away_are_walked_through(fleet: Fleet, device: Device) -> None:
    device.register(fleet)
    device.agent.use("STO-STD", 1)
    operator = fleet.world.as_(fleet.world.operator)
    for _ in range(2):
        rotate_keys(operator, at_once=True)
        signing.forget()
    with time_machine.travel(now() + dt.timedelta(days=60), tick=True):
        assert device.agent.use("STO-STD", 2)
        assert device.agent.check("STO-STD").status == "authorized"


def test_a_refusal_is_told_with_its_code(fleet: Fleet, device: Device) -> None:
    with pytest.raises(RefusedError) as refused:
        device.agent.register("http://localhost:8000", "no such token", IDENTITY)
    assert refused.value.code == "unknown_token"
    device.register(fleet)
    assert device.agent.use("SEC-PLUS", 1).status == "refused"


def test_its_status_is_read_by_the_import_of_what_devices_print(fleet: Fleet, device: Device) -> None:
    device.agent.use("STO-STD", 3)
    assert read_printed(show.all_text(device.agent.status()).encode()).passages == []
    device.register(fleet)
    printed = read_printed(show.all_text(device.agent.status()).encode())
    assert printed.passages == []
    (read,) = printed.devices
    assert (read.product_id, read.serial) == ("EXR-24", "SN-1")
    assert [(line.tag, line.used) for line in read.licenses] == [("STO-STD", 3)]


def test_neither_side_imports_the_other() -> None:
    ours = [path for path in (ROOT / "daicho").rglob("*.py") if "daicho_agent" in path.read_text()]
    theirs = [
        path
        for path in (ROOT / "sdk/python").rglob("*.py")
        if re.search(r"^\s*(from|import) daicho\b", path.read_text(), re.M)
    ]
    assert ours + theirs == []
