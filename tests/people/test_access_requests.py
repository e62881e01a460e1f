"""A colleague asks for a right; an administrator answers (S9)."""

from __future__ import annotations

import pytest

from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.commands.access_requests import (
    approve_access,
    decline_access,
    request_access,
    withdraw_access_request,
)
from daicho.domain.access.models import AccessRequest, Grant, User
from daicho.domain.access.queries_access import find_accounts_of_own_domain, list_access_requests
from daicho.domain.access.rules import Role
from daicho.domain.mailbox.models import Mail
from tests.world import World, make_user

IDENTIFIER = "aozora.example.co.jp"


@pytest.fixture
def colleague(world: World) -> User:
    return make_user("colleague@osaka.aozora.example.co.jp", "Colleague")


def ask(world: World, who: User, role: Role = Role.VA_USER, **fields: str) -> AccessRequest:
    return request_access(world.as_(who), identifier=IDENTIFIER, role=role, reason="I run the switches", **fields)


def test_a_colleague_finds_the_account_of_his_domain_and_asks(world: World, colleague: User) -> None:
    (found,) = find_accounts_of_own_domain(world.as_(colleague))
    assert (found.identifier, found.administrators, found.has_right) == (IDENTIFIER, ["AOZORA Admin"], False)
    wanted = ask(world, colleague, virtual_account_name="osaka")
    mail = Mail.objects.get(template="access_requested")
    assert (mail.to, mail.context["requester_email"]) == (world.admin.email, colleague.email)
    assert find_accounts_of_own_domain(world.as_(colleague))[0].request == wanted


def test_nobody_else_learns_that_the_account_exists(world: World) -> None:
    lookalike = make_user("x@notaozora.example.co.jp", "Lookalike")
    for outsider in (world.nobody, world.stranger, lookalike, world.operator):
        assert IDENTIFIER not in [found.identifier for found in find_accounts_of_own_domain(world.as_(outsider))]
        with pytest.raises(NotFound):
            ask(world, outsider)


def test_one_open_request_per_person(world: World, colleague: User) -> None:
    ask(world, colleague)
    with pytest.raises(BusinessError, match="already_requested"):
        ask(world, colleague)


def test_an_administrator_approves_what_was_asked(world: World, colleague: User) -> None:
    wanted = ask(world, colleague)
    given = approve_access(
        world.as_(world.admin), account=world.account, request_uid=wanted.uid, virtual_account=world.osaka
    )
    assert (given.role, given.virtual_account, given.user) == ("va_user", world.osaka, colleague)
    assert Mail.objects.get(template="access_approved").to == colleague.email


def test_he_may_give_another_role_than_was_asked(world: World, colleague: User) -> None:
    wanted = ask(world, colleague, Role.ACCOUNT_ADMINISTRATOR)
    given = approve_access(
        world.as_(world.admin), account=world.account, request_uid=wanted.uid, role=Role.ACCOUNT_VIEWER
    )
    assert given.role == "account_viewer"
    assert Mail.objects.get(template="access_approved").context["role"] == "account_viewer"


def test_who_is_in_already_gets_the_approved_role_in_place_of_his_own(world: World) -> None:
    wanted = ask(world, world.viewer, Role.ACCOUNT_USER)
    approve_access(world.as_(world.admin), account=world.account, request_uid=wanted.uid)
    assert Grant.objects.get(user=world.viewer, revoked_at=None).role == "account_user"


def test_he_declines_for_a_reason(world: World, colleague: User) -> None:
    wanted = ask(world, colleague)
    with pytest.raises(BusinessError, match="reason_missing"):
        decline_access(world.as_(world.admin), account=world.account, request_uid=wanted.uid, reason=" ")
    decline_access(world.as_(world.admin), account=world.account, request_uid=wanted.uid, reason="Ask your manager")
    assert Mail.objects.get(template="access_declined").context["reason"] == "Ask your manager"
    assert not Grant.objects.filter(user=colleague).exists()


def test_an_answered_or_withdrawn_request_is_answered_no_more(world: World, colleague: User) -> None:
    wanted = ask(world, colleague)
    withdraw_access_request(world.as_(colleague), request_uid=wanted.uid)
    with pytest.raises(BusinessError, match="already_answered"):
        approve_access(
            world.as_(world.admin), account=world.account, request_uid=wanted.uid, virtual_account=world.osaka
        )
    with pytest.raises(BusinessError, match="already_answered"):
        withdraw_access_request(world.as_(colleague), request_uid=wanted.uid)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("viewer", Forbidden), ("approver", NotFound), ("osaka_admin", NotFound), ("stranger", NotFound)],
)
def test_only_account_administrators_answer(
    world: World, colleague: User, who: str, refusal: type[BusinessError]
) -> None:
    wanted = ask(world, colleague)
    actor = world.as_(getattr(world, who))
    with pytest.raises(refusal):
        approve_access(actor, account=world.account, request_uid=wanted.uid, virtual_account=world.osaka)
    with pytest.raises(refusal):
        decline_access(actor, account=world.account, request_uid=wanted.uid, reason="No")


def test_a_viewer_of_the_account_reads_the_requests(world: World, colleague: User) -> None:
    ask(world, colleague)
    assert len(list_access_requests(world.as_(world.viewer), world.account).rows) == 1
    with pytest.raises(NotFound):
        list_access_requests(world.as_(world.osaka_admin), world.account)


def test_another_persons_request_is_not_withdrawn(world: World, colleague: User) -> None:
    wanted = ask(world, colleague)
    with pytest.raises(NotFound):
        withdraw_access_request(world.as_(world.viewer), request_uid=wanted.uid)
