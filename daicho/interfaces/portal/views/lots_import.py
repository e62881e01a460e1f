"""台帳項目 by a file: what there is as a file, dry run with errors by row, one act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.files import store
from daicho.domain.ledger.commands.lot_details import import_lot_details
from daicho.domain.ledger.details import FIELDS
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.ledger.queries.details_file import (
    DetailsChange,
    DetailsFile,
    file_head,
    file_rows,
    read_details_file,
)
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.lots_parts import LABELS, lots_crumb
from daicho.interfaces.portal.web import Here, account_page, show_errors

MOST_BYTES = 10 * 1024 * 1024
SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADS: dict[str, Any] = {
    **LABELS,
    "sku": gettext_lazy("SKU"), "virtual_account": gettext_lazy("Virtual account"), "quantity": gettext_lazy("Quantity"),
    "end_on": gettext_lazy("End"), "order": gettext_lazy("Order"),
}  # fmt: skip


class ImportForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File"))


@account_page(Permission.LICENSES_MANAGE)
def upload(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The dry run: nothing is written down; a good file waits for the button."""
    form = ImportForm(request.POST or None, request.FILES or None)
    problems: list[kit.RowError] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["file"]
        try:
            if given.size > MOST_BYTES:
                raise BusinessError("file_too_large", 422, gettext_lazy("The file is larger than 10 MB. Split it."))
            found = read_details_file(here.actor, account=here.account, content=given.read())
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            problems = _problems(found)
            if not problems:
                kept = store.keep(given.name, given.content_type or "", given.chunks(), actor=here.actor)
                return HttpResponseRedirect(here.url("lots-import-check", file=kept.uid))
    context = {
        "title": _("Edit ledger columns by CSV"),
        "crumbs": [lots_crumb(here), kit.Crumb(_("Edit ledger columns by CSV"))],
        "form": form,
        "most": f"{MAX_LINES:,}",
        "problems": problems[:500],
        "csv_url": here.url("lots-export", kind="csv"),
        "xlsx_url": here.url("lots-export", kind="xlsx"),
        "back_url": here.url("lots-list"),
    }
    return render(request, "lots/import.html", context, status=422 if request.method == "POST" else 200)


@account_page(Permission.LICENSES_MANAGE)
def check(request: HttpRequest, here: Here, file: str) -> HttpResponseBase:
    """What the file changes; the button writes all of it, or nothing."""
    content = store.content(store.uploaded(here.actor, file))
    refusal: BusinessError | None = None
    if request.method == "POST":
        try:
            done = import_lot_details(here.actor, account=here.account, content=content)
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            refusal = error
        else:
            text = ngettext(
                "The ledger columns of %(count)s lot were saved.", "The ledger columns of %(count)s lots were saved.",
                done.changed,
            )  # fmt: skip
            kit.tell(request, "done", text % {"count": f"{done.changed:,}"})
            return HttpResponseRedirect(here.url("lots-list"))
    found = read_details_file(here.actor, account=here.account, content=content)
    count = len(found.changes)
    context = {
        "title": _("Check the ledger columns of the file"),
        "crumbs": [lots_crumb(here), kit.Crumb(_("Edit ledger columns by CSV"), here.url("lots-import"))],
        "rows": [_change(here, change) for change in found.changes[:SHOWN]],
        "more": max(0, count - SHOWN),
        "unchanged": found.unchanged,
        "problems": _problems(found)[:500],
        "refusal": refusal,
        "verb": ngettext("Save %(count)s lot", "Save %(count)s lots", count) % {"count": f"{count:,}"} if count else "",
        "back_url": here.url("lots-import"),
    }
    return render(request, "lots/import_check.html", context, status=refusal.http_status if refusal else 200)


def _problems(found: DetailsFile) -> list[kit.RowError]:
    return [kit.RowError(p.row, LABELS.get(p.column, p.column), p.error.text()) for p in found.problems]


def _change(here: Here, change: DetailsChange) -> dict[str, Any]:
    """What a row changes, column by column; an amount reads with its currency."""
    lines = []
    for name in FIELDS:
        before, after = getattr(change.before, name), getattr(change.after, name)
        if name == "amount":
            before, after = change.before.price(), change.after.price()
        if before != after and name != "currency":
            lines.append({"label": LABELS[name], "before": before, "after": after})
    url = here.url("lots-detail", lot=change.lot.uid)
    return {"row": change.row, "lot": change.lot.uid, "sku": change.lot.tag.sku, "url": url, "lines": lines}


@account_page(Permission.LICENSES_VIEW)
def export(request: HttpRequest, here: Here, kind: str) -> HttpResponseBase:
    """One row a lot, with the columns that the reader may see: the file to fill in."""
    sight = look(here.actor, here.account, here.va)
    head = file_head(sight)
    rows = file_rows(sight, editable=here.may(Permission.LICENSES_MANAGE))
    if kind == "csv":
        lines = (line.encode() for line in tabular.csv_lines(head, rows))
        answer: StreamingHttpResponse | FileResponse = StreamingHttpResponse(
            lines, content_type="text/csv; charset=utf-8"
        )
    elif kind == "xlsx":
        words = [str(HEADS[name]) for name in head]
        answer = FileResponse(tabular.xlsx_file(words, rows, sheet=_("Lots")), content_type=XLSX)
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="ledger-columns.{kind}"'
    return answer
