"""A device that drew its licenses by itself is replaced: the new one gets a token, the failed one is refused (S4)."""

from __future__ import annotations

import uuid

from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import NewDevice
from daicho.domain.devices.commands.tokens import secret_of
from daicho.domain.tenancy.models import SmartAccount
from tests.devices.conftest import Fleet, code, fleet, lines
from tests.support.device_client import Client

__all__ = ["fleet"]


def test_the_new_one_registers_with_what_was_issued_on_the_spot_and_goes_on(fleet: Fleet) -> None:
    world = fleet.world
    world.deposit(world.security, 2, world.osaka)
    failed = fleet.register(serial="SN-1")
    fleet.authorize(failed, {"SEC-PLUS": 2})
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=None)
    device = fleet.instance(failed).device
    done = replace_device(
        world.as_(world.admin), account=world.account, failed_uid=device.uid, request_id=uuid.uuid4(),
        successor=NewDevice(product_id="EXR-24", serial="SN-2"),
    )  # fmt: skip
    assert code(fleet.ask(failed.authorize({"SEC-PLUS": 2}))) == "instance_replaced"
    assert done.token is not None
    new = fleet.register(done.token, serial="SN-2")
    assert fleet.instance(new).device == done.successor
    assert lines(fleet.authorize(new, {"SEC-PLUS": 2})) == {"SEC-PLUS": (2, "authorized")}
    assert world.pool(world.osaka, world.security).in_use == 2
    back = Client(private=failed.private)
    for client in (back, Client()):
        request, _ = client.register(secret_of(fleet.token()), "EXR-24", "SN-1")
        assert code(fleet.ask(request)) == "instance_replaced"


def test_one_that_is_registered_already_needs_no_token(fleet: Fleet) -> None:
    world = fleet.world
    failed, spare = fleet.register(serial="SN-1"), fleet.register(fleet.token(world.tokyo), serial="SN-2")
    fleet.authorize(failed, {"STO-STD": 3})
    fleet.authorize(spare, {"STO-STD": 3})
    done = replace_device(
        world.as_(world.admin), account=world.account, failed_uid=fleet.instance(failed).device.uid,
        request_id=uuid.uuid4(), successor=NewDevice(product_id="EXR-24", serial="SN-2"),
    )  # fmt: skip
    assert (done.token, done.successor) == (None, fleet.instance(spare).device)
    assert world.pool(world.osaka, world.storage).in_use == 3
    assert world.pool(world.tokyo, world.storage).in_use == 0
    assert lines(fleet.authorize(spare, {"STO-STD": 3})) == {"STO-STD": (3, "short")}
