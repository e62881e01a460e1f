"""Lots found by what is written down about them, by who may see it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from daicho.core.search import Holds
from daicho.core.text import clean, name_key
from daicho.domain.ledger.details import SHARED, TEXTS
from daicho.domain.ledger.models import Holding, LotDetails
from daicho.domain.ledger.queries.sight import Sight

ALL_KEYS = [f"{name}_key" for name in TEXTS]
SHARED_KEYS = [f"{name}_key" for name in SHARED]


def lots_with(sight: Sight, word: str) -> QuerySet[LotDetails, int]:
    """Ids of the account's lots with this word in a column that the actor may see; NFKC, case folded.

    The company's columns are searched for who sees the whole account, the shared ones of a lot for who sees all its places.
    """
    key = name_key(word)
    found = LotDetails.objects.filter(Holds(key, *ALL_KEYS, indexed=True), account=sight.account)
    if not sight.sees_all:
        lying = Holding.objects.filter(lot=OuterRef("lot"), quantity__gt=0, place__account=sight.account)
        elsewhere = lying.exclude(place__virtual_account__in=sight.visible or ())
        found = found.filter(Holds(key, *SHARED_KEYS)).exclude(Exists(elsewhere))
    return found.values_list("lot_id", flat=True)


def search_lots(sight: Sight, text: str, limit: int) -> tuple[list[LotDetails], bool]:
    """The first lots in whose ledger columns all words of the text stand, as far as the actor may see; and if there are more."""
    words = clean(text).split()
    if not words:
        return [], False
    found = LotDetails.objects.filter(account=sight.account).select_related("lot", "lot__tag")
    for word in words:
        found = found.filter(lot__in=lots_with(sight, word))
    if sight.only is not None:
        here = Holding.objects.filter(sight.condition("place__virtual_account"), lot=OuterRef("lot"), quantity__gt=0)
        found = found.filter(Exists(here.filter(account=sight.account)))
    rows = list(found.order_by("lot_id")[: limit + 1])
    return rows[:limit], len(rows) > limit
