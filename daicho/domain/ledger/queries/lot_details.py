"""What is written down about lots, as far as the reader may see it.

A lot may lie in several virtual accounts. Who sees all of its places sees its shared columns; who sees the account as a
whole sees the company's columns too. What a reader may not see reads as if it were not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

from django.db.models import Exists, OuterRef, Q, QuerySet

from daicho.core.errors import NotFound
from daicho.domain.ledger.details import FIELDS, Details
from daicho.domain.ledger.models import Holding, Lot, LotDetails, Place
from daicho.domain.ledger.queries.lots import LotRow, lot_row
from daicho.domain.ledger.queries.sight import Sight

CHUNK = 1_000
UNSEEN = Details()


@dataclass(frozen=True, slots=True)
class LotView:
    """One lot as a reader sees it. `details`: None where one of its places is out of sight. `rows`: where it lies."""

    lot: Lot
    rows: list[LotRow]
    unassigned: int
    details: Details | None
    sees_company: bool
    may_edit: bool
    may_edit_company: bool


@dataclass(frozen=True, slots=True)
class KeptLot:
    """A lot with what is written down about it, for files."""

    lot: Lot
    virtual_accounts: list[str]
    quantity: int
    details: Details


def find_lot(sight: Sight, uid: str) -> Lot:
    """A lot of the account by its handle, if some of it lies where the actor sees it, or NotFound."""
    lot = Lot.objects.filter(account=sight.account, uid=uid).select_related("tag", "account").first()
    if lot is None or (not sight.sees_all and not _lying(sight, [lot.pk]).filter(_in_sight(sight)).exists()):
        raise NotFound
    return lot


def view_lot(sight: Sight, uid: str) -> LotView:
    """One lot, where it lies as far as the actor sees it, and what is written down about it."""
    lot = find_lot(sight, uid)
    holdings = list(_lying(sight, [lot.pk]).select_related("place", "place__virtual_account", "place__holder__unit"))
    for holding in holdings:
        holding.lot = lot
    seen = [one for one in holdings if sight.sees(one.place.virtual_account_id)]
    places = {one.place.virtual_account_id for one in holdings}
    known = sight.sees_all or len(seen) == len(holdings)
    return LotView(
        lot=lot,
        rows=[lot_row(sight, holding) for holding in seen],
        unassigned=sum(h.quantity for h in holdings if h.place.kind == Place.Kind.UNASSIGNED) if sight.sees_all else 0,
        details=details_of(sight, [lot.pk]).get(lot.pk, UNSEEN) if known else None,
        sees_company=sight.sees_all,
        may_edit=known and (sight.manages is None or (bool(places) and all(map(sight.may_manage, places)))),
        may_edit_company=sight.manages is None,
    )


def details_of(sight: Sight, lot_ids: Iterable[int]) -> dict[int, Details]:
    """What the actor sees written down about these lots, by lot; those without anything are left out.

    One statement for a reader of the whole account, two for others, whatever the number of lots (at most 5,000).
    """
    ids = list(lot_ids)
    found = {row.lot_id: of_row(row) for row in LotDetails.objects.filter(lot__in=ids)}
    if sight.sees_all or not found:
        return found
    hidden = set(_lying(sight, list(found)).exclude(_in_sight(sight)).values_list("lot_id", flat=True))
    return {lot_id: details.shared() for lot_id, details in found.items() if lot_id not in hidden}


def details_by_uid(sight: Sight, uids: Iterable[str]) -> dict[str, Details]:
    """The same by the handles of lots."""
    ids = dict(Lot.objects.filter(account=sight.account, uid__in=list(uids)).values_list("pk", "uid"))
    return {ids[lot_id]: details for lot_id, details in details_of(sight, ids).items()}


def every_kept_lot(sight: Sight, *, editable: bool = False) -> Iterator[KeptLot]:
    """Every lot that lies somewhere and whose columns the actor may see, in the order of license and end.

    `editable`: only those whose columns he may change. Read some thousands at a time.
    """
    lots = Lot.objects.filter(account=sight.account).select_related("tag").order_by("tag__sku_key", "end_at", "uid")
    held = Holding.objects.filter(lot=OuterRef("pk"), quantity__gt=0, place__account=sight.account)
    lots = lots.filter(Exists(held) if sight.sees_all else Exists(held.filter(_in_sight(sight))))
    for part in batched(lots.iterator(chunk_size=CHUNK), CHUNK):
        ids = [lot.pk for lot in part]
        places: dict[int, dict[int | None, str]] = defaultdict(dict)
        quantities: dict[int, int] = defaultdict(int)
        rows = _lying(sight, ids).values_list(
            "lot_id", "quantity", "place__virtual_account_id", "place__virtual_account__name"
        )
        for lot_id, quantity, place, name in rows:
            quantities[lot_id] += quantity
            places[lot_id][place] = name or ""
        details = details_of(sight, ids)
        for lot in part:
            where = places[lot.pk]
            if not sight.sees_all and not all(map(sight.sees, where)):
                continue
            if editable and not (sight.manages is None or all(map(sight.may_manage, where))):
                continue
            names = sorted(name for place, name in where.items() if place is not None)
            yield KeptLot(lot, names, quantities[lot.pk], details.get(lot.pk, UNSEEN))


def of_row(row: LotDetails) -> Details:
    return Details(**{name: getattr(row, name) for name in FIELDS})


def _lying(sight: Sight, lot_ids: list[int]) -> QuerySet[Holding]:
    """What of these lots lies in the account: in its virtual accounts, or unassigned."""
    return Holding.objects.filter(lot__in=lot_ids, quantity__gt=0, place__account=sight.account)


def _in_sight(sight: Sight) -> Q:
    return Q(place__virtual_account__in=sight.visible or ())
