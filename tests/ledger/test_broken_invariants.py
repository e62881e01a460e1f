"""Each invariant is broken by hand in the database, in each way it can be, and the check names the row."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection

from daicho.core.clock import now
from daicho.core.db import is_postgres
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.reservation import ReserveLine, reserve_licenses
from daicho.domain.ledger.models import Entry, Holder, HolderLine, Holding, Lot, Place, Pool, Posting, Use, UseChange
from tests.ledger.conftest import Ledger

pytestmark = [pytest.mark.django_db, pytest.mark.broken_ledger]


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def drop_triggers() -> None:
    """Append-only tables refuse what these tests do; within the test's transaction they may."""
    if is_postgres():
        sql("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be altered
    for table in ("ledger_posting", "ledger_usechange", "ledger_lot"):
        if is_postgres():
            sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        else:
            sql(f"DROP TRIGGER {table}_no_update")
            sql(f"DROP TRIGGER {table}_no_delete")
    if is_postgres():
        sql("SET CONSTRAINTS ALL DEFERRED")


def found(invariant: str, table: str, **row: Any) -> bool:
    return any(
        finding.invariant == invariant and finding.table == table and row.items() <= finding.row.items()
        for finding in check_ledger()
    )


class Scene:
    """Something of everything: 100 in Tokyo (one that ends), 40 moved to Osaka, a unit that uses 5, one that holds 3."""

    def __init__(self, ledger: Ledger) -> None:
        world = self.world = ledger.world
        self.tag = world.storage
        self.lot = world.deposit(self.tag, 100, world.tokyo)
        self.term = world.deposit(self.tag, 10, world.tokyo, end=now() + dt.timedelta(days=90))
        self.later = world.deposit(self.tag, 7, world.tokyo, start=now() + dt.timedelta(days=30))
        ledger.transfer(world.tokyo, world.osaka, self.tag, 40, lot_uid=self.lot.uid)
        self.unit = world.unit(world.tokyo)
        ledger.assign(self.unit, self.tag, 5)
        self.holding_unit = world.unit(world.tokyo)
        ledger.assign(self.holding_unit, self.tag, 4)
        line = ReserveLine(self.tag, 3, self.lot.uid)
        self.holder = reserve_licenses(
            ledger.admin, account=world.account, unit=self.holding_unit, request_id=uuid.uuid4(), lines=[line]
        ).holder
        world.deposit(world.premier, 10, world.tokyo)
        ledger.assign(world.unit(world.tokyo), world.essentials, 4)
        self.pool = world.pool(world.tokyo, self.tag)
        self.on_hand = Place.objects.get(virtual_account=world.tokyo, kind=Place.Kind.ON_HAND)
        self.holding = Holding.objects.get(place=self.on_hand, lot=self.lot)


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    scene = Scene(ledger)
    assert check_ledger() == []
    return scene


def test_i1_a_holding_with_a_wrong_figure(scene: Scene) -> None:
    sql("UPDATE ledger_holding SET quantity = quantity + 1 WHERE id = %s", scene.holding.pk)
    assert found("I1", "holding", place=scene.on_hand.pk, lot=scene.lot.pk)


def test_i1_a_missing_holding(scene: Scene) -> None:
    sql("DELETE FROM ledger_holding WHERE id = %s", scene.holding.pk)
    assert found("I1", "holding", place=scene.on_hand.pk, lot=scene.lot.pk)


def test_i1_a_holding_that_nobody_posted(scene: Scene) -> None:
    elsewhere = Place.objects.get(virtual_account=scene.world.tokyo, kind=Place.Kind.ENDED)
    Holding.objects.create(account=scene.world.account, place=elsewhere, lot=scene.lot, quantity=2)
    assert found("I1", "holding", place=elsewhere.pk, lot=scene.lot.pk)


def test_i1_a_missing_posting(scene: Scene) -> None:
    drop_triggers()
    posting = Posting.objects.get(entry__kind=Entry.Kind.TRANSFER)
    sql("DELETE FROM ledger_posting WHERE id = %s", posting.pk)
    assert found("I1", "holding", place=posting.target_id, lot=scene.lot.pk)


def test_i2_a_lot_that_does_not_sum_to_zero(scene: Scene) -> None:
    sql("UPDATE ledger_holding SET quantity = quantity - 1 WHERE id = %s", scene.holding.pk)
    assert found("I2", "lot", lot=scene.lot.pk)


def test_i2_a_lot_that_lies_nowhere(scene: Scene) -> None:
    stray = Lot.objects.create(account=scene.world.account, tag=scene.tag, kind="perpetual", start_at=now())
    assert found("I2", "lot", lot=stray.pk)


def test_i3_a_negative_holding(scene: Scene) -> None:
    sql("UPDATE ledger_holding SET quantity = -1, is_issue = %s WHERE id = %s", True, scene.holding.pk)
    assert found("I3", "holding", id=scene.holding.pk)


@pytest.mark.parametrize("column", ["pending", "on_hand", "usage_on_hand", "reserved", "fulfilled"])
def test_i4_a_pool_with_a_wrong_figure(scene: Scene, column: str) -> None:
    sql(f"UPDATE ledger_pool SET {column} = {column} + 1 WHERE id = %s", scene.pool.pk)
    assert found("I4", "pool", virtual_account=scene.world.tokyo.pk, tag=scene.tag.pk)


def test_i4_a_missing_pool(scene: Scene) -> None:
    pool = scene.world.pool(scene.world.osaka, scene.tag)
    sql("DELETE FROM ledger_pool WHERE id = %s", pool.pk)
    assert found("I4", "pool", virtual_account=scene.world.osaka.pk, tag=scene.tag.pk)


def test_i4_a_pool_of_lots_that_are_not_there(scene: Scene) -> None:
    Pool.objects.create(account=scene.world.account, virtual_account=scene.world.default, tag=scene.tag, on_hand=9)
    assert found("I4", "pool", virtual_account=scene.world.default.pk, tag=scene.tag.pk)


def test_i5_a_pool_with_a_wrong_count(scene: Scene) -> None:
    sql("UPDATE ledger_pool SET in_use = in_use + 1 WHERE id = %s", scene.pool.pk)
    assert found("I5", "pool", id=scene.pool.pk)


def test_i5_a_missing_use(scene: Scene) -> None:
    sql("DELETE FROM ledger_use WHERE unit_id = %s", scene.unit.pk)
    assert found("I5", "pool", id=scene.pool.pk)
    assert found("I5", "use", unit=scene.unit.pk, tag=scene.tag.pk)


def test_i5_a_use_with_a_wrong_count(scene: Scene) -> None:
    sql("UPDATE ledger_use SET counted = counted - 1 WHERE unit_id = %s", scene.unit.pk)
    assert found("I5", "use", unit=scene.unit.pk, tag=scene.tag.pk, pool=scene.pool.pk)


def test_i5_a_missing_and_an_extra_change(scene: Scene) -> None:
    drop_triggers()
    change = UseChange.objects.get(unit=scene.unit)
    sql("DELETE FROM ledger_usechange WHERE id = %s", change.pk)
    assert found("I5", "use", unit=scene.unit.pk, tag=scene.tag.pk)
    for _ in range(2):
        change.pk = None
        change.request_id = uuid.uuid4()
        change.save(force_insert=True)
    assert found("I5", "use", unit=scene.unit.pk, tag=scene.tag.pk)


@pytest.mark.parametrize("column", ["lent", "borrowed", "metered"])
def test_i6_a_ladder_with_a_wrong_figure(scene: Scene, column: str) -> None:
    pool = scene.world.pool(scene.world.tokyo, scene.world.premier)
    sql(f"UPDATE ledger_pool SET {column} = {column} + 1 WHERE id = %s", pool.pk)
    assert found("I6", "pool", id=pool.pk)


def test_i6_a_missing_tier(scene: Scene) -> None:
    lender = scene.world.pool(scene.world.tokyo, scene.world.premier)
    borrower = scene.world.pool(scene.world.tokyo, scene.world.essentials)
    sql("DELETE FROM ledger_pool WHERE id = %s", lender.pk)
    assert found("I6", "pool", id=borrower.pk)


def test_i6_a_loan_without_a_ladder(scene: Scene) -> None:
    sql("UPDATE ledger_pool SET lent = 1 WHERE id = %s", scene.pool.pk)
    assert found("I6", "pool", id=scene.pool.pk)


@pytest.mark.parametrize("column", ["next_change_at", "next_end_at"])
def test_i7_a_wrong_and_a_missing_next_instant(scene: Scene, column: str) -> None:
    sql(f"UPDATE ledger_pool SET {column} = NULL WHERE id = %s", scene.pool.pk)
    assert found("I7", "pool", id=scene.pool.pk)
    Pool.objects.filter(pk=scene.pool.pk).update(**{column: now() + dt.timedelta(days=1)})
    assert found("I7", "pool", id=scene.pool.pk)


def test_i7_an_instant_where_nothing_starts_or_ends(scene: Scene) -> None:
    pool = scene.world.pool(scene.world.osaka, scene.tag)
    Pool.objects.filter(pk=pool.pk).update(next_change_at=now() + dt.timedelta(days=1))
    assert found("I7", "pool", id=pool.pk)


@pytest.mark.parametrize("column", ["start_at", "end_at"])
def test_i7_a_late_lot(scene: Scene, column: str) -> None:
    drop_triggers()
    late = now() - dt.timedelta(seconds=61)
    lot = scene.later if column == "start_at" else scene.term
    Lot.objects.filter(pk=lot.pk).update(start_at=late if column == "start_at" else late - dt.timedelta(days=1))
    if column == "end_at":
        Lot.objects.filter(pk=lot.pk).update(end_at=late)
    Pool.objects.filter(pk=scene.pool.pk).update(next_change_at=late)
    assert any("is late" in str(finding) for finding in check_ledger())
    assert found("I7", "pool", id=scene.pool.pk)


@pytest.mark.parametrize("column", ["old", "new"])
def test_i8_a_line_with_a_wrong_figure(scene: Scene, column: str) -> None:
    sql(f"UPDATE ledger_holderline SET {column} = 9 WHERE holder_id = %s", scene.holder.pk)
    assert found("I8", "holder_line", holder=scene.holder.pk, lot=scene.lot.pk)


def test_i8_a_missing_and_an_extra_line(scene: Scene) -> None:
    sql("DELETE FROM ledger_holderline WHERE holder_id = %s", scene.holder.pk)
    assert found("I8", "holder_line", holder=scene.holder.pk, lot=scene.lot.pk)
    other = Holder.objects.create(account=scene.world.account, unit=scene.unit, kind="reservation")
    HolderLine.objects.create(holder=other, lot=scene.term, old=2, new=2)
    assert found("I8", "holder_line", holder=other.pk, lot=scene.term.pk)


def test_i8_a_unit_that_counts_what_it_holds(scene: Scene) -> None:
    use = Use.objects.get(unit=scene.holding_unit)
    assert (use.reported, use.counted) == (4, 1)
    sql("UPDATE ledger_use SET counted = 4 WHERE id = %s", use.pk)
    assert found("I8", "use", id=use.pk, unit=scene.holding_unit.pk)


def test_i8_a_use_that_draws_on_another_pool(scene: Scene) -> None:
    use = Use.objects.get(unit=scene.unit)
    Use.objects.filter(pk=use.pk).update(pool=scene.world.pool(scene.world.osaka, scene.tag))
    assert found("I8", "use", id=use.pk)


def test_i9_a_transfer_that_made_a_shortage(scene: Scene) -> None:
    drop_triggers()
    assert check_ledger(deep=True) == []
    transfer = Entry.objects.get(kind=Entry.Kind.TRANSFER)
    Posting.objects.filter(entry=transfer).update(quantity=200)
    findings = [finding for finding in check_ledger(deep=True) if finding.invariant == "I9"]
    assert findings[0].row == {"entry": transfer.pk}
    assert "shorter" in str(findings[0])


def test_i9_an_ask_that_an_enforced_pool_should_have_refused(scene: Scene) -> None:
    drop_triggers()
    world = scene.world
    world.deposit(world.security, 5, world.tokyo)
    Ledger(world).assign(scene.unit, world.security, 5)
    UseChange.objects.filter(tag=world.security).update(counted_after=6, act_class="ask")
    findings = [finding for finding in check_ledger(deep=True) if finding.invariant == "I9"]
    assert findings[0].row["unit"] == scene.unit.pk
