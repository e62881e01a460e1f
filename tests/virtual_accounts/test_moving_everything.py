"""A virtual account is emptied into another one in a single act, so that it can be deleted."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden
from daicho.domain.accounts.commands.virtual_accounts import delete_virtual_account
from daicho.domain.accounts.commands.virtual_accounts_move import empty_virtual_account, preview_emptying
from daicho.domain.devices.commands.records import create_device
from daicho.domain.ledger.commands.use import UseLine, assign_licenses
from daicho.domain.ledger.models import Entry
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World


def move(world: World, request_id: uuid.UUID | None = None) -> Entry:
    return empty_virtual_account(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, target=world.tokyo,
        request_id=request_id or uuid.uuid4(),
    )  # fmt: skip


def device_using(world: World, quantity: int, tag: str = "advantage") -> None:
    admin = world.as_(world.admin)
    device = create_device(
        admin, account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(), name=f"switch {tag}"
    )
    line = UseLine(getattr(world, tag), quantity)
    assign_licenses(admin, account=world.account, unit=device.unit, request_id=uuid.uuid4(), lines=[line])


def test_lots_and_devices_with_their_use_go_along_even_enforced_ones(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    world.deposit(world.security, 5, world.osaka)
    world.deposit(world.storage, 9, world.osaka, start=now() + dt.timedelta(days=3))
    device_using(world, 20)
    device_using(world, 5, "security")
    move(world)
    assert world.pool(world.tokyo, world.advantage).in_use == 20
    assert world.pool(world.tokyo, world.security).balance == 0
    assert world.pool(world.tokyo, world.storage).pending == 9
    pool = world.pool(world.osaka, world.advantage)
    assert (pool.on_hand, pool.in_use) == (0, 0)
    delete_virtual_account(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, typed_name="Osaka"
    )
    assert VirtualAccount.objects.get(pk=world.osaka.pk).deleted_at is not None


def test_the_preview_tells_balances_and_changes_nothing(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    world.deposit(world.advantage, 1, world.tokyo)
    device_using(world, 3)
    plan = preview_emptying(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, target=world.tokyo
    )
    told = {(effect.virtual_account.name, effect.tag.sku): (effect.before, effect.after) for effect in plan.effects}
    assert told == {("Osaka", "NET-ADV"): (17, 0), ("AOZORA Tokyo", "NET-ADV"): (1, 18)}
    assert (plan.is_possible, plan.inside.devices) == (True, 1)
    assert world.pool(world.osaka, world.advantage).on_hand == 20


def test_the_same_request_again_does_nothing(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    request_id = uuid.uuid4()
    assert move(world, request_id).pk == move(world, request_id).pk
    assert world.pool(world.tokyo, world.advantage).on_hand == 20


def test_only_an_administrator_of_the_account_moves_everything(world: World) -> None:
    for who in (world.user, world.osaka_admin):
        with pytest.raises((Forbidden, BusinessError)) as refused:
            empty_virtual_account(
                world.as_(who), account=world.account, virtual_account=world.osaka, target=world.tokyo,
                request_id=uuid.uuid4(),
            )  # fmt: skip
        assert refused.value.http_status in (403, 404)
