"""ユーザー: who may do what? The list, one person, his rights (S18)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from daicho.core.clock import end_of_day
from daicho.domain.access.commands.grants import change_grant, give_grant, revoke_grant
from daicho.domain.access.policy import scope_of
from daicho.domain.access.queries_people import (
    Person,
    Right,
    get_person,
    get_right,
    get_user,
    has_one_administrator,
    list_people,
    past_rights,
)
from daicho.domain.access.rules import Permission, Role
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, FlagFilter, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.people_parts import RoleForm
from daicho.interfaces.portal.web import Here, account_page

MANAGE = Permission.USERS_MANAGE


def tabs(here: Here, current: str) -> list[kit.Tab]:
    """Users · invitations · hand-overs."""
    found = [
        kit.Tab(_("Users"), here.url("people-list"), current == "list"),
        kit.Tab(_("Invitations"), here.url("people-invitations"), current == "invitations"),
    ]
    if here.scope.allows(MANAGE):
        found.append(kit.Tab(_("Hand-overs"), here.url("people-hand-overs", va=None), current == "hand_overs"))
    return found


class PeopleList(ListPage):
    """Everybody with a right that the reader may see."""

    key = "people"
    title = lazy("Users")
    text_label = lazy("Filter by name, mail address or department")
    default_sort = "name"
    filters = (
        ChoiceFilter("role", lazy("Role"), Role.choices),
        FlagFilter("outsiders", lazy("Other companies")),
    )
    here: Here

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        account = self.here.account

        def ends(row: Person) -> Any:
            days = [parts.end_day(right.ends_at, account) for right in row.rights]
            return min((day for day in days if day is not None), default=None)

        return [
            Column("name", lazy("Full name"), sort=True, value=lambda p: p.shown_name, link=self._detail),
            Column("email", lazy("Mail address"), sort=True),
            Column("department", lazy("Department")),
            Column("roles", lazy("Roles"), value=lambda p: " / ".join(map(parts.right_text, p.rights)), phone=True),
            Column("ends", lazy("Next end"), kind="until", value=ends, phone=True),
            Column("last_login", lazy("Last login"), kind="datetime", sort=True),
            Column("has_two_step", lazy("Two-step login"), kind="bool"),
        ]

    def _detail(self, row: Person) -> str:
        return self.here.url("people-detail", uid=row.uid)

    def fetch(self, q: ListQuery) -> Any:
        return list_people(
            self.here.actor,
            self.here.account,
            virtual_account=self.here.va,
            text=q.text,
            role=q.filters.get("role", ""),
            outsiders=q.filters.get("outsiders"),
            order=("-" if q.descending else "") + q.sort,
            cursor=q.cursor,
            size=q.size,
        )


@account_page(Permission.USERS_VIEW)
def people(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of people."""
    context: dict[str, Any] = {"tabs": tabs(here, "list")}
    if here.may(MANAGE):
        context["primary"] = kit.Action(here.url("people-invite"), _("Invite"), "user-plus")
        context["actions"] = [kit.MenuItem(_("Invite by CSV"), here.url("people-invite-file"), "file-type-csv")]
        if here.scope.allows(MANAGE):
            url = here.url("people-hand-over-new", va=None)
            context["actions"].append(kit.MenuItem(_("Hand over all rights"), url, "arrows-exchange"))
            if has_one_administrator(here.actor, here.account):
                context["notice_part"] = "people/_second_administrator.html"
    empty = Empty(_("Nobody has a right here yet"), _("Invite the people who work with these licenses."))
    return PeopleList(request, here=here, empty=empty).response(context)


@account_page(Permission.USERS_VIEW)
def person(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One person: his rights now and before."""
    found = get_person(here.actor, here.account, uid)
    own = get_user(here.actor, here.account, uid).pk == here.actor.user_id
    lines = [
        {
            "right": right,
            "role": right.role.label,
            "place": parts.scope_name(right.virtual_account),
            "end": parts.end_day(right.ends_at, here.account),
            "may_change": _may_touch(here, right),
            "may_revoke": own or _may_touch(here, right),
            "change_url": here.url("people-grant", uid=right.uid),
            "revoke_url": here.url("people-grant-revoke", uid=right.uid),
        }
        for right in found.rights
    ]
    past = [
        {
            "role": Role(grant.role).label,
            "place": parts.scope_name(grant.virtual_account),
            "since": grant.created_at,
            "until": grant.revoked_at or grant.ends_at,
            "state": kit.State("cancelled", text=_("Revoked")) if grant.revoked_at else "ended",
        }
        for grant in past_rights(here.actor, here.account, uid)
    ]
    context = {
        "person": found,
        "lines": lines,
        "past": past,
        "own": own,
        "may_give": here.may(MANAGE),
        "crumbs": [kit.Crumb(_("Users"), here.url("people-list"))],
        "facts": [
            (_("Mail address"), found.email),
            (_("Department"), found.department or "–"),
            (_("Last login"), words.datetime(found.last_login)),
            (_("Two-step login"), _("On") if found.has_two_step else _("Off")),
        ],
        "new_url": here.url("people-grant-new", uid=uid),
        "events_url": here.url("events-list") + f"?who={found.email}" if here.may(Permission.EVENTS_VIEW) else "",
    }
    return render(request, "people/detail.html", context)


def _may_touch(here: Here, right: Right) -> bool:
    place = right.virtual_account.pk if right.virtual_account is not None else None
    return here.scope.allows(MANAGE, place)


@account_page(Permission.USERS_MANAGE)
def give(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """A known person gets a further right."""
    user = get_user(here.actor, here.account, uid)
    form = RoleForm(here, request.POST or None)

    def act() -> str:
        give_grant(
            here.actor, account=here.account, user=user, role=form.role, virtual_account=form.place,
            ends_at=form.ends_at,
        )  # fmt: skip
        kit.tell(request, "done", _("%(name)s now has the right.") % {"name": user})
        return here.url("people-detail", uid=uid)

    context = {
        "title": _("Give a right to %(name)s") % {"name": user},
        "button": _("Give the right"),
        "back": here.url("people-detail", uid=uid),
        "crumbs": [
            kit.Crumb(_("Users"), here.url("people-list")),
            kit.Crumb(str(user), here.url("people-detail", uid=uid)),
        ],
        "roles": parts.explained(form.roles()),
        "latest_day": parts.latest_day(here),
    }
    return parts.form_page(request, "people/right.html", form, act, context)


class ChangeForm(forms.Form):
    """Another role in the same scope, or another end."""

    kind = forms.ChoiceField(label=lazy("Role"), choices=list(parts.KINDS.items()), widget=forms.RadioSelect)
    ends_on = forms.DateField(
        label=lazy("Ends on"), required=False, widget=kit.DateInput(), help_text=lazy("The last day. Empty: no end.")
    )


@account_page(Permission.USERS_MANAGE)
def change(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """A right gets another role or another end."""
    person, right = get_right(here.actor, here.account, uid)
    prefix = "account_" if right.virtual_account is None else "va_"
    initial = {"kind": parts.kind_of(right.role), "ends_on": parts.end_day(right.ends_at, here.account)}
    form = ChangeForm(request.POST or None, initial=initial)
    kinds = [(code, label) for code, label in parts.KINDS.items() if f"{prefix}{code}" in Role.values]
    form.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def act() -> str:
        day = form.cleaned_data["ends_on"]
        change_grant(
            here.actor,
            account=here.account,
            grant_uid=uid,
            role=Role(f"{prefix}{form.cleaned_data['kind']}"),
            ends_at=end_of_day(day, here.account.time_zone) if day is not None else None,
        )
        kit.tell(request, "done", _("The right of %(name)s is changed.") % {"name": person.shown_name})
        return here.url("people-detail", uid=person.uid)

    context = {
        "title": _("Change a right of %(name)s") % {"name": person.shown_name},
        "button": _("Change the right"),
        "scope": parts.scope_name(right.virtual_account),
        "back": here.url("people-detail", uid=person.uid),
        "crumbs": [
            kit.Crumb(_("Users"), here.url("people-list")),
            kit.Crumb(person.shown_name, here.url("people-detail", uid=person.uid)),
        ],
        "roles": parts.explained([Role(f"{prefix}{code}") for code, _label in kinds]),
        "latest_day": parts.latest_day(here),
    }
    return parts.form_page(request, "people/right.html", form, act, context)


@require_POST
@account_page(Permission.ACCOUNT_VIEW)
def revoke(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """A right is taken away in place, wherever the button stood."""
    back = request.POST.get("back") or here.url("people-list")
    if not back.startswith("/a/"):
        back = here.url("people-list")

    def act() -> str:
        revoke_grant(here.actor, account=here.account, grant_uid=uid)
        kit.tell(request, "done", _("The right is revoked."))
        return back if scope_of(here.actor, here.account).allows_somewhere(Permission.USERS_VIEW) else "/"

    return parts.once(request, act)
