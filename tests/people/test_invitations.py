"""Invitations by mail, one or many (S22)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.commands.grants import revoke_grant
from daicho.domain.access.commands.invitations import (
    Invited,
    accept_invitation,
    invite,
    invite_many,
    resend_invitation,
    withdraw_invitation,
)
from daicho.domain.access.errors import RowErrors
from daicho.domain.access.invitation_file import read_invitations
from daicho.domain.access.models import Grant, Invitation, User
from daicho.domain.access.queries_access import read_invitation
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.world import World, make_user

MAIL = "new@aozora.example.co.jp"


def send(
    world: World, email: str = MAIL, role: Role = Role.ACCOUNT_USER, who: User | None = None, **fields: object
) -> str:
    """Invite somebody and take the secret out of the mail."""
    invite(world.as_(who or world.admin), account=world.account, email=email, role=role, **fields)  # type: ignore[arg-type]
    return secret()


def secret() -> str:
    return Mail.objects.filter(template="invitation").latest("pk").context["secret"]


def test_an_invitation_is_mailed_read_and_accepted_once(world: World) -> None:
    link = send(world, name="Newcomer")
    assert Mail.objects.get(template="invitation").to == MAIL
    newcomer = make_user(MAIL, "Newcomer")
    offer = read_invitation(link)
    assert (offer.can_be_accepted, offer.role, offer.identifier) == (True, "account_user", "aozora.example.co.jp")
    given = accept_invitation(world.as_(newcomer), secret=link)
    assert (given.user, given.role) == (newcomer, "account_user")
    assert not read_invitation(link).can_be_accepted
    with pytest.raises(BusinessError, match="invitation_over"):
        accept_invitation(world.as_(newcomer), secret=link)
    assert list(Event.objects.filter(kind__startswith="invitation.").values_list("kind", flat=True)) == [
        "invitation.sent",
        "invitation.accepted",
    ]


def test_reading_a_link_changes_nothing(world: World) -> None:
    link = send(world)
    before = Invitation.objects.values().get()
    read_invitation(link)
    assert Invitation.objects.values().get() == before


def test_only_the_secrets_hash_is_kept(world: World) -> None:
    link = send(world)
    assert link not in str(Invitation.objects.values().get())


def test_it_counts_only_for_the_invited_address(world: World) -> None:
    link = send(world)
    with pytest.raises(BusinessError, match="invitation_for_another_address"):
        accept_invitation(world.as_(world.nobody), secret=link)
    assert not Grant.objects.filter(user=world.nobody).exists()


def test_addresses_are_compared_whatever_their_case_and_width(world: World) -> None:
    link = send(world, "ＮＥＷ@Aozora.Example.co.jp")
    assert accept_invitation(world.as_(make_user(MAIL, "Newcomer")), secret=link).role == "account_user"


def test_after_fourteen_days_it_is_over(world: World) -> None:
    link = send(world)
    newcomer = make_user(MAIL, "Newcomer")
    late = time_machine.travel(now() + dt.timedelta(days=14, seconds=1), tick=False)
    with late, pytest.raises(BusinessError, match="invitation_over"):
        accept_invitation(world.as_(newcomer), secret=link)


def test_sending_again_makes_a_new_link_and_ends_the_old_one(world: World) -> None:
    old = send(world)
    invitation = Invitation.objects.get()
    resend_invitation(world.as_(world.admin), account=world.account, invitation_uid=invitation.uid)
    with pytest.raises(NotFound):
        read_invitation(old)
    assert read_invitation(secret()).can_be_accepted


def test_a_withdrawn_one_is_over(world: World) -> None:
    link = send(world)
    withdraw_invitation(world.as_(world.admin), account=world.account, invitation_uid=Invitation.objects.get().uid)
    with pytest.raises(BusinessError, match="invitation_over"):
        accept_invitation(world.as_(make_user(MAIL, "Newcomer")), secret=link)


def test_it_ends_with_the_inviters_own_right(world: World) -> None:
    link = send(world, role=Role.VA_USER, who=world.partner, virtual_account=world.osaka)
    own = Grant.objects.get(user=world.partner)
    assert Invitation.objects.get().grant_ends_at == own.ends_at
    revoke_grant(world.as_(world.admin), account=world.account, grant_uid=own.uid)
    with pytest.raises(BusinessError, match="invitation_over"):
        accept_invitation(world.as_(make_user(MAIL, "Newcomer")), secret=link)


def test_out_of_good_standing_it_waits(world: World) -> None:
    link = send(world)
    world.account.good_standing_until = None
    world.account.save()
    with pytest.raises(BusinessError, match="agreement_pending"):
        accept_invitation(world.as_(make_user(MAIL, "Newcomer")), secret=link)
    assert Invitation.objects.get().state == "open"


def test_who_is_in_or_invited_is_not_invited_twice(world: World) -> None:
    with pytest.raises(BusinessError, match="grant_exists"):
        send(world, world.viewer.email)
    send(world)
    with pytest.raises(BusinessError, match="already_invited"):
        send(world)


def test_a_virtual_account_administrator_does_not_learn_of_others_invitations(world: World) -> None:
    send(world)
    with pytest.raises(NotFound):
        withdraw_invitation(
            world.as_(world.osaka_admin), account=world.account, invitation_uid=Invitation.objects.get().uid
        )


@pytest.mark.parametrize("address", ["", "no-at-sign", "a@b", "a b@example.com", "x" * 250 + "@example.com"])
def test_what_is_no_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(BusinessError, match="bad_address"):
        send(world, address)


FILE = """メールアドレス,氏名,役割,バーチャルアカウント,有効期限,言語
hanako@aozora.example.co.jp,佐藤 花子,account_user,,,日本語
taro@aozora.example.co.jp,山田 太郎,va_viewer,OSAKA,2099/03/31,ja
tech@other.example.com,Tech,va_user,Osaka,,en
viewer@aozora.example.co.jp,Viewer,account_viewer,,,
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_many_are_invited_from_a_file(world: World, encoding: str) -> None:
    content = FILE.encode(encoding)
    done = invite_many(world.as_(world.admin), account=world.account, content=content)
    assert done == Invited(sent=3, unchanged=1)
    taro = Invitation.objects.get(email="taro@aozora.example.co.jp")
    assert taro.virtual_account == world.osaka
    assert taro.grant_ends_at == dt.datetime(2099, 3, 31, 15, tzinfo=dt.UTC)
    tech = Invitation.objects.get(email="tech@other.example.com")
    assert (tech.language, tech.grant_ends_at is not None) == ("en", True)
    again = invite_many(world.as_(world.admin), account=world.account, content=content)
    assert again == Invited(sent=0, unchanged=4)


def test_every_wrong_row_is_told_and_nobody_is_invited(world: World) -> None:
    text = (
        "mail,role,virtual account,end\n"
        "good@aozora.example.co.jp,account_user,,\n"
        "bad address,account_user,,\n"
        "a@aozora.example.co.jp,king,,\n"
        "b@aozora.example.co.jp,va_user,Nowhere,\n"
        "c@aozora.example.co.jp,va_user,,\n"
        "d@aozora.example.co.jp,account_user,,2001-01-01\n"
        "e@aozora.example.co.jp,account_user,,soon\n"
        "good@aozora.example.co.jp,account_user,,\n"
        "viewer@aozora.example.co.jp,account_user,,\n"
    )
    with pytest.raises(RowErrors) as refused:
        invite_many(world.as_(world.admin), account=world.account, content=text.encode())
    assert [(row["row"], row["column"], row["code"]) for row in refused.value.data["rows"]] == [
        (3, "email", "bad_address"),
        (4, "role", "unknown_role"),
        (5, "virtual_account", "unknown_virtual_account"),
        (6, "role", "role_scope_mismatch"),
        (7, "ends_on", "end_in_past"),
        (8, "ends_on", "bad_date"),
        (9, "email", "row_repeated"),
        (10, "role", "grant_exists"),
    ]
    assert not Invitation.objects.exists()


def test_in_a_partners_file_other_virtual_accounts_do_not_exist(world: World) -> None:
    text = "mail,role,virtual_account\nx@hoshu.example.jp,va_user,AOZORA Tokyo\ny@hoshu.example.jp,va_user,Nowhere\n"
    plan = read_invitations(world.as_(world.partner), world.account, text.encode())
    assert {error["code"] for error in plan.errors} == {"unknown_virtual_account"}
    assert plan.errors[0]["message"] == plan.errors[1]["message"]
