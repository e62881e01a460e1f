"""The ladder of codes: one table, judged in its order, shown to the customer as it stands (docs/device-protocol.md)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine

from daicho.domain.devices.commands.tokens import secret_of
from daicho.domain.devices.ladder import INSTANCE, LINE, REGISTER, RUNGS, WHO_ASKS
from daicho.domain.devices.models import Instance, RegistrationToken
from daicho.domain.tenancy.models import SmartAccount
from tests.devices.conftest import Fleet, code
from tests.support.device_client import Client
from tests.support.steps import ROOT

SKEW = 2 * 3_600
# What is wrong with a request of an instance: each rung with how it is brought about. A request with all from one on hears that one.
WRONG: dict[str, Callable[[Fleet, Client], None]] = {
    "unknown_instance": lambda fleet, client: setattr(client, "uid", "nobody"),
    "bad_signature": lambda fleet, client: setattr(client, "mac", b"\0" * 32),
    "clock_skew": lambda fleet, client: setattr(client, "offset", SKEW),
    "instance_removed": lambda fleet, client: change(client, registration="removed"),
    "certificate_expired": lambda fleet, client: change(
        client, certificate_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    ),
    "account_suspended": lambda fleet, client: suspend(fleet),
    "sequence_used": lambda fleet, client: change(client, last_sequence=1_000),
}


def change(client: Client, **fields: object) -> None:
    Instance.objects.filter(uid=client.uid).update(**fields)


def suspend(fleet: Fleet) -> None:
    SmartAccount.objects.filter(pk=fleet.world.account.pk).update(state="suspended")


@pytest.mark.parametrize("first", WRONG)
def test_of_all_that_is_wrong_the_first_is_told(fleet: Fleet, first: str) -> None:
    order = [rung.code for rung in (*WHO_ASKS, *INSTANCE) if rung.code in WRONG]
    assert order == list(WRONG)
    client = fleet.register()
    for name in reversed(order[order.index(first) :]):
        WRONG[name](fleet, client)
    assert code(fleet.ask(client.authorize({"STO-STD": 1}))) == first


def test_of_a_token_the_first_reason_is_told(fleet: Fleet) -> None:
    token = fleet.token(uses=1)
    fleet.register(token)
    suspend(fleet)
    tokens = RegistrationToken.objects.filter(pk=token.pk)
    heard = []

    def ask(secret: str) -> None:
        request, _ = Client().register(secret, "EXR-24", "S")
        heard.append(code(fleet.ask(request)))

    ask(secret_of(token))
    with time_machine.travel(token.expires_at + dt.timedelta(minutes=1), tick=True):
        ask(secret_of(token))
        tokens.update(revoked_at=token.created_at)
        ask(secret_of(token))
        ask("no such token")
    order = [rung.code for rung in REGISTER]
    assert heard[::-1] == order[:4] == ["unknown_token", "token_revoked", "token_expired", "token_used_up"]


def test_each_code_has_one_meaning_and_stands_in_the_protocol_and_in_the_help(fleet: Fleet) -> None:
    told = (ROOT / "docs/device-protocol.md").read_text()
    page = fleet.world.client(None).get("/help/devices/").content.decode()
    for name, rung in RUNGS.items():
        assert f"`{name}`" in told
        assert name in page
        assert str(rung.meaning)
    assert [rung.code for rung in LINE] == re.findall(
        r"`(\w+)`", told.partition("with a `code`: ")[2].partition(";")[0]
    )
