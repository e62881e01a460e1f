"""What became of lots that the operator corrected or brought under a common end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from daicho.domain.ledger.models import Entry, Lot, Place, Posting

EXCHANGES = (Entry.Kind.CORRECT, Entry.Kind.CO_TERM)
MOST_TIMES = 20  # a lot that was exchanged more often is followed so far


@dataclass(frozen=True, slots=True)
class Exchange:
    """The lot that stands in the place of another one now, and the last act that put it there."""

    lot: Lot
    entry_uid: str
    kind: str
    at: dt.datetime


def exchanged_for(lot_ids: Iterable[int]) -> dict[int, Exchange]:
    """By id of the old lot; the caller may see these lots. An exchange of an exchange is followed to its end."""
    origins = {lot_id: {lot_id} for lot_id in lot_ids}
    found: dict[int, Exchange] = {}
    for _time in range(MOST_TIMES):
        step = _exchanges(origins)
        if not step:
            break
        later: dict[int, set[int]] = {}
        for lot_id, exchange in step.items():
            for origin in origins[lot_id]:
                found[origin] = exchange
            later.setdefault(exchange.lot.pk, set()).update(origins[lot_id])
        origins = later
    return found


def _exchanges(lot_ids: Iterable[int]) -> dict[int, Exchange]:
    rows = (
        Posting.objects.filter(lot__in=list(lot_ids), target__kind=Place.Kind.CONVERTED, entry__kind__in=EXCHANGES)
        .order_by("entry__at", "entry_id")
        .values_list("lot_id", "entry__uid", "entry__kind", "entry__at", "entry__answer")
    )
    last = {row[0]: row for row in rows}
    made = {
        lot.uid: lot
        for lot in Lot.objects.filter(uid__in={row[4]["lot"] for row in last.values()}).select_related("tag", "account")
    }
    return {
        lot_id: Exchange(made[answer["lot"]], uid, kind, at)
        for lot_id, (_lot, uid, kind, at, answer) in last.items()
        if answer["lot"] in made
    }
