"""移管 by a file: template, upload with errors by row, then the same check page."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.commands.drafts import keep_wizard_draft
from daicho.domain.access.rules import Permission
from daicho.domain.files.store import UPLOAD_LIMIT, keep
from daicho.domain.ledger.commands.transfer import Move
from daicho.domain.ledger.queries.pools import PoolCriteria, list_pools
from daicho.domain.ledger.queries.sight import Sight, look, manageable, tags_by_uid
from daicho.domain.ledger.queries.transfer_file import TransferFile, read_transfer_file
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.licenses_parts import licenses_crumb
from daicho.interfaces.portal.views.transfers_draft import CHOICES, KIND, TransferForm
from daicho.interfaces.portal.views.transfers_large import CHOICES as LOTS_FIRST
from daicho.interfaces.portal.views.transfers_large import LABELS, summary
from daicho.interfaces.portal.web import Here, account_page, show_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


class TransferFileForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File"))
    choice = forms.ChoiceField(
        label=gettext_lazy("Which lots first"),
        choices=LOTS_FIRST,
        initial="soonest_end",
        widget=forms.RadioSelect,
    )
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), max_length=500, required=False)


@account_page(Permission.LICENSES_MANAGE)
def upload(request: HttpRequest, here: Here) -> HttpResponseBase:
    form = TransferFileForm(request.POST or None, request.FILES or None)
    found: TransferFile | None = None
    if request.method == "POST" and form.is_valid():
        sight = look(here.actor, here.account)
        try:
            found = read_transfer_file(sight, form.cleaned_data["file"].read())
        except BusinessError as error:
            show_errors(form, error)
        if found is not None and (found.is_large or not found.problems):
            data = _data(here, found, form.cleaned_data)
            draft = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=data)
            return HttpResponseRedirect(here.url("transfers-check", draft=draft.uid))
    problems = found.problems if found else []
    context = {
        "title": _("Transfer by CSV"),
        "crumbs": [
            licenses_crumb(here),
            kit.Crumb(_("Transfers"), here.url("transfers-list")),
            kit.Crumb(_("Transfer by CSV")),
        ],
        "form": form,
        "problems": [kit.RowError(p.row, LABELS.get(p.column, p.column), p.error.text()) for p in problems[:500]],
        "template_url": here.url("transfers-template"),
        "back_url": here.url("licenses-list"),
    }
    failed = request.method == "POST"
    return render(request, "transfers/csv.html", context, status=422 if failed else 200)


def _data(here: Here, found: TransferFile, cleaned: dict[str, Any]) -> dict[str, object]:
    """The draft of a file: its moves, or what a large one asks for."""
    file = {}
    if found.is_large:
        sent = cleaned["file"]
        sent.seek(0)
        kept = keep(sent.name, sent.content_type or "text/csv", sent.chunks(), actor=here.actor, limit=UPLOAD_LIMIT)
        file = summary(found, kept)
    moves = [[m.source.uid, m.target.uid, m.tag.uid, m.quantity, m.lot_uid] for m in found.moves]
    choice = cleaned["choice"] if cleaned["choice"] in CHOICES else "soonest_end"
    return TransferForm(
        moves=moves, file=file, choice=choice, memo=cleaned["memo"], request_id=str(uuid.uuid4())
    ).data()


def moves_of(sight: Sight, form: TransferForm) -> list[Move]:
    """The moves of a draft that came from a file, as far as its virtual accounts are still there."""
    places = {va.uid: va for va in manageable(sight, uids={uid for m in form.moves for uid in m[:2]}, limit=20_000)}
    tags = tags_by_uid({move[2] for move in form.moves})
    return [
        Move(places[source], places[target], tags[tag], quantity, lot)
        for source, target, tag, quantity, lot in form.moves
        if source in places and target in places and tag in tags
    ]


@account_page(Permission.LICENSES_MANAGE)
def template(request: HttpRequest, here: Here) -> HttpResponseBase:
    """What is spare now, one row each, with the target and the quantity left to fill in."""
    sight = look(here.actor, here.account, here.va)

    def rows() -> Iterator[list[tabular.Cell]]:
        cursor, given = None, 0
        while given < 10_000:
            page = list_pools(sight, PoolCriteria(spare=True), cursor=cursor, size=200)
            for pool in page.rows:
                if sight.may_manage(pool.virtual_account_id):
                    yield [pool.tag.sku, pool.tag.name, pool.virtual_account.name, pool.balance, None, None, None]
            given += len(page.rows)
            cursor = page.next_cursor
            if not cursor:
                return

    head = ["sku", "name", "source", "spare", "target", "quantity", "lot"]
    answer = StreamingHttpResponse(tabular.csv_lines(head, rows()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="transfer-template.csv"'
    return answer
