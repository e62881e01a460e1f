"""What goes wrong with devices: each fault with what the agent says and does."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from typing import NoReturn

import pytest
from conftest import IDENTITY, START, Device
from fake_server import DAY, FakeServer

from daicho_agent import IdentityConflictError, RefusedError, ServerUnreachableError, StateError, UntrustedError
from daicho_agent.evaluation import LIMIT
from daicho_agent.state import Store

MakeDevice = Callable[[str], Device]


def ids(server: FakeServer, what: str) -> list[str]:
    return [request_id for one, request_id in server.requests if one == what]


# Lost answers and a server that is away


def test_a_lost_answer_to_registering_costs_one_use_of_the_token(device: Device, server: FakeServer) -> None:
    server.lose = 3  # all that one act tries
    with pytest.raises(ServerUnreachableError):
        device.register()
    device.register()
    assert len(set(ids(server, "register"))) == 1
    assert len(ids(server, "register")) == 4
    assert server.uses == 1
    assert device.agent.use("ROUTE-ADV", 1)


def test_a_lost_answer_is_asked_for_again_with_the_same_request_id_and_sequence(
    device: Device, server: FakeServer
) -> None:
    device.register()
    server.lose = 1
    assert device.agent.use("ROUTE-ADV", 3)
    assert len(ids(server, "authorize")) == 2
    assert len(set(ids(server, "authorize"))) == 1
    server.lose = 9
    assert device.agent.use("ROUTE-ADV", 4).status == "evaluation"  # nobody knows yet; it was counted all the same
    server.lose = 0
    device.live(3600)
    assert device.agent.check("ROUTE-ADV").status == "authorized"
    assert len(set(ids(server, "authorize"))) == 2
    assert server.instances["i000000000000"].sequence == 2


def test_a_lost_answer_to_a_renewal_locks_nobody_out(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    server.lose = 3
    with pytest.raises(ServerUnreachableError):
        device.agent.renew(certificate=True)
    assert device.agent.use("ROUTE-ADV", 4)
    assert len(set(ids(server, "renew-certificate"))) == 1
    assert server.instances["i000000000000"].generation == 2


def test_ninety_days_without_the_server_and_no_longer(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    server.down = True
    device.live(90 * DAY - 3600)
    assert device.agent.check("ROUTE-ADV").status == "authorized"
    device.live(3600)
    assert not device.agent.check("ROUTE-ADV")
    assert device.agent.status().authorization == "authorization_expired"
    server.down = False
    device.live(2 * 3600)
    assert device.agent.check("ROUTE-ADV").status == "authorized"


def test_a_daemon_backs_off_to_an_hour_and_comes_back_at_random(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    server.time += 31 * DAY
    server.down = True
    waits = []
    for _ in range(20):
        device.agent.tick()
        state = Store(device.path).load()
        waits.append(state.retry_after)
        server.time += state.retry_after + 1
    assert waits[0] <= 1.5
    assert all(1800 <= wait <= 5400 for wait in waits[13:])
    assert "cannot be reached" in device.agent.status().last_error


# Clocks


@pytest.mark.parametrize("days", [31, -31])
def test_a_clock_that_is_a_month_off(device: Device, server: FakeServer, days: int) -> None:
    device.clock_error = days * DAY
    device.register()
    assert device.agent.use("ROUTE-ADV", 3)
    assert device.agent.status().clock_offset == -days * DAY
    assert device.agent.status().deadline - device.agent.status().now == 90 * DAY
    device.clock_error = 0  # set right, by hand or by NTP: the former offset is wrong now
    assert device.agent.use("ROUTE-ADV", 4)
    assert device.agent.status().clock_offset == 0


def test_a_clock_that_is_set_back_prolongs_nothing(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    server.down = True
    device.live(91 * DAY)
    device.clock_error = -60 * DAY
    assert device.agent.check("ROUTE-ADV").status == "authorization_expired"


# Keys


def test_a_key_set_that_was_replaced_twice_while_the_device_was_away(device: Device, server: FakeServer) -> None:
    device.register(pin=server.pin)
    device.agent.use("ROUTE-ADV", 3)
    server.rotate()
    server.rotate()
    server.time += 40 * DAY
    device.agent.renew()
    assert device.agent.status().keys_version == 3
    assert device.agent.check("ROUTE-ADV")


def test_a_key_set_that_nobody_trusted_signed_is_not_taken(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    stranger = FakeServer()
    server.signing, server.sets = stranger.signing, [server.sets[0], *stranger.sets]
    server.rotate()
    with pytest.raises(UntrustedError):
        device.agent.renew()
    assert device.agent.check("ROUTE-ADV").status == "authorized"  # what was granted stands
    assert device.agent.status().keys_version == 1


def test_an_authorization_that_was_altered_on_the_disk_is_worth_nothing(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 1)
    document = json.loads(device.path.read_text())
    head, payload, signature = document["authorization"].split(".")
    document["authorization"] = f"{head}.{payload[:-8]}AAAAAAAA.{signature}"
    document["evaluation_seconds"] = LIMIT
    device.path.write_text(json.dumps(document))
    assert not device.agent.check("ROUTE-ADV")


# Two devices with one identity


def test_two_devices_cloned_from_one_image(make_device: MakeDevice, server: FakeServer) -> None:
    one, two = make_device("one"), make_device("two")
    one.register()
    one.agent.use("ROUTE-ADV", 1)
    shutil.copytree(one.path.parent, two.path.parent)
    one.agent.use("ROUTE-ADV", 2)
    with pytest.raises(IdentityConflictError) as conflict:
        two.agent.use("ROUTE-ADV", 3)
    assert "--new-identity" in str(conflict.value)
    assert conflict.value.exit_code == 10
    assert two.agent.status().problem == "sequence_used"
    before = len(server.requests)
    two.live(3 * DAY)
    assert len(server.requests) == before  # it does not fight with the other one
    assert two.agent.check("ROUTE-ADV")  # and keeps what it was granted until that ends

    two.register(new_identity=True)
    assert two.agent.use("ROUTE-ADV", 3)
    assert one.agent.use("ROUTE-ADV", 4)
    assert sorted(instance.counts["ROUTE-ADV"] for instance in server.instances.values()) == [3, 4]


def test_a_device_that_was_set_back_goes_on_when_its_owner_says_that_it_is_the_only_one(
    device: Device, server: FakeServer, tmp_path: object
) -> None:
    device.register()
    backup = device.path.read_bytes()
    for quantity in range(1, 6):
        device.agent.use("ROUTE-ADV", quantity)
    device.path.write_bytes(backup)
    with pytest.raises(IdentityConflictError):
        device.agent.use("ROUTE-ADV", 1)
    device.agent.renew(resume=True)
    assert device.agent.use("ROUTE-ADV", 2)
    assert server.instances["i000000000000"].sequence > 5


@pytest.mark.parametrize(("code", "registration"), [("instance_removed", "removed"), ("instance_replaced", "replaced")])
def test_a_device_whose_place_was_taken_says_so_and_can_register_again(
    device: Device, server: FakeServer, code: str, registration: str
) -> None:
    device.register()
    (instance,) = server.instances.values()
    instance.removed = code
    with pytest.raises(RefusedError) as refused:
        device.agent.use("ROUTE-ADV", 1)
    assert refused.value.code == code
    assert device.agent.status().registration == registration
    device.register(new_identity=True)
    assert device.agent.use("ROUTE-ADV", 1)


# The disk


def test_a_full_disk_leaves_the_old_state_and_sends_nothing(
    device: Device, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 1)
    before, requests = device.path.read_bytes(), len(server.requests)

    def full(descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StateError) as problem:
            device.agent.use("ROUTE-ADV", 2)
        assert problem.value.code == "disk_full"
        assert "The disk is full" in str(problem.value)
        assert device.agent.check("ROUTE-ADV")  # reading needs no room
    assert device.path.read_bytes() == before
    assert len(server.requests) == requests
    assert sorted(one.name for one in device.path.parent.iterdir()) == ["state.json", "state.json.lock"]
    assert device.agent.use("ROUTE-ADV", 2)


def test_a_disk_that_fills_up_before_the_answer_is_kept(
    device: Device, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.register()
    real, saves = os.fsync, []

    def full_at_the_second(descriptor: int) -> None:
        saves.append(descriptor)
        if len(saves) > 2:  # file and folder of the first save went well
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_at_the_second)
        with pytest.raises(StateError):
            device.agent.use("ROUTE-ADV", 3)
    assert device.agent.use("ROUTE-ADV", 3)
    assert len(ids(server, "authorize")) == 2
    assert len(set(ids(server, "authorize"))) == 1  # the same request again, not another use


def test_a_damaged_state_is_named_and_not_overwritten(device: Device) -> None:
    device.path.parent.mkdir()
    device.path.write_text('{"version": 1, "private_k')
    with pytest.raises(StateError) as problem:
        device.agent.register("https://daicho.test", "TOKEN", IDENTITY)
    assert problem.value.code == "state_damaged"
    assert device.path.read_text() == '{"version": 1, "private_k'


# Evaluation


def test_ninety_days_of_use_without_registration(device: Device, server: FakeServer) -> None:
    assert device.agent.use("ROUTE-ADV", 3).status == "evaluation"
    device.live(60 * DAY)
    device.agent.release()
    server.time += 200 * DAY  # nothing in use: nothing counted
    assert device.agent.use("ROUTE-ADV", 3)
    assert device.agent.status().evaluation_left == pytest.approx(30 * DAY)
    device.live(30 * DAY - 7200)
    assert device.agent.check("ROUTE-ADV")
    device.live(7200)
    assert device.agent.check("ROUTE-ADV").status == "evaluation_expired"


def test_time_in_which_the_device_was_off_is_no_use(device: Device, server: FakeServer) -> None:
    device.agent.use("ROUTE-ADV", 3)
    device.live(DAY)
    device.agent.tick()
    server.time += 30 * DAY
    device.uptime = 60.0
    device.agent.tick()
    assert device.agent.status().evaluation_left == pytest.approx(89 * DAY - 60, abs=1)


def test_the_server_is_told_how_long_a_device_evaluated(device: Device, server: FakeServer) -> None:
    device.agent.use("ROUTE-ADV", 3)
    device.live(5 * DAY)
    device.register()
    assert server.instances["i000000000000"].evaluation == 5 * DAY
    assert device.agent.status().now >= START
