"""The same request again gets the first answer, also while it is still running; other content is refused."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction

from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.models import Entry, Posting, Use, UseChange
from tests.ledger.conftest import Ledger, refusal
from tests.support.crowd import Crowd
from tests.world import make_world


def test_a_transfer_is_done_once(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 10, world.tokyo)
    first = ledger.transfer(world.tokyo, world.osaka, world.storage, 4, request_id=request_id)
    events = Event.objects.count()
    assert ledger.transfer(world.tokyo, world.osaka, world.storage, 4, request_id=request_id) == first
    assert ledger.figures(world.tokyo, world.storage) == (6, 0, 6)
    assert Event.objects.count() == events, "a repeated request leaves no second line in the log"


@pytest.mark.parametrize("other", [{"quantity": 5}, {"choice": "longest_term"}, {"memo": "else"}])
def test_other_content_under_the_same_id_is_refused(ledger: Ledger, other: dict[str, object]) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 10, world.tokyo)
    ledger.transfer(world.tokyo, world.osaka, world.storage, 4, request_id=request_id)
    options = {"quantity": 4} | other
    error = refusal(
        lambda: ledger.transfer(
            world.tokyo, world.osaka, world.storage, options.pop("quantity"), request_id=request_id, **options
        )
    )
    assert (error.code, error.http_status) == ("request_id_reused", 409)


def test_the_fingerprint_is_of_what_was_asked_not_of_the_lots_chosen(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 10, world.tokyo)
    first = ledger.transfer(world.tokyo, world.osaka, world.storage, 10, request_id=request_id)
    assert ledger.transfer(world.tokyo, world.osaka, world.storage, 10, request_id=request_id) == first


def test_a_refusal_is_not_remembered(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    assert refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.storage, 4, request_id=request_id))
    assert not Entry.objects.exists()
    world.deposit(world.storage, 10, world.tokyo)
    assert ledger.transfer(world.tokyo, world.osaka, world.storage, 4, request_id=request_id).entry


def test_an_assignment_is_done_once(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 10, world.tokyo)
    unit = world.unit(world.tokyo)
    for _ in range(2):
        ledger.assign(unit, world.storage, 4, request_id)
    assert Use.objects.get(unit=unit).counted == 4
    assert Event.objects.filter(kind="license.used").count() == 1
    for act in (
        lambda: ledger.assign(unit, world.storage, 5, request_id),
        lambda: ledger.release(unit, world.storage, 4, request_id),
        lambda: ledger.assign(world.unit(world.tokyo), world.storage, 4, request_id),
    ):
        assert refusal(act).code == "request_id_reused"


def test_two_accounts_may_use_the_same_id(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots

    for account, place in ((world.account, world.default), (world.other_account, world.other_default)):
        lot = NewLot(world.storage, 5, "perpetual", world.account.created_at, None, place)
        deposit_lots(world.as_(world.operator), account=account, request_id=request_id, lots=[lot])
    assert Posting.objects.count() == 2


# ── while it is still running ──


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_request_waits_for_the_one_that_is_still_running() -> None:
    ledger, request_id = Ledger(make_world()), uuid.uuid4()
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    running, go_on = threading.Event(), threading.Event()
    answers: dict[str, Entry] = {}

    def first() -> None:
        with transaction.atomic():
            answers["first"] = ledger.entry(world.tokyo, world.osaka, world.storage, 4, request_id=request_id)
            running.set()
            go_on.wait(10)

    def second() -> None:
        running.wait(10)
        threading.Timer(0.3, go_on.set).start()
        answers["second"] = ledger.entry(world.tokyo, world.osaka, world.storage, 4, request_id=request_id)

    Crowd([first, second]).run()
    assert answers["first"] == answers["second"]
    assert ledger.figures(world.tokyo, world.storage) == (6, 0, 6)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_with_one_id_are_one_assignment_and_one_undo() -> None:
    ledger, request_id = Ledger(make_world()), uuid.uuid4()
    world = ledger.world
    world.deposit(world.storage, 100, world.tokyo)
    unit = world.unit(world.tokyo)
    Crowd([lambda: ledger.assign(unit, world.storage, 4, request_id)] * 16).run()
    assert Use.objects.get(unit=unit).counted == 4
    assert UseChange.objects.count() == 1
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 4)

    def undo() -> None:
        undo_entry(ledger.admin, account=world.account, entry_uid=entry.uid, request_id=uuid.uuid4())

    refused = Crowd([undo] * 16).run()
    assert [error.code for error in refused] == ["already_undone"] * 15
    assert ledger.figures(world.tokyo, world.storage) == (100, 4, 96)
    assert connection.vendor == "postgresql"
