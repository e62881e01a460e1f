"""Lists of devices and the page of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.search import Holds
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices.models import Device
from daicho.domain.ledger.models import Use
from daicho.domain.ledger.queries.sight import Sight, look
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

ORDERS: dict[str, tuple[str, ...]] = {
    "name": ("name_key", "uid"),
    "serial": ("serial", "uid"),
    "virtual_account": ("unit__virtual_account__name_key", "name_key", "uid"),
    "created": ("created_at", "uid"),
}
FEW = 500
SHORT, IN_COMPLIANCE, NONE, REMOVED = "out_of_compliance", "in_compliance", "none", "removed"
STATES = (SHORT, IN_COMPLIANCE, NONE, REMOVED)


@dataclass(frozen=True, slots=True)
class DeviceCriteria:
    """What the reader asks for; empty means any. `state`: a code of STATES; removed ones are shown only when asked for."""

    text: str = ""
    state: str = ""
    tag_uid: str = ""
    sku: str = ""
    serial: str = ""
    duplicates: bool = False


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device with what it uses. State: out_of_compliance, in_compliance, none (uses nothing), removed."""

    device: Device
    uses: list[Use] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.device.removed_at is not None:
            return REMOVED
        if any(use.pool.balance < 0 and use.counted for use in self.uses):
            return SHORT
        return IN_COMPLIANCE if self.uses else NONE

    @property
    def virtual_account(self) -> VirtualAccount:
        return self.device.unit.virtual_account

    @property
    def quantity(self) -> int:
        return sum(use.reported for use in self.uses)


def look_at_devices(
    actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None, *, below: bool = False
) -> Sight:
    """What the actor sees of devices, or NotFound."""
    return look(
        actor, account, virtual_account, below=below, view=Permission.DEVICES_VIEW, manage=Permission.DEVICES_MANAGE
    )


def _devices(sight: Sight) -> QuerySet[Device]:
    found = Device.objects.filter(sight.condition("unit__virtual_account"), account=sight.account)
    return found.select_related("unit", "unit__virtual_account", "catalog_product")


def _matching(sight: Sight, criteria: DeviceCriteria) -> QuerySet[Device]:
    found = _devices(sight)
    found = found.filter(removed_at__isnull=criteria.state != REMOVED)
    uses = Use.objects.filter(unit=OuterRef("unit"), reported__gt=0)
    match criteria.state:
        case "out_of_compliance":
            found = found.filter(Exists(uses.filter(counted__gt=0, pool__balance__lt=0)))
        case "in_compliance":
            found = found.filter(Exists(uses), ~Exists(uses.filter(counted__gt=0, pool__balance__lt=0)))
        case "none":
            found = found.filter(~Exists(uses))
    for word in clean(criteria.text).split():
        found = found.filter(_named(sight, word))
    if criteria.tag_uid:
        found = found.filter(Exists(uses.filter(tag__uid=criteria.tag_uid)))
    if criteria.sku:
        found = found.filter(Exists(uses.filter(tag__sku_key=name_key(criteria.sku))))
    if criteria.serial:
        found = found.filter(serial=clean(criteria.serial))
    if criteria.duplicates:
        found = found.filter(Exists(_same(sight)))
    return found


def _named(sight: Sight, word: str) -> Q:
    """Devices with a word in name, serial or product ID, or in the name of their virtual account (record 0010)."""
    own = ("name_key", "serial", "product_id")
    found = Device.objects.filter(Holds(name_key(word), *own, indexed=True), account=sight.account)
    ids = list(found.values_list("pk", flat=True)[: FEW + 1])
    named = Q(pk__in=ids) if len(ids) <= FEW else Q(Holds(name_key(word), *own))
    places = sight.all_virtual_accounts().filter(name_key__contains=name_key(word)).order_by()
    where = list(places.values_list("pk", flat=True)[: FEW + 1])
    if not where:
        return named
    return named | Q(unit__virtual_account__in=where if len(where) <= FEW else places.values("pk"))


def _same(sight: Sight) -> QuerySet[Device]:
    """Living visible devices with the serial and product ID of the outer one."""
    visible = sight.all_virtual_accounts().values("pk")
    same = Device.objects.filter(
        account=sight.account, serial=OuterRef("serial"), product_id=OuterRef("product_id"), removed_at=None,
        unit__virtual_account__in=visible,
    )  # fmt: skip
    return same.exclude(pk=OuterRef("pk")).exclude(serial="")


def list_devices(
    sight: Sight,
    criteria: DeviceCriteria,
    *,
    sort: str = "name",
    descending: bool = False,
    cursor: str | None = None,
    size: int = 25,
    count: bool = True,
) -> Page[DeviceRow]:
    """One page of devices with their uses."""
    order = ORDERS.get(sort, ORDERS["name"])
    if descending:
        order = tuple(f"-{name}" for name in order)
    page = keyset_page(_matching(sight, criteria), order, cursor=cursor, size=size, count=count)
    return Page(with_uses(page.rows), page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def with_uses(devices: Iterable[Device]) -> list[DeviceRow]:
    """The devices with what they use now: one query."""
    found = list(devices)
    by_unit: dict[int, list[Use]] = {}
    uses = Use.objects.filter(unit__in=[device.unit_id for device in found], reported__gt=0)
    for use in uses.select_related("tag", "pool", "pool__virtual_account").order_by("tag__sku_key"):
        by_unit.setdefault(use.unit_id, []).append(use)
    return [DeviceRow(device, by_unit.get(device.unit_id, [])) for device in found]


def get_device(
    actor: Actor, account: SmartAccount, uid: str, permission: Permission = Permission.DEVICES_VIEW
) -> DeviceRow:
    """A device with its uses, if the actor may; raises NotFound, Forbidden."""
    found = Device.objects.filter(account=account, uid=uid)
    device = found.select_related("unit", "unit__virtual_account", "catalog_product", "account").first()
    if device is None:
        raise NotFound
    ensure_may(actor, permission, account, device.unit.virtual_account)
    return with_uses([device])[0]


def duplicates_of(sight: Sight, device: Device, limit: int = 20) -> list[Device]:
    """The other living devices in sight with the same product ID and serial number."""
    if not device.serial:
        return []
    visible = sight.all_virtual_accounts().values("pk")
    same = Device.objects.filter(
        account=sight.account, serial=device.serial, product_id=device.product_id, removed_at=None,
        unit__virtual_account__in=visible,
    )  # fmt: skip
    return list(same.exclude(pk=device.pk).select_related("unit", "unit__virtual_account")[:limit])


def devices_of_license(sight: Sight, tag_uid: str, *, cursor: str | None = None, size: int = 25) -> Page[DeviceRow]:
    """The devices that use a license, by name."""
    return list_devices(sight, DeviceCriteria(tag_uid=tag_uid), cursor=cursor, size=size)


def search_devices(sight: Sight, text: str, limit: int = 5) -> tuple[list[DeviceRow], bool]:
    """The first devices that match typed words (name, serial, product ID), and whether there are more."""
    found = list(_matching(sight, DeviceCriteria(text=text)).order_by("name_key", "uid")[: limit + 1])
    return with_uses(found[:limit]), len(found) > limit
