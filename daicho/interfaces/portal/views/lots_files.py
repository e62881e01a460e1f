"""添付ファイル: attach one to a lot, save it, take it off."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from daicho.core import downloads
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.attachments import MOST_BYTES
from daicho.domain.ledger.commands.lot_files import attach_lot_file, remove_lot_file
from daicho.domain.ledger.queries.lot_details import view_lot
from daicho.domain.ledger.queries.lot_files import read_lot_file
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.lots import FileForm, lot_context
from daicho.interfaces.portal.web import Here, account_page, show_errors


@require_POST
@account_page(Permission.LICENSES_VIEW)
def attach(request: HttpRequest, here: Here, lot: str) -> HttpResponseBase:
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data["file"]
        try:
            if given.size > MOST_BYTES:
                raise BusinessError("file_too_large", 422, gettext_lazy("The file is larger than 10 MB."))
            made = attach_lot_file(here.actor, account=here.account, lot_uid=lot, name=given.name, content=given.read())
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("%(name)s was attached.") % {"name": made.name})
            return HttpResponseRedirect(here.url("lots-detail", lot=lot) + "#files")
    context = lot_context(here, view_lot(look(here.actor, here.account), lot), form)
    return render(request, "lots/detail.html", context, status=422)


@account_page(Permission.LICENSES_VIEW)
def save(request: HttpRequest, here: Here, lot: str, file: str) -> HttpResponseBase:
    """The file itself, to be saved: it is never shown by the browser in the portal's name."""
    found, parts = read_lot_file(look(here.actor, here.account), lot, file)
    answer = StreamingHttpResponse(parts, content_type=found.file.media_type)
    for name, value in downloads.headers(found.name, found.file.size).items():
        answer[name] = value
    return answer


@require_POST
@account_page(Permission.LICENSES_VIEW)
def remove(request: HttpRequest, here: Here, lot: str, file: str) -> HttpResponseBase:
    remove_lot_file(here.actor, account=here.account, lot_uid=lot, file_uid=file)
    kit.tell(request, "done", _("The file was removed."))
    return HttpResponseRedirect(here.url("lots-detail", lot=lot))
