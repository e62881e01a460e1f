"""Acts on whole virtual accounts: import of the organization, move everything, delete (S26)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.policy import get_virtual_account
from daicho.domain.accounts.commands.virtual_accounts import delete_virtual_account
from daicho.domain.accounts.commands.virtual_accounts_import import import_virtual_accounts
from daicho.domain.accounts.commands.virtual_accounts_move import empty_virtual_account, preview_emptying
from daicho.domain.accounts.queries_virtual_accounts import get_detail, possible_targets
from daicho.domain.accounts.virtual_account_file import COLUMNS, read_tree_file
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.views.people_invite import ContentForm, FileForm, csv_file, row_errors
from daicho.interfaces.portal.views.virtual_accounts import MANAGE, crumbs, detail_url
from daicho.interfaces.portal.web import Here, account_page, request_id_of

SHOWN = 200


@account_page(MANAGE)
def import_tree(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The tree from a CSV of the organization: choose a file, look at what it would do, do it."""
    context: dict[str, Any] = {
        "title": _("Import the organization"),
        "crumbs": crumbs(here),
        "back": here.url("virtual_accounts-list", va=None),
        "sample": here.url("virtual_accounts-sample", va=None),
    }
    if request.method == "POST" and "content" in request.POST:
        form: forms.Form = ContentForm(request.POST)

        def act() -> str:
            content = form.cleaned_data["content"].encode()
            done = import_virtual_accounts(here.actor, account=here.account, content=content)
            text = _("Created: %(created)d. Moved: %(moved)d. Changed: %(changed)d. Left as they were: %(unchanged)d.")
            kit.tell(
                request, "done",
                text % {"created": done.created, "moved": done.moved, "changed": done.changed, "unchanged": done.unchanged},
            )  # fmt: skip
            return here.url("virtual_accounts-list", va=None)

        return parts.form_page(request, "virtual_accounts/import.html", form, act, context)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = tabular.read(form.cleaned_data["file"].read())
            content = "".join(tabular.csv_lines(rows[0] if rows else [], rows[1:]))
            plan = read_tree_file(here.actor, here.account, content.encode())
        except BusinessError as error:
            parts.place_error(form, error)
        else:
            context |= {
                "plan": plan,
                "content": content,
                "errors": row_errors(plan.errors, COLUMNS),
                "created": [(row.name, row.parent_text or "–") for row in plan.create[:SHOWN]],
                "moved": [(row.name, row.parent_text or "–") for row, _place in plan.move[:SHOWN]],
                "changed": [row.name for row, _place in plan.change[:SHOWN]],
            }
            return render(request, "virtual_accounts/import_check.html", context, status=422 if plan.errors else 200)
    return render(
        request, "virtual_accounts/import.html", {"form": form, **context}, status=422 if form.errors else 200
    )


@account_page(MANAGE)
def sample(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A file to begin with: the columns and a small organization."""
    rows = [
        ["情報システム本部", "", "全社の情報システム", "本社", "private"],
        ["ネットワーク運用グループ", "情報システム本部", "", "本社, 24時間", "private"],
        ["大阪支店", "", "", "", "public"],
    ]
    return csv_file("organization.csv", list(COLUMNS), rows)


class MoveForm(forms.Form):
    """Where everything goes, and why."""

    target = forms.ChoiceField(label=lazy("Transfer to"), widget=kit.Combobox())
    memo = forms.CharField(label=lazy("Memo (approval number and so on)"), max_length=500, required=False)


@account_page(MANAGE)
def move(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Move all licenses and devices to another virtual account: choose, look at the effects, do it."""
    found = get_detail(here.actor, here.account, uid)
    place = found.place
    form = MoveForm(request.POST or None)
    targets = possible_targets(here.actor, here.account, place)
    parts.offer_places(form, "target", [(one.uid, f"{'　' * depth}{one.name}") for one, depth in targets], here)
    context: dict[str, Any] = {
        "title": _("Move everything in %(name)s") % {"name": place.name},
        "place": place,
        "inside": found.inside,
        "crumbs": crumbs(here, *found.path, place),
        "back": detail_url(here, uid),
    }
    if request.method != "POST" or not form.is_valid():
        return _move_page(request, form, context)
    target = get_virtual_account(here.actor, here.account, form.cleaned_data["target"], MANAGE)
    try:
        if "move" in request.POST:
            empty_virtual_account(
                here.actor, account=here.account, virtual_account=place, target=target,
                request_id=request_id_of(request), memo=form.cleaned_data["memo"],
            )  # fmt: skip
            text = _("Everything in %(name)s was moved to %(target)s.")
            kit.tell(request, "done", text % {"name": place.name, "target": target.name})
            return HttpResponseRedirect(detail_url(here, uid))
        plan = preview_emptying(here.actor, account=here.account, virtual_account=place, target=target)
    except BusinessError as error:
        parts.place_error(form, error)
        return _move_page(request, form, context)
    context |= {
        "target": target,
        "plan": plan,
        "effects": [
            {
                "place": effect.virtual_account.name, "license": license_name(effect.tag), "before": effect.before,
                "after": effect.after, "missing": effect.missing,
            }
            for effect in plan.effects[:SHOWN]
        ],
    }  # fmt: skip
    return _move_page(request, form, context)


def _move_page(request: HttpRequest, form: forms.Form, context: dict[str, Any]) -> HttpResponse:
    return render(request, "virtual_accounts/move.html", {"form": form, **context}, status=422 if form.errors else 200)


class DeleteForm(forms.Form):
    """The name, typed."""

    typed_name = forms.CharField(label=lazy("Name of the virtual account"), max_length=200)


@account_page(MANAGE)
def delete(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Delete an empty virtual account for good: consequences, and the name typed."""
    found = get_detail(here.actor, here.account, uid)
    form = DeleteForm(request.POST or None)

    def act() -> str:
        delete_virtual_account(
            here.actor, account=here.account, virtual_account=found.place, typed_name=form.cleaned_data["typed_name"]
        )
        kit.tell(request, "done", _("%(name)s is deleted.") % {"name": found.place.name})
        return here.url("virtual_accounts-list", va=None)

    context = {
        "place": found.place,
        "inside": found.inside,
        "crumbs": crumbs(here, *found.path, found.place),
        "back": detail_url(here, uid),
        "move_url": here.url("virtual_accounts-move", va=None, uid=uid),
    }
    return parts.form_page(request, "virtual_accounts/delete.html", form, act, context)
