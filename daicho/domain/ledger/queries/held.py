"""What units hold of a lot: it stays where it is when the operator corrects, revokes or combines the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.clock import last_day
from daicho.domain.ledger.models import Holding, Lot, Place, Unit
from daicho.domain.tenancy.models import VirtualAccount


@dataclass(frozen=True, slots=True)
class Held:
    """So many of a lot in the hands of a unit, reserved or fulfilled."""

    unit: Unit
    virtual_account: VirtualAccount
    lot: Lot
    kind: str
    quantity: int
    ends_on: dt.date | None


def held_of(lots: Sequence[Lot], zone: str) -> list[Held]:
    """Who holds how many of these lots, by virtual account; the caller has passed the door."""
    rows = Holding.objects.filter(
        lot__in=[lot.pk for lot in lots], quantity__gt=0, place__kind__in=(Place.Kind.RESERVED, Place.Kind.FULFILLED)
    ).select_related("lot__tag", "place__virtual_account", "place__holder__unit")
    found = []
    for row in rows.order_by("place__virtual_account__name_key", "lot_id", "pk"):
        where, holder = row.place.virtual_account, row.place.holder
        if where is not None and holder is not None:
            end = last_day(row.lot.end_at, zone) if row.lot.end_at is not None else None
            found.append(Held(holder.unit, where, row.lot, row.place.kind, row.quantity, end))
    return found
