"""A cancelled line gives back what is free and says what is left."""

import uuid

import pytest

from daicho.core.clock import now
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.use import UseLine, assign_licenses
from daicho.domain.orders.commands.assign import LinePart, assign_lines
from daicho.domain.orders.commands.cancel import CancelledLine, cancel_line
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import get_any_line
from tests.orders.helpers import line, only, recorded
from tests.world import World

pytestmark = pytest.mark.django_db
State = OrderLine.State


def cancel(world: World, found: OrderLine, who: str = "operator", request_id: uuid.UUID | None = None) -> CancelledLine:
    return cancel_line(world.as_(getattr(world, who)), line=found, request_id=request_id or uuid.uuid4())


def use(world: World, quantity: int) -> None:
    assign_licenses(
        world.as_(world.admin),
        account=world.account,
        unit=world.unit(world.osaka),
        request_id=uuid.uuid4(),
        lines=[UseLine(world.advantage, quantity)],
    )


def test_an_unassigned_line_is_cancelled_whole(world: World):
    found = only(recorded(world, line(quantity=10)))
    assert (cancel(world, found).cancelled, cancel_left(world, found)) == (10, 0)
    row = get_any_line(world.as_(world.operator), found.uid)
    assert (row.status, row.cancelled, row.unassigned) == (State.CANCELLED, 10, 0)
    assert Event.objects.get(kind="order.line_cancelled").after["cancelled"] == 10


def cancel_left(world: World, found: OrderLine) -> int:
    return get_any_line(world.as_(world.operator), found.uid).unassigned


def test_what_is_in_use_stays_and_is_told(world: World):
    found = only(recorded(world, line(quantity=10, virtual_account="Osaka")))
    use(world, 4)
    done = cancel(world, found)
    assert (done.cancelled, done.left) == (6, 4)
    row = get_any_line(world.as_(world.operator), found.uid)
    assert (row.status, row.cancelled) == (State.DEPOSITED, 6)


def test_what_was_assigned_elsewhere_goes_back_too(world: World):
    found = only(recorded(world, line(quantity=10)))
    parts = [LinePart(found, world.osaka, 4), LinePart(found, world.tokyo, 3)]
    assign_lines(world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), parts=parts)
    use(world, 4)
    done = cancel(world, found)
    assert (done.cancelled, done.left) == (6, 4)
    assert world.pool(world.tokyo, world.advantage).on_hand == 0


def test_a_line_that_still_waits_is_cancelled_without_ever_landing(world: World):
    found = only(recorded(world, line(), actor=world.as_(world.reseller), company=world.reseller_company))
    assert cancel(world, found, "reseller").cancelled == 10
    found.refresh_from_db()
    assert (found.state, found.lot) == (State.CANCELLED, None)


def test_there_is_nothing_to_cancel_twice(world: World):
    found = only(recorded(world, line()))
    request_id = uuid.uuid4()
    cancel(world, found, request_id=request_id)
    assert cancel(world, found, request_id=request_id).cancelled == 10
    assert Event.objects.filter(kind="order.line_cancelled").count() == 1
    with pytest.raises(BusinessError) as error:
        cancel(world, found)
    assert error.value.code == "nothing_to_cancel"


def test_when_all_is_in_use_nothing_is_cancelled(world: World):
    found = only(recorded(world, line(quantity=4, virtual_account="Osaka")))
    use(world, 4)
    with pytest.raises(BusinessError) as error:
        cancel(world, found)
    assert (error.value.code, error.value.http_status) == ("nothing_to_cancel", 409)


def test_a_cancelled_waiting_line_does_not_land_later(world: World):
    from daicho.domain.orders.commands.waiting import deposit_waiting
    from daicho.domain.tenancy.models import SmartAccount

    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=None)
    world.account.refresh_from_db()
    found = only(recorded(world, line()))
    cancel(world, found)
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=now().replace(year=9000))
    world.account.refresh_from_db()
    assert deposit_waiting(world.as_(world.admin), account=world.account) == 0


@pytest.mark.parametrize("who", ["admin", "user", "viewer", "reseller", "stranger", "nobody"])
def test_an_operators_line_is_cancelled_by_the_operator_alone(world: World, who: str):
    found = only(recorded(world, line()))
    with pytest.raises(NotFound):
        cancel(world, found, who)


@pytest.mark.parametrize("who", ["admin", "partner", "stranger"])
def test_a_companys_line_is_cancelled_by_its_members_or_the_operator(world: World, who: str):
    found = only(recorded(world, line(), company=world.reseller_company))
    with pytest.raises(NotFound):
        cancel(world, found, who)
    assert cancel(world, found, "reseller").cancelled == 10
