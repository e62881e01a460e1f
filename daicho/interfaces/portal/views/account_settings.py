"""設定: the account's own properties, and how it works."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.commands.accounts import PROPERTIES, change_account_settings, edit_account
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.views.opening_forms import AddressForm
from daicho.interfaces.portal.web import Here, account_page, show_errors


class PropertiesForm(AddressForm):
    """Name, time zone and head office address."""

    name = forms.CharField(label=gettext_lazy("Account name"), max_length=200)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        widget=kit.Combobox,
        choices=lambda: [(zone, zone) for zone in sorted(available_timezones())],
        help_text=gettext_lazy("End dates are counted in it. A change affects new licenses only."),
    )
    field_order = ("name", "country", "postal_code", "region", "city", "street", "building", "phone", "time_zone")


class WorkForm(forms.Form):
    """How transfers work in this account."""

    transfers_need_approval = forms.BooleanField(
        label=gettext_lazy("A transfer waits until an administrator of the source virtual account approves it"),
        required=False,
    )


@account_page(Permission.ACCOUNT_VIEW)
def page(request: HttpRequest, here: Here) -> HttpResponseBase:
    """How is this account set?"""
    account = here.account
    act = request.POST.get("act", "")
    form = PropertiesForm(
        request.POST if act == "properties" else None, initial={name: getattr(account, name) for name in PROPERTIES}
    )
    work = WorkForm(
        request.POST if act == "work" else None, initial={"transfers_need_approval": account.transfers_need_approval}
    )
    try:
        if form.is_bound and form.is_valid():
            edit_account(here.actor, account=account, values=form.values())
            return _saved(request, here)
        if work.is_bound and work.is_valid():
            change_account_settings(here.actor, account=account, **work.cleaned_data)
            return _saved(request, here)
    except BusinessError as error:
        show_errors(form if form.is_bound else work, error)
    context = {
        "form": form,
        "work": work,
        "facts": _facts(account),
        "tabs": settings_tabs(here, "account"),
        "may_edit": here.may(Permission.ACCOUNT_EDIT),
        "may_manage": here.may(Permission.SETTINGS_MANAGE),
    }
    return render(request, "account_settings/page.html", context, status=422 if form.errors or work.errors else 200)


def settings_tabs(here: Here, current: str) -> list[kit.Tab]:
    """The pages of an account's settings."""
    tabs = [
        kit.Tab(_("Account"), here.url("account-settings", va=None), current == "account"),
        kit.Tab(_("Notifications"), here.url("notifications-settings", va=None), current == "notifications"),
    ]
    if here.may(Permission.API_CLIENTS_MANAGE):
        tabs.append(kit.Tab(_("API clients"), here.url("api_clients-list", va=None), current == "api_clients"))
    return tabs


def _saved(request: HttpRequest, here: Here) -> HttpResponseBase:
    kit.tell(request, "done", _("The settings are saved."))
    return HttpResponseRedirect(reverse("account-settings", kwargs={"identifier": here.account.identifier}))


def _facts(account: Any) -> list[kit.Fact]:
    return [
        kit.Fact(_("Domain identifier"), account.identifier),
        kit.Fact(_("Account name"), account.name),
        kit.Fact(_("Head office address"), words.address(account)),
        kit.Fact(_("Telephone"), account.phone),
        kit.Fact(_("Time zone"), account.time_zone),
        kit.Fact(_("Active since"), words.moment(account.activated_at)),
        kit.Fact(_("Transfers"), _("with approval") if account.transfers_need_approval else _("without approval")),
    ]
