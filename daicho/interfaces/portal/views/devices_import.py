"""機器 by a file: template, dry run with errors by row, one act."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.commands.drafts import drop_wizard_draft, keep_wizard_draft
from daicho.domain.access.queries_drafts import get_draft
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.csv_import import create_devices_from_csv, read_device_file
from daicho.domain.devices.queries.devices import look_at_devices
from daicho.domain.devices.rules import MAX_ROWS
from daicho.domain.ledger.queries.sight import manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.devices_list import devices_crumb
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors

KIND = "devices-import"
MOST_BYTES = 5 * 1024 * 1024
LABELS = {
    "name": gettext_lazy("Device name"), "product_id": gettext_lazy("Product ID"), "serial": gettext_lazy("Serial number"),
    "virtual_account": gettext_lazy("Virtual account"), "note": gettext_lazy("Note"),
}  # fmt: skip


class ImportForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File"))
    virtual_account = forms.ChoiceField(
        label=gettext_lazy("Virtual account of rows that name none"), required=False, widget=kit.Combobox()
    )

    def __init__(self, *args: Any, places: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("None: every row names one")), *((place.uid, place.name) for place in places)]
        self.fields["virtual_account"].choices = choices  # type: ignore[attr-defined]


@account_page(Permission.DEVICES_MANAGE)
def upload(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The dry run: nothing is written; a good file waits as a draft for the button."""
    places = manageable(look_at_devices(here.actor, here.account))
    first = here.va.uid if here.va is not None else ""
    form = ImportForm(request.POST or None, request.FILES or None, places=places, initial={"virtual_account": first})
    problems: list[Any] = []
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        uid = form.cleaned_data["virtual_account"]
        try:
            if len(content) > MOST_BYTES:
                raise BusinessError("file_too_large", 422, gettext_lazy("The file is larger than 5 MB. Split it."))
            place = next((va for va in places if va.uid == uid), None)
            found = read_device_file(here.actor, account=here.account, content=content, virtual_account=place)
        except BusinessError as error:
            show_errors(form, error)
        else:
            problems = found.problems
            if not problems:
                data = {"content": base64.b64encode(content).decode(), "virtual_account": uid}
                draft = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=data)
                return HttpResponseRedirect(here.url("devices-import-check", draft=draft.uid))
    context = {
        "title": _("Register devices by CSV"),
        "crumbs": [devices_crumb(here), kit.Crumb(_("Register devices by CSV"))],
        "form": form,
        "most": f"{MAX_ROWS:,}",
        "problems": [kit.RowError(p.row, LABELS.get(p.column, p.column), p.error.text()) for p in problems[:500]],
        "template_url": here.url("devices-template"),
        "back_url": here.url("devices-list"),
    }
    return render(request, "devices/import.html", context, status=422 if request.method == "POST" else 200)


@account_page(Permission.DEVICES_MANAGE)
def check(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """What the file brings; the button writes all of it, or nothing."""
    data = get_draft(here.actor, here.account, KIND, draft).data
    content = base64.b64decode(data["content"])
    places = manageable(look_at_devices(here.actor, here.account), uids=[data["virtual_account"]])
    place = places[0] if places else None
    refusal: BusinessError | None = None
    if request.method == "POST":
        try:
            made = create_devices_from_csv(
                here.actor, account=here.account, content=content, virtual_account=place,
                request_id=request_id_of(request),
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            refusal = error
        else:
            drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
            text = ngettext("%(count)s device was registered.", "%(count)s devices were registered.", len(made))
            kit.tell(request, "done", text % {"count": f"{len(made):,}"})
            return HttpResponseRedirect(here.url("devices-list"))
    found = read_device_file(here.actor, account=here.account, content=content, virtual_account=place)
    count = len(found.rows)
    context = {
        "title": _("Check the devices of the file"),
        "crumbs": [devices_crumb(here), kit.Crumb(_("Register devices by CSV"), here.url("devices-import"))],
        "rows": found.rows[:200],
        "more": max(0, count - 200),
        "twice": sum(row.twice for row in found.rows),
        "problems": [kit.RowError(p.row, LABELS.get(p.column, p.column), p.error.text()) for p in found.problems[:500]],
        "refusal": refusal,
        "verb": ngettext("Register %(count)s device", "Register %(count)s devices", count) % {"count": f"{count:,}"},
        "back_url": here.url("devices-import"),
    }
    return render(request, "devices/import_check.html", context, status=refusal.http_status if refusal else 200)


@account_page(Permission.DEVICES_MANAGE)
def template(request: HttpRequest, here: Here) -> HttpResponseBase:
    place = here.va or next(iter(manageable(look_at_devices(here.actor, here.account), limit=1)), None)
    name = place.name if place is not None else ""
    rows = [
        ["tokyo-core-01", "SW-9500-24", "FCW2233A0B1", name, ""],
        ["tokyo-edge-07", "RT-1100", "FGL2301K2M4", name, ""],
    ]
    head = ["name", "product_id", "serial", "virtual_account", "note"]
    answer = StreamingHttpResponse(tabular.csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="devices-template.csv"'
    return answer
