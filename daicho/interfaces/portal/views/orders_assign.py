"""割り当てる: unassigned lines get their virtual account, whole or split (S19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.core.errors import BusinessError
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.orders.commands.assign import LinePart, assign_lines
from daicho.domain.orders.queries.account import destination_choices
from daicho.domain.orders.queries.lines import LineRow, list_unassigned
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import selected
from daicho.interfaces.portal.views.licenses_parts import license_label
from daicho.interfaces.portal.views.orders import told_assigned
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors

MOST = 200


@dataclass
class Part:
    """One row of the form: a line and a share of it."""

    row: LineRow
    index: int
    first: bool


class AssignForm(forms.Form):
    """For every share of a line a virtual account and a quantity; its fields are named as the command names errors."""

    memo = forms.CharField(
        label=lazy("Memo"), help_text=lazy("For example an approval number. It lands in the event log."),
        max_length=500, required=False,
    )  # fmt: skip

    def __init__(self, parts: list[Part], choices: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        self.parts = parts
        for part in parts:
            name = f"parts.{part.index}"
            self.fields[f"{name}.virtual_account"] = forms.ChoiceField(
                label=_("Virtual account"), choices=choices, widget=kit.Combobox(), initial=choices[0][0]
            )
            self.fields[f"{name}.quantity"] = forms.IntegerField(
                label=_("Quantity"), widget=kit.Quantity(), initial=part.row.unassigned if part.first else None
            )

    def rows(self) -> list[dict[str, Any]]:
        """For the template: each line with its shares."""
        found: list[dict[str, Any]] = []
        for part in self.parts:
            if part.first:
                found.append({"row": part.row, "license": license_label(part.row.line.tag), "shares": []})
            name = f"parts.{part.index}"
            found[-1]["shares"].append((self[f"{name}.virtual_account"], self[f"{name}.quantity"]))
        return found


@account_page(Permission.ORDERS_ASSIGN)
def assign(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Say for each unassigned line where it belongs."""
    uids, _everything = selected(request)
    rows = list_unassigned(here.actor, here.account, uids=uids[:MOST], limit=MOST)
    if not rows:
        kit.tell(request, "info", _("Choose at least one line that is unassigned."))
        return HttpResponseRedirect(here.url("orders-unassigned", va=None))
    shares = _shares(request, rows)
    parts = _parts(rows, shares)
    choices = [(place.uid, place.name) for place in destination_choices(here.actor, here.account)]
    form = AssignForm(parts, choices, request.POST if request.method == "POST" else None)
    if request.method == "POST" and "split" in request.POST:
        form = AssignForm(parts, choices, _renumbered(request, rows))
        form.errors.clear()
    elif request.method == "POST" and form.is_valid() and (answer := _assign(request, here, form)):
        return answer
    context = {
        "form": form,
        "lines": form.rows(),
        "shares": [(row.uid, shares[row.uid]) for row in rows],
        "back": here.url("orders-unassigned", va=None),
        "crumbs": [kit.Crumb(_("Orders"), here.url("orders-list")), kit.Crumb(_("Unassigned"), here.url("orders-unassigned", va=None))],
        "quantity": sum(row.unassigned for row in rows),
    }  # fmt: skip
    wrong = form.is_bound and bool(form.errors)
    return render(request, "orders/assign.html", context, status=422 if wrong else 200)


def _shares(request: HttpRequest, rows: list[LineRow]) -> dict[str, int]:
    """Into how many shares each line is split; the button *split* adds one."""
    found = {}
    for row in rows:
        asked = request.POST.get(f"shares.{row.uid}", "1")
        count = int(asked) if asked.isdigit() else 1
        found[row.uid] = max(1, min(MOST, count + (request.POST.get("split") == row.uid)))
    return found


def _parts(rows: list[LineRow], shares: dict[str, int]) -> list[Part]:
    parts: list[Part] = []
    for row in rows:
        parts += [Part(row, len(parts) + number, number == 0) for number in range(shares[row.uid])]
    return parts


def _renumbered(request: HttpRequest, rows: list[LineRow]) -> Any:
    """What was typed so far, moved down by one after the line that is split."""
    data = request.POST.copy()
    old: list[str] = []
    for name in ("virtual_account", "quantity"):
        old += [key for key in request.POST if key.startswith("parts.") and key.endswith(name)]
    for key in old:
        del data[key]
    index = shift = 0
    for row in rows:
        asked = request.POST.get(f"shares.{row.uid}", "1")
        for _number in range(int(asked) if asked.isdigit() else 1):
            for name in ("virtual_account", "quantity"):
                data[f"parts.{index + shift}.{name}"] = request.POST.get(f"parts.{index}.{name}", "")
            index += 1
        shift += request.POST.get("split") == row.uid
    return data


def _assign(request: HttpRequest, here: Here, form: AssignForm) -> HttpResponseBase | None:
    wanted = []
    for part in form.parts:
        uid = form.cleaned_data[f"parts.{part.index}.virtual_account"]
        place = policy.get_virtual_account(here.actor, here.account, uid, Permission.ORDERS_VIEW)
        wanted.append(LinePart(part.row.line, place, form.cleaned_data[f"parts.{part.index}.quantity"]))
    try:
        entry = assign_lines(
            here.actor,
            account=here.account,
            request_id=request_id_of(request),
            parts=wanted,
            memo=form.cleaned_data["memo"],
        )
    except BusinessError as error:
        if error.http_status in (403, 404):
            raise
        show_errors(form, error)
        return None
    told_assigned(request, here, sum(part.quantity for part in wanted), entry.uid)
    return HttpResponseRedirect(here.url("orders-unassigned", va=None))
