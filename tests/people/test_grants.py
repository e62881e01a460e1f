"""Rights are given, changed, taken away and end (product.md, Roles; S18, S23)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.commands.grants import change_grant, end_due_grants, give_grant, revoke_grant
from daicho.domain.access.models import Grant, User
from daicho.domain.access.rules import Role, explain
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World, make_user


def give(
    world: World, who: User, to: User, role: Role, place: VirtualAccount | None = None, end: dt.datetime | None = None
) -> Grant:
    return give_grant(world.as_(who), account=world.account, user=to, role=role, virtual_account=place, ends_at=end)


def of(world: World, user: User) -> Grant:
    return Grant.objects.get(user=user, revoked_at=None, ended_at=None)


@pytest.fixture
def colleague(world: World) -> User:
    return make_user("colleague@aozora.example.co.jp", "Colleague")


def test_an_administrator_gives_any_role_in_any_scope(world: World, colleague: User) -> None:
    given = give(world, world.admin, colleague, Role.VA_USER, world.osaka)
    assert (given.role, given.ends_at, given.granted_by) == ("va_user", None, world.admin)
    give(world, world.admin, colleague, Role.ACCOUNT_VIEWER)
    assert Event.objects.filter(kind="grant.given", subject="Colleague").count() == 2


def test_a_virtual_account_administrator_gives_roles_in_his_own_only(world: World, colleague: User) -> None:
    give(world, world.osaka_admin, colleague, Role.VA_ADMINISTRATOR, world.osaka)
    with pytest.raises(NotFound):
        give(world, world.osaka_admin, colleague, Role.VA_VIEWER, world.tokyo)
    with pytest.raises(NotFound):
        give(world, world.osaka_admin, colleague, Role.ACCOUNT_VIEWER)


@pytest.mark.parametrize(
    ("who", "refusal"), [("viewer", Forbidden), ("approver", Forbidden), ("user", NotFound), ("stranger", NotFound)]
)
def test_nobody_else_gives_rights(world: World, colleague: User, who: str, refusal: type[BusinessError]) -> None:
    with pytest.raises(refusal):
        give(world, getattr(world, who), colleague, Role.ACCOUNT_VIEWER)


def test_a_role_must_fit_its_scope(world: World, colleague: User) -> None:
    with pytest.raises(BusinessError, match="role_scope_mismatch"):
        give(world, world.admin, colleague, Role.ACCOUNT_USER, world.osaka)
    with pytest.raises(BusinessError, match="role_scope_mismatch"):
        give(world, world.admin, colleague, Role.VA_USER)
    with pytest.raises(NotFound):
        give(world, world.admin, colleague, Role.VA_USER, world.other_default)


def test_one_person_has_one_role_per_scope(world: World) -> None:
    with pytest.raises(BusinessError, match="grant_exists"):
        give(world, world.admin, world.viewer, Role.ACCOUNT_USER)


def test_a_partner_users_right_ends_after_a_year_by_itself(world: World) -> None:
    outsider = make_user("tech@other.example.com", "Tech")
    given = give(world, world.admin, outsider, Role.VA_USER, world.osaka)
    assert given.ends_at is not None
    assert dt.timedelta(days=364) < given.ends_at - now() <= dt.timedelta(days=365)
    with pytest.raises(BusinessError, match="end_required"):
        change_grant(world.as_(world.admin), account=world.account, grant_uid=given.uid, ends_at=None)


def test_a_colleague_below_the_identifier_is_no_outsider(world: World) -> None:
    branch = make_user("x@osaka.aozora.example.co.jp", "Branch")
    assert give(world, world.admin, branch, Role.VA_USER, world.osaka).ends_at is None
    lookalike = make_user("x@notaozora.example.co.jp", "Lookalike")
    assert give(world, world.admin, lookalike, Role.VA_USER, world.osaka).ends_at is not None


def test_what_a_partner_grants_ends_no_later_than_his_own_right(world: World, colleague: User) -> None:
    own = of(world, world.partner)
    assert own.ends_at is not None
    assert give(world, world.partner, colleague, Role.VA_VIEWER, world.osaka).ends_at == own.ends_at
    other = make_user("other@hoshu.example.jp", "Other")
    with pytest.raises(BusinessError, match="end_beyond_own"):
        give(world, world.partner, other, Role.VA_VIEWER, world.osaka, own.ends_at + dt.timedelta(days=1))


def test_an_end_in_the_past_is_refused(world: World, colleague: User) -> None:
    with pytest.raises(BusinessError, match="end_in_past"):
        give(world, world.admin, colleague, Role.ACCOUNT_USER, end=now())


def test_a_right_gets_another_role_and_another_end(world: World) -> None:
    end = now() + dt.timedelta(days=10)
    changed = change_grant(
        world.as_(world.admin),
        account=world.account,
        grant_uid=of(world, world.viewer).uid,
        role="account_user",
        ends_at=end,
    )
    assert (changed.role, changed.ends_at) == ("account_user", end)
    event = Event.objects.get(kind="grant.changed")
    assert event.before["role"] == "account_viewer"
    assert event.after["role"] == "account_user"


def test_a_virtual_account_administrator_cannot_touch_what_stands_above_him(world: World) -> None:
    for holder in (world.admin, world.viewer):
        with pytest.raises(NotFound):
            revoke_grant(world.as_(world.osaka_admin), account=world.account, grant_uid=of(world, holder).uid)


def test_a_right_is_revoked_also_out_of_good_standing(world: World) -> None:
    world.account.good_standing_until = None
    world.account.save()
    revoke_grant(world.as_(world.admin), account=world.account, grant_uid=of(world, world.partner).uid)
    assert Grant.objects.get(user=world.partner).revoked_at is not None
    with pytest.raises(BusinessError, match="agreement_pending"):
        give(world, world.admin, world.nobody, Role.VA_USER, world.osaka)


def test_everybody_may_give_up_his_own_right(world: World) -> None:
    revoke_grant(world.as_(world.viewer), account=world.account, grant_uid=of(world, world.viewer).uid)
    assert not Grant.objects.filter(user=world.viewer, revoked_at=None).exists()


def test_the_right_of_another_account_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        revoke_grant(world.as_(world.admin), account=world.account, grant_uid=of(world, world.stranger).uid)
    with pytest.raises(NotFound):
        revoke_grant(world.as_(world.admin), account=world.other_account, grant_uid=of(world, world.stranger).uid)


def test_the_last_administrator_stays(world: World, colleague: User) -> None:
    admin, own = world.as_(world.admin), of(world, world.admin)
    for attempt in (
        lambda: revoke_grant(admin, account=world.account, grant_uid=own.uid),
        lambda: change_grant(admin, account=world.account, grant_uid=own.uid, role="account_user"),
        lambda: change_grant(admin, account=world.account, grant_uid=own.uid, ends_at=now() + dt.timedelta(days=1)),
    ):
        with pytest.raises(BusinessError, match="last_administrator"):
            attempt()
    second = give(world, world.admin, colleague, Role.ACCOUNT_ADMINISTRATOR, end=now() + dt.timedelta(days=400))
    with pytest.raises(BusinessError, match="last_administrator"):  # one with an end does not count
        revoke_grant(admin, account=world.account, grant_uid=own.uid)
    change_grant(admin, account=world.account, grant_uid=second.uid, ends_at=None)
    revoke_grant(admin, account=world.account, grant_uid=own.uid)
    with pytest.raises(BusinessError, match="last_administrator"):
        revoke_grant(world.as_(colleague), account=world.account, grant_uid=second.uid)


@pytest.mark.parametrize("lack", [{"is_active": False}, {"email_confirmed_at": None}])
def test_an_administrator_who_cannot_log_in_does_not_count(
    world: World, colleague: User, lack: dict[str, object]
) -> None:
    give(world, world.admin, colleague, Role.ACCOUNT_ADMINISTRATOR)
    User.objects.filter(pk=colleague.pk).update(**lack)
    with pytest.raises(BusinessError, match="last_administrator"):
        revoke_grant(world.as_(world.admin), account=world.account, grant_uid=of(world, world.admin).uid)


def test_an_end_is_recorded_once_and_the_scope_is_free_again(world: World) -> None:
    ended = of(world, world.partner)
    assert ended.ends_at is not None
    with time_machine.travel(ended.ends_at + dt.timedelta(seconds=1), tick=False):
        with pytest.raises(NotFound):
            give(world, world.partner, world.nobody, Role.VA_VIEWER, world.osaka)
        give(world, world.admin, world.partner, Role.VA_USER, world.osaka)
        assert Event.objects.filter(kind="grant.ended").count() == 1
        assert (end_due_grants(), end_due_grants()) == (0, 0)


def test_the_sweep_records_each_end_once(world: World) -> None:
    ended = of(world, world.partner)
    assert ended.ends_at is not None
    with time_machine.travel(ended.ends_at, tick=False):
        assert (end_due_grants(), end_due_grants()) == (1, 0)
    assert Event.objects.filter(kind="grant.ended", subject="Partner").count() == 1


def test_what_a_role_may_and_may_not_is_told_from_the_matrix() -> None:
    may, may_not = explain(Role.VA_VIEWER)
    assert "see devices" in [str(words) for words in may]
    assert "transfer and assign licenses" in [str(words) for words in may_not]
    assert explain(Role.ACCOUNT_ADMINISTRATOR)[1] == []
