"""What goes over from a failed device, and what was replaced."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Greatest

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.continuity.models import Replacement
from daicho.domain.devices.models import Device
from daicho.domain.ledger.models import HolderLine, Use
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True, slots=True)
class GoesOver:
    """So many of a license that a device uses, and how many are set aside for it."""

    sku: str
    quantity: int
    reserved: int

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def what_goes_over(device: Device) -> list[GoesOver]:
    """What a replacement takes over: uses and reservations, by SKU."""
    used = dict(Use.objects.filter(unit=device.unit, reported__gt=0).values_list("tag__sku", "reported"))
    lines = HolderLine.objects.filter(holder__unit=device.unit).values("lot__tag__sku")
    held = dict(
        lines.annotate(held=Sum(Greatest(F("old"), F("new")))).filter(held__gt=0).values_list("lot__tag__sku", "held")
    )
    return [GoesOver(sku, used.get(sku, 0), held.get(sku, 0)) for sku in sorted({*used, *held})]


def _of(sight: Sight) -> QuerySet[Replacement]:
    found = Replacement.objects.filter(sight.condition("virtual_account"), account=sight.account)
    return found.select_related("failed", "successor", "virtual_account", "token")


def list_replacements(sight: Sight, *, text: str = "", cursor: str | None = None, size: int = 25) -> Page[Replacement]:
    """Replacements in sight, newest first; `text`: words in the name or serial number of either device."""
    found = _of(sight)
    for word in clean(text).split():
        key = name_key(word)
        found = (
            found.filter(failed__name_key__contains=key) | found.filter(successor__name_key__contains=key)
            | found.filter(failed__serial__contains=word) | found.filter(successor__serial__contains=word)
        )  # fmt: skip
    return keyset_page(found, ("-at", "-uid"), cursor=cursor, size=size, count=True)


def get_replacement(actor: Actor, account: SmartAccount, uid: str) -> Replacement:
    """One replacement, if the actor may see where it was; raises NotFound."""
    found = Replacement.objects.filter(account=account, uid=uid)
    made = found.select_related("failed", "successor__unit__virtual_account", "virtual_account", "token").first()
    if made is None:
        raise NotFound
    ensure_may(actor, Permission.DEVICES_VIEW, account, made.virtual_account)
    return made


def replacement_of(device: Device) -> Replacement | None:
    """How this device was replaced, if it was."""
    return Replacement.objects.filter(failed=device).select_related("successor").first()


def replaced_by_this(device: Device) -> list[Replacement]:
    """Which devices this one took over from, newest first."""
    return list(Replacement.objects.filter(successor=device).select_related("failed").order_by("-at"))
