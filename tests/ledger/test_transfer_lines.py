"""Lines of a large transfer succeed or fail alone: as if each had been an act of its own, but in one entry."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction

from daicho.core.errors import BusinessError
from daicho.domain.audit.models import Event
from daicho.domain.ledger.batch import UseRequest, ask_many
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.transfer_lines import Line, LinesDone, transfer_lines
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.models import Entry, Holding, Pool
from tests.ledger.conftest import Ledger, refusal
from tests.world import make_virtual_account


def sent(ledger: Ledger, lines: Sequence[Line], content: object = "part 1", **more: Any) -> LinesDone:
    act: dict[str, Any] = {"account": ledger.world.account, "request_id": uuid.uuid4()} | more
    return transfer_lines(ledger.admin, content=content, lines=lines, **act)


def stock(ledger: Ledger) -> None:
    """A ladder that lends, something enforced and short, lots of several ends."""
    world = ledger.world
    for tag, place, quantity in (
        (world.premier, world.tokyo, 12), (world.advantage, world.tokyo, 5), (world.essentials, world.osaka, 9),
        (world.storage, world.tokyo, 20), (world.storage, world.osaka, 3), (world.security, world.osaka, 4),
    ):  # fmt: skip
        world.deposit(tag, quantity, place)
        world.deposit(tag, 2, place)
    ledger.assign(world.unit(world.tokyo), world.essentials, 8)
    ask_many([UseRequest.ask(world.unit(world.osaka), uuid.uuid4(), [(world.storage, 7)])])
    ledger.assign(world.unit(world.osaka), world.security, 3)


def state() -> list[tuple[object, ...]]:
    """What lies where, and what pools say, without words for rows that differ only in their keys."""
    pools = Pool.objects.order_by("virtual_account", "tag")
    found: list[tuple[object, ...]] = list(
        pools.values_list("virtual_account", "tag", "on_hand", "in_use", "lent", "borrowed", "balance")
    )
    lying = Holding.objects.filter(place__virtual_account__isnull=False, quantity__gt=0).order_by("place", "lot")
    return found + list(lying.values_list("place__virtual_account", "lot", "quantity"))


@pytest.mark.parametrize("seed", range(2))
def test_a_batch_of_lines_ends_as_the_same_lines_one_by_one(ledger: Ledger, seed: int) -> None:
    world, chance = ledger.world, random.Random(seed)
    stock(ledger)
    places, tags = (
        [world.tokyo, world.osaka, world.default],
        [world.premier, world.advantage, world.essentials, world.storage, world.security],
    )
    lines = []
    for number in range(40):
        source, target = chance.sample(places, 2)
        lines.append(Line(number, source, target, chance.choice(tags), chance.randint(1, 9)))
    refused, texts = set(), {}
    with transaction.atomic():
        for line in lines:
            move = Move(line.source, line.target, line.tag, line.quantity or 0)
            try:
                transfer_licenses(ledger.admin, account=world.account, request_id=uuid.uuid4(), moves=[move])
            except BusinessError as error:
                refused.add(line.number)
                texts[line.number] = error.text()
        singly = state()
        transaction.set_rollback(True)
    done = sent(ledger, lines)
    assert {one.number for one in done.refused} == refused
    assert 0 < len(refused) < 40
    assert {one.number: one.text for one in done.refused} == texts
    assert [row for row in state() if any(row[2:])] == [row for row in singly if any(row[2:])]
    assert done.quantity == sum(line.quantity or 0 for line in lines if line.number not in refused)


def test_the_same_part_again_gets_its_first_answer_and_other_content_is_refused(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    lines = [Line(2, world.tokyo, world.osaka, world.storage, 8), Line(3, world.tokyo, world.osaka, world.storage, 8)]
    act: dict[str, Any] = {"request_id": uuid.uuid4()}
    first = sent(ledger, lines, **act)
    again = sent(ledger, lines, **act)
    assert [(one.number, one.code, one.column) for one in first.refused] == [(3, "not_enough_licenses", "quantity")]
    assert (again.entry, again.quantity, again.refused) == (first.entry, 8, first.refused)
    assert ledger.figures(world.osaka, world.storage)[0] == 8
    assert refusal(lambda: sent(ledger, lines, content="another", **act)).code == "request_id_reused"


def test_all_that_is_spare_is_what_is_spare_when_the_line_has_its_turn(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.premier, 10, world.tokyo)
    world.deposit(world.storage, 4, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.essentials, 3)
    lines = [
        Line(1, world.tokyo, world.osaka, world.premier, 5),
        Line(2, world.tokyo, world.osaka, world.premier, None),
        Line(3, world.tokyo, world.osaka, world.premier, None),
        Line(4, world.tokyo, world.osaka, world.storage, None),
    ]
    done = sent(ledger, lines)
    assert [(one.number, one.code) for one in done.refused] == [(3, "nothing_spare")]
    assert (done.quantity, ledger.figures(world.tokyo, world.premier)[0]) == (11, 3)
    assert ledger.figures(world.osaka, world.premier)[0] == 7
    assert Event.objects.filter(kind="license.transferred").count() == 4
    assert done.entry is not None
    undo_entry(ledger.admin, account=world.account, entry_uid=done.entry.uid, request_id=uuid.uuid4())
    assert ledger.figures(world.tokyo, world.premier)[0] == 10


def test_where_nothing_can_move_nothing_is_written(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 1, world.osaka)
    pools = Pool.objects.count()
    lines = [
        Line(2, world.tokyo, world.osaka, world.storage, 8),
        Line(3, world.tokyo, world.default, world.storage, 1, lot.uid),
        Line(4, world.osaka, world.osaka, world.storage, 1),
    ]
    done = sent(ledger, lines)
    codes = [(one.column, one.code) for one in done.refused]
    assert codes == [("quantity", "not_enough_licenses"), ("lot", "not_found"), ("target", "same_virtual_account")]
    assert done.entry is None
    assert (Entry.objects.filter(kind="transfer").count(), Pool.objects.count()) == (0, pools)


def test_a_source_that_wants_approval_keeps_what_it_has(ledger: Ledger) -> None:
    world = ledger.world
    world.account.transfers_need_approval = True
    world.account.save()
    world.deposit(world.storage, 9, world.osaka)
    world.deposit(world.storage, 9, world.tokyo)
    lines = [
        Line(2, world.osaka, world.default, world.storage, 3),
        Line(3, world.tokyo, world.default, world.storage, 3),
    ]
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4(), "content": 1, "lines": lines}
    waiting = transfer_lines(world.as_(world.user), **act)
    assert [one.code for one in waiting.refused] == ["approval_needed", "approval_needed"]
    assert not sent(ledger, lines).refused


def test_who_may_not_is_stopped_at_the_door(ledger: Ledger) -> None:
    world = ledger.world
    hidden = make_virtual_account(world.account, "Hidden")
    world.deposit(world.storage, 9, world.osaka)
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4(), "content": 1}
    for who, target, code in (
        (world.viewer, world.tokyo, "forbidden"),
        (world.partner, hidden, "not_found"),
        (world.stranger, world.tokyo, "not_found"),
    ):
        with pytest.raises(BusinessError) as refused:
            transfer_lines(world.as_(who), lines=[Line(2, world.osaka, target, world.storage, 3)], **act)
        assert refused.value.code == code
