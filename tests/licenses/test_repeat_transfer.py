"""A transfer is repeated by a draft that is filled in; nothing moves before it is checked."""

from __future__ import annotations

import uuid

from daicho.core.clock import now
from daicho.domain.access.models import Draft
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.models import Entry
from daicho.interfaces.portal.views.transfers_draft import MOST_ROWS, MOST_TARGETS, TransferForm
from tests.licenses.conftest import A
from tests.world import World


def test_a_transfer_is_prefilled_as_it_was_and_acts_as_any_other(world: World) -> None:
    world.deposit(world.advantage, 100, world.tokyo)
    world.deposit(world.storage, 50, world.tokyo)
    moves = [
        Move(world.tokyo, world.osaka, world.advantage, 3),
        Move(world.tokyo, world.default, world.advantage, 4),
        Move(world.tokyo, world.osaka, world.storage, 5),
    ]
    done = transfer_licenses(
        world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), moves=moves, memo="R-1"
    )
    assert done.entry is not None
    browser, address = world.client(world.admin), f"{A}/transfers/{done.entry.uid}/"
    assert f'action="{address}again/"' in browser.get(address).content.decode()
    draft = browser.post(f"{address}again/")["Location"]
    page = browser.get(draft).content.decode()
    adv, sto = world.pool(world.tokyo, world.advantage), world.pool(world.tokyo, world.storage)
    form = TransferForm.from_data(Draft.objects.get().data)
    assert {row: dict(zip(form.targets, cells, strict=True)) for row, cells in form.cells.items()} == {
        adv.uid: {world.osaka.uid: "3", world.default.uid: "4"},
        sto.uid: {world.osaka.uid: "5", world.default.uid: ""},
    }
    assert (form.memo, page.count("selected>Osaka")) == ("", 1)
    assert Entry.objects.filter(kind="transfer").count() == 1
    assert browser.get(f"{draft}check/").status_code == 200


def test_who_may_not_move_it_again_is_told_so(world: World) -> None:
    world.deposit(world.advantage, 100, world.tokyo)
    moves = [Move(world.tokyo, world.osaka, world.advantage, 3)]
    done = transfer_licenses(world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), moves=moves)
    assert done.entry is not None
    address = f"{A}/transfers/{done.entry.uid}/"
    assert world.client(world.osaka_admin).post(f"{address}again/")["Location"] == address
    assert world.client(world.viewer).post(f"{address}again/").status_code == 403
    world.osaka.deleted_at = now()
    world.osaka.save()
    assert world.client(world.admin).post(f"{address}again/")["Location"] == address
    assert not Draft.objects.exists()


def test_a_draft_takes_as_many_rows_and_targets_as_the_wizard_shows(world: World) -> None:
    from daicho.domain.ledger.models import Pool
    from daicho.domain.tenancy.models import VirtualAccount

    places = [VirtualAccount(uid=f"v{number}") for number in range(MOST_TARGETS + 1)]
    pools = [Pool(uid=f"p{number}") for number in range(MOST_ROWS + 1)]
    form, is_whole = TransferForm.from_moves((pools[0], place, 1) for place in places)
    assert (len(form.targets), form.cells["p0"], is_whole) == (MOST_TARGETS, ["1"] * MOST_TARGETS, False)
    form, is_whole = TransferForm.from_moves((pool, places[0], 2) for pool in pools)
    assert (len(form.rows), is_whole) == (MOST_ROWS, False)
