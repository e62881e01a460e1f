"""Several lots become one with a common end: place by place, no license-day lost, nothing shorter."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.clock import end_of_day, now, today
from daicho.domain.audit.models import Event
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.co_term import CoTerm, co_term_lots, preview_co_term
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.models import Entry, Holding, Lot
from daicho.domain.mailbox.models import Mail
from tests.ledger.conftest import Ledger, refusal

ZONE = "Asia/Tokyo"
DAY = dt.timedelta(days=1)


def until(days: int) -> dt.datetime:
    return end_of_day(today(ZONE) + days * DAY, ZONE)


def combine(ledger: Ledger, lots: list[Lot], **options: Any) -> CoTerm:
    options.setdefault("request_id", uuid.uuid4())
    options.setdefault("reason", "renewal")
    return co_term_lots(ledger.world.as_(ledger.world.operator), account=ledger.world.account, lots=lots, **options)


def test_parts_stay_where_they_are_and_no_license_day_is_lost(ledger: Ledger) -> None:
    world, request_id = ledger.world, uuid.uuid4()
    one = world.deposit(world.storage, 10, world.tokyo, end=until(100))
    other = world.deposit(world.storage, 5, world.osaka, end=until(31))
    waiting = world.deposit(world.storage, 5, None, end=until(31))
    ledger.assign(world.unit(world.tokyo), world.storage, 9)
    unit = world.unit(world.osaka)
    lines = [ReserveLine(world.storage, 2, other.uid)]
    reserve_licenses(ledger.admin, account=world.account, unit=unit, request_id=uuid.uuid4(), lines=lines)
    operator = world.as_(world.operator)
    shown = preview_co_term(operator, account=world.account, lots=[one, other, waiting])
    assert not Entry.objects.filter(kind="co_term").exists()
    done = combine(ledger, [one, other, waiting], request_id=request_id, quantity=18)
    assert combine(ledger, [waiting, other, one], request_id=request_id, quantity=18) == done
    weighted = -(-(10 * 100 + 8 * 31) // 18)
    assert done.ends_on == shown.ends_on == today(ZONE) + weighted * DAY
    assert 0 <= shown.days_after - shown.days_before < 18
    lying = Holding.objects.filter(lot=done.lot, quantity__gt=0).values_list("place__kind", "quantity")
    assert sorted(lying) == [("on_hand", 3), ("on_hand", 10), ("unassigned", 5)]
    assert [(held.unit, held.quantity) for held in done.held] == [(unit, 2)]
    assert ledger.figures(world.tokyo, world.storage) == (10, 9, 1)
    assert Event.objects.filter(kind="license.co_termed", memo="renewal").count() == 3
    assert Mail.objects.filter(template="license_changed", to=world.admin.email).count() == 1
    assert check_ledger(deep=True) == []


def test_what_cannot_be_brought_together_is_refused(ledger: Ledger) -> None:
    world = ledger.world
    one = world.deposit(world.storage, 10, world.tokyo, end=until(100))
    other = world.deposit(world.storage, 5, world.osaka, end=until(31))
    forever = world.deposit(world.storage, 5, world.osaka, kind="term")
    later = world.deposit(world.storage, 5, world.osaka, start=now() + DAY, end=until(31))
    foreign = world.deposit(world.security, 5, world.osaka, end=until(31))
    cases: list[tuple[str, list[Lot], dict[str, Any]]] = [
        ("lots_too_few", [one, one], {}),
        ("lots_not_alike", [one, foreign], {}),
        ("lot_without_end", [one, forever], {}),
        ("lots_not_in_force", [one, later], {}),
        ("common_end_passed", [one, other], {"ends_on": today(ZONE) - DAY}),
        ("stale_data", [one, other], {"quantity": 14}),
        ("reason_missing", [one, other], {"reason": " "}),
    ]
    for code, lots, options in cases:
        assert refusal(lambda lots=lots, options=options: combine(ledger, lots, **options)).code == code  # type: ignore[misc]
    by_admin = refusal(
        lambda: co_term_lots(
            ledger.admin, account=world.account, lots=[one, other], request_id=uuid.uuid4(), reason="x"
        )
    )
    assert by_admin.code == "not_found"
    assert not Entry.objects.filter(kind="co_term").exists()
