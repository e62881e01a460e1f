"""The operator's partner companies: who records orders. And the appointment of an administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daicho.domain.access.commands.administrators import appoint_administrator
from daicho.domain.access.commands.api_clients import create_partner_api_client, revoke_foreign_api_client
from daicho.domain.access.commands.partners import (
    add_partner_member,
    change_partner_company,
    create_partner_company,
    remove_partner_member,
)
from daicho.domain.access.queries_access import (
    find_account_for_operator,
    get_partner_company,
    list_partner_companies,
    partner_api_clients,
    partner_members,
)
from daicho.domain.access.rules import OperatorPermission
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.web import Here, operator_page

FRAME = "frames/operator.html"


def crumbs() -> list[kit.Crumb]:
    return [kit.Crumb(_("Partner companies"), reverse("operator_partners-list"))]


def detail_url(uid: str) -> str:
    return reverse("operator_partners-detail", kwargs={"uid": uid})


class CompanyList(ListPage):
    """Partner companies by name."""

    key = "partner-companies"
    title = lazy("Partner companies")
    text_label = lazy("Filter by name or a member's mail address")
    here: Here
    columns = (
        Column("name", lazy("Name"), link=lambda company: detail_url(company.uid)),
        Column("state", lazy("State"), kind="state", value=lambda company: state_of(company)),
        Column("members_count", lazy("Members"), kind="num"),
        Column("created_at", lazy("Since"), kind="date"),
    )

    def fetch(self, q: ListQuery) -> Any:
        return list_partner_companies(self.here.actor, text=q.text, cursor=q.cursor, size=q.size)


def state_of(company: Any) -> kit.State:
    return (
        kit.State("in_compliance", text=_("Works")) if company.is_active else kit.State("neutral", text=_("Shut out"))
    )


@operator_page(OperatorPermission.PARTNERS)
def companies(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of partner companies."""
    empty = Empty(_("No partner companies yet"), _("Members of a partner company record orders for their customers."))
    context = {
        "primary": kit.Action(reverse("operator_partners-new"), _("Add a partner company"), "plus"),
        "frame": FRAME,
    }
    return CompanyList(request, here=here, empty=empty).response(context)


class CompanyForm(forms.Form):
    """The company's name."""

    name = forms.CharField(label=lazy("Name of the company"), max_length=200)


class ChangeForm(CompanyForm):
    """Its name, and whether its members may record orders."""

    is_active = forms.BooleanField(label=lazy("Members may record orders"), required=False)


class MemberForm(forms.Form):
    """A member by mail address."""

    email = forms.CharField(
        label=lazy("Mail address"),
        max_length=254,
        widget=forms.EmailInput(),
        help_text=lazy("The person must have signed up already."),
    )


@operator_page(OperatorPermission.PARTNERS)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A new partner company."""
    form = CompanyForm(request.POST or None)

    def act() -> str:
        made = create_partner_company(here.actor, name=form.cleaned_data["name"])
        kit.tell(request, "done", _("%(name)s is added. Now add its members.") % {"name": made.name})
        return detail_url(made.uid)

    context = {
        "title": _("Add a partner company"),
        "button": _("Add"),
        "back": reverse("operator_partners-list"),
        "crumbs": crumbs(),
        "frame": FRAME,
    }
    return parts.form_page(request, "people/plain_form.html", form, act, context)


@operator_page(OperatorPermission.PARTNERS)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One partner company: name, members, programs."""
    company = get_partner_company(here.actor, uid)
    adding = "email" in request.POST
    change = ChangeForm(
        request.POST if request.method == "POST" and not adding else None,
        initial={"name": company.name, "is_active": company.is_active},
    )
    member = MemberForm(request.POST if adding else None)

    def act() -> str:
        if adding:
            added = add_partner_member(here.actor, company_uid=uid, email=member.cleaned_data["email"])
            kit.tell(request, "done", _("%(name)s is now a member.") % {"name": added.user})
        else:
            data = change.cleaned_data
            change_partner_company(here.actor, company_uid=uid, name=data["name"], is_active=data["is_active"])
            kit.tell(request, "done", _("The partner company is changed."))
        return detail_url(uid)

    context = {
        "company": company,
        "state": state_of(company),
        "change": change,
        "member": member,
        "members": [
            {"user": one.user, "remove": reverse("operator_partners-remove", kwargs={"uid": uid, "user": one.user.uid})}
            for one in partner_members(here.actor, company)
        ],
        "clients": [
            {
                "client": one,
                "revoke": reverse("operator_partners-client-revoke", kwargs={"uid": uid, "client": one.uid}),
            }
            for one in partner_api_clients(here.actor, company)
        ],
        "client_url": reverse("operator_partners-client-new", kwargs={"uid": uid}),
        "crumbs": crumbs(),
    }
    return parts.form_page(request, "operator_partners/detail.html", member if adding else change, act, context)


@require_POST
@operator_page(OperatorPermission.PARTNERS)
def remove(request: HttpRequest, here: Here, uid: str, user: str) -> HttpResponseBase:
    """A member leaves."""

    def act() -> str:
        remove_partner_member(here.actor, company_uid=uid, user_uid=user)
        kit.tell(request, "done", _("The person is no member any more."))
        return detail_url(uid)

    return parts.once(request, act)


@never_cache
@operator_page(OperatorPermission.PARTNERS)
def client_new(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """A program of the company, and its secret once."""
    company = get_partner_company(here.actor, uid)
    form = CompanyForm(request.POST or None)
    form.fields["name"].label = _("Name of the program")
    if request.method == "POST" and form.is_valid():
        made = create_partner_api_client(here.actor, company=company, name=form.cleaned_data["name"])
        context = {"client": made.client, "bearer": f"{made.client.uid}.{made.secret}", "back": detail_url(uid)}
        return render(request, "api_clients/secret.html", context | {"crumbs": crumbs(), "frame": FRAME})
    context = {
        "form": form,
        "title": _("Create an API client"),
        "button": _("Create the API client"),
        "back": detail_url(uid),
        "crumbs": [*crumbs(), kit.Crumb(company.name, detail_url(uid))],
        "frame": FRAME,
    }
    return render(request, "people/plain_form.html", context, status=422 if form.errors else 200)


@require_POST
@operator_page(OperatorPermission.PARTNERS)
def client_revoke(request: HttpRequest, here: Here, uid: str, client: str) -> HttpResponseBase:
    """A program of the company is shut out."""

    def act() -> str:
        revoke_foreign_api_client(here.actor, client_uid=client)
        kit.tell(request, "done", _("The API client is revoked. Its secret does not work any more."))
        return detail_url(uid)

    return parts.once(request, act)


class AppointForm(forms.Form):
    """Who, and why."""

    email = forms.CharField(label=lazy("Mail address"), max_length=254, widget=forms.EmailInput())
    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=lazy("Everybody with a role in the account reads it in a mail."),
    )


@operator_page(OperatorPermission.ACCOUNTS)
def appoint(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    """Appoint an administrator where an account has lost its own."""
    account = find_account_for_operator(here.actor, identifier)
    form = AppointForm(request.POST or None)
    form.fields["email"].help_text = _("An address of %(domain)s whose owner has signed up.") % {"domain": identifier}
    back = reverse("operator_accounts-detail", kwargs={"identifier": identifier})

    def act() -> str:
        grant = appoint_administrator(here.actor, account=account, **form.cleaned_data)
        text = _("%(name)s is now Smart Account Administrator of %(account)s. Everybody with a role there is told.")
        kit.tell(request, "done", text % {"name": grant.user, "account": account.name})
        return back

    context = {
        "title": _("Appoint an administrator of %(account)s") % {"account": account.name},
        "lead": _("Only when the account has no administrator left who can act. The act is logged and mailed."),
        "button": _("Appoint the administrator"),
        "back": back,
        "crumbs": [
            kit.Crumb(_("Smart Accounts"), reverse("operator_accounts-list")),
            kit.Crumb(account.name, back),
        ],
        "frame": FRAME,
    }
    return parts.form_page(request, "people/plain_form.html", form, act, context)
