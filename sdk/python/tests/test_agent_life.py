"""A device's life with its server: register, use, change, renew, leave; and what stands in its file afterwards."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable

import pytest
from conftest import START, Device
from fake_server import DAY, FakeServer

from daicho_agent import BusyError, NotRegisteredError, RefusedError, UntrustedError
from daicho_agent.state import Store

MakeDevice = Callable[[str], Device]


def what_waits(server: FakeServer) -> list[str]:
    return [what for what, _ in server.requests]


def test_five_lines_use_a_license(device: Device, server: FakeServer) -> None:
    device.register()
    with device.agent as agent:
        if grant := agent.use("ROUTE-ADV", 3):
            assert (grant.status, grant.quantity) == ("authorized", 3)
    assert bool(grant)
    assert server.instances["i000000000000"].counts == {"ROUTE-ADV": 3}
    status = device.agent.status()
    assert (status.registration, status.authorization) == ("registered", "authorized")
    assert status.deadline == START + 90 * DAY
    assert START + 15 * DAY <= status.next_contact <= START + 30 * DAY


def test_a_second_start_of_the_application_asks_nobody(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    before = len(server.requests)
    server.down = True
    assert device.agent.use("ROUTE-ADV", 3)
    assert device.agent.check("ROUTE-ADV")
    assert len(server.requests) == before


def test_more_and_less_is_asked_as_one_complete_list(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    device.agent.use("SEC-T", 1)
    device.agent.use("ROUTE-ADV", 2)
    device.agent.release("SEC-T")
    (instance,) = server.instances.values()
    assert instance.counts == {"ROUTE-ADV": 2}
    device.agent.release()
    assert instance.counts == {}
    assert device.agent.status().authorization == "none"


def test_what_is_short_is_used_and_what_is_refused_is_not_wanted_any_more(device: Device, server: FakeServer) -> None:
    device.register()
    short = device.agent.use("ROUTE-ADV", 12)
    assert (bool(short), short.status, short.missing) == (True, "short", 2)
    assert device.agent.status().next_contact <= START + DAY / 2
    device.agent.use("SEC-T", 2)
    refused = device.agent.use("SEC-T", 3)
    assert (bool(refused), refused.code, refused.missing) == (False, "not_enough_licenses", 1)
    assert device.agent.use("NOBODY-KNOWS").code == "unknown_tag"
    assert {one.tag: one.wanted for one in device.agent.status().licenses} == {"ROUTE-ADV": 12, "SEC-T": 2}


def test_a_wrong_token_changes_nothing(device: Device, server: FakeServer) -> None:
    server.token = "ANOTHER"
    with pytest.raises(RefusedError) as refused:
        device.register()
    assert (refused.value.code, refused.value.status, refused.value.exit_code) == ("unknown_token", 401, 6)
    assert device.agent.status().registration == "unregistered"
    with pytest.raises(NotRegisteredError):
        device.agent.renew()


def test_what_was_wanted_before_registering_is_asked_with_it(device: Device, server: FakeServer) -> None:
    assert device.agent.use("ROUTE-ADV", 3).status == "evaluation"
    server.time += 5 * DAY
    device.register()
    assert device.agent.check("ROUTE-ADV").status == "authorized"
    assert server.instances["i000000000000"].counts == {"ROUTE-ADV": 3}


def test_certificate_and_both_keys_are_renewed_from_day_180(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    (instance,) = server.instances.values()
    first = instance.jwk
    device.live(179 * DAY)
    assert "renew-certificate" not in what_waits(server)
    device.live(2 * DAY)
    assert what_waits(server).count("renew-certificate") == 1
    assert (instance.generation, instance.next_jwk) == (2, None)
    assert instance.jwk != first
    assert list(instance.macs) == [2]  # the former one ended with the first request under the new one
    assert device.agent.check("ROUTE-ADV")


def test_a_device_contacts_its_server_within_thirty_days_and_not_with_others(make_device: MakeDevice) -> None:
    devices = [make_device(str(number)) for number in range(3)]
    for number, one in enumerate(devices):
        one.agent.store.save(Store(one.path).load())
        one.register()
        one.agent.use("ROUTE-ADV", number + 1)
    for one in devices:
        before = len(one.server.requests)
        one.live(30 * DAY)
        assert len(one.server.requests) > before


def test_leaving_gives_everything_back(device: Device, server: FakeServer) -> None:
    device.register()
    device.agent.use("ROUTE-ADV", 3)
    device.agent.deregister()
    assert server.instances["i000000000000"].counts == {}
    assert device.agent.status().registration == "unregistered"
    assert device.agent.status().licenses == ()


def test_a_server_whose_key_is_not_the_pinned_one_is_not_believed(device: Device, server: FakeServer) -> None:
    device.register(pin=server.pin)
    other = FakeServer()
    device.server = other
    with pytest.raises(UntrustedError) as untrusted:
        device.register(pin=server.pin, new_identity=True)
    assert untrusted.value.code == "wrong_pin"


def test_the_state_is_its_owners_alone_and_one_process_has_it_at_a_time(device: Device) -> None:
    device.register()
    assert stat.S_IMODE(device.path.stat().st_mode) == 0o600
    assert [one.name for one in device.path.parent.iterdir() if one.name.startswith(".")] == []
    store = Store(device.path)
    held: list[BusyError] = []
    with store.locked():

        def other() -> None:
            try:
                with store.locked(wait=0.1):
                    pass
            except BusyError as busy:
                held.append(busy)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert [busy.exit_code for busy in held] == [8]
