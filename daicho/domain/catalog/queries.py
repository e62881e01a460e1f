"""Read the catalog: products and license tags are seen by whoever is logged in; only operators change them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from daicho.core.actor import Actor, ActorKind
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.statements import among, fetch
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.catalog.models import Ladder, LicenseTag, Product
from daicho.domain.catalog.rules import search_words

TAG_ORDERS = {"sku": ("sku_key", "uid"), "name": ("name", "uid"), "family": ("family", "sku_key", "uid")}
PRODUCT_ORDERS = {"name": ("name", "uid"), "vendor": ("vendor", "name", "uid"), "part_number": ("part_number", "uid")}


def _ensure_known(actor: Actor) -> None:
    if actor.kind is ActorKind.ANONYMOUS:
        raise NotFound


def matching_tags(text: str) -> QuerySet[LicenseTag]:
    """Tags whose SKU, name or family holds every word typed, whatever its width."""
    rows = LicenseTag.objects.all()
    for word in search_words(text):
        rows = rows.filter(
            Q(sku_key__contains=name_key(word))
            | Q(name__icontains=word)
            | Q(name_ja__icontains=word)
            | Q(family__icontains=word)
        )
    return rows


def list_tags(
    actor: Actor,
    *,
    text: str = "",
    enforcement: str = "",
    sold_only: bool = False,
    sort: str = "sku",
    descending: bool = False,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
) -> Page[LicenseTag]:
    """License tags, searched by typing. Raises `bad_cursor`."""
    _ensure_known(actor)
    rows = matching_tags(text).select_related("ladder")
    if enforcement:
        rows = rows.filter(enforcement=enforcement)
    if sold_only:
        rows = rows.filter(is_sold=True)
    order = _directed(TAG_ORDERS.get(sort, TAG_ORDERS["sku"]), descending)
    return keyset_page(rows, order, cursor=cursor, size=size, count=count)


def list_products(
    actor: Actor,
    *,
    text: str = "",
    sort: str = "vendor",
    descending: bool = False,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
) -> Page[Product]:
    """Products, searched by typing over vendor, name and part number. Raises `bad_cursor`."""
    _ensure_known(actor)
    rows = Product.objects.all()
    for word in search_words(text):
        rows = rows.filter(key__contains=name_key(word))
    order = _directed(PRODUCT_ORDERS.get(sort, PRODUCT_ORDERS["vendor"]), descending)
    return keyset_page(rows, order, cursor=cursor, size=size, count=count)


def search_tags(actor: Actor, text: str, *, limit: int = 20) -> list[LicenseTag]:
    """The first sold tags that match what is typed so far."""
    _ensure_known(actor)
    return list(matching_tags(text).filter(is_sold=True).order_by("sku_key")[:limit])


def search_products(actor: Actor, text: str, *, limit: int = 20) -> list[Product]:
    """The first products that match what is typed so far."""
    return list_products(actor, text=text, size=limit).rows


def get_tag(actor: Actor, uid: str) -> LicenseTag:
    _ensure_known(actor)
    found = LicenseTag.objects.select_related("ladder").filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def get_tag_by_sku(actor: Actor, sku: str) -> LicenseTag:
    _ensure_known(actor)
    found = tags_by_sku([sku]).get(name_key(sku))
    if found is None:
        raise NotFound
    return found


def tags_by_sku(skus: Sequence[str]) -> dict[str, LicenseTag]:
    """Tags by the key of their SKU, for many SKUs at once."""
    keys = list({name_key(sku) for sku in skus})
    found: dict[str, LicenseTag] = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        condition, parameters = among("sku_key", part)
        found |= {tag.sku_key: tag for tag in fetch(LicenseTag, f"WHERE {condition}", parameters)}
    return found


def list_ladders(actor: Actor) -> list[Ladder]:
    """All ladders with their tags, best first."""
    ensure_operator(actor, OperatorPermission.CATALOG)
    return list(Ladder.objects.order_by("name").prefetch_related("tags"))


def get_ladder(actor: Actor, uid: str) -> Ladder:
    ensure_operator(actor, OperatorPermission.CATALOG)
    found = Ladder.objects.filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def ladder_skus(ladder: Ladder) -> list[str]:
    """The SKUs of a ladder, best first."""
    return list(ladder.tags.order_by("rank").values_list("sku", flat=True))


def has_pools(tag: LicenseTag) -> bool:
    """Was the tag ever delivered or used anywhere? Then its class and its place in a ladder are fixed."""
    return tag.pools.exists()


def _directed(fields: Sequence[str], descending: bool) -> list[str]:
    return [f"-{field}" if descending else field for field in fields]
