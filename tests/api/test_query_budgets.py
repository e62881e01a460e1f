"""What one act over HTTP asks of the database: the figures of benchmarks/transfer.py hang on these."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from daicho.domain.devices.commands.records import create_device
from tests.world import World, make_virtual_account

pytestmark = pytest.mark.django_db
Post = Callable[[str, dict[str, Any]], tuple[int, int]]


@pytest.fixture
def post(world: World) -> Post:
    """Send a program's act and tell its status and how many statements it took."""
    header = world.api_client()

    def act(path: str, body: dict[str, Any]) -> tuple[int, int]:
        headers = {"Authorization": header, "Idempotency-Key": str(uuid.uuid4())}
        with CaptureQueriesContext(connection) as asked:
            answer = Client().post(
                f"/api/v1/accounts/{world.account.identifier}/{path}", body, "application/json", headers=headers
            )
        return answer.status_code, len(asked)

    return act


def test_a_transfer_costs_few_statements(world: World, post: Post) -> None:
    world.deposit(world.storage, 50, world.tokyo)
    body = {"moves": [{"source": world.tokyo.uid, "target": world.osaka.uid, "sku": world.storage.sku, "quantity": 1}]}
    post("transfers", body)  # makes the places and pools
    status, statements = post("transfers", body)
    assert status == 201
    assert statements <= 22


def test_a_seat_costs_few_statements_and_a_refusal_fewer(world: World, post: Post) -> None:
    world.deposit(world.storage, 2, world.tokyo)
    device = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.tokyo, request_id=uuid.uuid4(), name="one"
    )
    body = {"lines": [{"sku": world.storage.sku, "quantity": 1}]}
    post(f"devices/{device.uid}/assign", body)  # notes the use of the program, too
    status, statements = post(f"devices/{device.uid}/assign", body)
    assert status == 200
    assert statements <= 25
    status, statements = post(f"devices/{device.uid}/assign", body)
    assert status == 409
    assert statements <= 20


def test_many_lines_cost_no_more_statements_than_two(world: World, post: Post) -> None:
    offices = [make_virtual_account(world.account, f"Office {number}") for number in range(12)]
    world.deposit(world.storage, 500, world.tokyo)

    def lines(places: list[Any]) -> dict[str, Any]:
        return {"moves": [
            {"source": world.tokyo.uid, "target": place.uid, "sku": world.storage.sku, "quantity": 1} for place in places
        ]}  # fmt: skip

    post("transfers", lines(offices))
    _, two = post("transfers", lines(offices[:2]))
    _, twelve = post("transfers", lines(offices))
    assert two == twelve
