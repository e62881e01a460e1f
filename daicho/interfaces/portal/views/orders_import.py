"""注文の取り込み: upload, look at every row, then take all of them or none; a large file becomes a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.errors import BusinessError
from daicho.core.tabular import csv_lines, xlsx_bytes
from daicho.domain.files.store import parts
from daicho.domain.orders.columns import COLUMNS
from daicho.domain.orders.commands.imports import (
    drop_import,
    import_orders,
    is_large,
    keep_import,
    keep_large,
    kept_import,
    kept_large,
    preview_import,
    preview_large,
)
from daicho.domain.orders.commands.order_jobs import start_order_file
from daicho.domain.orders.sheet import EXAMPLES, ImportPreview, bad_rows_table
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.jobs import job_url
from daicho.interfaces.portal.views.orders_desk import Desk
from daicho.interfaces.portal.views.orders_record import told
from daicho.interfaces.portal.web import request_id_of, show_errors

if TYPE_CHECKING:
    from daicho.domain.files.models import StoredFile

SHOWN = 500
FIRST = 10  # rows of a large file, to see that its columns are the right ones
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class UploadForm(forms.Form):
    file = forms.FileField(label=lazy("Order file"), max_length=200)


def upload(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Choose a file; it is read and kept, nothing is recorded."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if is_large(file.file, file.size):
                large = keep_large(desk.actor, company=desk.company, name=file.name, content=file.chunks())
                return HttpResponseRedirect(desk.url("preview", uid=large.uid))
            content = file.read()
            preview_import(desk.actor, company=desk.company, content=content)
            kept = keep_import(desk.actor, company=desk.company, content=content, name=file.name)
            return HttpResponseRedirect(desk.url("preview", uid=kept.uid))
        except BusinessError as error:
            if error.http_status == 404:
                raise
            form.add_error("file", forms.ValidationError(error.text(), code=error.code))
    context = _base(desk) | {"form": form, "columns": COLUMNS, "template_csv": desk.url("template", kind="csv"),
                             "template_xlsx": desk.url("template", kind="xlsx")}  # fmt: skip
    return render(request, "desk/upload.html", context, status=422 if form.errors else 200)


def preview(request: HttpRequest, desk: Desk, uid: str) -> HttpResponseBase:
    """What the file would do; its button records all rows, or starts the job that records each alone."""
    if (file := kept_large(desk.actor, desk.company, uid)) is not None:
        return _large(request, desk, file)
    name, content = kept_import(desk.actor, desk.company, uid)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            done = import_orders(desk.actor, company=desk.company, content=content)
        except BusinessError as error:
            if error.http_status == 404:
                raise
            show_errors(form, error)
        else:
            drop_import(desk.actor, company=desk.company, uid=uid)
            told(request, done)
            if done.repeated:
                text = ngettext(
                    "%(count)s line was recorded before; nothing changed there.",
                    "%(count)s lines were recorded before; nothing changed there.",
                    done.repeated,
                )
                kit.tell(request, "info", text % {"count": words.num(done.repeated)})
            return HttpResponseRedirect(desk.url("list"))
    found = preview_import(desk.actor, company=desk.company, content=content)
    context = _base(desk) | {
        "form": form,
        "name": name,
        "preview": found,
        "facts": [kit.Fact(_("Rows in the file"), words.num(len(found.sheet.rows))), *_facts(found)],
        "problems": [kit.RowError(p.row, p.column, p.error.text()) for p in found.problems[:SHOWN]],
        "bad_url": desk.url("bad", uid=uid),
        "back": desk.url("import"),
        "button": ngettext("Deposit %(count)s line", "Deposit %(count)s lines", found.new_lines)
        % {"count": words.num(found.new_lines)},
    }
    return render(request, "desk/preview.html", context, status=422 if form.errors else 200)


def _large(request: HttpRequest, desk: Desk, file: StoredFile) -> HttpResponseBase:
    form = forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            job = start_order_file(
                desk.actor, company=desk.company, request_id=request_id_of(request), file=file
            )  # fmt: skip
            return HttpResponseRedirect(job_url(desk.here, job))
        except BusinessError as error:
            if error.http_status == 404:
                raise
            show_errors(form, error)
    context = _base(desk) | {"form": form, "name": file.name, "back": desk.url("import")}
    try:
        found = preview_large(desk.actor, company=desk.company, content=parts(file))
    except BusinessError as error:
        if error.http_status == 404:
            raise
        show_errors(form, error)
    else:
        first = found.first
        context |= {
            "facts": [kit.Fact(_("Rows in the file"), words.num(found.rows)), *_facts(first)],
            "looked_at": words.num(len(first.sheet.rows)),
            "problems": [kit.RowError(p.row, p.column, p.error.text()) for p in first.problems[:SHOWN]],
            "bad": words.num(len(first.bad_rows)),
            "head": COLUMNS,
            "rows": [[row[column] for column in COLUMNS] for row in list(first.sheet.rows.values())[:FIRST]],
            "button": ngettext("Record %(count)s row", "Record %(count)s rows", found.rows)
            % {"count": words.num(found.rows)},
        }
    return render(request, "desk/preview_large.html", context, status=422 if form.errors else 200)


def _facts(found: ImportPreview) -> list[kit.Fact]:
    facts = [
        kit.Fact(_("Orders"), words.num(len(found.sheet.orders))),
        kit.Fact(_("Lands in a virtual account"), words.num(found.plan.count("deposited"))),
        kit.Fact(_("Stays unassigned"), words.num(found.plan.count("unassigned"))),
        kit.Fact(_("Waits for the agreement"), words.num(found.plan.count("waiting_agreement"))),
        kit.Fact(_("Waits for the operator"), words.num(found.plan.count("waiting_operator"))),
        kit.Fact(_("Recorded before"), words.num(found.repeated_lines)),
    ]
    return facts


def bad_rows(request: HttpRequest, desk: Desk, uid: str) -> HttpResponseBase:
    """The bad rows as CSV, each with its reason, to be mended and uploaded again."""
    _name, content = kept_import(desk.actor, desk.company, uid)
    found = preview_import(desk.actor, company=desk.company, content=content)
    head, rows = bad_rows_table(found.sheet, found.problems)
    return _file("".join(csv_lines(head, rows)).encode(), "text/csv; charset=utf-8", "order-rows-to-mend.csv")


def template(request: HttpRequest, desk: Desk, kind: str) -> HttpResponseBase:
    """A file to start from."""
    if kind == "xlsx":
        return _file(xlsx_bytes(COLUMNS, EXAMPLES, sheet="orders"), XLSX, "orders.xlsx")
    return _file("".join(csv_lines(COLUMNS, EXAMPLES)).encode(), "text/csv; charset=utf-8", "orders.csv")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _base(desk: Desk) -> dict[str, Any]:
    return {"frame": desk.frame, "crumbs": [kit.Crumb(_("Recorded orders"), desk.url("list"))]}
