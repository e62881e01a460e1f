"""機器: are all devices all right? One device: what does it hold?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.queries_events import latest_events
from daicho.domain.access.rules import Permission
from daicho.domain.continuity.queries.replacement import replacement_of, successor_in_sight
from daicho.domain.devices.queries.devices import (
    DeviceCriteria,
    DeviceRow,
    duplicates_of,
    get_device,
    list_devices,
    look_at_devices,
)
from daicho.domain.devices.queries.instances import InstanceView, instance_of
from daicho.domain.devices.queries.reservations import reservation_of
from daicho.domain.ledger.errors import ANOTHER
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import sentence, who
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, FlagFilter, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.views.licenses_use import device_choices
from daicho.interfaces.portal.views.reservations_parts import licenses_text
from daicho.interfaces.portal.views.reservations_parts import state_of as reservation_state
from daicho.interfaces.portal.web import Here, account_page

STATE_WORDS = [
    ("out_of_compliance", words.STATES["out_of_compliance"].word), ("in_compliance", words.STATES["in_compliance"].word),
    ("none", gettext_lazy("Uses nothing")), ("removed", words.STATES["removed"].word),
]  # fmt: skip


def device_state(row: DeviceRow) -> kit.State:
    return kit.State("neutral", text=_("Uses nothing")) if row.state == "none" else kit.State(row.state)


def uses_text(row: DeviceRow) -> str:
    return words.listed(f"{use.tag.sku} {use.reported:,}" for use in row.uses)


class DeviceList(ListPage):
    key = "devices"
    title = gettext_lazy("Devices")
    text_label = gettext_lazy("Filter by name, serial number, product or virtual account")
    default_sort = "name"
    stamps = True
    here: Here
    sight: Sight

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        new = (
            kit.Action(self.here.url("devices-new"), gettext_lazy("Register devices"))
            if may_change(self.here)
            else None
        )
        self.empty = Empty(
            gettext_lazy("No devices yet"),
            gettext_lazy("Write a device down, or many with a file, and assign licenses to it."),
            new,
        )

    @property
    def filters(self) -> list[Any]:  # type: ignore[override]
        found: list[Any] = [
            ChoiceFilter("state", gettext_lazy("State"), STATE_WORDS), FlagFilter("duplicates", gettext_lazy("Registered twice")),
        ]  # fmt: skip
        if self.here.va is not None:
            found.append(FlagFilter("below", gettext_lazy("With those below")))
        return found

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        columns = [
            Column("name", gettext_lazy("Device"), sort=True, value=lambda r: r.device.name,
                   link=lambda r: here.url("devices-detail", device=r.device.uid)),
            Column("product_id", gettext_lazy("Product"), kind="code", value=lambda r: r.device.product_id),
            Column("serial", gettext_lazy("Serial number"), kind="code", sort=True, value=lambda r: r.device.serial, phone=True),
            Column("virtual_account", gettext_lazy("Virtual account"), sort=True, value=lambda r: r.virtual_account.name, phone=True),
            Column("state", gettext_lazy("State"), kind="state", value=device_state, phone=True),
            Column("licenses", gettext_lazy("Licenses"), value=uses_text, phone=True),
            Column("quantity", gettext_lazy("In use"), kind="num", total=True),
            Column("created", gettext_lazy("Registered on"), kind="date", sort=True, value=lambda r: r.device.created_at),
            Column("note", gettext_lazy("Note"), optional=True, value=lambda r: r.device.note),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def fetch(self, q: ListQuery) -> Page:
        criteria = DeviceCriteria(
            text=q.text, state=q.filters.get("state", ""), duplicates=bool(q.filters.get("duplicates"))
        )
        page = list_devices(self.sight, criteria, sort=q.sort, descending=q.descending, cursor=q.cursor, size=q.size)
        return Page(page.rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)

    def row_menu(self, row: DeviceRow) -> list[kit.MenuItem]:
        if row.state == "removed" or not self.sight.may_manage(row.virtual_account.pk):
            return []
        return device_acts(self.here, row)


def device_acts(here: Here, row: DeviceRow) -> list[kit.MenuItem]:
    """What can be done with a device, the impossible with its reason."""
    uid = row.device.uid
    none = "" if row.uses else _("It uses nothing.")
    return [
        kit.MenuItem(_("Assign licenses"), here.url("devices-assign", device=uid), "plus"),
        kit.MenuItem(_("Release licenses"), here.url("devices-release", device=uid), "minus", unavailable=none),
        kit.MenuItem(
            _("Re-use on another device"), here.url("devices-reuse", device=uid), "arrows-exchange", unavailable=none
        ),
        kit.MenuItem(_("Replace (failed)"), here.url("replacements-new", device=uid), "refresh"),
        kit.MenuItem(_("Edit"), here.url("devices-edit", device=uid), "edit"),
        kit.MenuItem(_("Move to a virtual account"), here.url("devices-move", device=uid), "sitemap"),
        kit.MenuItem(_("Remove the device"), here.url("devices-remove", device=uid), "trash", danger=True),
    ]


REGISTRATIONS = {
    "registered": gettext_lazy("Registered"), "expired": gettext_lazy("Certificate expired"),
    "replaced": gettext_lazy("Replaced"), "removed": gettext_lazy("Removed"),
}  # fmt: skip
AUTHORIZATIONS = {
    "none": gettext_lazy("Nothing asked for yet"), "evaluation": gettext_lazy("Evaluation"),
    "evaluation_expired": gettext_lazy("Evaluation expired"), "authorized": gettext_lazy("Authorized"),
    "out_of_compliance": gettext_lazy("Out of compliance"), "reserved": gettext_lazy("Reserved"),
    "authorization_expired": gettext_lazy("Authorization expired"),
}  # fmt: skip


def replaced_by(here: Here, sight: Sight, device: Any) -> dict[str, Any] | None:
    """Where to read how a failed device was replaced."""
    made = replacement_of(device)
    if made is None:
        return None
    new = successor_in_sight(sight, made)
    return {"name": new.name if new else ANOTHER, "url": here.url("replacements-detail", replacement=made.uid)}


def instance_facts(view: InstanceView) -> list[kit.Fact]:
    """How the instance stands, and what happens next."""
    one = view.instance
    software = " ".join(filter(None, (one.software_name, one.software_version)))
    facts = [
        kit.Fact(_("Registration"), str(REGISTRATIONS[one.registration])),
        kit.Fact(_("Authorization"), str(AUTHORIZATIONS[view.authorization])),
        kit.Fact(_("Last contact"), words.datetime(one.last_contact_at)),
        kit.Fact(_("Registered on"), words.datetime(one.registered_at)),
        kit.Fact(_("Software"), software),
        kit.Fact(_("Agent"), one.agent_version),
        kit.Fact(_("Key"), one.thumbprint),
    ]
    if one.is_alive:
        facts[3:3] = [
            kit.Fact(_("Next contact by"), words.datetime(one.contact_due_at)),
            kit.Fact(_("Certificate renewed from"), words.datetime(view.renew_from)),
            kit.Fact(_("Certificate ends"), words.datetime(one.certificate_until)),
            kit.Fact(
                _("Without contact, licenses return on"), words.datetime(view.silent_at) if view.silent_at else ""
            ),
        ]
    return facts


def may_change(here: Here) -> bool:
    return here.may(Permission.DEVICES_MANAGE)


def devices_crumb(here: Here) -> kit.Crumb:
    return kit.Crumb(_("Devices"), here.url("devices-list"))


@account_page(Permission.DEVICES_VIEW)
def device_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_devices(here.actor, here.account, here.va, below=request.GET.get("below") == "1")
    context: dict[str, Any] = {}
    if may_change(here):
        context["primary"] = kit.Action(here.url("devices-new"), _("Register a device"), "plus")
        context["actions"] = [
            kit.MenuItem(_("Register devices by CSV"), here.url("devices-import"), "file-type-csv"),
            kit.MenuItem(_("Import what devices print"), here.url("device_imports-new"), "upload"),
            kit.MenuItem(_("Registration tokens"), here.url("tokens-list"), "ticket"),
            kit.MenuItem(_("Reserve for an offline device"), here.url("reservations-new"), "lock"),
            kit.MenuItem(_("Replacements"), here.url("replacements-list"), "refresh"),
        ]
    return DeviceList(request, here=here, sight=sight).response(context)


@account_page(Permission.DEVICES_VIEW)
def detail(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    return show_device(request, here, get_device(here.actor, here.account, device))


def show_device(
    request: HttpRequest, here: Here, row: DeviceRow, *, refusal: BusinessError | None = None, status: int = 200
) -> HttpResponse:
    device, place = row.device, row.virtual_account
    sight = look_at_devices(here.actor, here.account)
    acts = sight.may_manage(place.pk) and row.state != "removed"
    events = latest_events(here.actor, here.account, subject_uid=device.uid, limit=10)
    events += latest_events(here.actor, here.account, subject_uid=device.unit.uid, limit=10)
    events.sort(key=lambda event: event.at, reverse=True)
    short = [use for use in row.uses if use.counted and use.pool.balance < 0]
    context = {
        "title": device.name,
        "crumbs": [devices_crumb(here), kit.Crumb(device.name)],
        "row": row,
        "device": device,
        "state": device_state(row),
        "facts_line": " · ".join(part for part in (device.product_id, device.serial, place.name) if part),
        "facts": [
            kit.Fact(_("Product"), device.catalog_product.name if device.catalog_product else device.product_id),
            kit.Fact(_("Product ID"), device.product_id),
            kit.Fact(_("Serial number"), device.serial),
            kit.Fact(_("Virtual account"), place.name, url=here.url("devices-list", va=place.uid)),
            kit.Fact(_("Registered on"), words.date(device.created_at)),
            kit.Fact(_("Note"), device.note),
        ],
        "uses": [
            {
                "sku": use.tag.sku,
                "name": license_name(use.tag),
                "quantity": use.reported,
                "since": use.since,
                "balance": use.pool.balance,
                "state": "short" if use.pool.balance < 0 else "in_compliance",
                "url": here.url("licenses-detail", va=place.uid, tag=use.tag.uid),
            }
            for use in row.uses
        ],
        "reservation": _reservation(here, row),
        "short": short,
        "replacement": replaced_by(here, sight, device),
        "instance": instance_facts(instance) if (instance := instance_of(device)) else [],
        "duplicates": [
            {
                "name": other.name,
                "url": here.url("devices-detail", device=other.uid),
                "place": other.unit.virtual_account.name,
            }
            for other in duplicates_of(sight, device)
        ],
        "events": [kit.Event(event.at, who(event), sentence(event)) for event in events[:10]],
        "may_change": acts,
        "assign_url": here.url("devices-assign", device=device.uid),
        "actions": device_acts(here, row) if acts else [],
        "refusal": refusal,
    }
    return render(request, "devices/detail.html", context, status=status)


def _reservation(here: Here, row: DeviceRow) -> dict[str, Any] | None:
    """What is reserved for the device, for who may see licenses there."""
    found = reservation_of(row.device)
    if found is None or not here.scope.allows(Permission.LICENSES_VIEW, row.virtual_account.pk):
        return None
    url = here.url("reservations-detail", reservation=found.reservation.uid)
    return {"state": reservation_state(found), "licenses": licenses_text(found), "url": url}


@account_page(Permission.DEVICES_VIEW)
def options(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Options of a device combobox: `?q=`."""
    sight = look_at_devices(here.actor, here.account, here.va)
    found, more = device_choices(sight, request.GET.get("q", "")[:100], 50)
    return JsonResponse({"options": [{"value": uid, "label": label, "hint": ""} for uid, label in found], "more": more})
