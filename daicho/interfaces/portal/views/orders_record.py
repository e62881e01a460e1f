"""注文の登録: the customer, the lines, a check page, and the result (S20)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.catalog.queries import search_tags
from daicho.domain.orders.commands.record import Recorded, preview_order, record_order
from daicho.domain.orders.planning import PlannedOrder
from daicho.domain.orders.queries.companies import find_customer, search_destinations
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.licenses_parts import BILLINGS, KINDS, license_label
from daicho.interfaces.portal.views.orders_desk import Desk
from daicho.interfaces.portal.web import show_errors

FIRST_ROWS, MORE_ROWS, MOST_ROWS = 3, 5, 200
CELLS = ("sku", "quantity", "kind", "virtual_account", "start_on", "end_on", "billing")
OFFERED = 500
LANDING = {
    "deposited": lazy("Lands at once"),
    "unassigned": lazy("Stays unassigned"),
    "waiting_agreement": lazy("Waits for the agreement"),
    "waiting_operator": lazy("Waits for the operator"),
}


class HeaderForm(forms.Form):
    """Whose order it is."""

    identifier = forms.CharField(
        label=lazy("Domain identifier of the customer"), max_length=253,
        help_text=lazy("The customer finds it under Orders > How to order. For example: example.co.jp"),
    )  # fmt: skip
    number = forms.CharField(
        label=lazy("Order number"),
        max_length=64,
        help_text=lazy("Your own number. The same number again does nothing."),
    )
    ordered_on = forms.DateField(label=lazy("Ordered on"), required=False, widget=kit.DateInput())
    customer_reference = forms.CharField(label=lazy("Customer's order number"), max_length=100, required=False)
    memo = forms.CharField(
        label=lazy("Memo"), max_length=500, required=False, help_text=lazy("The customer reads it, too.")
    )


class LinesForm(forms.Form):
    """Lines as rows of cells, named as the command names their errors. Empty rows are left out."""

    def __init__(self, count: int, data: Any = None) -> None:
        super().__init__(data)
        self.count = count
        kinds: list[tuple[str, Any]] = list(KINDS.items())
        for row in range(count):
            name = f"lines.{row}"
            self.fields[f"{name}.sku"] = forms.CharField(
                label=_("SKU"), max_length=100, required=False, widget=_listed("skus")
            )
            self.fields[f"{name}.quantity"] = forms.CharField(
                label=_("Quantity"), max_length=20, required=False, widget=kit.Quantity()
            )
            self.fields[f"{name}.kind"] = forms.ChoiceField(
                label=_("Kind"), choices=kinds, required=False, initial="term"
            )
            self.fields[f"{name}.virtual_account"] = forms.CharField(
                label=_("Virtual account"), max_length=100, required=False, widget=_listed("places")
            )
            self.fields[f"{name}.start_on"] = forms.CharField(
                label=_("Start"), max_length=20, required=False, widget=kit.DateInput()
            )
            self.fields[f"{name}.end_on"] = forms.CharField(
                label=_("End"), max_length=20, required=False, widget=kit.DateInput()
            )
            self.fields[f"{name}.billing"] = forms.ChoiceField(
                label=_("Billing"), choices=list(BILLINGS.items()), required=False
            )

    def rows(self) -> list[list[Any]]:
        """The bound fields, row by row."""
        return [[self[f"lines.{row}.{cell}"] for cell in CELLS] for row in range(self.count)]

    def filled(self) -> list[int]:
        """The rows in which something was typed."""
        wanted = ("sku", "quantity", "virtual_account", "start_on", "end_on")
        return [
            row for row in range(self.count) if any(self.cleaned_data.get(f"lines.{row}.{cell}") for cell in wanted)
        ]

    def lines(self) -> list[LineInput]:
        return [
            LineInput(**{cell: self.cleaned_data.get(f"lines.{row}.{cell}", "") for cell in CELLS})
            for row in self.filled()
        ]


def _listed(name: str) -> forms.TextInput:
    return forms.TextInput({"list": name, "autocomplete": "off"})


def record(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The three steps; each button says which one comes next."""
    act = request.POST.get("act", "")
    header = HeaderForm(request.POST if act else None)
    if not act or act == "header":
        return _header_page(request, desk, HeaderForm(initial=request.POST.dict()) if act else header)
    if not header.is_valid():
        return _header_page(request, desk, header, status=422)
    try:
        customer = find_customer(desk.actor, desk.company, header.cleaned_data["identifier"])
    except FieldErrors as error:
        show_errors(header, error)
        return _header_page(request, desk, header, status=422)
    lines = LinesForm(_count(request, act), request.POST if "lines.0.sku" in request.POST else None)
    if act in ("check", "record") and lines.is_bound and lines.is_valid():
        return _beyond_lines(request, desk, header, lines, customer, act)
    if lines.is_bound and act == "more":
        lines.errors.clear()
    return _lines_page(request, desk, header, lines, customer, status=422 if lines.is_bound and lines.errors else 200)


def _count(request: HttpRequest, act: str) -> int:
    asked = request.POST.get("rows", "")
    count = int(asked) if asked.isdigit() else FIRST_ROWS
    return max(1, min(MOST_ROWS, count + (MORE_ROWS if act == "more" else 0)))


def _beyond_lines(
    request: HttpRequest, desk: Desk, header: HeaderForm, lines: LinesForm, customer: str, act: str
) -> HttpResponseBase:
    given = OrderInput(lines=lines.lines(), **header.cleaned_data)
    try:
        if act == "record":
            return _done(request, desk, record_order(desk.actor, company=desk.company, order=given))
        plan = preview_order(desk.actor, company=desk.company, order=given)
    except BusinessError as error:
        if error.http_status == 404:
            raise
        return _wrong(request, desk, header, lines, customer, error)
    return _check_page(request, desk, header, lines, plan)


def _wrong(
    request: HttpRequest, desk: Desk, header: HeaderForm, lines: LinesForm, customer: str, error: BusinessError
) -> HttpResponseBase:
    """Errors go to the step whose field they name."""
    if isinstance(error, FieldErrors) and any(name in header.fields for name in error.errors):
        show_errors(header, error)
        return _header_page(request, desk, header, status=422)
    filled = lines.filled()
    if isinstance(error, FieldErrors):
        error = FieldErrors({_in_form(name, filled): found for name, found in error.errors.items()})
    show_errors(lines, error)
    return _lines_page(request, desk, header, lines, customer, status=422)


def _in_form(name: str, filled: list[int]) -> str:
    """The command counts the lines it was given, the form its rows."""
    place, _dot, rest = name.removeprefix("lines.").partition(".")
    return f"lines.{filled[int(place)]}.{rest}" if name.startswith("lines.") and place.isdigit() else name


def _header_page(request: HttpRequest, desk: Desk, header: HeaderForm, status: int = 200) -> HttpResponseBase:
    kept = _kept(request, lambda name: name.startswith("lines.") or name == "rows")
    context = _base(desk, 0) | {"form": header, "kept": kept, "back": desk.url("list")}
    return render(request, "desk/header.html", context, status=status)


def _lines_page(
    request: HttpRequest, desk: Desk, header: HeaderForm, lines: LinesForm, customer: str, status: int = 200
) -> HttpResponseBase:
    identifier = header.cleaned_data["identifier"]
    context = _base(desk, 1) | {
        "form": lines,
        "header": header,
        "customer": customer,
        "identifier": identifier,
        "kept": _kept(request, lambda name: name in header.fields),
        "skus": [(tag.sku, license_label(tag)) for tag in search_tags(desk.actor, "", limit=OFFERED)],
        "places": search_destinations(desk.actor, desk.company, identifier=identifier, limit=OFFERED),
    }
    return render(request, "desk/lines.html", context, status=status)


def _check_page(
    request: HttpRequest, desk: Desk, header: HeaderForm, lines: LinesForm, plan: PlannedOrder
) -> HttpResponseBase:
    shown = [
        {
            "line": line,
            "license": license_label(line.tag) if line.tag is not None else line.checked.sku,
            "kind": KINDS[line.checked.kind],
            "place": line.virtual_account.name if line.virtual_account is not None else "",
            "landing": _("Recorded before") if line.repeated else LANDING[line.state],
        }
        for line in plan.lines
    ]
    facts = [
        kit.Fact(_("Customer"), plan.account.name if plan.account is not None else ""),
        kit.Fact(_("Domain identifier"), plan.identifier),
        kit.Fact(_("Order number"), plan.number),
        kit.Fact(_("Ordered on"), words.date(plan.ordered_on) if plan.ordered_on else ""),
        kit.Fact(_("Customer's order number"), plan.customer_reference),
        kit.Fact(_("Memo"), plan.memo),
    ]
    count = len(plan.new_lines)
    context = _base(desk, 2) | {
        "facts": facts,
        "shown": shown,
        "new": count,
        "repeated": len(plan.lines) - count,
        "kept": _kept(request, lambda name: name in header.fields or name.startswith("lines.") or name == "rows"),
        "button": ngettext("Deposit %(count)s line", "Deposit %(count)s lines", count) % {"count": count},
        "waits_operator": any(line.state == "waiting_operator" for line in plan.new_lines),
        "waits_agreement": any(line.state == "waiting_agreement" for line in plan.new_lines),
        "unassigned": any(line.state == "unassigned" for line in plan.new_lines),
    }
    return render(request, "desk/check.html", context)


def _done(request: HttpRequest, desk: Desk, done: Recorded) -> HttpResponseBase:
    if not done.new:
        kit.tell(request, "info", _("This order was recorded before. Nothing changed."))
    else:
        told(request, done)
    return HttpResponseRedirect(desk.url("order", uid=done.orders[0].uid))


def told(request: HttpRequest, done: Recorded) -> None:
    """What came of recording, in one banner for each outcome."""
    landed = done.count("deposited") + done.count("unassigned")
    if landed:
        text = ngettext("%(count)s line was deposited.", "%(count)s lines were deposited.", landed)
        kit.tell(request, "done", text % {"count": words.num(landed)})
    if waiting := done.count("waiting_operator"):
        text = ngettext("%(count)s line waits for the operator.", "%(count)s lines wait for the operator.", waiting)
        kit.tell(request, "caution", text % {"count": words.num(waiting)})
    if waiting := done.count("waiting_agreement"):
        text = ngettext(
            "%(count)s line waits until the customer accepts the account agreement.",
            "%(count)s lines wait until the customer accepts the account agreement.",
            waiting,
        )
        kit.tell(request, "caution", text % {"count": words.num(waiting)})


def _base(desk: Desk, step: int) -> dict[str, Any]:
    labels = (_("Customer"), _("Lines"), _("Check"))
    states = ["done"] * step + ["current"] + ["later"] * (len(labels) - step - 1)
    return {
        "frame": desk.frame,
        "steps": [kit.Step(label, state) for label, state in zip(labels, states, strict=True)],
        "heading": _("Record an order %(step)s/%(steps)s %(name)s")
        % {"step": step + 1, "steps": len(labels), "name": labels[step]},
        "crumbs": [kit.Crumb(_("Recorded orders"), desk.url("list"))],
        "import_url": desk.url("import"),
    }


def _kept(request: HttpRequest, wanted: Any) -> Iterable[tuple[str, str]]:
    """What other steps hold, carried along in hidden fields."""
    return [(name, str(value)) for name, value in request.POST.items() if wanted(name)]
