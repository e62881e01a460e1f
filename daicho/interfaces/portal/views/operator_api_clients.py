"""The operator's own programs: which there are, with which scopes; a new one, whose secret is shown once; shut one out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daicho.core.clock import end_of_day, last_day
from daicho.core.errors import BusinessError
from daicho.domain.access.commands.api_clients import create_operator_api_client, revoke_foreign_api_client
from daicho.domain.access.queries_access import get_operator_api_client, list_operator_api_clients
from daicho.domain.access.rules import OperatorPermission
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.api_clients import state_of
from daicho.interfaces.portal.web import Here, operator_page

SUPPORT = OperatorPermission.SUPPORT
FRAME = "frames/operator.html"
SCOPE_WORDS = {
    OperatorPermission.OPENINGS: lazy("Openings"),
    OperatorPermission.ACCOUNTS: lazy("Smart Accounts"),
    OperatorPermission.CATALOG: lazy("Catalog"),
    OperatorPermission.AGREEMENTS: lazy("Account agreement"),
    OperatorPermission.ORDERS: lazy("Orders and lots"),
    OperatorPermission.PARTNERS: lazy("Partner companies"),
    OperatorPermission.GUIDES: lazy("Guides"),
    OperatorPermission.SUPPORT: lazy("Support, status and programs"),
}


def scope_choices() -> list[tuple[str, str]]:
    """Every scope with its code and what it opens."""
    return [
        (code.value, _("%(code)s (%(words)s)") % {"code": code.value, "words": SCOPE_WORDS[code]})
        for code in OperatorPermission
    ]


class NewClientForm(forms.Form):
    """A new program of the operator."""

    name = forms.CharField(
        label=lazy("Name"), max_length=100, help_text=lazy("What the program is, for the event log.")
    )
    scopes = forms.MultipleChoiceField(label=lazy("Scopes"), widget=forms.CheckboxSelectMultiple)
    ends_on = forms.DateField(
        label=lazy("Works until"),
        required=False,
        widget=kit.DateInput(),
        help_text=lazy("The last day. Empty: no end."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = scope_choices()  # type: ignore[attr-defined]


class ClientList(ListPage):
    """The operator's programs, revoked ones too."""

    key = "operator-api-clients"
    title = lazy("API clients")
    empty = Empty(
        lazy("No API clients yet"), lazy("A program of yours records orders or keeps the catalog through the REST API.")
    )
    columns = (
        Column("name", lazy("Name"), link=lambda c: url("detail", c.uid)),
        Column("uid", lazy("Client ID"), kind="code"),
        Column("state", lazy("State"), kind="state", value=state_of),
        Column("scopes", lazy("Scopes"), kind="num", value=lambda c: len(c.scopes)),
        Column("ends", lazy("Works until"), kind="datetime", value=lambda c: c.ends_at),
        Column("last_used_at", lazy("Last used"), kind="datetime"),
        Column("by", lazy("Created by"), value=lambda c: str(c.created_by or "")),
        Column("created_at", lazy("Created"), kind="datetime"),
    )
    here: Here

    def fetch(self, q: ListQuery) -> Any:
        return list_operator_api_clients(self.here.actor, cursor=q.cursor, size=q.size)


def url(name: str, uid: str = "") -> str:
    return reverse(f"operator_api_clients-{name}", kwargs={"uid": uid} if uid else None)


def crumbs() -> list[kit.Crumb]:
    return [kit.Crumb(_("API clients"), url("list"))]


@operator_page(SUPPORT)
def clients(request: HttpRequest, here: Here) -> HttpResponseBase:
    primary = kit.Action(url("new"), _("Create an API client"), "plus")
    return ClientList(request, here=here).response({"frame": FRAME, "primary": primary})


@never_cache
@operator_page(SUPPORT)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A new program, and its secret once."""
    form = NewClientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        zone = request.user.time_zone  # type: ignore[union-attr]  # logged in: the page asks for it
        ends_at = end_of_day(data["ends_on"], zone) if data["ends_on"] else None
        try:
            made = create_operator_api_client(here.actor, name=data["name"], scopes=data["scopes"], ends_at=ends_at)
        except BusinessError as error:
            parts.place_error(form, error)
        else:
            context = {"client": made.client, "bearer": f"{made.client.uid}.{made.secret}", "crumbs": crumbs()}
            context |= {"back": url("detail", made.client.uid), "frame": FRAME}
            return render(request, "api_clients/secret.html", context)
    context = {
        "form": form,
        "title": _("Create an API client"),
        "lead": _("The program may what its scopes allow, for every customer. Its secret is shown once."),
        "button": _("Create the API client"),
        "back": url("list"),
        "crumbs": crumbs(),
        "frame": FRAME,
    }
    return render(request, "people/plain_form.html", context, status=422 if form.errors else 200)


@operator_page(SUPPORT)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One program, and the way to shut it out."""
    client = get_operator_api_client(here.actor, uid)
    zone = request.user.time_zone  # type: ignore[union-attr]  # logged in: the page asks for it
    labels = dict(scope_choices())
    context = {
        "client": client,
        "state": state_of(client),
        "works": client.revoked_at is None,
        "crumbs": crumbs(),
        "revoke_url": url("revoke", uid),
        "scopes": [labels.get(scope, scope) for scope in client.scopes],
        "facts": [
            (_("Client ID"), client.uid),
            (_("Secret"), f"…{client.secret_hint}"),
            (_("Works until"), words.date(last_day(client.ends_at, zone)) if client.ends_at else _("No end")),
            (_("Last used"), words.datetime(client.last_used_at)),
            (_("Created by"), str(client.created_by or "")),
            (_("Created"), words.datetime(client.created_at)),
        ],
    }
    return render(request, "operator_api_clients/detail.html", context)


@require_POST
@operator_page(SUPPORT)
def revoke(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Shut a program out for good."""

    def act() -> str:
        revoke_foreign_api_client(here.actor, client_uid=get_operator_api_client(here.actor, uid).uid)
        kit.tell(request, "done", _("The API client is revoked. Its secret does not work any more."))
        return url("list")

    return parts.once(request, act)
