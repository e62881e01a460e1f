"""Short words for the tests of the ledger: the acts of the world's administrator."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.commands.transfer import Move, TransferOutcome, transfer_licenses
from daicho.domain.ledger.commands.use import UseLine, assign_licenses, release_licenses
from daicho.domain.ledger.models import Entry, Unit
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World, make_world


@dataclass
class Ledger:
    """The world and what its administrator does to the ledger."""

    world: World

    @property
    def admin(self) -> Any:
        return self.world.as_(self.world.admin)

    def assign(self, unit: Unit, tag: LicenseTag, quantity: int, request_id: uuid.UUID | None = None) -> None:
        assign_licenses(
            self.admin,
            account=self.world.account,
            unit=unit,
            request_id=request_id or uuid.uuid4(),
            lines=[UseLine(tag, quantity)],
        )

    def release(self, unit: Unit, tag: LicenseTag, quantity: int, request_id: uuid.UUID | None = None) -> None:
        release_licenses(
            self.admin,
            account=self.world.account,
            unit=unit,
            request_id=request_id or uuid.uuid4(),
            lines=[UseLine(tag, quantity)],
        )

    def transfer(
        self,
        source: VirtualAccount,
        target: VirtualAccount,
        tag: LicenseTag,
        quantity: int,
        *,
        lot_uid: str | None = None,
        **options: Any,
    ) -> TransferOutcome:
        options.setdefault("request_id", uuid.uuid4())
        move = Move(source, target, tag, quantity, lot_uid)
        return transfer_licenses(self.admin, account=self.world.account, moves=[move], **options)

    def entry(self, *args: Any, **options: Any) -> Entry:
        entry = self.transfer(*args, **options).entry
        assert entry is not None
        return entry

    def figures(self, virtual_account: VirtualAccount, tag: LicenseTag) -> tuple[int, int, int]:
        """On hand, in use, balance."""
        pool = self.world.pool(virtual_account, tag)
        return pool.on_hand, pool.in_use, pool.balance


@pytest.fixture
def ledger(db: None) -> Ledger:
    return Ledger(make_world())


def refusal(act: Callable[[], object]) -> BusinessError:
    """The refusal that an act must meet."""
    with pytest.raises(BusinessError) as caught:
        act()
    return caught.value
