"""Devices ask, many at once: counted, refused, remembered (ledger.md, ASK and Batch)."""

from __future__ import annotations

import datetime as dt
import uuid

import time_machine

from daicho.core.clock import now
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.batch import UseAnswer, UseRequest, ask_many
from daicho.domain.ledger.models import Lot, Unit, Use, UseChange
from tests.ledger.conftest import Ledger

DAY = dt.timedelta(days=1)


def ask(unit: Unit, tag: LicenseTag, quantity: int, request_id: uuid.UUID | None = None) -> UseRequest:
    return UseRequest.ask(unit, request_id or uuid.uuid4(), [(tag, quantity)])


def one(request: UseRequest) -> UseAnswer:
    (answer,) = ask_many([request])
    return answer


def test_an_enforced_tag_goes_to_who_asks_first(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.security, 5, world.tokyo)
    units = [world.unit(world.tokyo) for _ in range(4)]
    answers = ask_many([ask(unit, world.security, 2) for unit in units])
    assert [answer.is_granted for answer in answers] == [True, True, False, False]
    refusal = answers[2].refusals[0]
    assert (refusal.code, refusal.asked, refusal.available, refusal.missing) == ("not_enough_licenses", 2, 1, 1)
    assert ledger.figures(world.tokyo, world.security) == (5, 4, 1)


def test_a_refused_ask_is_not_tried_again_after_a_later_release(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.security, 2, world.tokyo)
    has, wants = world.unit(world.tokyo), world.unit(world.tokyo)
    one(ask(has, world.security, 2))
    release = UseRequest.release(has, uuid.uuid4(), [(world.security, 2)])
    first, second, third = ask_many([ask(wants, world.security, 1), release, ask(wants, world.security, 1)])
    assert [first.is_granted, second.is_granted, third.is_granted] == [False, True, True]


def test_an_unenforced_tag_is_counted_even_when_short(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 5, world.tokyo)
    assert one(ask(world.unit(world.tokyo), world.storage, 8)).is_granted
    assert ledger.figures(world.tokyo, world.storage) == (5, 8, -3)


def test_an_ask_is_decided_tag_by_tag(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 5, world.tokyo)
    unit = world.unit(world.tokyo)
    answer = one(UseRequest.ask(unit, uuid.uuid4(), [(world.storage, 3), (world.security, 1)]))
    assert [refusal.tag for refusal in answer.refusals] == [world.security]
    assert answer.counted == {world.storage.pk: 3, world.security.pk: 0}


def test_a_refused_change_of_an_enforced_tag_leaves_the_old_count(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.security, 5, world.tokyo)
    unit = world.unit(world.tokyo)
    one(ask(unit, world.security, 4))
    answer = one(ask(unit, world.security, 6))
    assert not answer.is_granted
    assert answer.counted == {world.security.pk: 4}
    assert UseChange.objects.count() == 1, "nothing changed, so nothing is remembered"


def test_who_renews_first_loses_first_and_that_is_remembered(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    with time_machine.travel("2027-01-01T00:00:00Z", tick=True):
        world.deposit(world.security, 3, world.tokyo)
        world.deposit(world.security, 3, world.tokyo, end=now() + DAY)
        first, second = world.unit(world.tokyo), world.unit(world.tokyo)
        for unit in (first, second):
            one(ask(unit, world.security, 3))
    with time_machine.travel("2027-01-03T00:00:00Z", tick=True):
        lost = one(ask(first, world.security, 3, request_id))
        assert not lost.is_granted
        assert lost.counted == {world.security.pk: 0}
        assert one(ask(second, world.security, 3)).is_granted
        assert ledger.figures(world.tokyo, world.security) == (3, 3, 0)
        one(UseRequest.release(second, uuid.uuid4(), [(world.security, 3)]))
        again = one(ask(first, world.security, 3, request_id))
        assert (again.is_granted, again.is_repeated, again.counted) == (False, True, {world.security.pk: 0})
        assert one(ask(first, world.security, 3)).is_granted


def test_asking_for_less_of_a_short_enforced_tag_is_granted_as_far_as_there_is(ledger: Ledger) -> None:
    world = ledger.world
    with time_machine.travel("2027-01-01T00:00:00Z", tick=True):
        world.deposit(world.security, 2, world.tokyo)
        world.deposit(world.security, 3, world.tokyo, end=now() + DAY)
        unit = world.unit(world.tokyo)
        one(ask(unit, world.security, 5))
    with time_machine.travel("2027-01-03T00:00:00Z", tick=True):
        assert one(ask(unit, world.security, 2)).is_granted
        assert ledger.figures(world.tokyo, world.security) == (2, 2, 0)


def test_an_unenforced_tier_may_not_take_from_an_enforced_one_below(ledger: Ledger) -> None:
    world = ledger.world
    LicenseTag.objects.filter(pk=world.essentials.pk).update(enforcement=LicenseTag.Enforcement.ENFORCED)
    world.essentials.refresh_from_db()
    world.deposit(world.premier, 4, world.tokyo)
    assert one(ask(world.unit(world.tokyo), world.essentials, 3)).is_granted
    device = world.unit(world.tokyo)
    refused = one(ask(device, world.premier, 2))
    assert (refused.is_granted, refused.refusals[0].missing) == (False, 1)
    assert one(ask(device, world.premier, 1)).is_granted


def test_a_report_is_a_fact_and_sets_the_count(ledger: Ledger) -> None:
    world = ledger.world
    unit = world.unit(world.tokyo)
    for quantity in (7, 3):
        answer = one(UseRequest.report(unit, uuid.uuid4(), [(world.security, quantity)]))
        assert answer.is_granted
    assert ledger.figures(world.tokyo, world.security) == (0, 3, -3)
    assert set(UseChange.objects.values_list("act_class", "cause")) == {("fact", "report")}


def test_billing_by_usage_meters_what_goes_beyond(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.security, 5, world.tokyo, billing=Lot.Billing.USAGE)
    assert one(ask(world.unit(world.tokyo), world.security, 8)).is_granted
    pool = world.pool(world.tokyo, world.security)
    assert (pool.metered, pool.balance) == (3, 0)


def test_an_unchanged_renewal_writes_nothing(ledger: Ledger, django_assert_max_num_queries) -> None:
    world = ledger.world
    world.deposit(world.storage, 5, world.tokyo)
    unit = world.unit(world.tokyo)
    one(ask(unit, world.storage, 3))
    changes = UseChange.objects.count()
    with django_assert_max_num_queries(9):
        assert one(ask(unit, world.storage, 3)).is_granted
    assert UseChange.objects.count() == changes


def test_bad_requests_fail_alone(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 5, world.tokyo)
    unit = world.unit(world.tokyo)
    answers = ask_many(
        [
            UseRequest.ask(Unit(pk=999_999), uuid.uuid4(), [(world.storage, 1)]),
            UseRequest.release(unit, uuid.uuid4(), [(world.storage, 1)]),
            ask(unit, world.storage, 2, request_id),
            ask(unit, world.storage, 2, request_id),
            ask(unit, world.storage, 3, request_id),
        ]
    )
    assert [answer.code for answer in answers] == ["unknown_unit", "", "", "", "request_id_reused"]
    assert answers[1].refusals[0].code == "bad_quantity"
    assert [answer.is_repeated for answer in answers[2:4]] == [False, True]
    assert Use.objects.get(unit=unit).counted == 2


def test_what_cannot_be_counted_exactly_is_refused_even_as_a_fact(ledger: Ledger) -> None:
    world = ledger.world
    report = lambda quantity: UseRequest.report(world.unit(world.tokyo), uuid.uuid4(), [(world.storage, quantity)])  # noqa: E731
    answers = ask_many([report(quantity) for quantity in (-1, 2**53, 2**53 - 2, 2, 1)])
    assert [answer.is_granted for answer in answers] == [False, False, True, False, True]
    assert {refusal.code for answer in answers for refusal in answer.refusals} == {"bad_quantity"}
    assert ledger.figures(world.tokyo, world.storage)[1] == 2**53 - 1


def test_a_request_id_stands_for_one_unit(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    world.deposit(world.storage, 5, world.tokyo)
    one(ask(world.unit(world.tokyo), world.storage, 2, request_id))
    assert one(ask(world.unit(world.tokyo), world.storage, 2, request_id)).code == "request_id_reused"


def test_a_batch_costs_as_many_queries_as_one(ledger: Ledger, django_assert_max_num_queries) -> None:
    world = ledger.world
    tags = [world.storage, world.security, world.premier, world.essentials]
    for tag in tags:
        for place in (world.tokyo, world.osaka):
            world.deposit(tag, 100, place)
    requests = [
        ask(world.unit(place), tag, 1) for place in (world.tokyo, world.osaka) for tag in tags for _ in range(25)
    ]
    with django_assert_max_num_queries(13):
        answers = ask_many(requests)
    assert all(answer.is_granted for answer in answers)
    assert ledger.figures(world.osaka, world.essentials) == (100, 25, 75)
