"""転用: use a spare license on a device, also across virtual accounts, in one act (S1)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.licenses import use_spare_on_device
from daicho.domain.devices.queries.devices import look_at_devices, search_devices
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.queries.pools import PoolCriteria, list_pools
from daicho.domain.ledger.queries.sight import Sight, find_tag, look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.licenses_parts import license_name, licenses_crumb
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors


def device_label(row: Any) -> str:
    """「tokyo-core-01 · FCW2233A0B1 · 東京本社」."""
    parts = [row.device.name, row.device.serial, row.virtual_account.name]
    return " · ".join(part for part in parts if part)


def device_choices(sight: Sight, text: str = "", limit: int = 100) -> tuple[list[tuple[str, str]], bool]:
    """Devices to choose from, as far as the actor may change them."""
    found, more = search_devices(sight, text, limit)
    rows = [row for row in found if sight.may_manage(row.device.unit.virtual_account_id)]
    return [(row.device.uid, device_label(row)) for row in rows], more


class UseForm(forms.Form):
    pool = forms.ChoiceField(label=gettext_lazy("Where the spare licenses lie"))
    device = forms.CharField(label=gettext_lazy("Device"), max_length=16)
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"), min_value=1, max_value=MAX_QUANTITY, initial=1, widget=kit.Quantity
    )
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), max_length=500, required=False)

    def __init__(
        self, *args: Any, pools: list[Any], devices: list[tuple[str, str]], source: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.pools = {pool.uid: pool for pool in pools}
        self.fields["pool"].choices = [(p.uid, f"{p.virtual_account.name}  {words.balance(p.balance)}") for p in pools]  # type: ignore[attr-defined]
        self.fields["device"].widget = kit.Combobox(choices=[("", ""), *devices], source=source)


@account_page(Permission.LICENSES_MANAGE)
def use_on_device(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    found = find_tag(look(here.actor, here.account), uid=tag)
    sight = look(here.actor, here.account)
    page = list_pools(sight, PoolCriteria(tag_uid=tag, spare=True), sort="balance", descending=True, size=200)
    pools = [pool for pool in page.rows if sight.may_manage(pool.virtual_account_id)]
    if here.va is not None:
        pools.sort(key=lambda pool: pool.virtual_account_id != here.va.pk)  # type: ignore[union-attr]
    devices, _more = device_choices(look_at_devices(here.actor, here.account))
    asked = request.GET.get("device", "")
    form = UseForm(
        request.POST or None, pools=pools, devices=devices, source=here.url("devices-options", va=None),
        initial={"pool": request.GET.get("pool", ""), "device": asked},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        pool = form.pools[form.cleaned_data["pool"]]
        try:
            used = use_spare_on_device(
                here.actor, account=here.account, device_uid=form.cleaned_data["device"], tag=found,
                quantity=form.cleaned_data["quantity"], source=pool.virtual_account, request_id=request_id_of(request),
                memo=form.cleaned_data["memo"],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status == 404:
                form.add_error("device", _("Choose one of the devices."))
            else:
                show_errors(form, error)
        else:
            text = _("%(sku)s is now used on %(device)s.") % {"sku": found.sku, "device": used.device.name}
            kit.tell(request, "done", text)
            return HttpResponseRedirect(here.url("devices-detail", va=None, device=used.device.uid))
    context = {
        "title": _("Use %(sku)s on a device") % {"sku": found.sku},
        "crumbs": [
            licenses_crumb(here),
            kit.Crumb(found.sku, here.url("licenses-detail", tag=tag)),
            kit.Crumb(_("Use on a device")),
        ],
        "facts": license_name(found),
        "form": form,
        "pools": pools,
        "has_devices": bool(devices),
        "new_device_url": here.url("devices-new"),
        "back_url": here.url("licenses-detail", tag=tag),
    }
    return render(request, "licenses/use.html", context, status=422 if form.is_bound else 200)
