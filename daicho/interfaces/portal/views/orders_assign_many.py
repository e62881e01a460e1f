"""割り当てる: from the selection of a list to the form of a few lines, or to one virtual account for all that matches."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError
from daicho.core.paging import COUNT_LIMIT
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.sight import look, manageable
from daicho.domain.orders.commands.assign_matching import start_assign_matching
from daicho.domain.orders.queries.lines import list_unassigned, unassigned_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import selected
from daicho.interfaces.portal.views import orders_parts as parts
from daicho.interfaces.portal.views.jobs import job_url
from daicho.interfaces.portal.views.orders import UnassignedList
from daicho.interfaces.portal.views.orders_assign import MOST
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors


class MatchingForm(forms.Form):
    """Where all that matches belongs."""

    virtual_account = forms.ChoiceField(label=lazy("Virtual account"))
    memo = forms.CharField(
        label=lazy("Memo"), help_text=lazy("For example an approval number. It lands in the event log."),
        max_length=500, required=False,
    )  # fmt: skip

    def __init__(self, here: Here, data: Any = None) -> None:
        super().__init__(data)
        sight = look(here.actor, here.account)
        places = manageable(sight, limit=50)
        if data and data.get("virtual_account"):
            places += [one for one in manageable(sight, uids=[data["virtual_account"]]) if one not in places]
        field: Any = self.fields["virtual_account"]
        field.choices = [("", _("Choose a virtual account")), *((one.uid, one.name) for one in places)]
        field.widget = kit.Combobox(source=here.url("transfers-targets", va=None), choices=field.choices)


@require_POST
@account_page(Permission.ORDERS_ASSIGN)
def start(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The chosen lines to their form; what is more than it takes, to one virtual account for all."""
    uids, everything = selected(request)
    if everything and request.GET.get("status", "unassigned") not in ("", "unassigned"):
        uids = []  # of a list of lines in another state none is meant
    elif everything:
        filters = parts.filters_of(UnassignedList(request, here=here).query())
        rows = list_unassigned(here.actor, here.account, filters=filters, limit=MOST + 1)
        if len(rows) > MOST:
            return HttpResponseRedirect(f"{here.url('orders-assign-matching', va=None)}?{request.GET.urlencode()}")
        uids = [row.uid for row in rows]
    if not uids:
        kit.tell(request, "info", _("Choose at least one line that is unassigned."))
        return HttpResponseRedirect(here.url("orders-unassigned", va=None))
    if len(uids) > MOST:
        text = _(
            "The first %(count)s lines were taken. To assign more at once, filter the list and choose all that match."
        )
        kit.tell(request, "info", text % {"count": words.num(MOST)})
    query = urlencode([("row", uid) for uid in uids[:MOST]])
    return HttpResponseRedirect(f"{here.url('orders-assign', va=None)}?{query}")


@account_page(Permission.ORDERS_ASSIGN)
def matching(request: HttpRequest, here: Here) -> HttpResponseBase:
    """All that is unassigned and matches the list's filter, to one virtual account."""
    listed = UnassignedList(request, here=here)
    q = listed.query()
    filters = parts.filters_of(q)
    form = MatchingForm(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            place = policy.get_virtual_account(
                here.actor, here.account, form.cleaned_data["virtual_account"], Permission.ORDERS_VIEW
            )
            job = start_assign_matching(
                here.actor, account=here.account, request_id=request_id_of(request), virtual_account=place,
                filters=filters, memo=form.cleaned_data["memo"],
            )  # fmt: skip
            return HttpResponseRedirect(job_url(here, job))
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
    found = unassigned_lines(here.actor, here.account, filters).order_by()[: COUNT_LIMIT + 1].count()
    count = min(found, COUNT_LIMIT)
    many = _("%(count)s or more") if found > COUNT_LIMIT else "%(count)s"
    shown = {"count": words.num(count)}
    context = {
        "title": _("Assign all that matches"),
        "crumbs": [
            kit.Crumb(_("Orders"), here.url("orders-list")),
            kit.Crumb(_("Unassigned"), here.url("orders-unassigned", va=None)),
        ],
        "form": form,
        "facts": [
            kit.Fact(_("Conditions"), " · ".join(chip["label"] for chip in listed.chips(q)) or _("None: the whole list")),
            kit.Fact(_("Order lines"), many % shown),
        ],
        "rule": _(
            "All that is unassigned of these lines goes to the virtual account. Each line is assigned or refused by itself;"
            " what is ordered later stays unassigned. You can follow the progress, and cancel what is not done yet."
        ),
        "verb": _("Assign all that matches")
        if found > COUNT_LIMIT
        else ngettext("Assign %(count)s line", "Assign %(count)s lines", count) % shown,
        "back_url": f"{here.url('orders-unassigned', va=None)}{listed.link()}",
    }  # fmt: skip
    return render(request, "orders/assign_matching.html", context, status=422 if form.errors else 200)
