"""Guided "move everything to …": what empties a virtual account, so that it can be deleted (product.md, VA)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.queries_virtual_accounts import Inside, what_is_inside
from daicho.domain.audit.record import record
from daicho.domain.devices.models import Device
from daicho.domain.ledger.commands.emptying import move_everything, preview_move_everything
from daicho.domain.ledger.commands.transfer import PoolEffect
from daicho.domain.ledger.models import Entry
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class EmptyingPlan:
    """What moving everything would do: balances before and after, and how many devices go along."""

    inside: Inside
    effects: list[PoolEffect]

    @property
    def is_possible(self) -> bool:
        return not any(effect.missing for effect in self.effects)


@command(permission=Permission.VIRTUAL_ACCOUNTS_MANAGE, events=("license.transferred", "device.moved"))
def empty_virtual_account(
    actor: Actor,
    *,
    account: SmartAccount,
    virtual_account: VirtualAccount,
    target: VirtualAccount,
    request_id: uuid.UUID,
    memo: str = "",
) -> Entry:
    """All licenses and devices of a virtual account go to another one in a single act; rights and children stay.

    Raises `not_enough_licenses` where an enforced license would become short, `same_virtual_account`,
    `too_many_lines`.
    """
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account)
    if (first := Entry.objects.filter(account=account, request_id=request_id).first()) is not None:
        return first
    devices = list(Device.objects.filter(unit__virtual_account=virtual_account, removed_at=None))
    entry = move_everything(
        actor, account=account, source=virtual_account, target=target, request_id=request_id, memo=memo
    )
    for device in devices:
        for here, there, direction in ((virtual_account, target, "out"), (target, virtual_account, "in")):
            record(
                actor, "device.moved", account=account, virtual_account=here, other_virtual_account=there,
                subject=device.name, subject_uid=device.uid, after={"direction": direction}, memo=memo, act=request_id,
            )  # fmt: skip
    return entry


def preview_emptying(
    actor: Actor, *, account: SmartAccount, virtual_account: VirtualAccount, target: VirtualAccount
) -> EmptyingPlan:
    """What `empty_virtual_account` would do; changes nothing."""
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account)
    preview = preview_move_everything(actor, account=account, source=virtual_account, target=target)
    return EmptyingPlan(what_is_inside(virtual_account), preview.effects)
