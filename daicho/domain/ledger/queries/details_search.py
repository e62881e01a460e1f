"""Lots found by what is written down about them, by who may see it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from daicho.core.text import name_key
from daicho.domain.ledger.details import SHARED, TEXTS
from daicho.domain.ledger.models import Holding, LotDetails
from daicho.domain.ledger.queries.sight import Sight


def lots_with(sight: Sight, word: str) -> QuerySet[LotDetails, int]:
    """Ids of the account's lots with this word in a column that the actor may see; NFKC, case folded.

    The company's columns are searched for who sees the whole account, the shared ones of a lot for who sees all its places.
    """
    key = name_key(word)
    held = Q()
    for name in TEXTS if sight.sees_all else SHARED:
        held |= Q(**{f"{name}_key__contains": key})
    found = LotDetails.objects.filter(held, account=sight.account)
    if not sight.sees_all:
        lying = Holding.objects.filter(lot=OuterRef("lot"), quantity__gt=0, place__account=sight.account)
        found = found.exclude(Exists(lying.exclude(place__virtual_account__in=sight.visible or ())))
    return found.values_list("lot_id", flat=True)
