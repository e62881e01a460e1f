"""Unassigned licenses get their virtual account, whole or split, and can be taken back (S19)."""

import uuid

import pytest

from daicho.core.errors import BusinessError, FieldErrors, Forbidden, NotFound
from daicho.domain.audit.models import Event
from daicho.domain.ledger.models import Entry
from daicho.domain.orders.commands.assign import LinePart, assign_lines, undo_assignment
from daicho.domain.orders.landing import follow_holdings
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import get_line, list_unassigned
from daicho.domain.tenancy.models import SmartAccount
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db
State = OrderLine.State


def assign(world: World, *parts: LinePart, who: str = "admin", request_id: uuid.UUID | None = None) -> Entry:
    return assign_lines(
        world.as_(getattr(world, who)), account=world.account, request_id=request_id or uuid.uuid4(), parts=parts
    )


def test_a_line_is_assigned_whole(world: World):
    found = only(recorded(world, line(quantity=7)))
    assign(world, LinePart(found, world.osaka, 7), who="user")
    assert world.pool(world.osaka, world.advantage).on_hand == 7
    row = get_line(world.as_(world.admin), world.account, found.uid)
    assert (row.status, row.unassigned, row.places[0].virtual_account) == (State.DEPOSITED, 0, world.osaka)
    assert Event.objects.filter(kind="license.assigned", virtual_account=world.osaka).exists()


def test_a_line_is_split_and_a_rest_stays_unassigned(world: World):
    found = only(recorded(world, line(quantity=10)))
    assign(world, LinePart(found, world.osaka, 3), LinePart(found, world.tokyo, 5))
    row = get_line(world.as_(world.admin), world.account, found.uid)
    assert (row.status, row.unassigned) == (State.UNASSIGNED, 2)
    assert {place.quantity for place in row.places} == {2, 3, 5}
    assert [one.unassigned for one in list_unassigned(world.as_(world.admin), world.account)] == [2]


def test_parts_are_all_assigned_or_none(world: World):
    first = only(recorded(world, line(quantity=10)))
    second = only(recorded(world, line("SEC-PLUS", 5), number="PO-2"))
    with pytest.raises(FieldErrors) as error:
        assign(world, LinePart(first, world.osaka, 10), LinePart(second, world.osaka, 6))
    assert error.value.errors["parts.1.quantity"].code == "not_enough_unassigned"
    assert not Entry.objects.filter(kind="assign_order").exists()


@pytest.mark.parametrize("quantity", [0, -1, 2**53])
def test_quantities_are_whole_numbers_from_one(world: World, quantity: int):
    found = only(recorded(world, line(quantity=10)))
    with pytest.raises(FieldErrors) as error:
        assign(world, LinePart(found, world.osaka, quantity))
    assert error.value.errors["parts.0.quantity"].code == "bad_quantity"


def test_two_shares_together_do_not_exceed_the_line(world: World):
    found = only(recorded(world, line(quantity=10)))
    with pytest.raises(FieldErrors):
        assign(world, LinePart(found, world.osaka, 6), LinePart(found, world.tokyo, 6))


def test_the_same_request_again_gives_the_first_answer(world: World):
    found = only(recorded(world, line(quantity=10)))
    request_id = uuid.uuid4()
    first = assign(world, LinePart(found, world.osaka, 10), request_id=request_id)
    assert assign(world, LinePart(found, world.osaka, 10), request_id=request_id) == first
    with pytest.raises(BusinessError) as error:
        assign(world, LinePart(found, world.osaka, 9), request_id=request_id)
    assert error.value.code == "request_id_reused"


def test_an_assignment_is_undone_whole(world: World):
    found = only(recorded(world, line(quantity=10)))
    entry = assign(world, LinePart(found, world.osaka, 10))
    undo_assignment(world.as_(world.admin), account=world.account, entry_uid=entry.uid)
    found.refresh_from_db()
    assert found.state == State.UNASSIGNED
    assert world.pool(world.osaka, world.advantage).on_hand == 0


def test_an_undo_elsewhere_is_followed(world: World):
    found = only(recorded(world, line(quantity=10)))
    entry = assign(world, LinePart(found, world.osaka, 10))
    from daicho.domain.ledger.commands.undo import undo_entry

    undo_entry(world.as_(world.admin), account=world.account, entry_uid=entry.uid, request_id=uuid.uuid4())
    assert get_line(world.as_(world.admin), world.account, found.uid).status == State.UNASSIGNED
    follow_holdings()
    found.refresh_from_db()
    assert found.state == State.UNASSIGNED


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("viewer", Forbidden), ("osaka_admin", NotFound), ("partner", NotFound), ("approver", NotFound),
        ("stranger", NotFound), ("reseller", NotFound), ("nobody", NotFound),
    ],
)  # fmt: skip
def test_only_administrators_and_users_of_the_account_assign(world: World, who: str, error: type[BusinessError]):
    found = only(recorded(world, line(quantity=10)))
    with pytest.raises(error):
        assign(world, LinePart(found, world.osaka, 10), who=who)


def test_a_line_or_place_of_another_account_is_not_found(world: World):
    own = only(recorded(world, line(quantity=10)))
    foreign = only(recorded(world, line(quantity=10), number="PO-2", identifier=world.other_account.identifier))
    for part in (LinePart(foreign, world.osaka, 1), LinePart(own, world.other_default, 1)):
        with pytest.raises(NotFound):
            assign(world, part)


def test_without_a_valid_agreement_nothing_is_assigned(world: World):
    found = only(recorded(world, line(quantity=10)))
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=None)
    world.account.refresh_from_db()
    with pytest.raises(BusinessError) as error:
        assign(world, LinePart(found, world.osaka, 10))
    assert error.value.code == "agreement_pending"
