"""Licenses on a device: assign, release, use again on another one (S1)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device, release_from_device, reuse_on_device
from daicho.domain.devices.queries.devices import DeviceRow, get_device, look_at_devices
from daicho.domain.ledger.queries.pools import PoolCriteria, list_pools
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.devices_list import devices_crumb
from daicho.interfaces.portal.views.licenses_parts import join, license_name
from daicho.interfaces.portal.views.licenses_use import device_choices
from daicho.interfaces.portal.views.transfers_draft import read_quantity
from daicho.interfaces.portal.web import Here, account_page, request_id_of


class Lines:
    """Licenses with a quantity each, as typed: `n-<tag>`."""

    def __init__(self, request: HttpRequest, rows: list[tuple[Any, int]], *, prefill: bool = False) -> None:
        self.rows: list[dict[str, Any]] = []
        self.errors: list[dict[str, str]] = []
        self.chosen: list[UseLine] = []
        posted = request.POST if request.method == "POST" else None
        for tag, most in rows:
            name = f"n-{tag.uid}"
            text = posted.get(name, "").strip()[:20] if posted is not None else (str(most) if prefill else "")
            quantity, problem = read_quantity(text)
            self.rows.append(
                {"tag": tag, "label": license_name(tag), "most": most, "name": name, "value": text, "error": problem}
            )
            if problem:
                self.errors.append({"text": f"{tag.sku}: {problem}", "target": name, "code": ""})
            elif quantity:
                self.chosen.append(UseLine(tag, quantity))
        if posted is not None and not self.chosen and not self.errors:
            self.errors.append({"text": _("Enter how many of at least one license."), "target": "", "code": "no_lines"})

    def refuse(self, error: BusinessError) -> None:
        row = next((row for row in self.rows if row["tag"].sku == error.data.get("sku")), None)
        if row is not None:
            row["error"] = error.text()
        self.errors.append({"text": error.text(), "target": row["name"] if row else "", "code": error.code})

    def words(self) -> str:
        return join([f"{line.tag.sku} {line.quantity:,}" for line in self.chosen])


@account_page(Permission.DEVICES_MANAGE)
def assign(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    sight = look(here.actor, here.account, row.virtual_account)
    pools = list_pools(sight, PoolCriteria(spare=True), size=200).rows
    lines = Lines(request, [(pool.tag, pool.balance) for pool in pools])
    if request.method == "POST" and not lines.errors:
        try:
            assign_to_device(
                here.actor, account=here.account, device_uid=device, lines=lines.chosen,
                request_id=request_id_of(request), memo=request.POST.get("memo", "")[:500],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            lines.refuse(error)
        else:
            kit.tell(
                request,
                "done",
                _("Assigned to %(device)s: %(licenses)s.") % {"device": row.device.name, "licenses": lines.words()},
            )
            return HttpResponseRedirect(here.url("devices-detail", device=device))
    return _show(request, here, row, lines, "assign")


@account_page(Permission.DEVICES_MANAGE)
def release(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    lines = Lines(request, [(use.tag, use.reported) for use in row.uses], prefill=len(row.uses) == 1)
    if request.method == "POST" and not lines.errors:
        try:
            release_from_device(
                here.actor, account=here.account, device_uid=device, lines=lines.chosen,
                request_id=request_id_of(request), memo=request.POST.get("memo", "")[:500],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            lines.refuse(error)
        else:
            kit.tell(
                request,
                "done",
                _("Released from %(device)s: %(licenses)s.") % {"device": row.device.name, "licenses": lines.words()},
            )
            return HttpResponseRedirect(here.url("devices-detail", device=device))
    return _show(request, here, row, lines, "release")


@account_page(Permission.DEVICES_MANAGE)
def reuse(request: HttpRequest, here: Here, device: str) -> HttpResponseBase:
    """転用: to another device, also in another virtual account, in one act."""
    row = get_device(here.actor, here.account, device, Permission.DEVICES_MANAGE)
    lines = Lines(request, [(use.tag, use.reported) for use in row.uses], prefill=True)
    chosen = request.POST.get("target", request.GET.get("target", ""))[:16]
    if request.method == "POST" and not chosen:
        lines.errors.append({"text": _("Choose the device to use them on."), "target": "target", "code": "required"})
    if request.method == "POST" and not lines.errors:
        try:
            reuse_on_device(
                here.actor, account=here.account, device_uid=device, target_uid=chosen, lines=lines.chosen,
                request_id=request_id_of(request), memo=request.POST.get("memo", "")[:500],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status == 404:
                lines.errors.append({"text": _("Choose one of the devices."), "target": "target", "code": "not_found"})
            elif error.http_status == 403:
                raise
            else:
                lines.refuse(error)
        else:
            target = get_device(here.actor, here.account, chosen).device
            text = _("Now used on %(device)s instead of %(source)s: %(licenses)s.")
            kit.tell(
                request, "done", text % {"device": target.name, "source": row.device.name, "licenses": lines.words()}
            )
            return HttpResponseRedirect(here.url("devices-detail", va=None, device=chosen))
    return _show(request, here, row, lines, "reuse", chosen)


def _show(
    request: HttpRequest, here: Here, row: DeviceRow, lines: Lines, act: str, chosen: str = ""
) -> HttpResponseBase:
    titles = {
        "assign": _("Assign licenses"), "release": _("Release licenses"), "reuse": _("Re-use on another device"),
    }  # fmt: skip
    uid = row.device.uid
    choices: list[tuple[str, str]] = []
    if act == "reuse":
        found, _more = device_choices(look_at_devices(here.actor, here.account))
        choices = [(value, label) for value, label in found if value != uid]
        if chosen and chosen not in dict(choices):
            choices = _with(here, chosen) + choices
    context = {
        "title": titles[act],
        "crumbs": [
            devices_crumb(here), kit.Crumb(row.device.name, here.url("devices-detail", device=uid)), kit.Crumb(titles[act]),
        ],
        "facts": " · ".join(part for part in (row.device.name, row.device.serial, row.virtual_account.name) if part),
        "act": act,
        "lines": lines,
        "most_label": _("Spare") if act == "assign" else _("In use"),
        "memo": request.POST.get("memo", "")[:500],
        "chosen": chosen,
        "choices": choices,
        "source_url": here.url("devices-options", va=None),
        "back_url": here.url("devices-detail", device=uid),
        "licenses_url": here.url("licenses-list", va=None),
    }  # fmt: skip
    return render(request, "devices/licenses.html", context, status=422 if lines.errors else 200)


def _with(here: Here, uid: str) -> list[tuple[str, str]]:
    """The chosen device, when it is beyond the first that are listed."""
    try:
        row = get_device(here.actor, here.account, uid)
    except BusinessError:
        return []
    return [(uid, row.device.name)]
