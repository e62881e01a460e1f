"""Good standing: exactly until the newest version in force is one that the account has not accepted (S17, S21)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.clock import FOREVER, now
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import fingerprint
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands.agreements import accept_agreement, publish_agreement
from daicho.domain.accounts.models import Acceptance
from daicho.domain.accounts.queries_agreements import agreements_of
from daicho.domain.audit.models import Event
from tests.world import World, actor

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def instants(*days: int) -> list[dt.datetime]:
    return [START + day * DAY for day in days]


@pytest.mark.parametrize(
    ("effective", "accepted", "at", "until", "following"),
    [
        ([], [], 0, None, None),
        ([0], [False], 0, None, 0),
        ([0], [True], 0, FOREVER, None),
        ([0, 30], [True, False], 10, 30, 1),
        ([0, 30], [True, True], 10, FOREVER, None),
        ([0, 30], [True, False], 30, None, 1),
        ([0, 30], [False, True], 40, FOREVER, None),
        ([0, 30], [False, False], 10, None, 0),
        ([0, 10, 20], [True, False, False], 5, 10, 1),
        ([0, 10, 20], [True, True, False], 5, 20, 2),
        ([5], [False], 0, None, 0),
        ([5], [True], 0, FOREVER, None),
    ],
)
def test_until_when_and_which_version_is_next(effective, accepted, at, until, following) -> None:
    expected = until if until is None or isinstance(until, dt.datetime) else START + until * DAY
    arguments = (instants(*effective), accepted, START + at * DAY)
    assert rules.good_standing_until(*arguments, forever=FOREVER) == expected
    assert rules.next_to_accept(*arguments) == following


def publish(world: World, days: float = 0, **fields):
    texts = {"title_ja": "合意書", "title_en": "Agreement", "text_ja": "本文", "text_en": "Text"} | fields
    return publish_agreement(actor(world.operator), effective_at=now() + days * DAY, **texts)


def accept(world: World, agreement, who=None, language="en"):
    return accept_agreement(
        actor(who or world.admin), account=world.account, agreement_uid=agreement.uid, language=language
    )


def in_standing(world: World) -> bool:
    world.account.refresh_from_db()
    return world.account.in_good_standing()


def may_change(world: World) -> bool:
    world.account.refresh_from_db()
    try:
        ensure_may(actor(world.admin), Permission.LICENSES_MANAGE, world.account)
    except BusinessError as error:
        return error.code != "agreement_pending"
    return True


@pytest.fixture
def fresh(world: World) -> World:
    """The company before its first acceptance."""
    world.account.good_standing_until = None
    world.account.save()
    return world


@pytest.mark.django_db
def test_an_account_is_out_of_standing_until_somebody_accepts(fresh: World) -> None:
    first = publish(fresh)
    assert not may_change(fresh)
    accept(fresh, first)
    assert may_change(fresh)
    assert fresh.account.good_standing_until == FOREVER


@pytest.mark.django_db
def test_a_new_version_warns_then_blocks_changes_but_not_reading(fresh: World) -> None:
    with time_machine.travel(START, tick=False) as clock:
        accept(fresh, publish(fresh))
        second = publish(fresh, days=30)
        assert may_change(fresh)
        assert fresh.account.good_standing_until == START + 30 * DAY
        clock.shift(30 * DAY)
        assert not may_change(fresh)
        ensure_may(actor(fresh.admin), Permission.LICENSES_VIEW, fresh.account)
        ensure_may(actor(fresh.admin), Permission.USERS_MANAGE, fresh.account, standing=False)
        accept(fresh, second)
        assert may_change(fresh)


@pytest.mark.django_db
def test_a_version_accepted_before_its_day_never_interrupts(fresh: World) -> None:
    with time_machine.travel(START, tick=False) as clock:
        accept(fresh, publish(fresh))
        accept(fresh, publish(fresh, days=30))
        clock.shift(31 * DAY)
        assert may_change(fresh)


@pytest.mark.django_db
def test_a_version_in_force_at_once_blocks_at_once(fresh: World) -> None:
    accept(fresh, publish(fresh))
    with time_machine.travel(now() + DAY, tick=False):
        publish(fresh)
        assert not may_change(fresh)


@pytest.mark.django_db
def test_who_when_in_which_role_and_which_text_are_kept(fresh: World) -> None:
    first = publish(fresh)
    accept(fresh, first, who=fresh.approver, language="ja")
    kept = Acceptance.objects.get()
    assert (kept.user_name, kept.user_email, kept.role) == ("Approver", fresh.approver.email, "account_approver")
    assert (kept.language, kept.text_hash, kept.address) == ("ja", fingerprint("本文"), "192.0.2.7")
    assert Event.objects.get(kind="agreement.accepted").after["text_hash"] == kept.text_hash


@pytest.mark.django_db
def test_one_acceptance_is_enough_and_versions_come_in_order(fresh: World) -> None:
    first, second = publish(fresh), publish(fresh, days=10)
    with pytest.raises(BusinessError) as refused:
        accept(fresh, second)
    assert refused.value.code == "agreement_not_next"
    accept(fresh, first)
    with pytest.raises(BusinessError) as refused:
        accept(fresh, first, who=fresh.approver)
    assert refused.value.code == "agreement_already_accepted"
    states = [one.state for one in agreements_of(actor(fresh.approver), fresh.account)]
    assert states == ["pending", "accepted"]


@pytest.mark.django_db
def test_who_may_accept(fresh: World) -> None:
    first = publish(fresh)
    for who, code in (
        (fresh.user, "forbidden"),
        (fresh.viewer, "forbidden"),
        (fresh.osaka_admin, "not_found"),
        (fresh.stranger, "not_found"),
    ):
        with pytest.raises(BusinessError) as refused:
            accept(fresh, first, who=who)
        assert refused.value.code == code
    assert not in_standing(fresh)


@pytest.mark.django_db
def test_a_version_is_superseded_by_the_next_in_force(fresh: World) -> None:
    with time_machine.travel(START, tick=False) as clock:
        accept(fresh, publish(fresh))
        publish(fresh, days=1)
        publish(fresh, days=2)
        clock.shift(3 * DAY)
        assert [one.state for one in agreements_of(actor(fresh.admin), fresh.account)] == [
            "pending",
            "superseded",
            "superseded",
        ]


@pytest.mark.django_db
def test_what_cannot_be_published(world: World) -> None:
    publish(world, days=10)
    for fields, field, code in (
        ({"days": 5}, "effective_at", "effective_in_the_past"),
        ({"days": -1}, "effective_at", "effective_in_the_past"),
        ({"days": 4000}, "effective_at", "effective_too_late"),
        ({"days": 20, "text_ja": " "}, "text_ja", "required"),
        ({"days": 20, "title_en": "x" * 201}, "title_en", "too_long"),
    ):
        with pytest.raises(FieldErrors) as refused:
            publish(world, **fields)
        assert refused.value.errors[field].code == code
    with pytest.raises(BusinessError) as refused:
        publish_agreement(actor(world.admin), title_ja="a", title_en="a", text_ja="a", text_en="a", effective_at=now())
    assert refused.value.code == "not_found"


@pytest.mark.django_db
def test_waiting_order_lines_land_with_the_acceptance(fresh: World) -> None:
    from daicho.domain.orders.commands.record import record_order
    from daicho.domain.orders.models import OrderLine
    from daicho.domain.orders.rules import LineInput, OrderInput

    first = publish(fresh)
    line = LineInput(sku="NET-ADV", quantity=7, kind="perpetual", virtual_account="DEFAULT")
    record_order(
        actor(fresh.operator),
        company=None,
        order=OrderInput(number="PO-1", identifier=fresh.account.identifier, lines=[line]),
    )
    assert OrderLine.objects.get().state == "waiting_agreement"
    accept(fresh, first)
    assert OrderLine.objects.get().state == "deposited"
    assert fresh.pool(fresh.default, fresh.advantage).purchased == 7
