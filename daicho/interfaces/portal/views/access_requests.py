"""アクセス権の申請: whom do I let in? And for who asks: his own requests (S9)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from daicho.core.text import name_key
from daicho.domain.access.commands.access_requests import (
    approve_access,
    decline_access,
    request_access,
    withdraw_access_request,
)
from daicho.domain.access.queries_access import (
    find_accounts_of_own_domain,
    get_access_request,
    list_access_requests,
    own_access_requests,
)
from daicho.domain.access.queries_people import grantable_scopes
from daicho.domain.access.rules import Permission, Role
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, FlagFilter, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.people_parts import RoleForm
from daicho.interfaces.portal.web import Here, account_page, signed_in_page

STATES = {
    "open": lambda: kit.State("waiting"),
    "approved": lambda: kit.State("approved"),
    "declined": lambda: kit.State("declined"),
    "withdrawn": lambda: kit.State("cancelled", text=_("Withdrawn")),
}


def wanted_scope(request: Any) -> str:
    """What scope somebody asked for, in his own words."""
    return request.virtual_account_name or (_("Whole account") if Role(request.role).is_account_wide else "–")


class RequestList(ListPage):
    """Who asks to be let in."""

    key = "access-requests"
    title = lazy("Access requests")
    filters = (FlagFilter("all", lazy("Answered ones too")),)
    empty = Empty(lazy("No access requests"), lazy("Colleagues who ask for access appear here."), kind="nothing_wrong")
    here: Here

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("user", lazy("Person"), value=lambda r: str(r.user), link=self._detail),
            Column("email", lazy("Mail address"), value=lambda r: r.user.email),
            Column("role", lazy("Role wanted"), value=lambda r: str(Role(r.role).label), phone=True),
            Column("scope", lazy("Scope wanted"), value=wanted_scope),
            Column("reason", lazy("Reason")),
            Column("state", lazy("State"), kind="state", value=lambda r: STATES[r.state]()),
            Column("created_at", lazy("Requested"), kind="datetime", phone=True),
        ]

    def _detail(self, row: Any) -> str:
        return self.here.url("access_requests-detail", va=None, uid=row.uid)

    def fetch(self, q: ListQuery) -> Any:
        open_only = not q.filters.get("all")
        return list_access_requests(
            self.here.actor, self.here.account, open_only=open_only, cursor=q.cursor, size=q.size
        )


@account_page(Permission.ACCESS_REQUESTS_VIEW)
def requests(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of requests."""
    return RequestList(request, here=here).response({})


class DeclineForm(forms.Form):
    """Why not."""

    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=lazy("The person reads it in the mail."),
    )


@account_page(Permission.ACCESS_REQUESTS_VIEW)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One request: approve it as asked or changed, or decline it."""
    found = get_access_request(here.actor, here.account, uid)
    may_answer = here.scope.allows(Permission.ACCESS_REQUESTS_ANSWER) and found.state == "open"
    back = here.url("access_requests-list", va=None)
    context: dict[str, Any] = {
        "found": found,
        "state": STATES[found.state](),
        "may_answer": may_answer,
        "crumbs": [kit.Crumb(_("Access requests"), back)],
        "facts": [
            (_("Mail address"), found.user.email),
            (_("Department"), found.user.department or "–"),
            (_("Role wanted"), Role(found.role).label),
            (_("Scope wanted"), wanted_scope(found)),
            (_("Reason"), found.reason),
            *([(_("Answered by"), found.decided_by_name)] if found.decided_by_name else []),
            *([(_("Reason of the answer"), found.decision_reason)] if found.decision_reason else []),
        ],
    }
    if not may_answer:
        return render(request, "access_requests/detail.html", context)
    decline = DeclineForm(request.POST if "decline" in request.POST else None, prefix="decline")
    approve = RoleForm(here, request.POST if "approve" in request.POST else None, initial=_asked(here, found))
    context |= {"approve": approve, "decline": decline, "roles": parts.explained(approve.roles())}

    def answer() -> str:
        if "decline" in request.POST:
            reason = decline.cleaned_data["reason"]
            decline_access(here.actor, account=here.account, request_uid=uid, reason=reason)
            kit.tell(request, "done", _("The request of %(name)s is declined.") % {"name": found.user})
        else:
            approve_access(
                here.actor, account=here.account, request_uid=uid, role=approve.role,
                virtual_account=approve.place, ends_at=approve.ends_at,
            )  # fmt: skip
            kit.tell(request, "done", _("%(name)s now has access.") % {"name": found.user})
        return back

    form = decline if "decline" in request.POST else approve
    return parts.form_page(request, "access_requests/detail.html", form, answer, context)


def _asked(here: Here, found: Any) -> dict[str, Any]:
    """The form as the person asked, the virtual account where its name is known."""
    wanted = name_key(found.virtual_account_name)
    scope = ""
    if wanted:
        _whole, places = grantable_scopes(here.actor, here.account)
        scope = next((place.uid for place in places if place.name_key == wanted), "")
    return {"scope": scope, "kind": parts.kind_of(Role(found.role))}


class AskForm(forms.Form):
    """What somebody asks for. Virtual accounts are named freely: nobody is told here which ones there are."""

    role = forms.ChoiceField(label=lazy("Role wanted"), choices=Role.choices, widget=forms.RadioSelect)
    virtual_account_name = forms.CharField(
        label=lazy("Name of the virtual account"),
        max_length=100,
        required=False,
        help_text=lazy("For the roles of a virtual account, as far as you know it."),
    )
    reason = forms.CharField(label=lazy("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}))


@signed_in_page
def own(request: HttpRequest, here: Here) -> HttpResponseBase:
    """What one has asked for, and the accounts of one's domain where one can ask."""
    lines = [
        {
            "request": found,
            "role": Role(found.role).label,
            "scope": wanted_scope(found),
            "state": STATES[found.state](),
            "withdraw": reverse("me-access-withdraw", kwargs={"uid": found.uid}) if found.state == "open" else "",
        }
        for found in own_access_requests(here.actor)
    ]
    accounts = find_accounts_of_own_domain(here.actor)
    return render(request, "access_requests/own.html", {"lines": lines, "accounts": accounts})


@signed_in_page
def ask(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    """Ask the administrators of the company's account for a role."""
    form = AskForm(request.POST or None, initial={"role": Role.ACCOUNT_USER})

    def act() -> str:
        data = form.cleaned_data
        request_access(
            here.actor, identifier=identifier, role=data["role"], reason=data["reason"],
            virtual_account_name=data["virtual_account_name"],
        )  # fmt: skip
        kit.tell(request, "done", _("Your request was sent to the administrators. You get a mail with their answer."))
        return reverse("me-access")

    context = {
        "title": _("Request access"),
        "lead": _("The administrators of %(account)s read this and answer by mail.") % {"account": identifier},
        "button": _("Request access"),
        "back": reverse("me-access"),
        "frame": "frames/signed_in.html",
        "roles": parts.explained(list(Role)),
    }
    return parts.form_page(request, "people/plain_form.html", form, act, context)


@require_POST
@signed_in_page
def withdraw(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Take one's own request back."""

    def act() -> str:
        withdraw_access_request(here.actor, request_uid=uid)
        kit.tell(request, "done", _("Your request is withdrawn."))
        return reverse("me-access")

    return parts.once(request, act)
