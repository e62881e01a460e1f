"""機器の出力: paste or upload what devices print, see what it brings, take it over."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError
from daicho.domain.access.commands.drafts import drop_wizard_draft, keep_wizard_draft
from daicho.domain.access.queries_drafts import get_draft
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.queries import search_tags
from daicho.domain.devices.commands.printed_import import import_printed_licenses
from daicho.domain.devices.commands.printed_undo import undo_printed_import
from daicho.domain.devices.printed.reading import NOTHING, UNREAD, Passage
from daicho.domain.devices.printed.splitting import MAX_BYTES
from daicho.domain.devices.printed_names import NamePlan
from daicho.domain.devices.printed_plan import CREATE, ITSELF, Choices, DevicePlan, Plan, plan_import
from daicho.domain.devices.queries.devices import look_at_devices
from daicho.domain.ledger.queries.sight import manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.devices_list import devices_crumb
from daicho.interfaces.portal.views.licenses_parts import license_label
from daicho.interfaces.portal.views.licenses_use import device_choices
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors

KIND = "device-imports"
OFFERED, SHOWN = 30, 200
OPEN, AS_FOUND, LEAVE_OUT = "", "=", "-"
WHERE = {
    "license": gettext_lazy("License"), "device": gettext_lazy("Device"), "line": gettext_lazy("Printed text"),
    "name": gettext_lazy("Device name"), "serial": gettext_lazy("Serial number"), "product_id": gettext_lazy("Product ID"),
}  # fmt: skip
FOUND_BY = {
    "serial": gettext_lazy("Known by its serial number"), "member": gettext_lazy("Known by another device of its stack"),
    "name": gettext_lazy("Known by its name"), "chosen": gettext_lazy("Chosen by you"),
}  # fmt: skip
MEANT_BY = {
    "regid": gettext_lazy("By its entitlement tag"), "sku": gettext_lazy("By SKU"), "name": gettext_lazy("By name"),
    "chosen": gettext_lazy("Chosen by you"), "left_out": gettext_lazy("Left out"),
    "unknown": gettext_lazy("Not in the catalog"),
}  # fmt: skip
WHY = {
    UNREAD: gettext_lazy("could not be read"), NOTHING: gettext_lazy("holds no licenses"),
    "unknown": gettext_lazy("no output of licenses"),
}  # fmt: skip


class PasteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What the device printed"), required=False, max_length=2_000_000, strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "code", "spellcheck": "false"}),
        help_text=gettext_lazy("Several commands and several devices at once, with their prompts if you have them."),
    )  # fmt: skip
    file = forms.FileField(label=gettext_lazy("Or a file"), required=False)
    virtual_account = forms.ChoiceField(
        label=gettext_lazy("Virtual account of new devices"), required=False, widget=kit.Combobox()
    )

    def __init__(self, *args: Any, places: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("None: all are registered already")), *((place.uid, place.name) for place in places)]
        self.fields["virtual_account"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        file = given.get("file")
        if file is None and not (given.get("text") or "").strip():
            self.add_error("text", forms.ValidationError(_("Paste a text or choose a file."), code="required"))
        elif file is not None and file.size > MAX_BYTES:
            self.add_error(
                "file", forms.ValidationError(_("The text is larger than 10 MB. Split it."), code="too_large")
            )
        return given

    def content(self) -> bytes:
        file = self.cleaned_data.get("file")
        return bytes(file.read()) if file is not None else str(self.cleaned_data["text"]).encode()


@account_page(Permission.DEVICES_MANAGE)
def paste(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Read the text; what was read waits as a draft for the check."""
    places = manageable(look_at_devices(here.actor, here.account))
    first = here.va or next(iter(places), None)
    form = PasteForm(
        request.POST or None, request.FILES or None, places=places,
        initial={"virtual_account": first.uid if first else ""},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        content, uid = form.content(), form.cleaned_data["virtual_account"]
        place = next((va for va in places if va.uid == uid), None)
        try:
            plan_import(here.actor, account=here.account, content=content, virtual_account=place)
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            packed = base64.b64encode(zlib.compress(content)).decode()
            draft = keep_wizard_draft(
                here.actor, account=here.account, kind=KIND, data={"packed": packed, "virtual_account": uid}
            )
            return HttpResponseRedirect(here.url("device_imports-check", draft=draft.uid))
    context = {
        "title": _("Import what devices print"),
        "crumbs": [devices_crumb(here), kit.Crumb(_("Import what devices print"))],
        "form": form,
        "back_url": here.url("devices-list"),
    }
    return render(request, "device_imports/paste.html", context, status=422 if request.method == "POST" else 200)


@account_page(Permission.DEVICES_MANAGE)
def check(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """What the text brings, with what is still to be said; one button looks again, the other takes it over."""
    data = get_draft(here.actor, here.account, KIND, draft).data
    content = zlib.decompress(base64.b64decode(data["packed"]))
    places = manageable(look_at_devices(here.actor, here.account), uids=[data["virtual_account"]])
    place = places[0] if places else None
    choices = _choices(request)
    refusal: BusinessError | None = None
    if request.method == "POST" and request.POST.get("act") == "import":
        try:
            made = import_printed_licenses(
                here.actor, account=here.account, content=content, virtual_account=place, choices=choices,
                request_id=request_id_of(request), memo=request.POST.get("memo", "")[:500],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            refusal = error
        else:
            drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
            undo = here.url("device_imports-undo", va=None, imported=made.uid)
            kit.tell(request, "done", done_text(made.answer), undo=undo)
            return HttpResponseRedirect(here.url("devices-list"))
    plan = plan_import(here.actor, account=here.account, content=content, virtual_account=place, choices=choices)
    context = {
        "title": _("Check what was read"),
        "crumbs": [
            devices_crumb(here), kit.Crumb(_("Import what devices print"), here.url("device_imports-new")),
            kit.Crumb(_("Check what was read")),
        ],
        "refusal": refusal if refusal is not None and refusal.code != "rows_refused" else None,
        "refused": refusal is not None,
        "place": place,
        "problems": [kit.RowError(p.row, WHERE.get(p.column, p.column), p.error.text()) for p in plan.problems[:SHOWN]],
        "devices": [_device(here, one) for one in plan.devices[:SHOWN]],
        "more": max(0, len(plan.devices) - SHOWN),
        "homeless": _homeless(here, plan, choices),
        "source_url": here.url("devices-options", va=None),
        "licenses_url": here.url("device_imports-licenses", va=None),
        "names": _names(here, plan),
        "passages": [_passage(one) for one in plan.passages[:SHOWN]],
        "unread": any(one.why == UNREAD for one in plan.passages),
        "absent": any(line.is_absent for one in plan.devices for line in one.lines),
        "choices": choices,
        "memo": request.POST.get("memo", ""),
        "verb": _verb(plan),
        "back_url": here.url("device_imports-new"),
    }  # fmt: skip
    status = 422 if refusal is not None else 200
    return render(request, "device_imports/check.html", context, status=status)


@require_POST
@account_page(Permission.DEVICES_MANAGE)
def undo(request: HttpRequest, here: Here, imported: str) -> HttpResponseBase:
    """Take an import back, whole or not at all."""
    undo_printed_import(here.actor, account=here.account, uid=imported, request_id=request_id_of(request))
    kit.tell(request, "done", _("The import was undone: counts are as they were, new records were removed."))
    return HttpResponseRedirect(here.url("devices-list"))


@account_page(Permission.DEVICES_MANAGE)
def licenses(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Options of a license combobox: `?q=` over the catalog."""
    found = search_tags(here.actor, request.GET.get("q", "")[:100], limit=51)
    options = [{"value": tag.sku, "label": license_label(tag), "hint": ""} for tag in found[:50]]
    return JsonResponse({"options": options, "more": len(found) > 50})


def done_text(answer: list[dict[str, Any]]) -> str:
    """What an import did, in one sentence."""
    made = sum(1 for one in answer if one["act"] == CREATE)
    uses = sum(len(one["licenses"]) for one in answer)
    devices = ngettext("%(count)s device was registered", "%(count)s devices were registered", made) % {"count": made}
    counts = ngettext("%(count)s count of use was changed", "%(count)s counts of use were changed", uses)
    return _("Imported: %(devices)s, %(counts)s.") % {"devices": devices, "counts": counts % {"count": uses}}


def _choices(request: HttpRequest) -> Choices:
    """What the check page posts: `l-<key>` SKU, `=` as found, `-` left out; `d-<line>` handle of a device; two boxes."""
    posted = {key: str(value).replace("\x00", "") for key, value in request.POST.items()}
    chosen = {key[2:]: value for key, value in posted.items() if key.startswith("l-") and value not in (OPEN, AS_FOUND)}
    devices = {
        int(key[2:]): value[:16] for key, value in posted.items() if re.fullmatch(r"d-[0-9]{1,7}", key) and value
    }
    return Choices(
        licenses={key: "" if value == LEAVE_OUT else value[:100] for key, value in chosen.items()},
        devices=devices,
        unread="unread" in request.POST,
        absent="absent" in request.POST,
    )


def _device(here: Here, plan: DevicePlan) -> dict[str, Any]:
    printed, device = plan.printed, plan.device
    if plan.act == CREATE:
        what = _("Is registered")
    elif plan.act == ITSELF:
        what = _("Reports by itself: nothing is taken from the text")
    else:
        what = str(FOUND_BY[plan.matched])
    return {
        "name": plan.fields.name,
        "url": here.url("devices-detail", va=None, device=device.uid) if device is not None else "",
        "line": printed.line,
        "product_id": plan.fields.product_id,
        "serial": plan.fields.serial,
        "members": len(printed.members),
        "software": printed.software,
        "what": what,
        "new": plan.act == CREATE,
        "place": device.unit.virtual_account.name if device is not None else "",
        "lines": [] if plan.act == ITSELF else plan.lines,
    }


def _homeless(here: Here, plan: Plan, choices: Choices) -> list[dict[str, Any]]:
    """Printed devices for which a record must be, or was, chosen."""
    lines = {p.row for p in plan.problems if p.error.code in {"unnamed_device", "several_records", "unknown_device"}}
    lines |= set(choices.devices)
    if not lines:
        return []
    offered, _more = device_choices(look_at_devices(here.actor, here.account), "", OFFERED)
    known = {
        one.device.uid: one.device.name
        for one in plan.devices
        if one.device is not None and one.device.uid in choices.devices.values()
    }
    shown = [*known.items(), *((uid, label) for uid, label in offered if uid not in known)]
    return [{"line": line, "chosen": choices.devices.get(line, ""), "options": shown} for line in sorted(lines)]


def _names(here: Here, plan: Plan) -> list[dict[str, Any]]:
    """Printed licenses with what they are taken for, those that wait for a choice first."""
    first = search_tags(here.actor, "", limit=OFFERED)
    return [_name(one, first) for one in sorted(plan.names, key=lambda one: (not one.is_open, one.lines[0]))[:SHOWN]]


def _name(plan: NamePlan, first: list[Any]) -> dict[str, Any]:
    head = (OPEN, _("Choose…") if plan.used else _("Nothing"))
    if plan.found is not None:
        head = (AS_FOUND, license_label(plan.found))
    tags = {tag.sku: license_label(tag) for tag in (*([plan.tag] if plan.tag else []), *plan.candidates, *first)}
    if plan.found is not None:
        tags.pop(plan.found.sku, None)
    chosen = {"left_out": LEAVE_OUT, "chosen": plan.tag.sku if plan.tag else OPEN}.get(plan.by, head[0])
    return {
        "key": plan.printed.key,
        "label": plan.printed.label,
        "status": plan.printed.status,
        "kind": plan.printed.kind,
        "used": plan.used,
        "line": plan.lines[0],
        "open": plan.is_open,
        "by": MEANT_BY[plan.by],
        "options": [head, *tags.items(), (LEAVE_OUT, _("Leave out"))],
        "chosen": chosen,
    }


def _passage(one: Passage) -> dict[str, Any]:
    where = f"{one.first}" if one.first == one.last else f"{one.first}–{one.last}"
    return {"where": where, "text": one.text, "why": WHY[one.why]}


def _verb(plan: Plan) -> str:
    count = sum(1 for one in plan.devices if one.act != ITSELF)
    return ngettext("Import %(count)s device", "Import %(count)s devices", count) % {"count": f"{count:,}"}
