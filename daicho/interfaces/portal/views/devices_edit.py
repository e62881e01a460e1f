"""機器: write one down, correct it, move it, take it off."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.records import change_device, create_device, move_device, remove_device
from daicho.domain.devices.queries.devices import DeviceRow, duplicates_of, get_device, look_at_devices
from daicho.domain.ledger.queries.sight import manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.devices_list import devices_crumb, show_device
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors


class DeviceForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Device name"), max_length=100, required=False,
        help_text=gettext_lazy("The host name, say. Left empty, the serial number stands for it."),
    )  # fmt: skip
    product_id = forms.CharField(label=gettext_lazy("Product ID"), max_length=100, required=False)
    serial = forms.CharField(label=gettext_lazy("Serial number"), max_length=100, required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class NewDeviceForm(DeviceForm):
    virtual_account = forms.ChoiceField(label=gettext_lazy("Virtual account"), widget=kit.Combobox())
    field_order = ("name", "product_id", "serial", "virtual_account", "note")

    def __init__(self, *args: Any, places: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.uid: place for place in places}
        self.fields["virtual_account"].choices = [(place.uid, place.name) for place in places]  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    target = forms.ChoiceField(label=gettext_lazy("Move to"), widget=kit.Combobox())
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), max_length=500, required=False)

    def __init__(self, *args: Any, places: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.uid: place for place in places}
        self.fields["target"].choices = [("", ""), *((place.uid, place.name) for place in places)]  # type: ignore[attr-defined]


@account_page(Permission.DEVICES_MANAGE)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_devices(here.actor, here.account)
    places = manageable(sight)
    first = here.va.uid if here.va is not None else (places[0].uid if places else "")
    form = NewDeviceForm(request.POST or None, places=places, initial={"virtual_account": first})
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        place = form.places[given.pop("virtual_account")]
        try:
            device = create_device(
                here.actor, account=here.account, virtual_account=place, request_id=request_id_of(request), **given
            )
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("%(name)s was registered.") % {"name": device.name})
            _tell_duplicates(request, len(duplicates_of(sight, device)))
            if request.POST.get("act") == "another":
                return HttpResponseRedirect(here.url("devices-new"))
            return HttpResponseRedirect(here.url("devices-detail", device=device.uid))
    context = {
        "title": _("Register a device"),
        "crumbs": [devices_crumb(here), kit.Crumb(_("Register a device"))],
        "form": form,
        "import_url": here.url("devices-import"),
        "back_url": here.url("devices-list"),
    }
    return render(request, "devices/new.html", context, status=422 if form.is_bound else 200)


def _tell_duplicates(request: HttpRequest, count: int) -> None:
    if count:
        text = ngettext(
            "Another device has the same product ID and serial number. Remove one of them if it is the same device.",
            "%(count)s other devices have the same product ID and serial number. Remove those that are the same device.",
            count,
        )
        kit.tell(request, "caution", text % {"count": count})


@account_page(Permission.DEVICES_MANAGE)
def edit(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    before = {name: getattr(row.device, name) for name in ("name", "product_id", "serial", "note")}
    form = DeviceForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            change_device(here.actor, account=here.account, device_uid=device, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The device was saved."))
            return HttpResponseRedirect(here.url("devices-detail", device=device))
    return _form(request, here, row, form, _("Edit the device"), "devices/edit.html", _("Save"))


@account_page(Permission.DEVICES_MANAGE)
def move(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    places = [va for va in manageable(look_at_devices(here.actor, here.account)) if va.pk != row.virtual_account.pk]
    form = MoveForm(request.POST or None, places=places)
    if request.method == "POST" and form.is_valid():
        target = form.places[form.cleaned_data["target"]]
        try:
            move_device(
                here.actor, account=here.account, device_uid=device, target=target, request_id=request_id_of(request),
                memo=form.cleaned_data["memo"],
            )  # fmt: skip
        except BusinessError as error:
            show_errors(form, error)
        else:
            text = _("%(name)s was moved to %(virtual_account)s.") % {
                "name": row.device.name,
                "virtual_account": target.name,
            }
            kit.tell(request, "done", text)
            return HttpResponseRedirect(here.url("devices-detail", va=None, device=device))
    return _form(request, here, row, form, _("Move the device"), "devices/move.html", _("Move the device"))


@account_page(Permission.DEVICES_MANAGE)
def remove(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    if request.method == "POST":
        try:
            remove_device(
                here.actor, account=here.account, device_uid=device, request_id=request_id_of(request),
                memo=request.POST.get("memo", "")[:500],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            return show_device(request, here, row, refusal=error, status=error.http_status)
        kit.tell(request, "done", _("%(name)s was removed; its licenses are spare again.") % {"name": row.device.name})
        return HttpResponseRedirect(here.url("devices-list"))
    context = {
        "title": _("Remove the device"),
        "crumbs": _crumbs(here, row, _("Remove the device")),
        "row": row,
        "lines": [(use.tag.sku, f"{use.reported:,}") for use in row.uses],
        "back_url": here.url("devices-detail", device=device),
    }
    return render(request, "devices/remove.html", context)


def _crumbs(here: Here, row: DeviceRow, name: str) -> list[kit.Crumb]:
    url = here.url("devices-detail", device=row.device.uid)
    return [devices_crumb(here), kit.Crumb(row.device.name, url), kit.Crumb(name)]


def _form(
    request: HttpRequest, here: Here, row: DeviceRow, form: forms.Form, title: str, template: str, button: str
) -> HttpResponseBase:
    context = {
        "title": title,
        "crumbs": _crumbs(here, row, title),
        "facts": " · ".join(part for part in (row.device.name, row.device.serial, row.virtual_account.name) if part),
        "row": row,
        "form": form,
        "button": button,
        "back_url": here.url("devices-detail", device=row.device.uid),
    }
    return render(request, template, context, status=422 if form.is_bound else 200)
