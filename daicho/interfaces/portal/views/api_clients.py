"""設定: API – the account's programs: who may call, with which scopes, until when. The secret is shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daicho.core.clock import end_of_day, now
from daicho.core.errors import BusinessError
from daicho.domain.access.commands.api_clients import (
    NewSecret,
    Right,
    change_api_client,
    create_api_client,
    revoke_api_client,
    rotate_api_client_secret,
)
from daicho.domain.access.queries_access import get_api_client, list_api_clients, rights_of_client
from daicho.domain.access.rules import WORDS, Permission
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.account_settings import settings_tabs
from daicho.interfaces.portal.views.people_parts import RoleForm
from daicho.interfaces.portal.web import Here, account_page

MANAGE = Permission.API_CLIENTS_MANAGE


def scope_choices() -> list[tuple[str, str]]:
    """Every scope with its code and what it means."""
    return [
        (code.value, _("%(code)s (%(words)s)") % {"code": code.value, "words": WORDS[code]} if code in WORDS else code.value)
        for code in Permission
    ]  # fmt: skip


class ClientForm(forms.Form):
    """Name, scopes and end of a program."""

    name = forms.CharField(
        label=lazy("Name"), max_length=100, help_text=lazy("What the program is, for the event log.")
    )
    scopes = forms.MultipleChoiceField(label=lazy("Scopes"), widget=forms.CheckboxSelectMultiple)
    until = forms.DateField(label=lazy("Works until"), required=False, widget=kit.DateInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = scope_choices()  # type: ignore[attr-defined]


class NewClientForm(RoleForm):
    """A new program, with its first right."""

    name = ClientForm.base_fields["name"]
    scopes = ClientForm.base_fields["scopes"]
    field_order = ("name", "scope", "kind", "scopes", "ends_on")

    def __init__(self, here: Here, *args: Any, **kwargs: Any) -> None:
        super().__init__(here, *args, **kwargs)
        self.choices_of("scopes", scope_choices())
        self.fields["ends_on"].label = _("Works until")
        self.fields["ends_on"].help_text = _("The last day. Empty: no end.")


class ClientList(ListPage):
    """The account's programs."""

    key = "api-clients"
    title = lazy("API clients")
    here: Here

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def detail(row: Any) -> str:
            return self.here.url("api_clients-detail", va=None, uid=row.uid)

        return [
            Column("name", lazy("Name"), link=detail),
            Column("uid", lazy("Client ID"), kind="code"),
            Column("state", lazy("State"), kind="state", value=lambda c: state_of(c)),
            Column("scopes", lazy("Scopes"), kind="num", value=lambda c: len(c.scopes)),
            Column("ends", lazy("Works until"), kind="until", value=lambda c: parts.end_day(c.ends_at, self.here.account)),
            Column("last_used_at", lazy("Last used"), kind="datetime"),
            Column("by", lazy("Created by"), value=lambda c: str(c.created_by or "")),
            Column("created_at", lazy("Created"), kind="datetime"),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Any:
        return list_api_clients(self.here.actor, self.here.account, cursor=q.cursor, size=q.size)


def state_of(client: Any) -> kit.State:
    """A program's state in words."""
    if client.revoked_at is not None:
        return kit.State("cancelled", text=_("Revoked"))
    if client.ends_at is not None and client.ends_at <= now():
        return kit.State("ended")
    return kit.State("in_compliance", text=_("Works"))


@account_page(MANAGE)
def clients(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of programs."""
    empty = Empty(
        _("No API clients yet"), _("A program reads and changes licenses through the REST API with rights of its own.")
    )
    primary = kit.Action(here.url("api_clients-new", va=None), _("Create an API client"), "plus")
    return ClientList(request, here=here, empty=empty).response(
        {"primary": primary, "tabs": settings_tabs(here, "api_clients")}
    )


def crumbs(here: Here) -> list[kit.Crumb]:
    return [
        kit.Crumb(_("Settings"), here.url("account-settings", va=None)),
        kit.Crumb(_("API clients"), here.url("api_clients-list", va=None)),
    ]


def show_secret(request: HttpRequest, here: Here, made: NewSecret) -> HttpResponse:
    """The only page on which a secret can be read."""
    context = {
        "client": made.client,
        "bearer": f"{made.client.uid}.{made.secret}",
        "crumbs": crumbs(here),
        "back": here.url("api_clients-detail", va=None, uid=made.client.uid),
    }
    return render(request, "api_clients/secret.html", context)


@never_cache
@account_page(MANAGE)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A new program, and its secret once."""
    form = NewClientForm(here, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = create_api_client(
                here.actor, account=here.account, name=data["name"], scopes=data["scopes"],
                rights=[Right(form.role, form.place)], ends_at=form.ends_at,
            )  # fmt: skip
            return show_secret(request, here, made)
        except BusinessError as error:
            if error.http_status == 404:
                raise
            parts.place_error(form, error)
    context = {
        "form": form,
        "title": _("Create an API client"),
        "lead": _("The program may what both its scopes and its right allow. Its secret is shown once."),
        "button": _("Create the API client"),
        "back": here.url("api_clients-list", va=None),
        "crumbs": crumbs(here),
        "roles": parts.explained(form.roles()),
    }
    return render(request, "people/plain_form.html", context, status=422 if form.errors else 200)


@account_page(MANAGE)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One program: change it, give it a new secret, shut it out."""
    client = get_api_client(here.actor, here.account, uid)
    until = parts.end_day(client.ends_at, here.account)
    form = ClientForm(request.POST or None, initial={"name": client.name, "scopes": client.scopes, "until": until})

    def act() -> str:
        data = form.cleaned_data
        change_api_client(
            here.actor, account=here.account, client_uid=uid, name=data["name"], scopes=data["scopes"],
            ends_at=end_of_day(data["until"], here.account.time_zone) if data["until"] else None,
        )  # fmt: skip
        kit.tell(request, "done", _("The API client is changed."))
        return here.url("api_clients-detail", va=None, uid=uid)

    context = {
        "client": client,
        "state": state_of(client),
        "works": client.revoked_at is None,
        "crumbs": crumbs(here),
        "back": here.url("api_clients-list", va=None),
        "rotate_url": here.url("api_clients-rotate", va=None, uid=uid),
        "revoke_url": here.url("api_clients-revoke", va=None, uid=uid),
        "facts": [
            (_("Client ID"), client.uid),
            (_("Secret"), f"…{client.secret_hint}"),
            *((_("Right"), f"{role.label}: {parts.scope_name(place)}") for _uid, role, place, _end in rights_of_client(client)),
        ],
    }  # fmt: skip
    return parts.form_page(request, "api_clients/detail.html", form, act, context)


@never_cache
@require_POST
@account_page(MANAGE)
def rotate(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """A new secret; the old one stops working at once."""
    return show_secret(request, here, rotate_api_client_secret(here.actor, account=here.account, client_uid=uid))


@require_POST
@account_page(MANAGE)
def revoke(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Shut a program out for good."""

    def act() -> str:
        revoke_api_client(here.actor, account=here.account, client_uid=uid)
        kit.tell(request, "done", _("The API client is revoked. Its secret does not work any more."))
        return here.url("api_clients-list", va=None)

    return parts.once(request, act)
