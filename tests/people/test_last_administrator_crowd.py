"""Two administrators revoke each other at the same instant: one of them stays."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from daicho.core.errors import BusinessError
from daicho.domain.access.commands.grants import revoke_grant
from daicho.domain.access.models import Grant, User
from daicho.domain.access.policy import live_grants
from daicho.domain.access.rules import Role
from tests.world import World, grant, make_user, make_world


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_revoke_each_other_at_once_leave_one() -> None:
    world = make_world()
    second = make_user("second@aozora.example.co.jp", "Second")
    grant(second, Role.ACCOUNT_ADMINISTRATOR, world.account)
    for _round in range(5):
        Grant.objects.filter(user__in=[world.admin, second]).update(revoked_at=None)
        outcomes = revoke_each_other(world, world.admin, second)
        assert sorted(outcomes) in (["last_administrator", "revoked"], ["not_found", "revoked"]), outcomes
        left = live_grants().filter(account=world.account, role=Role.ACCOUNT_ADMINISTRATOR)
        assert left.count() == 1


def revoke_each_other(world: World, one: User, other: User) -> list[str]:
    """What each of the two is told; `not_found`: he was no administrator any more when his turn came."""
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def revoke(who: User, whom: User) -> None:
        target = Grant.objects.get(user=whom)
        together.wait()
        try:
            revoke_grant(world.as_(who), account=world.account, grant_uid=target.uid)
            outcomes.append("revoked")
        except BusinessError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    crowd = [threading.Thread(target=revoke, args=pair) for pair in ((one, other), (other, one))]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return outcomes
