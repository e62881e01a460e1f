"""A colleague leaves: on a day all his rights become another's."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.commands.hand_overs import cancel_hand_over, plan_hand_over, run_due_hand_overs
from daicho.domain.access.models import Grant, HandOver, User
from daicho.domain.access.policy import live_grants
from daicho.domain.access.queries_people import find_successor
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.world import World, grant, make_user

TOMORROW = dt.timedelta(days=1)


@pytest.fixture
def successor(world: World) -> User:
    return make_user("successor@aozora.example.co.jp", "Successor")


def plan(world: World, leaver: User, successor: User) -> HandOver:
    return plan_hand_over(
        world.as_(world.admin), account=world.account, from_user=leaver, to_user=successor, due_at=now() + TOMORROW
    )


def rights(user: User) -> set[tuple[str, int | None]]:
    return set(live_grants().filter(user=user).values_list("role", "virtual_account_id"))


def test_on_the_day_all_rights_go_over_in_one_act(world: World, successor: User) -> None:
    grant(world.user, Role.VA_ADMINISTRATOR, world.account, world.tokyo)
    before = rights(world.user)
    made = plan(world, world.user, successor)
    assert run_due_hand_overs() == 0
    with time_machine.travel(made.due_at, tick=False):
        assert run_due_hand_overs() == 1
        assert run_due_hand_overs() == 0
        assert (rights(world.user), rights(successor)) == (set(), before)
    assert Event.objects.get(kind="hand_over.done").after == {"to": "Successor", "rights": 2}


def test_where_both_have_a_role_the_stronger_and_the_later_end_count(world: World) -> None:
    with time_machine.travel(plan(world, world.user, world.viewer).due_at, tick=False):
        run_due_hand_overs()
    assert rights(world.viewer) == {("account_user", None)}


def test_the_last_administrator_hands_over_to_the_next(world: World, successor: User) -> None:
    with time_machine.travel(plan(world, world.admin, successor).due_at, tick=False):
        run_due_hand_overs()
    assert (rights(world.admin), rights(successor)) == (set(), {("account_administrator", None)})


def test_to_a_partner_user_the_last_administrator_cannot_hand_over(world: World) -> None:
    made = plan(world, world.admin, world.partner)
    with time_machine.travel(made.due_at, tick=False):
        assert run_due_hand_overs() == 1
        assert run_due_hand_overs() == 0
    made.refresh_from_db()
    assert (made.failure, made.done_at) == ("last_administrator", None)
    assert rights(world.admin) == {("account_administrator", None)}
    assert Mail.objects.get(template="hand_over_failed").to == world.admin.email


def test_a_cancelled_one_does_not_happen(world: World, successor: User) -> None:
    made = plan(world, world.user, successor)
    cancel_hand_over(world.as_(world.admin), account=world.account, hand_over_uid=made.uid)
    with time_machine.travel(made.due_at, tick=False):
        assert run_due_hand_overs() == 0
    with pytest.raises(BusinessError, match="hand_over_over"):
        cancel_hand_over(world.as_(world.admin), account=world.account, hand_over_uid=made.uid)


def test_it_needs_two_people_and_something_to_hand_over(world: World, successor: User) -> None:
    with pytest.raises(BusinessError, match="same_person"):
        plan(world, world.user, world.user)
    with pytest.raises(BusinessError, match="nothing_to_hand_over"):
        plan(world, world.nobody, successor)


def test_the_successor_is_known_here_or_a_colleague(world: World, successor: User) -> None:
    admin = world.as_(world.admin)
    assert find_successor(admin, world.account, successor.email.upper()) == successor
    assert find_successor(admin, world.account, world.partner.email) == world.partner
    for unknown in (world.nobody.email, "nobody.at.all@aozora.example.co.jp"):
        with pytest.raises(BusinessError, match="unknown_user"):
            find_successor(admin, world.account, unknown)


@pytest.mark.parametrize(("who", "refusal"), [("viewer", Forbidden), ("osaka_admin", NotFound), ("stranger", NotFound)])
def test_only_account_administrators_plan(
    world: World, successor: User, who: str, refusal: type[BusinessError]
) -> None:
    with pytest.raises(refusal):
        plan_hand_over(
            world.as_(getattr(world, who)), account=world.account, from_user=world.user, to_user=successor, due_at=now()
        )
    assert Grant.objects.filter(user=world.user, revoked_at=None).exists()
