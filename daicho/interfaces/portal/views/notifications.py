"""通知設定: how one hears of an account, and the further addresses of the account that do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.alerts.commands.notifications import (
    add_extra_address,
    confirm_extra_address,
    find_extra_address,
    remove_extra_address,
    set_notifications,
)
from daicho.domain.alerts.kinds import DAYS, KINDS
from daicho.domain.alerts.queries import kinds_for, list_extra_addresses, my_notifications
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.account_settings import settings_tabs
from daicho.interfaces.portal.web import Here, account_page, public_page, show_errors

LANGUAGES = [("ja", lazy("Japanese")), ("en", lazy("English"))]


class NotificationForm(forms.Form):
    at_once = forms.BooleanField(
        label=lazy("Mail me at once when something needs me"),
        help_text=lazy("Missing licenses, the account agreement, waiting orders and transfers."),
        required=False,
    )
    daily_summary = forms.BooleanField(
        label=lazy("Mail me a daily summary"),
        help_text=lazy("At 8:00 in your time zone, on days with something new."),
        required=False,
    )
    days = forms.MultipleChoiceField(
        label=lazy("Tell me before licenses end"), widget=forms.CheckboxSelectMultiple, required=False
    )
    kinds = forms.MultipleChoiceField(
        label=lazy("Tell me of these alerts"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields
        choices["days"].choices = [
            (str(day), ngettext("%(count)s day before", "%(count)s days before", day) % {"count": day}) for day in DAYS
        ]
        self.offered = choices["kinds"].choices = [(code, KINDS[code].label) for code in kinds]


class AddressForm(forms.Form):
    email = forms.EmailField(label=lazy("Mail address"), max_length=254)
    language = forms.ChoiceField(label=lazy("Language"), choices=LANGUAGES)


@account_page(Permission.ACCOUNT_VIEW)
def settings(request: HttpRequest, here: Here) -> HttpResponseBase:
    form = _own_form(here, request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            set_notifications(
                here.actor,
                account=here.account,
                at_once=wanted["at_once"],
                daily_summary=wanted["daily_summary"],
                days=[int(day) for day in wanted["days"]],
                muted_kinds=[code for code, _label in form.offered if code not in wanted["kinds"]],
            )
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("Your notifications were saved."))
            return HttpResponseRedirect(request.path)
    return _page(request, here, form, AddressForm(initial={"language": "ja"}))


@account_page(Permission.SETTINGS_MANAGE)
def addresses(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Add a further address; it hears nothing before it is confirmed."""
    back = reverse("notifications-settings", kwargs={"identifier": here.account.identifier})
    if request.method != "POST":
        return HttpResponseRedirect(back)
    form = AddressForm(request.POST)
    if form.is_valid():
        try:
            added = add_extra_address(here.actor, account=here.account, **form.cleaned_data)
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            kit.tell(
                request,
                "done",
                _("A mail was sent to %(email)s. Notices follow once it is confirmed.") % {"email": added.email},
            )
            return HttpResponseRedirect(back)
    return _page(request, here, _own_form(here), form, status=422)


@account_page(Permission.SETTINGS_MANAGE)
def remove(request: HttpRequest, here: Here, address: str) -> HttpResponseBase:
    if request.method == "POST":
        remove_extra_address(here.actor, account=here.account, uid=address)
        kit.tell(request, "done", _("The address was removed."))
    return HttpResponseRedirect(reverse("notifications-settings", kwargs={"identifier": here.account.identifier}))


def _own_form(here: Here, posted: Any = None) -> NotificationForm:
    kinds = kinds_for(here.actor, here.account)
    current = my_notifications(here.actor, here.account)
    initial = {
        "at_once": current.at_once,
        "daily_summary": current.daily_summary,
        "days": [str(day) for day in current.days],
        "kinds": [code for code in kinds if code not in current.muted_kinds],
    }
    return NotificationForm(posted, kinds=kinds, initial=initial)


def _page(
    request: HttpRequest, here: Here, form: NotificationForm, address_form: AddressForm, status: int = 0
) -> HttpResponseBase:
    identifier = here.account.identifier
    manages = here.scope.allows(Permission.SETTINGS_MANAGE)
    extra = [
        {
            "email": one.email,
            "language": dict(LANGUAGES)[one.language],
            "state": kit.State("accepted", text=_("Confirmed")) if one.confirmed_at else kit.State("waiting", text=_("Not confirmed yet")),
            "dialog": f"remove-{one.uid}",
            "remove": reverse("notifications-remove", kwargs={"identifier": identifier, "address": one.uid}),
        }
        for one in (list_extra_addresses(here.actor, here.account) if manages else [])
    ]  # fmt: skip
    context = {
        "form": form,
        "address_form": address_form,
        "addresses": extra,
        "manages": manages,
        "tabs": settings_tabs(here, "notifications"),
        "domain": identifier,
        "form_url": reverse("notifications-settings", kwargs={"identifier": identifier}),
        "address_url": reverse("notifications-addresses", kwargs={"identifier": identifier}),
    }
    return render(request, "notifications/settings.html", context, status=status or (422 if form.errors else 200))


@public_page
def confirm(request: HttpRequest, here: Here, token: str) -> HttpResponseBase:
    """The link of the mail opens this page; the button confirms (mail scanners open links)."""
    address = find_extra_address(token)
    context = {"address": address, "until": words.datetime(address.token_expires_at, zone=True), "done": False}
    if request.method == "POST":
        confirm_extra_address(here.actor, token=token)
        context["done"] = True
    context["done"] = context["done"] or address.confirmed_at is not None
    return render(request, "notifications/confirm.html", context)
