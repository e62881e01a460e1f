"""Devices that speak the protocol, straight to the domain: what the front reads is read the same way."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.devices import hot, signing, wire
from daicho.domain.devices.commands.tokens import issue_tokens, secret_of
from daicho.domain.devices.hot import tags
from daicho.domain.devices.models import Instance, RegistrationToken
from daicho.domain.tenancy.models import VirtualAccount
from tests.support.device_client import Client, Request, walked
from tests.world import World

MAKES = {
    "register": hot.register_many, "authorize": hot.authorize_many, "renew-certificate": hot.renew_certificates,
    "deregister": hot.deregister_many,
}  # fmt: skip


@dataclass
class Fleet:
    """A company and devices of it; `ask` answers one request, `ask_all` several of a kind in one batch."""

    world: World
    clients: list[Client] = field(default_factory=list)

    def token(self, place: VirtualAccount | None = None, **options: Any) -> RegistrationToken:
        world = self.world
        (token,) = issue_tokens(
            world.as_(world.admin), account=world.account, virtual_accounts=[place or world.osaka],
            request_id=uuid.uuid4(), **options,
        )  # fmt: skip
        return token

    def ask_all(self, requests: list[Request], address: str = "192.0.2.9") -> list[hot.Reply]:
        what = requests[0].path.rpartition("/")[2]
        read = [
            wire.read_request(one.path, {name.lower(): value for name, value in one.headers.items()}, one.body, address)
            for one in requests
        ]
        return MAKES[what](read)

    def ask(self, request: Request) -> hot.Reply:
        return self.ask_all([request])[0]

    def register(self, token: RegistrationToken | None = None, serial: str = "", **more: Any) -> Client:
        """A new device that is registered."""
        client = Client()
        secret = secret_of(token or self.token())
        request, _ = client.register(secret, "EXR-24", serial or f"SN-{len(self.clients)}", **more)
        client.take(self.opened("certificate", self.ask(request)))
        self.clients.append(client)
        return client

    def authorize(self, client: Client, wanted: dict[str, int], **more: Any) -> dict[str, Any]:
        return self.opened("authorization", self.ask(client.authorize(wanted, **more)))

    def opened(self, what: str, reply: hot.Reply) -> dict[str, Any]:
        """The payload of a document, verified with our keys."""
        assert not isinstance(reply.document, BusinessError), reply.document.code
        return wire.verify(what, reply.document[what], public_keys())

    def instance(self, client: Client) -> Instance:
        return Instance.objects.get(uid=client.uid)


def public_keys() -> dict[str, bytes]:
    """The keys of the newest set, walked along the chain as a device does."""
    return {key["kid"]: wire.public_bytes(key) for key in walked(signing.key_sets())}


def code(reply: hot.Reply) -> str:
    assert isinstance(reply.document, BusinessError), reply
    return reply.document.code


def lines(payload: dict[str, Any]) -> dict[str, tuple[int, str]]:
    return {line["tag"]: (line["quantity"], line["status"]) for line in payload["licenses"]}


@pytest.fixture
def fleet(world: World) -> Iterator[Fleet]:
    signing.forget()
    tags.forget()
    yield Fleet(world)
    signing.forget()
    tags.forget()
