"""Does every invariant hold? Set-based, so that a missing row is found as surely as a wrong one (ledger.md, I1–I9).

Each query lays the two sides of an invariant over each other, one with the opposite sign, and keeps what is not zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from daicho.core.clock import now
from daicho.domain.ledger import rules
from daicho.domain.ledger.finding import Finding
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.replay import replay

LATE = timedelta(seconds=60)


def check_ledger(*, deep: bool = False) -> list[Finding]:
    """All rows that break an invariant; `deep` also replays the whole history (I9)."""
    findings = [finding for check in CHECKS for finding in check()]
    if deep:
        findings += replay()
    return findings


def holdings_follow_postings() -> Iterator[Finding]:
    """I1: a holding is what came in less what went out."""
    rows = _rows(
        """
        SELECT place_id, lot_id, SUM(held), SUM(posted) FROM (
            SELECT place_id, lot_id, quantity AS held, 0 AS posted FROM ledger_holding
            UNION ALL SELECT target_id, lot_id, 0, quantity FROM ledger_posting
            UNION ALL SELECT source_id, lot_id, 0, -quantity FROM ledger_posting
        ) AS both_sides GROUP BY place_id, lot_id HAVING SUM(held) <> SUM(posted)
        """
    )
    for place, lot, held, posted in rows:
        yield Finding("I1", "holding", {"place": place, "lot": lot}, f"holds {held}, its postings make {posted}")


def lots_are_conserved() -> Iterator[Finding]:
    """I2: over all places, outside ones included, a lot sums to zero; and it lies somewhere."""
    rows = _rows(
        """
        SELECT lot.id, COUNT(holding.id), COALESCE(SUM(holding.quantity), 0)
        FROM ledger_lot AS lot LEFT JOIN ledger_holding AS holding ON holding.lot_id = lot.id
        GROUP BY lot.id HAVING COUNT(holding.id) = 0 OR SUM(holding.quantity) <> 0
        """
    )
    for lot, places, total in rows:
        yield Finding("I2", "lot", {"lot": lot}, f"its places sum to {total}" if places else "it lies nowhere")


def holdings_are_not_negative() -> Iterator[Finding]:
    """I3: only what was issued may be below zero."""
    rows = _rows(
        """
        SELECT holding.id, holding.place_id, holding.lot_id, holding.quantity
        FROM ledger_holding AS holding JOIN ledger_place AS place ON place.id = holding.place_id
        WHERE (holding.quantity < 0 AND place.kind <> 'issued') OR holding.is_issue <> (place.kind = 'issued')
        """
    )
    for number, place, lot, quantity in rows:
        yield Finding("I3", "holding", {"id": number, "place": place, "lot": lot}, f"holds {quantity}")


def pools_follow_holdings() -> Iterator[Finding]:
    """I4: pending, on hand (and its usage part), reserved and fulfilled are the sums of the holdings."""
    rows = _rows(
        """
        SELECT virtual_account_id, tag_id, SUM(pending), SUM(on_hand), SUM(usage_on_hand), SUM(reserved), SUM(fulfilled)
        FROM (
            SELECT virtual_account_id, tag_id, pending, on_hand, usage_on_hand, reserved, fulfilled FROM ledger_pool
            UNION ALL
            SELECT place.virtual_account_id, lot.tag_id,
                   CASE WHEN place.kind = 'pending' THEN -holding.quantity ELSE 0 END,
                   CASE WHEN place.kind = 'on_hand' THEN -holding.quantity ELSE 0 END,
                   CASE WHEN place.kind = 'on_hand' AND lot.billing = 'usage' THEN -holding.quantity ELSE 0 END,
                   CASE WHEN place.kind = 'reserved' THEN -holding.quantity ELSE 0 END,
                   CASE WHEN place.kind = 'fulfilled' THEN -holding.quantity ELSE 0 END
            FROM ledger_holding AS holding
            JOIN ledger_place AS place ON place.id = holding.place_id
            JOIN ledger_lot AS lot ON lot.id = holding.lot_id
            WHERE place.virtual_account_id IS NOT NULL AND holding.quantity <> 0
        ) AS both_sides GROUP BY virtual_account_id, tag_id
        HAVING SUM(pending) <> 0 OR SUM(on_hand) <> 0 OR SUM(usage_on_hand) <> 0
            OR SUM(reserved) <> 0 OR SUM(fulfilled) <> 0
        """
    )
    names = ("pending", "on_hand", "usage_on_hand", "reserved", "fulfilled")
    for virtual_account, tag, *differences in rows:
        wrong = ", ".join(f"{name} {amount:+}" for name, amount in zip(names, differences, strict=True) if amount)
        yield Finding(
            "I4", "pool", {"virtual_account": virtual_account, "tag": tag}, f"differs from its holdings by {wrong}"
        )


def pools_follow_uses() -> Iterator[Finding]:
    """I5: in_use is the sum of what units count, and each count is the sum of its changes."""
    rows = _rows(
        """
        SELECT pool_id, SUM(in_use), SUM(counted) FROM (
            SELECT id AS pool_id, in_use, 0 AS counted FROM ledger_pool
            UNION ALL SELECT pool_id, 0, counted FROM ledger_use
        ) AS both_sides GROUP BY pool_id HAVING SUM(in_use) <> SUM(counted)
        """
    )
    for pool, in_use, counted in rows:
        yield Finding("I5", "pool", {"id": pool}, f"in_use {in_use}, its uses count {counted}")
    rows = _rows(
        """
        SELECT unit_id, tag_id, pool_id, SUM(counted), SUM(changed) FROM (
            SELECT unit_id, tag_id, pool_id, counted, 0 AS changed FROM ledger_use
            UNION ALL SELECT unit_id, tag_id, pool_after_id, 0, counted_after FROM ledger_usechange
            UNION ALL SELECT unit_id, tag_id, pool_before_id, 0, -counted_before FROM ledger_usechange
        ) AS both_sides GROUP BY unit_id, tag_id, pool_id HAVING SUM(counted) <> SUM(changed)
        """
    )
    for unit, tag, pool, counted, changed in rows:
        row = {"unit": unit, "tag": tag, "pool": pool}
        yield Finding("I5", "use", row, f"counts {counted}, its changes make {changed}")


def ladders_are_covered() -> Iterator[Finding]:
    """I6: lent, borrowed and metered are what the ladder function says of each ladder."""
    fields = ("id", "virtual_account_id", "tag__ladder_id", "on_hand", "in_use", "usage_on_hand", "lent", "borrowed",
              "metered", "balance")  # fmt: skip
    pools = Pool.objects.order_by("virtual_account_id", "tag__ladder_id", "tag__rank", "id").values_list(*fields)

    def ladder(row: tuple[Any, ...]) -> tuple[Any, ...]:
        number, virtual_account, ladder_id = row[:3]
        return (virtual_account, ladder_id) if ladder_id is not None else (virtual_account, None, number)

    for _, group in groupby(pools.iterator(chunk_size=5_000), key=ladder):
        tiers = list(group)
        covers = rules.cover([rules.Tier(*row[3:6]) for row in tiers])
        for row, cover in zip(tiers, covers, strict=True):
            lent, borrowed, metered, balance = row[6:]
            if (lent, borrowed, metered) != (cover.lent, cover.borrowed, cover.metered):
                said = f"lent {lent}, borrowed {borrowed}, metered {metered}"
                meant = f"{cover.lent}, {cover.borrowed}, {cover.metered}"
                yield Finding("I6", "pool", {"id": row[0]}, f"{said}; its ladder makes {meant}")
            elif lent > 0 and balance < 0:
                yield Finding("I6", "pool", {"id": row[0]}, f"lends {lent} while its balance is {balance}")


def changes_are_foreseen() -> Iterator[Finding]:
    """I7: next_change_at and next_end_at are the soonest of what lies there, and nothing is over 60 s late."""
    rows = _rows(
        """
        SELECT pool.id, pool.next_change_at, pool.next_end_at, live.change_at, live.end_at
        FROM ledger_pool AS pool LEFT JOIN (
            SELECT virtual_account_id, tag_id, MIN(end_at) AS end_at,
                   MIN(CASE WHEN kind = 'pending' THEN start_at ELSE end_at END) AS change_at
            FROM (
                SELECT place.virtual_account_id, lot.tag_id, place.kind, lot.start_at, lot.end_at
                FROM ledger_holding AS holding
                JOIN ledger_place AS place ON place.id = holding.place_id
                JOIN ledger_lot AS lot ON lot.id = holding.lot_id
                WHERE holding.quantity > 0 AND place.kind IN ('pending', 'on_hand', 'reserved', 'fulfilled')
            ) AS lying GROUP BY virtual_account_id, tag_id
        ) AS live ON live.virtual_account_id = pool.virtual_account_id AND live.tag_id = pool.tag_id
        WHERE NOT COALESCE(pool.next_change_at = live.change_at, pool.next_change_at IS NULL AND live.change_at IS NULL)
           OR NOT COALESCE(pool.next_end_at = live.end_at, pool.next_end_at IS NULL AND live.end_at IS NULL)
        """
    )
    for pool, next_change, next_end, change, end in rows:
        text = f"foresees {next_change} (end {next_end}), its lots say {change} (end {end})"
        yield Finding("I7", "pool", {"id": pool}, text)
    for late in Pool.objects.filter(next_change_at__lt=now() - LATE).only("next_change_at").iterator():
        yield Finding("I7", "pool", {"id": late.pk}, f"is late: a lot started or ended at {late.next_change_at}")


def holders_hold_their_lines() -> Iterator[Finding]:
    """I8: a holder's lots are max(old, new) of its lines; a unit counts what it reports beyond them, in its own pool."""
    rows = _rows(
        """
        SELECT holder_id, lot_id, SUM(line), SUM(held) FROM (
            SELECT holder_id, lot_id, CASE WHEN old > new THEN old ELSE new END AS line, 0 AS held FROM ledger_holderline
            UNION ALL
            SELECT place.holder_id, holding.lot_id, 0, holding.quantity
            FROM ledger_holding AS holding JOIN ledger_place AS place ON place.id = holding.place_id
            WHERE place.holder_id IS NOT NULL
        ) AS both_sides GROUP BY holder_id, lot_id HAVING SUM(line) <> SUM(held)
        """
    )
    for holder, lot, line, held in rows:
        yield Finding("I8", "holder_line", {"holder": holder, "lot": lot}, f"says {line}, the holder holds {held}")
    rows = _rows(
        """
        SELECT used.id, used.unit_id, used.tag_id, used.reported, used.counted, COALESCE(held.quantity, 0)
        FROM ledger_use AS used LEFT JOIN (
            SELECT holder.unit_id, lot.tag_id, SUM(CASE WHEN line.old > line.new THEN line.old ELSE line.new END) AS quantity
            FROM ledger_holderline AS line
            JOIN ledger_holder AS holder ON holder.id = line.holder_id
            JOIN ledger_lot AS lot ON lot.id = line.lot_id
            GROUP BY holder.unit_id, lot.tag_id
        ) AS held ON held.unit_id = used.unit_id AND held.tag_id = used.tag_id
        WHERE used.counted <> CASE WHEN used.reported > COALESCE(held.quantity, 0)
                                   THEN used.reported - COALESCE(held.quantity, 0) ELSE 0 END
        """
    )
    for number, unit, tag, reported, counted, held in rows:
        row = {"id": number, "unit": unit, "tag": tag}
        yield Finding("I8", "use", row, f"counts {counted} of {reported} reported, its unit holds {held}")
    rows = _rows(
        """
        SELECT used.id, used.unit_id, used.tag_id, used.pool_id
        FROM ledger_use AS used
        JOIN ledger_unit AS unit ON unit.id = used.unit_id
        JOIN ledger_pool AS pool ON pool.id = used.pool_id
        WHERE pool.tag_id <> used.tag_id OR pool.virtual_account_id <> unit.virtual_account_id
        """
    )
    for number, unit, tag, pool in rows:
        yield Finding("I8", "use", {"id": number, "unit": unit, "tag": tag}, f"draws on pool {pool}, not on its own")


CHECKS = (
    holdings_follow_postings,
    lots_are_conserved,
    holdings_are_not_negative,
    pools_follow_holdings,
    pools_follow_uses,
    ladders_are_covered,
    changes_are_foreseen,
    holders_hold_their_lines,
)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
