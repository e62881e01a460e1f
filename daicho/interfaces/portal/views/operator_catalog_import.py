"""Take a file into the catalog: its preview marks every bad row; all rows are taken, or none."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.core.errors import BusinessError
from daicho.core.tabular import csv_lines
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.catalog.commands.imports import CatalogImport, import_catalog
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.web import Here, operator_page

SHOWN = 500
SAMPLE = (
    ("sku", "name", "name_ja", "regid", "family", "enforcement", "description"),
    [("NET-ADV", "Network Advantage", "ネットワーク アドバンテージ", "", "Network", "unenforced", "")],
)


class CatalogFileForm(forms.Form):
    file = forms.FileField(label=lazy("Catalog file"), max_length=200)


@operator_page(OperatorPermission.CATALOG)
def upload(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Choose a file; *check* says what it would do, *import* does it when no row is wrong."""
    form = CatalogFileForm(request.POST or None, request.FILES or None)
    result: CatalogImport | None = None
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        try:
            result = import_catalog(here.actor, content=content, dry_run="check" in request.POST)
        except BusinessError as error:
            form.add_error("file", forms.ValidationError(error.text(), code=error.code))
        else:
            if result.written:
                counts = {"added": words.num(result.added), "changed": words.num(result.changed)}
                kit.tell(request, "done", _("The file was imported: %(added)s new, %(changed)s changed.") % counts)
                page = "operator_catalog-tags" if result.kind == "tags" else "operator_catalog-products"
                return HttpResponseRedirect(reverse(page))
    problems = result.problems if result is not None else []
    context = {
        "form": form,
        "result": result,
        "facts": _facts(result) if result is not None else [],
        "problems": [kit.RowError(p.row, p.column, p.error.text()) for p in problems[:SHOWN]],
        "sample": reverse("operator_catalog-sample"),
        "back": reverse("operator_catalog-tags"),
        "crumbs": [kit.Crumb(_("Catalog"), reverse("operator_catalog-tags"))],
    }
    return render(request, "operator_catalog/import.html", context, status=422 if form.errors or problems else 200)


def _facts(result: CatalogImport) -> list[kit.Fact]:
    return [
        kit.Fact(_("Rows in the file"), words.num(result.rows)),
        kit.Fact(_("New"), words.num(result.added)),
        kit.Fact(_("Changed"), words.num(result.changed)),
        kit.Fact(_("Unchanged"), words.num(result.unchanged)),
        kit.Fact(_("Repeated in the file"), words.num(result.repeated)),
    ]


@operator_page(OperatorPermission.CATALOG)
def sample(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A file to start from."""
    answer = HttpResponse("".join(csv_lines(*SAMPLE)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="catalog.csv"'
    return answer
