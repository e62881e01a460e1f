"""Acts that share a commit: each is whole or not at all, and whatever is unusual goes alone, the ordinary way."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Sequence
from threading import Semaphore
from typing import Any

import pytest
from django.db import IntegrityError, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from daicho.core.errors import BusinessError
from daicho.core.lanes import Lane
from daicho.domain.access.models import ApiClient
from daicho.domain.access.queries import Knock
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from daicho.domain.devices.commands.records import create_device
from daicho.domain.ledger import rules
from daicho.domain.ledger.models import Entry, TransferRequest
from daicho.interfaces.api import lanes
from daicho.interfaces.api.lanes import make_seats, make_transfers
from daicho.interfaces.api.routers.devices import LinesIn
from daicho.interfaces.api.routers.transfers import TransferIn
from daicho.interfaces.api.together import Act, Answer, Decision, Route, answer_together, read
from daicho.interfaces.portal import turns
from tests.world import World

pytestmark = pytest.mark.django_db


def transfer(world: World, header: str, quantity: int = 1, *, key: str = "", **move: Any) -> Act:
    uid, _, secret = header.removeprefix("Bearer ").partition(".")
    ordinary = {"source": world.tokyo.uid, "target": world.osaka.uid, "sku": world.storage.sku, "quantity": quantity}
    body = TransferIn.model_validate({"moves": [ordinary | move]})
    key = key or str(uuid.uuid4())
    return Act(Knock(uid, secret), key, f"{quantity}", {"identifier": world.account.identifier}, body)


def made(acts: Sequence[Act]) -> list[bool]:
    return [isinstance(answer, Answer) for answer in make_transfers(acts)]


def codes(answers: Sequence[Decision]) -> list[str]:
    return [answer.code if isinstance(answer, BusinessError) else "made" if answer else "alone" for answer in answers]


def test_a_refused_act_consumes_nothing_and_fails_nobody(world: World) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    header = world.api_client()
    lacks = "not_enough_licenses"
    answers = make_transfers([transfer(world, header, quantity) for quantity in (6, 5, 4, 1)])
    assert codes(answers) == ["made", lacks, "made", lacks]
    assert world.pool(world.osaka, world.storage).on_hand == 10
    assert Entry.objects.filter(kind="transfer").count() == 2
    told = Event.objects.filter(kind="license.transferred", virtual_account=world.tokyo).order_by("pk")
    assert list(told.values_list("before__on_hand", "after__on_hand")) == [(10, 4), (4, 0)]


def test_what_one_act_brings_the_next_may_take(world: World) -> None:
    world.deposit(world.storage, 5, world.tokyo)
    header = world.api_client()
    onward = transfer(world, header, 5, source=world.osaka.uid, target=world.default.uid)
    assert made([onward, transfer(world, header, 5), onward]) == [False, True, False]  # once tried, not tried again
    assert made([transfer(world, header, 5, source=world.osaka.uid, target=world.default.uid)]) == [True]
    assert world.pool(world.default, world.storage).on_hand == 5


def test_the_same_request_twice_in_one_batch_is_made_once_and_answered_alike(world: World, client: Client) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    header = world.api_client()
    act = transfer(world, header, 3, key="once")
    first, second = make_transfers([act, act])
    assert first is not None
    assert second is None
    assert made([act]) == [False]
    assert world.pool(world.osaka, world.storage).on_hand == 3


def test_who_may_not_or_is_nobody_is_left_to_the_ordinary_way(world: World) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    header = world.api_client()
    reader = world.api_client(scopes=["licenses.view"])
    unknown = transfer(world, "Bearer 0000000000000.nothing")
    wrong = transfer(world, header[:-2] + "__")
    hidden = transfer(world, header, source="0000000000000")
    no_sku = transfer(world, header, sku="no-such-license")
    by_hand = transfer(world, header, lot="0000000000000")
    acts = [transfer(world, reader), unknown, wrong, hidden, no_sku, by_hand, transfer(world, header)]
    assert codes(make_transfers(acts)) == ["forbidden"] + ["alone"] * 5 + ["made"]


def test_a_revoked_program_makes_nothing_a_moment_later(world: World) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    header = world.api_client()
    assert made([transfer(world, header)]) == [True]
    ApiClient.objects.update(revoked_at=world.account.created_at)
    assert made([transfer(world, header)]) == [False]


def test_where_approval_is_needed_nothing_is_made_or_asked_here(world: World) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    world.account.transfers_need_approval = True
    world.account.save()
    assert made([transfer(world, world.api_client(Role.ACCOUNT_USER))]) == [False]
    assert not TransferRequest.objects.exists()


class Here(Lane):
    """Makes acts in the thread that asks, whose transaction the test sees."""

    def ask(self, act: Act) -> Decision:
        return self.make([act])[0]


def lane_route(make: Any) -> Route:
    return Route(lanes.ROUTES[0].path, TransferIn, Lane("test", make))


def post(world: World, header: str, **headers: str) -> HttpRequest:
    move = {"source": world.tokyo.uid, "target": world.osaka.uid, "sku": world.storage.sku, "quantity": 1}
    path = f"/api/v1/accounts/{world.account.identifier}/transfers"
    return RequestFactory().post(
        path, {"moves": [move]}, "application/json", headers={"Authorization": header, **headers}
    )  # fmt: skip


def test_a_fault_of_the_database_sends_every_act_of_the_batch_the_ordinary_way(world: World) -> None:
    def make(acts: Sequence[Act]) -> list[Decision]:
        raise IntegrityError("somebody else made one of them at this moment")

    request = post(world, world.api_client(), **{"Idempotency-Key": "one"})
    assert answer_together(request, [lane_route(make)]) is None


def test_a_refusal_in_a_batch_reads_like_one_alone_in_the_language_asked_for(world: World, client: Client) -> None:
    headers = {"Idempotency-Key": "one", "Accept-Language": "ja"}
    request = post(world, world.api_client(), **headers)
    route = Route(lanes.ROUTES[0].path, TransferIn, Here("test", make_transfers))
    together = answer_together(request, [route])
    alone = client.post(request.path, request.body, "application/json", headers=dict(request.headers))
    assert together is not None
    assert (together.status_code, together["Content-Language"]) == (alone.status_code, alone["Content-Language"])
    assert json.loads(together.content) | {"request_id": ""} == alone.json() | {"request_id": ""}


def test_only_acts_with_a_key_share_a_commit_and_each_hears_its_own_answer(world: World) -> None:
    seen: list[str] = []

    def make(acts: Sequence[Act]) -> list[Decision]:
        seen.extend(act.key for act in acts)
        return [Answer(201, act.key) for act in acts]

    route, header = lane_route(make), world.api_client()
    assert answer_together(post(world, header), [route]) is None
    answers: dict[str, bytes] = {}

    def ask(key: str) -> None:
        answer = answer_together(post(world, header, **{"Idempotency-Key": key}), [route])
        answers[key] = answer.content if answer is not None else b""

    threads = [threading.Thread(target=ask, args=[f"key {number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {key: key.encode() for key in sorted(seen)}


def test_an_answer_together_reads_like_one_alone(world: World, client: Client) -> None:
    world.deposit(world.storage, 10, world.tokyo)
    request = post(world, world.api_client(), **{"Idempotency-Key": "one"})
    act = lanes.ROUTES[0]
    found = act.path.fullmatch(request.path_info)
    assert found is not None
    (answer,) = make_transfers([read(request, act, found.groupdict())])  # type: ignore[list-item]
    assert isinstance(answer, Answer)
    again = client.post(
        request.path, request.body, "application/json",
        headers={"Authorization": request.headers["Authorization"], "Idempotency-Key": "one"},
    )  # fmt: skip
    assert (again.status_code, again.content.decode()) == (answer.status, answer.content)
    assert again["Idempotency-Replayed"] == "true"


def test_a_streamed_answer_keeps_its_connection_and_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = turns.Turns(1)
    monkeypatch.setattr(turns, "_turns", ours)
    monkeypatch.setattr(ours, "streams", Semaphore(1))
    before = connections["default"]

    def parts(request: HttpRequest) -> HttpResponse:
        return StreamingHttpResponse(str(connections["default"] is lent) for _ in range(2))  # type: ignore[return-value]

    def ask() -> HttpResponse:
        return turns.TurnsMiddleware(parts)(RequestFactory().get("/"))  # type: ignore[return-value]

    (lent,) = ours.free.queue
    apart = ask()
    assert list(ours.free.queue) != [lent]
    (second,) = ours.free.queue
    in_turn = ask()  # as many as may are apart already
    assert ours.free.empty()
    in_turn.close()  # unread
    assert list(ours.free.queue) == [second]
    assert b"".join(apart) == b"TrueTrue"
    assert list(ours.free.queue) == [second]
    assert ours.streams.acquire(blocking=False)
    connections["default"] = before


def seat(world: World, header: str, device: str, quantity: int = 1) -> Act:
    uid, _, secret = header.removeprefix("Bearer ").partition(".")
    body = LinesIn.model_validate({"lines": [{"sku": world.storage.sku, "quantity": quantity}]})
    key = str(uuid.uuid4())
    return Act(Knock(uid, secret), key, key, {"identifier": world.account.identifier, "uid": device}, body)


def test_seats_are_sold_in_order_of_arrival_and_never_twice(world: World, client: Client) -> None:
    world.deposit(world.storage, 5, world.tokyo)
    header, admin = world.api_client(), world.as_(world.admin)
    uids = [
        create_device(
            admin, account=world.account, virtual_account=world.tokyo, request_id=uuid.uuid4(), name=name,
            product_id="R1", serial="S1",
        ).uid
        for name in ("one", "two")
    ]  # fmt: skip
    stranger = seat(world, world.api_client(scopes=["devices.view"]), uids[0])
    acts = [seat(world, header, uids[0], 3), seat(world, header, uids[1], 3), stranger, seat(world, header, uids[1], 2)]
    answers = make_seats(rules.Act.TAKE, [*acts, seat(world, header, "0000000000000")])
    assert codes(answers) == ["made", "not_enough_licenses", "forbidden", "made", "not_found"]
    assert world.pool(world.tokyo, world.storage).balance == 0
    told = Event.objects.filter(kind="license.used").order_by("pk")
    assert list(told.values_list("subject", "before__balance", "after__balance")) == [("one", 5, 2), ("two", 2, 0)]
    shown = client.get(
        f"/api/v1/accounts/{world.account.identifier}/devices/{uids[1]}", headers={"Authorization": header}
    )
    assert isinstance(answers[3], Answer)
    assert answers[3].content == shown.content.decode()
    released = make_seats(rules.Act.GIVE, [seat(world, header, uids[0], 4), seat(world, header, uids[1], 2)])
    assert codes(released) == ["bad_quantity", "made"]
    assert world.pool(world.tokyo, world.storage).balance == 2
