"""Lines of partners that wait for the operator, and what partners may deposit without him."""

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
from daicho.domain.access import policy
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.catalog.queries import search_tags
from daicho.domain.orders.commands.allowances import set_allowance
from daicho.domain.orders.commands.waiting import approve_lines, decline_lines
from daicho.domain.orders.queries.companies import allowances_of
from daicho.domain.orders.queries.lines import get_any_line, list_waiting_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.licenses_parts import license_label, license_name
from daicho.interfaces.portal.views.orders_desk import operator_tabs
from daicho.interfaces.portal.web import Here, operator_page, show_errors

OFFERED = 500


class DecisionForm(forms.Form):
    """The chosen lines; a reason only for declining."""

    reason = forms.CharField(
        label=lazy("Reason for declining"), max_length=500, required=False, help_text=lazy("The partner reads it.")
    )


@operator_page(OperatorPermission.ORDERS)
def waiting(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Approve or decline what partners recorded beyond their allowance."""
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (answer := _decide(request, here, form)):
        return answer
    rows = list_waiting_lines(here.actor)
    chosen = request.POST.getlist("row")
    context = {
        "form": form,
        "lines": [(row, license_label(row.line.tag), row.uid in chosen) for row in rows],
        "tabs": operator_tabs(here.actor, "waiting"),
    }
    wrong = form.is_bound and bool(form.errors)
    return render(request, "operator_orders/waiting.html", context, status=422 if wrong else 200)


def _decide(request: HttpRequest, here: Here, form: DecisionForm) -> HttpResponseBase | None:
    uids = request.POST.getlist("row")[:500]
    if not uids:
        form.add_error(None, _("Choose at least one line."))
        return None
    try:
        lines = [get_any_line(here.actor, uid).line for uid in uids]
        if "decline" in request.POST:
            decline_lines(here.actor, lines=lines, reason=form.cleaned_data["reason"])
            text = ngettext("%(count)s line was declined.", "%(count)s lines were declined.", len(lines))
        else:
            approve_lines(here.actor, lines=lines)
            text = ngettext("%(count)s line was approved.", "%(count)s lines were approved.", len(lines))
    except BusinessError as error:
        if error.http_status == 404:
            raise
        show_errors(form, error)
        return None
    kit.tell(request, "done", text % {"count": words.num(len(lines))})
    return HttpResponseRedirect(reverse("operator_orders-waiting"))


class AllowanceForm(forms.Form):
    sku = forms.CharField(
        label=lazy("SKU"), max_length=100, widget=forms.TextInput({"list": "skus", "autocomplete": "off"})
    )
    monthly_quantity = forms.IntegerField(
        label=lazy("Quantity per month"), widget=kit.Quantity(), help_text=lazy("0 ends the allowance.")
    )


@operator_page(OperatorPermission.PARTNERS)
def allowances(request: HttpRequest, here: Here, company: str) -> HttpResponseBase:
    """How many of which license a partner company may deposit in a month without asking."""
    found = policy.get_company(here.actor, company)
    form = AllowanceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_allowance(here.actor, company=found, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The allowance was set."))
            return HttpResponseRedirect(request.path)
    context: dict[str, Any] = {
        "form": form,
        "company": found,
        "allowances": [(row, license_name(row.tag)) for row in allowances_of(here.actor, found)],
        "skus": [(tag.sku, license_label(tag)) for tag in search_tags(here.actor, "", limit=OFFERED)],
        "crumbs": [kit.Crumb(_("Partner companies"), reverse("operator_partners-list"))],
    }
    return render(request, "operator_orders/allowances.html", context, status=422 if form.errors else 200)
