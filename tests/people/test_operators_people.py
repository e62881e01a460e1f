"""What the operator does with people: appoints administrators, keeps partner companies, is created at the console."""

from __future__ import annotations

import pytest

from daicho.core.actor import Actor
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.commands.administrators import appoint_administrator
from daicho.domain.access.commands.partners import (
    add_partner_member,
    change_partner_company,
    create_partner_company,
    remove_partner_member,
)
from daicho.domain.access.commands.people import create_operator
from daicho.domain.access.models import Grant, PartnerMember, User
from daicho.domain.access.policy import ensure_partner
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.world import World, make_user


def test_an_appointed_administrator_is_told_to_everybody_with_a_role(world: World) -> None:
    User.objects.filter(pk=world.admin.pk).update(is_active=False)
    colleague = make_user("colleague@aozora.example.co.jp", "Colleague")
    given = appoint_administrator(
        world.as_(world.operator), account=world.account, email=colleague.email, reason="The administrator has left."
    )
    assert (given.user, given.role, given.ends_at) == (colleague, "account_administrator", None)
    told = set(Mail.objects.filter(template="administrator_appointed").values_list("to", flat=True))
    assert told == {
        colleague.email, world.approver.email, world.user.email, world.viewer.email, world.osaka_admin.email,
        world.partner.email,
    }  # fmt: skip
    assert Event.objects.get(kind="account.administrator_appointed").memo == "The administrator has left."


def test_a_viewer_can_be_appointed_too(world: World) -> None:
    appoint_administrator(world.as_(world.operator), account=world.account, email=world.viewer.email, reason="Left.")
    assert Grant.objects.get(user=world.viewer, revoked_at=None).role == "account_administrator"


@pytest.mark.parametrize(
    ("email", "reason", "code"),
    [
        ("partner@hoshu.example.jp", "x", "address_of_another_domain"),
        ("unknown@aozora.example.co.jp", "x", "unknown_user"),
        ("viewer@aozora.example.co.jp", " ", "reason_missing"),
        ("viewer", "x", "bad_address"),
    ],
)
def test_the_address_is_the_accounts_own_and_known_and_there_is_a_reason(
    world: World, email: str, reason: str, code: str
) -> None:
    with pytest.raises(BusinessError, match=code):
        appoint_administrator(world.as_(world.operator), account=world.account, email=email, reason=reason)


def test_nobody_but_the_operator_appoints_or_keeps_partner_companies(world: World) -> None:
    for who in (world.admin, world.stranger, world.reseller):
        with pytest.raises(NotFound):
            appoint_administrator(world.as_(who), account=world.account, email=world.viewer.email, reason="x")
        with pytest.raises(NotFound):
            create_partner_company(world.as_(who), name="Mine")
        with pytest.raises(NotFound):
            add_partner_member(world.as_(who), company_uid=world.reseller_company.uid, email=who.email)


def test_members_come_and_go(world: World) -> None:
    operator, company = world.as_(world.operator), create_partner_company(world.as_(world.operator), name="Hoshu K.K.")
    add_partner_member(operator, company_uid=company.uid, email="PARTNER@hoshu.example.jp")
    add_partner_member(operator, company_uid=company.uid, email="partner@hoshu.example.jp")
    assert PartnerMember.objects.filter(company=company).count() == 1
    ensure_partner(world.as_(world.partner), company)
    remove_partner_member(operator, company_uid=company.uid, user_uid=world.partner.uid)
    with pytest.raises(NotFound):
        ensure_partner(world.as_(world.partner), company)
    with pytest.raises(BusinessError, match="unknown_user"):
        add_partner_member(operator, company_uid=company.uid, email="unknown@hoshu.example.jp")


def test_an_inactive_company_lets_nobody_in(world: World) -> None:
    change_partner_company(
        world.as_(world.operator), company_uid=world.reseller_company.uid, name="Reseller", is_active=False
    )
    with pytest.raises(NotFound):
        ensure_partner(world.as_(world.reseller), world.reseller_company)


def test_company_names_are_unique_whatever_their_case_and_width(world: World) -> None:
    with pytest.raises(BusinessError, match="name_taken"):
        create_partner_company(world.as_(world.operator), name="ｒｅｓｅｌｌｅｒ k.k.")


@pytest.mark.django_db
def test_the_console_makes_an_operator_who_can_log_in() -> None:
    made = create_operator(
        Actor.system("console", interface="cli"), email="Boss@Vendor.example", password="a long password"
    )
    assert (made.email, made.is_operator) == ("boss@vendor.example", True)
    assert made.email_confirmed_at is not None
    assert made.check_password("a long password")
    with pytest.raises(BusinessError, match="password_missing"):
        create_operator(Actor.system(), email="other@vendor.example", password="")


def test_nobody_but_the_console_makes_operators(world: World) -> None:
    with pytest.raises(NotFound):
        create_operator(world.as_(world.operator), email="x@vendor.example", password="a long password")
