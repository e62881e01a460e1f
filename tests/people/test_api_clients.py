"""Programs: a secret shown once, scopes, an end, rights of their own."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.commands.api_clients import (
    NewSecret,
    Right,
    change_api_client,
    create_api_client,
    create_operator_api_client,
    create_partner_api_client,
    give_api_client_grant,
    revoke_api_client,
    rotate_api_client_secret,
)
from daicho.domain.access.commands.partners import change_partner_company
from daicho.domain.access.models import ApiClient, Grant
from daicho.domain.access.policy import ensure_may, ensure_operator, ensure_partner
from daicho.domain.access.queries import authenticate_api_client
from daicho.domain.access.rules import OperatorPermission, Permission, Role
from tests.world import World, grant


def create(world: World, **fields: object) -> NewSecret:
    values = {"name": "nightly", "scopes": ["licenses.view"], "rights": [Right(Role.ACCOUNT_USER)]} | fields
    return create_api_client(world.as_(world.admin), account=world.account, **values)  # type: ignore[arg-type]


def test_a_program_may_what_both_its_scopes_and_its_rights_allow(world: World) -> None:
    made = create(world)
    actor = authenticate_api_client(made.client.uid, made.secret)
    assert actor is not None
    ensure_may(actor, Permission.LICENSES_VIEW, world.account, world.tokyo)
    with pytest.raises(Forbidden):
        ensure_may(actor, Permission.LICENSES_MANAGE, world.account, world.tokyo)


def test_only_the_hash_of_the_secret_is_kept(world: World) -> None:
    made = create(world)
    assert made.secret not in str(ApiClient.objects.values().get())


@pytest.mark.parametrize("wrong", ["", "x" * 43])
def test_a_wrong_secret_lets_nobody_in(world: World, wrong: str) -> None:
    assert authenticate_api_client(create(world).client.uid, wrong) is None
    assert authenticate_api_client("0" * 13, wrong) is None


def test_an_ended_or_revoked_program_is_shut_out_and_its_rights_are_over(world: World) -> None:
    made = create(world, ends_at=now() + dt.timedelta(days=1))
    with time_machine.travel(now() + dt.timedelta(days=1), tick=False):
        assert authenticate_api_client(made.client.uid, made.secret) is None
    revoke_api_client(world.as_(world.admin), account=world.account, client_uid=made.client.uid)
    assert authenticate_api_client(made.client.uid, made.secret) is None
    assert not Grant.objects.filter(api_client=made.client, revoked_at=None).exists()


def test_a_rotated_secret_stops_working_at_once(world: World) -> None:
    made = create(world)
    fresh = rotate_api_client_secret(world.as_(world.admin), account=world.account, client_uid=made.client.uid)
    assert authenticate_api_client(made.client.uid, made.secret) is None
    assert authenticate_api_client(made.client.uid, fresh.secret) is not None


def test_scopes_are_permission_codes(world: World) -> None:
    with pytest.raises(BusinessError, match="unknown_scope"):
        create(world, scopes=["licenses.steal"])
    with pytest.raises(BusinessError, match="name_missing"):
        create(world, name=" ")


def test_a_program_gets_further_rights_and_other_scopes(world: World) -> None:
    made = create(world, rights=[])
    admin = world.as_(world.admin)
    give_api_client_grant(
        admin, account=world.account, client_uid=made.client.uid, role="va_viewer", virtual_account=world.osaka
    )
    changed = change_api_client(
        admin, account=world.account, client_uid=made.client.uid, name="weekly", scopes=["devices.view"], ends_at=None
    )
    actor = authenticate_api_client(made.client.uid, made.secret)
    assert actor is not None
    assert changed.name == actor.name == "weekly"
    ensure_may(actor, Permission.DEVICES_VIEW, world.account, world.osaka)
    with pytest.raises(NotFound):
        ensure_may(actor, Permission.LICENSES_VIEW, world.account, world.osaka)


def test_the_program_of_a_partner_administrator_ends_with_his_right(world: World) -> None:
    outsider = grant(world.nobody, Role.ACCOUNT_ADMINISTRATOR, world.account)
    made = create_api_client(
        world.as_(world.nobody), account=world.account, name="x", scopes=["licenses.view"],
        rights=[Right(Role.ACCOUNT_VIEWER)],
    )  # fmt: skip
    assert made.client.ends_at == outsider.ends_at


@pytest.mark.parametrize("who", ["user", "viewer", "approver", "osaka_admin", "partner", "stranger"])
def test_only_account_administrators_manage_programs(world: World, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        create_api_client(world.as_(getattr(world, who)), account=world.account, name="x", scopes=[])


def test_a_partner_companys_program_is_shut_out_with_the_company(world: World) -> None:
    operator = world.as_(world.operator)
    made = create_partner_api_client(operator, company=world.reseller_company, name="orders")
    actor = authenticate_api_client(made.client.uid, made.secret)
    assert actor is not None
    ensure_partner(actor, world.reseller_company)
    change_partner_company(
        operator, company_uid=world.reseller_company.uid, name=world.reseller_company.name, is_active=False
    )
    assert authenticate_api_client(made.client.uid, made.secret) is None


def test_an_operators_program_acts_for_the_operator(world: World) -> None:
    made = create_operator_api_client(world.as_(world.operator), name="erp", scopes=["operator.orders"])
    actor = authenticate_api_client(made.client.uid, made.secret)
    assert actor is not None
    ensure_operator(actor, OperatorPermission.ORDERS)
    with pytest.raises(Forbidden):
        ensure_operator(actor, OperatorPermission.CATALOG)
    with pytest.raises(NotFound):
        create_operator_api_client(world.as_(world.admin), name="x")
