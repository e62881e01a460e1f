"""The door: 404 to who may not see, 403 to who may not act."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access import policy
from daicho.domain.access.models import Grant
from daicho.domain.access.rules import MATRIX, SIGHT, Permission, Role
from tests.world import World


def test_an_administrator_may_everything_in_his_account(world: World) -> None:
    for permission in Permission:
        policy.ensure_may(world.as_(world.admin), permission, world.account)
        policy.ensure_may(world.as_(world.admin), permission, world.account, world.osaka)


def test_a_stranger_finds_nothing_whatever_he_asks(world: World) -> None:
    for permission in Permission:
        with pytest.raises(NotFound):
            policy.ensure_may(world.as_(world.stranger), permission, world.account)
        with pytest.raises(NotFound):
            policy.get_account(world.as_(world.stranger), world.account.identifier, permission)


def test_a_viewer_sees_but_does_not_act(world: World) -> None:
    viewer = world.as_(world.viewer)
    policy.ensure_may(viewer, Permission.LICENSES_VIEW, world.account, world.tokyo)
    with pytest.raises(Forbidden):
        policy.ensure_may(viewer, Permission.LICENSES_MANAGE, world.account, world.tokyo)


def test_an_approver_does_not_learn_of_licenses(world: World) -> None:
    with pytest.raises(NotFound):
        policy.ensure_may(world.as_(world.approver), Permission.LICENSES_VIEW, world.account)
    with pytest.raises(NotFound):
        policy.ensure_may(world.as_(world.approver), Permission.LICENSES_MANAGE, world.account)


def test_a_partner_knows_only_his_virtual_account(world: World) -> None:
    partner = world.as_(world.partner)
    policy.ensure_may(partner, Permission.LICENSES_MANAGE, world.account, world.osaka)
    assert list(policy.visible_virtual_accounts(partner, world.account, Permission.LICENSES_VIEW)) == [world.osaka]
    with pytest.raises(NotFound):
        policy.ensure_may(partner, Permission.LICENSES_VIEW, world.account, world.tokyo)
    with pytest.raises(NotFound):
        policy.get_virtual_account(partner, world.account, world.tokyo.uid, Permission.LICENSES_VIEW)


def test_another_accounts_virtual_account_is_not_found_in_this_one(world: World) -> None:
    with pytest.raises(NotFound):
        policy.ensure_may(world.as_(world.admin), Permission.LICENSES_VIEW, world.account, world.other_default)


def test_an_ended_or_revoked_grant_opens_nothing(world: World) -> None:
    for change in ({"ends_at": now() - dt.timedelta(seconds=1)}, {"revoked_at": now(), "ends_at": None}):
        Grant.objects.filter(user=world.partner).update(**change)
        with pytest.raises(NotFound):
            policy.ensure_may(world.as_(world.partner), Permission.LICENSES_VIEW, world.account, world.osaka)


def test_a_person_who_cannot_log_in_has_no_rights(world: World) -> None:
    world.viewer.is_active = False
    world.viewer.save()
    with pytest.raises(NotFound):
        policy.ensure_may(world.as_(world.viewer), Permission.LICENSES_VIEW, world.account)


def test_without_a_valid_agreement_people_read_but_do_not_change(world: World) -> None:
    world.account.good_standing_until = now() - dt.timedelta(seconds=1)
    policy.ensure_may(world.as_(world.admin), Permission.LICENSES_VIEW, world.account)
    policy.ensure_may(world.as_(world.admin), Permission.AGREEMENTS_ACCEPT, world.account)
    policy.ensure_may(world.as_(world.admin), Permission.USERS_MANAGE, world.account, standing=False)
    with pytest.raises(BusinessError) as refused:
        policy.ensure_may(world.as_(world.admin), Permission.LICENSES_MANAGE, world.account)
    assert refused.value.code == "agreement_pending"


def test_an_anonymous_actor_passes_no_door(world: World) -> None:
    nobody = Actor(kind="anonymous", name="")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        policy.ensure_may(nobody, Permission.ACCOUNT_VIEW, world.account)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_act_may_also_see(role: Role) -> None:
    for act, sight in SIGHT.items():
        if act in MATRIX[role]:
            assert sight in MATRIX[role], f"{role} may {act} but not {sight}"


def test_what_one_request_remembers_of_its_actor_opens_nothing_to_another(world: World) -> None:
    """An act in somebody else's name, or in another account, asks anew."""
    admin = dataclasses.replace(world.as_(world.admin), memo={})
    policy.ensure_may(admin, Permission.USERS_MANAGE, world.account)
    with pytest.raises(NotFound):
        policy.ensure_may(dataclasses.replace(admin, user_id=world.stranger.pk), Permission.USERS_VIEW, world.account)
    with pytest.raises(NotFound):
        policy.ensure_may(admin, Permission.USERS_VIEW, world.other_account)
