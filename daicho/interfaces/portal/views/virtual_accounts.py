"""バーチャルアカウント: how are we organized? The tree, one virtual account, its making and changing (S6, S26)."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from daicho.domain.access.policy import get_virtual_account
from daicho.domain.access.queries_tree import search_virtual_accounts
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.commands.virtual_accounts import (
    create_virtual_account,
    edit_virtual_account,
    nest_virtual_account,
    set_default_virtual_account,
)
from daicho.domain.accounts.queries_virtual_accounts import (
    Detail,
    Node,
    get_detail,
    list_tags,
    list_tree,
    possible_parents,
    shown_path,
    tree_page,
)
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.views.people_parts import TOP, WHOLE
from daicho.interfaces.portal.web import Here, account_page

MANAGE = Permission.VIRTUAL_ACCOUNTS_MANAGE
VISIBILITIES = [
    ("private", lazy("Private: partners need its exact name when they order")),
    ("public", lazy("Public: partners find it when they order")),
]
VISIBILITY_WORDS = {"private": lazy("Private"), "public": lazy("Public")}


class TreeList(ListPage):
    """The visible tree, with what lies in each virtual account."""

    key = "virtual-accounts"
    title = lazy("Virtual accounts")
    text_label = lazy("Filter by name, description or tag")
    default_size = 100
    here: Here

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.found: dict[tuple[str, str], list[Node]] = {}
        tags = list_tags(self.here.actor, self.here.account)
        if tags:
            self.filters = (ChoiceFilter("tag", lazy("Tag"), [(tag, tag) for tag in tags]),)

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def detail(row: Node) -> str:
            return self.here.url("virtual_accounts-detail", va=None, uid=row.uid)

        def state(row: Node) -> Any:
            if row.short is None or not row.kinds:
                return ""
            return ("short", row.short) if row.short else "in_compliance"

        return [
            Column("name", lazy("Name"), link=detail),
            Column("path", lazy("Path"), value=lambda n: shown_path(n), optional=True),
            Column("state", lazy("State"), kind="state", value=state, phone=True),
            Column("default", lazy("Default"), value=lambda n: _("Default") if n.is_default else "", phone=True),
            Column("visibility", lazy("Visibility"), value=lambda n: str(VISIBILITY_WORDS[n.visibility])),
            Column("tags", lazy("Tags"), kind="tags"),
            Column("kinds", lazy("Kinds of license"), kind="num"),
            Column("devices", lazy("Devices"), kind="num", phone=True),
            Column("users", lazy("Users"), kind="num"),
            Column("branch_size", lazy("Virtual accounts in the branch"), kind="num", optional=True),
            Column("branch_devices", lazy("Devices in the branch"), kind="num", optional=True),
            Column("branch_short", lazy("Kinds short in the branch"), kind="num", optional=True),
            Column("description", lazy("Description"), optional=True),
        ]

    def depth(self, row: Node) -> int:
        return row.depth

    def fetch(self, q: ListQuery) -> Any:
        start = int(q.cursor) if q.cursor and q.cursor.isdigit() else 0
        end = start + q.size
        nodes, total = self._lines(q, start)
        return Page(
            rows=nodes,
            next_cursor=str(end) if end < total else None,
            previous_cursor=str(max(0, start - q.size)) if start else None,
            count=total,
        )

    def _lines(self, q: ListQuery, start: int) -> tuple[list[Node], int]:
        """A page counts what it shows; a file, and who asks for sums of branches, needs the whole tree."""
        text, tag = q.text, q.filters.get("tag", "")
        is_page = "export" not in self.request.GET
        if is_page and not any(column.key.startswith("branch_") for column in self.shown()):
            return tree_page(self.here.actor, self.here.account, text=text, tag=tag, start=start, size=q.size)
        if (text, tag) not in self.found:
            self.found[text, tag] = list_tree(self.here.actor, self.here.account, text=text, tag=tag)
        nodes = self.found[text, tag]
        return nodes[start : start + q.size], len(nodes)


@account_page(Permission.VIRTUAL_ACCOUNTS_VIEW)
def tree(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The tree."""
    empty = Empty(
        _("Only the default virtual account"), _("Virtual accounts keep departments, places or partners apart.")
    )
    context: dict[str, Any] = {}
    if here.scope.allows(MANAGE):
        context = {
            "primary": kit.Action(here.url("virtual_accounts-new", va=None), _("Create a virtual account"), "plus"),
            "actions": [
                kit.MenuItem(_("Import the organization"), here.url("virtual_accounts-import", va=None), "upload")
            ],
        }
    return TreeList(request, here=here, empty=empty).response(context)


def crumbs(here: Here, *places: Any) -> list[kit.Crumb]:
    """The way to a virtual account, as far as the reader may see it."""
    found = [kit.Crumb(_("Virtual accounts"), here.url("virtual_accounts-list", va=None))]
    return found + [kit.Crumb(place.name, detail_url(here, place.uid)) for place in places]


def detail_url(here: Here, uid: str) -> str:
    return here.url("virtual_accounts-detail", va=None, uid=uid)


@account_page(Permission.VIRTUAL_ACCOUNTS_VIEW)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One virtual account: what it is, what lies in it, what its branch holds together."""
    found = get_detail(here.actor, here.account, uid)
    place = found.place
    inside = {"identifier": here.account.identifier, "va": place.uid}
    links = [
        (permission, name, label)
        for permission, name, label in (
            (Permission.LICENSES_VIEW, "licenses-list", _("Licenses")),
            (Permission.LICENSES_VIEW, "statement-lines", _("Statement")),
            (Permission.DEVICES_VIEW, "devices-list", _("Devices")),
            (Permission.ORDERS_VIEW, "orders-list", _("Orders")),
            (Permission.USERS_VIEW, "people-list", _("Users")),
            (Permission.EVENTS_VIEW, "events-list", _("Event log")),
        )
        if here.scope.allows(permission, place.pk)
    ]
    context = {
        "found": found,
        "place": place,
        "crumbs": crumbs(here, *found.path),
        "menu": menu(here, found),
        "edit_url": here.url("virtual_accounts-edit", va=None, uid=uid) if here.scope.allows(MANAGE) else "",
        "facts": [
            (_("Visibility"), VISIBILITY_WORDS[place.visibility]),
            (_("Default"), _("Yes") if place.is_default else _("No")),
            (_("Parent"), found.parent.name if found.parent is not None else "–"),
            (_("Description"), place.description or "–"),
        ],
        "card": [(_("Domain identifier"), here.account.identifier), (_("Virtual account"), place.name)],
        "links": [(here.url(name, **inside), label) for _permission, name, label in links],
        "children": [(child.name, detail_url(here, child.uid)) for child in found.children],
        "lines": [
            {"name": license_name(line.tag), "sku": line.tag.sku, "line": line} for line in found.branch_lines or []
        ],
    }
    return render(request, "virtual_accounts/detail.html", context)


def menu(here: Here, found: Detail) -> list[kit.MenuItem]:
    """Acts on one virtual account; those impossible now say why."""
    if not here.scope.allows(MANAGE):
        return []
    uid, place, inside = found.place.uid, found.place, found.inside

    def url(name: str) -> str:
        return here.url(f"virtual_accounts-{name}", va=None, uid=uid)

    empty = inside is None or inside.is_empty
    keep = _("The default virtual account cannot be deleted. Make another one the default first.")
    move_first = _("This virtual account is not empty. Move everything to another one first.")
    return [
        kit.MenuItem(_("Change the parent"), url("nest"), "sitemap"),
        kit.MenuItem(_("Make it the default"), url("default"), "star", post=True, unavailable=_("It is the default.") if place.is_default else ""),
        kit.MenuItem(_("Move everything to …"), url("move"), "arrows-exchange"),
        kit.MenuItem(_("Delete"), url("delete"), "trash", danger=True, unavailable=keep if place.is_default else "" if empty else move_first),
    ]  # fmt: skip


class PlaceForm(forms.Form):
    """What a virtual account is called and how it is found."""

    name = forms.CharField(label=lazy("Name"), max_length=200)
    description = forms.CharField(label=lazy("Description"), max_length=500, required=False)
    tags = forms.CharField(
        label=lazy("Tags"), max_length=1200, required=False, help_text=lazy("Separated by commas, 20 at most.")
    )
    visibility = forms.ChoiceField(label=lazy("Visibility"), choices=VISIBILITIES, widget=forms.RadioSelect)

    def tag_list(self) -> list[str]:
        return [tag for tag in re.split(r"[,;、，；]", self.cleaned_data["tags"]) if tag.strip()]


class NewForm(PlaceForm):
    """A new virtual account, with its parent."""

    parent = forms.ChoiceField(label=lazy("Parent"), required=False, widget=kit.Combobox())
    field_order = ("name", "parent", "description", "tags", "visibility")


def parent_choices(here: Here, place: Any = None) -> list[tuple[str, str]]:
    """Where something can hang, drawn as a tree."""
    found = possible_parents(here.actor, here.account, place)
    return [(TOP, _("At the top")), *((one.uid, f"{'　' * depth}{one.name}") for one, depth in found)]


def chosen_parent(here: Here, uid: str) -> Any:
    return get_virtual_account(here.actor, here.account, uid, MANAGE) if uid and uid != TOP else None


@account_page(MANAGE)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Create a virtual account."""
    initial = {"visibility": "private", "parent": request.GET.get("parent", TOP)}
    form = NewForm(request.POST or None, initial=initial)
    parts.offer_places(form, "parent", parent_choices(here), here, first=TOP)

    def act() -> str:
        data = form.cleaned_data
        made = create_virtual_account(
            here.actor, account=here.account, name=data["name"], parent=chosen_parent(here, data["parent"]),
            description=data["description"], tags=form.tag_list(), visibility=data["visibility"],
        )  # fmt: skip
        kit.tell(request, "done", _("%(name)s is created.") % {"name": made.name})
        return detail_url(here, made.uid)

    context = {
        "title": _("Create a virtual account"),
        "button": _("Create"),
        "back": here.url("virtual_accounts-list", va=None),
        "crumbs": crumbs(here),
    }
    return parts.form_page(request, "people/plain_form.html", form, act, context)


@account_page(MANAGE)
def edit(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Change name, description, tags and visibility."""
    found = get_detail(here.actor, here.account, uid)
    place = found.place
    form = PlaceForm(
        request.POST or None,
        initial={
            "name": place.name,
            "description": place.description,
            "tags": ", ".join(found.tags),
            "visibility": place.visibility,
        },
    )

    def act() -> str:
        data = form.cleaned_data
        edit_virtual_account(
            here.actor, account=here.account, virtual_account=place, name=data["name"],
            description=data["description"], tags=form.tag_list(), visibility=data["visibility"],
        )  # fmt: skip
        kit.tell(request, "done", _("%(name)s is changed.") % {"name": place.name})
        return detail_url(here, uid)

    context = {
        "title": _("Change %(name)s") % {"name": place.name},
        "lead": _("Licenses, devices and rights stay as they are."),
        "button": _("Save"),
        "back": detail_url(here, uid),
        "crumbs": crumbs(here, *found.path, place),
    }
    return parts.form_page(request, "people/plain_form.html", form, act, context)


class NestForm(forms.Form):
    """The new parent."""

    parent = forms.ChoiceField(label=lazy("Parent"), required=False, widget=kit.Combobox())


@account_page(MANAGE)
def nest(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Place a virtual account with its branch below another one."""
    found = get_detail(here.actor, here.account, uid)
    form = NestForm(request.POST or None, initial={"parent": found.parent.uid if found.parent is not None else TOP})
    parts.offer_places(form, "parent", parent_choices(here, found.place), here, first=TOP)

    def act() -> str:
        parent = chosen_parent(here, form.cleaned_data["parent"])
        nest_virtual_account(here.actor, account=here.account, virtual_account=found.place, parent=parent)
        kit.tell(request, "done", _("%(name)s has its new place.") % {"name": found.place.name})
        return detail_url(here, uid)

    context = {
        "title": _("Change the parent of %(name)s") % {"name": found.place.name},
        "lead": _("The whole branch moves along. Licenses, devices and rights stay as they are; nesting gives nobody a right."),
        "button": _("Change the parent"),
        "back": detail_url(here, uid),
        "crumbs": crumbs(here, *found.path, found.place),
    }  # fmt: skip
    return parts.form_page(request, "people/plain_form.html", form, act, context)


@require_POST
@account_page(MANAGE)
def make_default(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Forms preselect this one from now on."""
    place = get_virtual_account(here.actor, here.account, uid, MANAGE)

    def act() -> str:
        set_default_virtual_account(here.actor, account=here.account, virtual_account=place)
        kit.tell(request, "done", _("%(name)s is the default now.") % {"name": place.name})
        return detail_url(here, uid)

    return parts.once(request, act)


@account_page(Permission.VIRTUAL_ACCOUNTS_VIEW)
def choices(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Virtual accounts to choose from while somebody types their name (`?q=`), as far as he may see them."""
    first = {WHOLE: _("Whole account"), TOP: _("At the top")}.get(request.GET.get("first", ""))
    found = search_virtual_accounts(here.actor, here.account, request.GET.get("q", "")[:100], limit=51)
    options = [{"value": place.uid, "label": place.name, "hint": ""} for place in found[:50]]
    if first and not request.GET.get("q"):
        options.insert(0, {"value": request.GET["first"], "label": first, "hint": ""})
    return JsonResponse({"options": options, "more": len(found) > 50})
