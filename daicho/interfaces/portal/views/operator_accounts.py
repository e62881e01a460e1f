"""Accounts as the operator sees them, and the customer file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.errors import RowErrors
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts.commands.accounts import (
    close_account,
    look_into_account,
    resume_account,
    suspend_account,
)
from daicho.domain.accounts.commands.customers import COLUMNS, import_customers
from daicho.domain.accounts.queries_accounts import account_for_operator, licenses_for_support, list_accounts
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.web import Here, operator_page, show_errors
from daicho.interfaces.portal.words import listed, named

ACCOUNTS = OperatorPermission.ACCOUNTS


def _url(one: Any) -> str:
    return reverse("operator_accounts-detail", kwargs={"identifier": one.identifier})


class AccountList(ListPage):
    """Every account and provisional account."""

    key = "operator-accounts"
    title = gettext_lazy("Smart Accounts")
    columns = (
        Column("identifier", gettext_lazy("Domain identifier"), link=_url),
        Column("state", gettext_lazy("State"), kind="state", value=lambda one: words.account_look(one.state)),
        Column("name", gettext_lazy("Account name")),
        Column("city", gettext_lazy("City"), value=words.region_and_city),
        Column("activated_at", gettext_lazy("Active since"), kind="date"),
    )
    filters = (
        ChoiceFilter(
            "state", gettext_lazy("State"), [(state, word) for state, (_code, word) in words.ACCOUNT_STATES.items()]
        ),
    )
    text_label = gettext_lazy("Filter by domain or name")
    empty = Empty(gettext_lazy("No accounts yet"), gettext_lazy("Accounts appear here once they are opened."))
    here: Here

    def fetch(self, q: ListQuery) -> Any:
        return list_accounts(
            self.here.actor, text=q.text, state=q.filters.get("state") or "", cursor=q.cursor, size=q.size
        )


@operator_page(ACCOUNTS)
def listing(request: HttpRequest, here: Here) -> HttpResponseBase:
    actions = [kit.MenuItem(_("Import the customer file"), reverse("operator_accounts-import"), "upload")]
    return AccountList(request, here=here).response({"frame": "frames/operator.html", "actions": actions})


class ReasonForm(forms.Form):
    """Why the operator acts on an account; kept in the event log."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500})
    )


ACTS: dict[str, Callable[..., Any]] = {
    "suspend": suspend_account,
    "resume": resume_account,
    "close": close_account,
}


@operator_page(ACCOUNTS)
def detail(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    """How is this account?"""
    act = request.POST.get("act", "")
    form = ReasonForm(request.POST if act in ACTS else None, prefix=act or None)
    if form.is_bound and form.is_valid():
        try:
            ACTS[act](here.actor, identifier=identifier, reason=form.cleaned_data["reason"])
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("Done. The administrators are told by mail."))
            return HttpResponseRedirect(reverse("operator_accounts-detail", kwargs={"identifier": identifier}))
    found = account_for_operator(here.actor, identifier)
    account = found.account
    possible = {"active": ("suspend", "close"), "suspended": ("resume", "close")}.get(account.state, ())
    labels = {
        "suspend": _("Suspend the account"),
        "resume": _("End the suspension"),
        "close": _("Close the account for good"),
    }
    context = {
        "found": found,
        "shown": account,
        "look": words.account_look(account.state),
        "facts": _facts(found),
        "acts": [
            {"act": one, "label": labels[one], "form": form if act == one else ReasonForm(prefix=one)}
            for one in possible
        ],
        "look_form": ReasonForm(prefix="look"),
        "crumbs": [kit.Crumb(_("Smart Accounts"), reverse("operator_accounts-list"))],
    }
    return render(request, "operator_accounts/detail.html", context, status=422 if form.errors else 200)


def _facts(found: Any) -> list[kit.Fact]:
    account = found.account
    standing = account.good_standing_until
    return [
        kit.Fact(_("Domain identifier"), account.identifier),
        kit.Fact(_("Head office address"), words.address(account)),
        kit.Fact(_("Telephone"), account.phone),
        kit.Fact(_("Time zone"), account.time_zone),
        kit.Fact(_("Active since"), words.moment(account.activated_at)),
        kit.Fact(
            _("Account agreement"),
            _("Accepted") if account.in_good_standing() else _("Not accepted"),
            hint=words.moment(standing) if standing is not None and standing.year < 9999 else "",
        ),
        kit.Fact(_("Administrators"), listed(named(one.get_full_name(), one.email) for one in found.administrators)),
        kit.Fact(_("People with a right"), found.users),
        kit.Fact(_("Virtual accounts"), found.virtual_accounts),
        kit.Fact(
            _("Opened by"),
            found.opening.requester.email if found.opening else "",
            url=reverse("operator_openings-detail", kwargs={"uid": found.opening.uid}) if found.opening else "",
        ),
    ]


@operator_page(OperatorPermission.SUPPORT)
def licenses(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    """License detail, only after a reason that the account's own log shows."""
    back = reverse("operator_accounts-detail", kwargs={"identifier": identifier})
    if request.method != "POST":
        return HttpResponseRedirect(back)
    form = ReasonForm(request.POST, prefix="look")
    if not form.is_valid():
        kit.tell(request, "error", _("Enter a reason: the account's event log shows it."))
        return HttpResponseRedirect(back)
    account = look_into_account(here.actor, identifier=identifier, reason=form.cleaned_data["reason"])
    context = {
        "shown": account,
        "pools": licenses_for_support(here.actor, account),
        "reason": form.cleaned_data["reason"],
        "crumbs": [
            kit.Crumb(_("Smart Accounts"), reverse("operator_accounts-list")),
            kit.Crumb(account.identifier, back),
        ],
    }
    return render(request, "operator_accounts/licenses.html", context)


class ImportForm(forms.Form):
    """The customer file."""

    file = forms.FileField(label=gettext_lazy("Customer file"), help_text=gettext_lazy("CSV or XLSX, at most 50 MB."))


@operator_page(ACCOUNTS)
def import_file(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Addresses that requesters confirm instead of entering them."""
    form = ImportForm(request.POST or None, request.FILES or None)
    rows: list[kit.RowError] = []
    if request.method == "POST" and form.is_valid():
        try:
            done = import_customers(here.actor, content=form.cleaned_data["file"].read())
        except RowErrors as error:
            show_errors(form, error)
            rows = [kit.RowError(row["row"], row["column"], row["message"]) for row in error.data["rows"]]
        except BusinessError as error:
            show_errors(form, error)
        else:
            told = _("Customers added: %(added)s. Changed: %(changed)s.") % {
                "added": done.added,
                "changed": done.changed,
            }
            kit.tell(request, "done", told)
            return HttpResponseRedirect(reverse("operator_accounts-list"))
    context = {
        "form": form,
        "rows": rows,
        "columns": COLUMNS,
        "crumbs": [kit.Crumb(_("Smart Accounts"), reverse("operator_accounts-list"))],
    }
    return render(request, "operator_accounts/import.html", context, status=422 if form.errors else 200)


@operator_page(ACCOUNTS)
def sample(request: HttpRequest, here: Here) -> HttpResponse:
    """A customer file to start from."""
    row = (
        "sample.example.jp",
        "株式会社サンプル",
        "JP",
        "100-0001",
        "東京都",
        "千代田区",
        "千代田1-1",
        "",
        "03-0000-0000",
    )
    response = HttpResponse("".join(tabular.csv_lines(COLUMNS, [row])), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="customers.csv"'
    return response
