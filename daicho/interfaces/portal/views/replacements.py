"""交換: a failed device and the one that takes its place (S4)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import (
    GoesOver,
    NewDevice,
    Successor,
    device_to_replace,
    find_successor,
    get_replacement,
    list_replacements,
    successor_in_sight,
    what_goes_over,
)
from daicho.domain.devices.queries.devices import DeviceRow, get_device, look_at_devices
from daicho.domain.devices.queries.reservations import reservation_of
from daicho.domain.ledger.errors import ANOTHER
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.devices_list import devices_crumb
from daicho.interfaces.portal.views.licenses_use import device_choices
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors


class NewDeviceForm(forms.Form):
    """What stands on the label of the new device, or a device that is registered already."""

    serial = forms.CharField(
        label=gettext_lazy("Serial number of the new device"), required=False, max_length=100,
        help_text=gettext_lazy("Type it or scan it from the label."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
    )  # fmt: skip
    product_id = forms.CharField(
        label=gettext_lazy("Product ID"), required=False, max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("Device name"), required=False, max_length=100,
        help_text=gettext_lazy("Leave it as it is, and the new device is called like the failed one."),
    )  # fmt: skip
    device = forms.CharField(
        label=gettext_lazy("Or a device that is registered already"), required=False, max_length=16,
        help_text=gettext_lazy("A spare one, for example. It comes to the virtual account of the failed one."),
    )  # fmt: skip
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), required=False, max_length=500)

    def given(self) -> NewDevice:
        read = self.cleaned_data
        if read["device"]:
            return NewDevice(uid=read["device"])
        return NewDevice(name=read["name"], product_id=read["product_id"], serial=read["serial"])


@account_page(Permission.DEVICES_VIEW)
def replace(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    """Say which device comes, see what goes over, replace."""
    row = device_to_replace(here.actor, here.account, device)
    failed = row.device
    begun = {"product_id": failed.product_id, "name": failed.name}
    form = NewDeviceForm(request.POST or None, initial=begun)
    successor: Successor | None = None
    act = request.POST.get("act", "")
    if request.method == "POST" and form.is_valid() and act:
        try:
            successor = find_successor(here.actor, here.account, failed, form.given())
            if act == "replace":
                made = replace_device(
                    here.actor, account=here.account, failed_uid=device, successor=form.given(),
                    request_id=request_id_of(request), memo=form.cleaned_data["memo"],
                )  # fmt: skip
                return HttpResponseRedirect(here.url("replacements-detail", replacement=made.uid))
        except BusinessError as error:
            if error.http_status == 403:
                raise
            successor = None
            show_errors(form, error)
    context = {
        "title": _("Replace %(device)s") % {"device": failed.name},
        "crumbs": [
            devices_crumb(here), kit.Crumb(failed.name, here.url("devices-detail", device=device)), kit.Crumb(_("Replace")),
        ],
        "form": form,
        "source_url": here.url("devices-options", va=None),
        "choices": [choice for choice in _choices(here, form) if choice[0] != device],
        "chosen": form["device"].value() or "",
        "failed": _facts_of(row),
        "lines": _lines(what_goes_over(failed)),
        "successor": successor,
        "new": _facts_of_new(successor) if successor else [],
        "to_do": _to_do(row, successor),
        "back_url": here.url("devices-detail", device=device),
        "refused": row.state == "removed",
    }  # fmt: skip
    status = 422 if act and successor is None else 200
    return render(request, "replacements/new.html", context, status=status)


def _reservation_to_bind(here: Here, new: Any) -> list[kit.Fact]:
    """Where the new device gets an authorization of its own for what was reserved for the failed one."""
    held = reservation_of(new)
    if held is None or held.state != "unbound":
        return []
    url = here.url("reservations-bind", reservation=held.reservation.uid)
    return [kit.Fact(_("Reservation"), _("Enter the replacement's request code"), url=url)]


@account_page(Permission.DEVICES_VIEW)
def detail(request: HttpRequest, here: Here, replacement: str) -> HttpResponseBase:
    made = get_replacement(here.actor, here.account, replacement)
    failed, new = made.failed, successor_in_sight(look_at_devices(here.actor, here.account), made)
    here_it_is = new and here.url("devices-detail", device=new.uid)
    context = {
        "title": _("%(device)s was replaced") % {"device": failed.name},
        "crumbs": [
            devices_crumb(here), kit.Crumb(_("Replacements"), here.url("replacements-list")), kit.Crumb(failed.name),
        ],
        "facts": [
            kit.Fact(_("Failed device"), " · ".join(filter(None, (failed.name, failed.serial))),
                     url=here.url("devices-detail", device=failed.uid)),
            kit.Fact(_("New device"), " · ".join(filter(None, (new.name, new.serial))) if new else str(ANOTHER),
                     url=here_it_is or ""),
            kit.Fact(_("Virtual account"), made.virtual_account.name),
            kit.Fact(_("When"), words.datetime(made.at)),
            kit.Fact(_("Carried out by"), made.by),
            kit.Fact(_("Memo"), made.memo),
            *([kit.Fact(_("Registration token for the new device"), made.token.secret_hint + "…",
                        url=here.url("tokens-detail", registration=made.token.uid))] if made.token else []),
            *(_reservation_to_bind(here, new) if new else []),
        ],
        "lines": _lines([GoesOver(**line) for line in made.moved]),
        "device_url": here_it_is,
        "list_url": here.url("replacements-list"),
    }  # fmt: skip
    return render(request, "replacements/detail.html", context)


class ReplacementList(ListPage):
    key = "replacements"
    title = gettext_lazy("Replacements")
    text_label = gettext_lazy("Filter by name or serial number")
    empty = Empty(
        gettext_lazy("No device was replaced yet"),
        gettext_lazy("When a device fails, open it and choose [Replace]: the new one takes over everything at once."),
    )
    here: Here
    sight: Sight

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        columns = [
            Column("failed", gettext_lazy("Failed device"), value=lambda r: r.failed.name,
                   link=lambda r: here.url("replacements-detail", replacement=r.uid)),
            Column("failed_serial", gettext_lazy("Its serial number"), kind="code", value=lambda r: r.failed.serial),
            Column("new", gettext_lazy("New device"), value=lambda r: self.new(r).name, phone=True),
            Column("new_serial", gettext_lazy("New serial number"), kind="code", value=lambda r: self.new(r).serial, phone=True),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.virtual_account.name),
            Column("at", gettext_lazy("When"), kind="datetime", phone=True),
            Column("by", gettext_lazy("Carried out by")),
            Column("memo", gettext_lazy("Memo"), optional=True),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def new(self, made: Any) -> Any:
        return successor_in_sight(self.sight, made) or NewDevice(name=str(ANOTHER))

    def fetch(self, q: ListQuery) -> Page:
        found = list_replacements(self.sight, text=q.text, cursor=q.cursor, size=q.size)
        return Page(found.rows, found.next_cursor, found.previous_cursor, found.count, found.count_is_exact)


@account_page(Permission.DEVICES_VIEW)
def listing(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_devices(here.actor, here.account, here.va)
    return ReplacementList(request, here=here, sight=sight).response({})


def _choices(here: Here, form: NewDeviceForm) -> list[tuple[str, str]]:
    found, _more = device_choices(look_at_devices(here.actor, here.account))
    chosen = str(form["device"].value() or "")
    if chosen and chosen not in dict(found):
        try:
            found = [(chosen, get_device(here.actor, here.account, chosen).device.name), *found]
        except BusinessError:
            return found
    return found


def _facts_of(row: DeviceRow) -> list[kit.Fact]:
    device = row.device
    return [
        kit.Fact(_("Device name"), device.name),
        kit.Fact(_("Product ID"), device.product_id),
        kit.Fact(_("Serial number"), device.serial),
        kit.Fact(_("Virtual account"), row.virtual_account.name),
    ]


def _facts_of_new(successor: Successor) -> list[kit.Fact]:
    fields = successor.fields
    return [
        kit.Fact(_("Device name"), fields.name),
        kit.Fact(_("Product ID"), fields.product_id),
        kit.Fact(_("Serial number"), fields.serial),
        kit.Fact(_("Virtual account"), successor.virtual_account.name),
    ]


def _lines(lines: list[GoesOver]) -> list[dict[str, Any]]:
    return [line.plain() for line in lines]


def _to_do(row: DeviceRow, successor: Successor | None) -> list[str]:
    """What happens beside the licenses, in words."""
    if successor is None:
        return []
    told = [_("%(device)s is taken off the account and refused if it comes back.") % {"device": row.device.name}]
    if successor.needs_token:
        told.append(_("A registration token for the new device is issued: one use, 7 days."))
    if successor.is_new:
        told.append(_("The new device is registered in %(place)s.") % {"place": row.virtual_account.name})
    elif successor.virtual_account.pk != row.virtual_account.pk:
        told.append(
            _("The new device comes from %(from)s to %(to)s.")
            % {"from": successor.virtual_account.name, "to": row.virtual_account.name}
        )
    return told
