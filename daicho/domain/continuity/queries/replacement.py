"""What goes over from a failed device, and what was replaced."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.errors import FieldErrors, NotFound, invalid
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import ensure_may, scope_of
from daicho.domain.access.rules import Permission
from daicho.domain.continuity.errors import nothing_to_tell_it_by, same_device
from daicho.domain.continuity.models import Replacement
from daicho.domain.devices.commands.records import fields_of
from daicho.domain.devices.errors import device_removed, device_replaced
from daicho.domain.devices.models import ALIVE, Device, Instance
from daicho.domain.devices.queries.devices import DeviceRow, get_device
from daicho.domain.devices.rules import DeviceFields, read_fields
from daicho.domain.ledger.models import HolderLine, Use
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class NewDevice:
    """The device that comes: one that the account knows already (`uid`), or what stands on its label."""

    uid: str = ""
    name: str = ""
    product_id: str = ""
    serial: str = ""

    def plain(self) -> list[str]:
        return [self.uid, self.name, self.product_id, self.serial]


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


@dataclass(frozen=True, slots=True)
class Successor:
    """The device that would take over, before anything is done. `is_new`: it would be written down; `needs_token`: to
    draw licenses by itself as the failed one did, it has to register first.
    """

    fields: DeviceFields
    virtual_account: VirtualAccount
    is_new: bool
    needs_token: bool


def device_to_replace(actor: Actor, account: SmartAccount, uid: str) -> DeviceRow:
    """A device that the actor may replace, or replace another one with, whatever agreement waits; NotFound, Forbidden."""
    row = get_device(actor, account, uid)
    ensure_may(actor, Permission.DEVICES_MANAGE, account, row.virtual_account, standing=False)
    return row


def find_successor(actor: Actor, account: SmartAccount, failed: Device, given: NewDevice) -> Successor:
    """What a replacement would take as the new device; raises as `replace_device` does, as far as can be told now."""
    if failed.removed_at is not None:
        raise device_removed() if failed.replaced_by_id is None else device_replaced()
    known = given.uid or known_by_label(actor, account, given)
    if known == failed.uid:
        raise same_device()
    if not known:
        fields = fields_of_new(given, failed)
        return Successor(fields, failed.unit.virtual_account, is_new=True, needs_token=needs_to_register(failed, None))
    try:
        found = device_to_replace(actor, account, known).device
    except NotFound:
        raise invalid("device", "not_found", _("Choose one of the devices.")) from None
    if found.removed_at is not None:
        raise device_removed()
    needs = needs_to_register(failed, found)
    return Successor(fields_of(found), found.unit.virtual_account, is_new=False, needs_token=needs)


def known_by_label(actor: Actor, account: SmartAccount, given: NewDevice) -> str:
    """The handle of the living device with this product ID and serial, if the actor may change it."""
    fields = read_fields("-", given.product_id, given.serial)
    if not fields.serial:
        return ""
    scope = scope_of(actor, account)
    same = Device.objects.filter(account=account, serial=fields.serial, product_id=fields.product_id, removed_at=None)
    for uid, place in same.order_by("pk").values_list("uid", "unit__virtual_account"):
        if scope.allows(Permission.DEVICES_MANAGE, place):
            return str(uid)
    return ""


def fields_of_new(given: NewDevice, failed: Device) -> DeviceFields:
    """What is written down of a device that is not known yet. Raises FieldErrors."""
    if not given.serial.strip() and given.name.strip() in {"", failed.name}:
        raise FieldErrors({"serial": nothing_to_tell_it_by()})
    return read_fields(given.name or failed.name, given.product_id, given.serial)


def needs_to_register(failed: Device, new: Device | None) -> bool:
    """Whether the failed one drew its licenses by itself, and the new one cannot do so yet."""
    alive = Instance.objects.filter(registration__in=ALIVE)
    return alive.filter(device=failed).exists() and (new is None or not alive.filter(device=new).exists())


def _of(sight: Sight) -> QuerySet[Replacement]:
    found = Replacement.objects.filter(sight.condition("virtual_account"), account=sight.account)
    return found.select_related("failed", "successor__unit", "virtual_account", "token")


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
    return Replacement.objects.filter(failed=device).select_related("successor__unit").first()


def successor_in_sight(sight: Sight, made: Replacement) -> Device | None:
    """The device that took over, unless it has moved since to where the reader sees nothing."""
    return made.successor if sight.sees(made.successor.unit.virtual_account_id) else None
