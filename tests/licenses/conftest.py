"""An account with something of everything: short, ending, ended, spare, lent, not started, used on devices."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import pytest

from daicho.core.clock import now
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.records import create_device
from daicho.domain.devices.models import Device
from daicho.domain.ledger.sweep import sweep_due
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World

A = "/a/aozora.example.co.jp"


@dataclass
class Stocked:
    """Tokyo has 100 NET-ADV, Osaka 20 of which 5 are used by `router`; SEC-PLUS ends in Osaka in 12 days, in use."""

    world: World
    router: Device
    switch: Device

    @property
    def osaka(self) -> str:
        return f"{A}/va/{self.world.osaka.uid}"


def device(world: World, virtual_account: VirtualAccount, name: str, serial: str = "") -> Device:
    return create_device(
        world.as_(world.admin), account=world.account, virtual_account=virtual_account, request_id=uuid.uuid4(),
        name=name, product_id="SW-9500", serial=serial,
    )  # fmt: skip


def use(world: World, on: Device, **quantities: int) -> None:
    tags = {
        "adv": world.advantage,
        "prem": world.premier,
        "ess": world.essentials,
        "sec": world.security,
        "sto": world.storage,
    }
    assign_to_device(
        world.as_(world.admin), account=world.account, device_uid=on.uid, request_id=uuid.uuid4(),
        lines=[UseLine(tags[name], quantity) for name, quantity in quantities.items()],
    )  # fmt: skip


@pytest.fixture
def stocked(world: World) -> Stocked:
    soon = now() + dt.timedelta(days=12)
    world.deposit(world.advantage, 100, world.tokyo)
    world.deposit(world.advantage, 20, world.osaka)
    world.deposit(world.premier, 10, world.osaka)
    world.deposit(world.security, 30, world.osaka, end=soon)
    world.deposit(world.storage, 7, world.tokyo, start=now() - dt.timedelta(days=400), end=now() - dt.timedelta(days=3))
    world.deposit(world.storage, 7919, world.tokyo, start=now() + dt.timedelta(days=10))
    router = device(world, world.osaka, "osaka-router", "FCW0001")
    switch = device(world, world.tokyo, "tokyo-switch", "FCW0002")
    use(world, router, adv=5, sec=4)
    sweep_due()
    return Stocked(world, router, switch)
