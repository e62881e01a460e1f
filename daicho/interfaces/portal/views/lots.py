"""ロット: all lots of the account, one lot with its ledger columns (台帳項目), and their form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core import money
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.queries_events import latest_events
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.attachments import ACCEPTED, MOST_FILES
from daicho.domain.ledger.commands.lot_details import change_lot_details
from daicho.domain.ledger.details import TEXTS, Details, written
from daicho.domain.ledger.queries.lot_details import LotView, view_lot
from daicho.domain.ledger.queries.lot_files import files_of
from daicho.domain.ledger.queries.lots import LotRow
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import timeline
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty
from daicho.interfaces.portal.views.licenses_lots import LOT_LOOK, LOT_STATES, LotList, license_columns, order_url
from daicho.interfaces.portal.views.licenses_parts import (
    BILLINGS,
    KINDS,
    dotted,
    last_day_of,
    license_name,
    may_manage,
    sight_of,
)
from daicho.interfaces.portal.views.lots_parts import LABELS, details_facts, lot_crumb, lots_crumb
from daicho.interfaces.portal.web import Here, account_page, show_errors

if TYPE_CHECKING:
    from daicho.domain.ledger.models import LotAttachment

SELDOM = frozenset({"kind", "start", "days_left"})
FIRST_CURRENCIES = ("JPY", "USD", "EUR")


class AllLots(LotList):
    """ロット: where is the lot with this management number?"""

    key = "lots-all"
    title = gettext_lazy("Lots")
    template = "kit/list_page.html"
    text_label = gettext_lazy("Filter by ID, license, order, virtual account or ledger column")
    stamps = True
    filters = (
        ChoiceFilter("state", gettext_lazy("State"), LOT_STATES),
        ChoiceFilter("kind", gettext_lazy("Kind"), list(KINDS.items())),
    )
    empty = Empty(gettext_lazy("No lots"), gettext_lazy("Lots arrive with an order and are listed here."))

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        head, *rest = super().columns
        number = [replace(column, optional=False, phone=True) for column in rest if column.key == "management_number"]
        others = [
            replace(column, optional=column.optional or column.key in SELDOM)
            for column in rest
            if column.key != "management_number"
        ]
        return [head, *number, *license_columns(self.here), *others]


@account_page(Permission.LICENSES_VIEW)
def lot_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    context: dict[str, Any] = {}
    if may_manage(here):
        context["actions"] = [
            kit.MenuItem(_("Edit ledger columns by CSV"), here.url("lots-import"), "file-type-csv"),
            kit.MenuItem(_("Download the ledger columns (CSV)"), here.url("lots-export", kind="csv"), "download"),
            kit.MenuItem(
                _("Download the ledger columns (XLSX)"), here.url("lots-export", kind="xlsx"), "file-type-xls"
            ),
        ]
    return AllLots(request, here=here, sight=sight_of(request, here)).response(context)


@account_page(Permission.LICENSES_VIEW)
def detail(request: HttpRequest, here: Here, lot: str) -> HttpResponseBase:
    found = view_lot(look(here.actor, here.account), lot)
    return render(request, "lots/detail.html", lot_context(here, found))


class FileForm(forms.Form):
    """One file to attach."""

    file = forms.FileField(
        label=gettext_lazy("File to attach"),
        help_text=gettext_lazy("PDF, PNG, JPEG, text, CSV, XLSX or DOCX, up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(ACCEPTED)}),
    )


def lot_context(here: Here, found: LotView, form: FileForm | None = None) -> dict[str, Any]:
    """What the page of a lot shows; `form` holds a file that was refused."""
    lot, zone = found.lot, here.account.time_zone
    files = files_of(look(here.actor, here.account, lists=False), lot)
    events = []
    if here.scope.allows_somewhere(Permission.EVENTS_VIEW_LICENSES):
        events = latest_events(here.actor, here.account, subject_uid=lot.uid, limit=10)
    return {
        "title": _("Lot %(lot)s") % {"lot": lot.uid},
        "crumbs": [lots_crumb(here), kit.Crumb(lot.uid)],
        "found": found,
        "lot": lot,
        "facts_line": dotted(lot.tag.sku, license_name(lot.tag), str(KINDS[lot.kind])),
        "facts": [
            kit.Fact(_("License"), license_name(lot.tag), url=here.url("licenses-detail", tag=lot.tag.uid)),
            kit.Fact(_("SKU"), lot.tag.sku),
            kit.Fact(_("Kind"), KINDS[lot.kind]),
            kit.Fact(_("Billing"), BILLINGS[lot.billing]),
            kit.Fact(_("Start"), words.date(lot.start_at)),
            kit.Fact(_("End"), words.date(last_day_of(lot.end_at, zone)) if lot.end_at else _("Without end")),
            kit.Fact(_("Order"), lot.order_number, url=order_url(here, lot.order_number)),
        ],
        "places": [_place(here, row) for row in found.rows],
        "details": details_facts(found.details, company=found.sees_company) if found.details is not None else None,
        "files": [_file(here, lot.uid, file) for file in files],
        "form": form or FileForm() if found.may_edit_company and len(files) < MOST_FILES else None,
        "attach_url": here.url("lots-files", lot=lot.uid),
        "edit_url": here.url("lots-edit", lot=lot.uid) if found.may_edit else "",
        "events": timeline(events),
    }


def _place(here: Here, row: LotRow) -> dict[str, Any]:
    place = row.place.virtual_account
    return {
        "name": place.name if place is not None else "",
        "url": here.url("licenses-detail", va=place.uid, tag=row.lot.tag.uid) if place and not place.deleted_at else "",
        "state": LOT_LOOK.get(row.state, row.state),
        "quantity": row.quantity,
    }


def _file(here: Here, lot_uid: str, file: LotAttachment) -> dict[str, Any]:
    return {
        "name": file.name,
        "url": here.url("lots-file", lot=lot_uid, file=file.uid),
        "remove_url": here.url("lots-file-remove", lot=lot_uid, file=file.uid),
        "dialog": f"remove-{file.uid}",
        "size": filesizeformat(file.file.size),
        "added_at": file.added_at,
        "added_by": file.added_by_name,
    }


class DetailsForm(forms.Form):
    """The ledger columns; the last three only for who may change those of the company."""

    management_number = forms.CharField(label=LABELS["management_number"], max_length=100, required=False)
    certificate_number = forms.CharField(label=LABELS["certificate_number"], max_length=100, required=False)
    department = forms.CharField(label=LABELS["department"], max_length=100, required=False)
    storage_place = forms.CharField(
        label=LABELS["storage_place"], max_length=100, required=False,
        help_text=gettext_lazy("Where the certificate or the contract is kept: a cabinet, a folder, a shared drive."),
    )  # fmt: skip
    amount = forms.CharField(
        label=LABELS["amount"], max_length=30, required=False,
        help_text=gettext_lazy("As on the invoice, such as 1,200,000."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )  # fmt: skip
    currency = forms.ChoiceField(label=LABELS["currency"], required=False, initial="JPY", widget=kit.Combobox())
    note = forms.CharField(
        label=LABELS["note"], max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, company: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [*FIRST_CURRENCIES, *sorted(set(money.DIGITS) - set(FIRST_CURRENCIES))]
        self.fields["currency"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]
        if not company:
            for name in ("certificate_number", "amount", "currency"):
                del self.fields[name]

    def changes(self) -> dict[str, Any]:
        """What was entered, as the command takes it. Raises FieldErrors."""
        given = dict(self.cleaned_data)
        if "amount" in given:
            given["amount"] = written(given["amount"], given["currency"])
        return given


def form_values(details: Details) -> dict[str, Any]:
    values = {name: getattr(details, name) for name in TEXTS}
    if details.amount is not None:
        values |= {"amount": f"{money.value(details.amount, details.currency):,}", "currency": details.currency}
    return values


@account_page(Permission.LICENSES_VIEW)
def edit(request: HttpRequest, here: Here, lot: str) -> HttpResponseBase:
    found = view_lot(look(here.actor, here.account), lot)
    if found.details is None:
        raise NotFound
    if not found.may_edit:
        raise Forbidden(Permission.LICENSES_MANAGE)
    form = DetailsForm(request.POST or None, company=found.may_edit_company, initial=form_values(found.details))
    if request.method == "POST" and form.is_valid():
        try:
            change_lot_details(here.actor, account=here.account, lot_uid=lot, changes=form.changes())
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The ledger columns were saved."))
            return HttpResponseRedirect(here.url("lots-detail", lot=lot))
    context = {
        "title": _("Edit the ledger columns"),
        "crumbs": [lots_crumb(here), lot_crumb(here, lot), kit.Crumb(_("Edit the ledger columns"))],
        "facts": dotted(found.lot.tag.sku, license_name(found.lot.tag)),
        "form": form,
        "back_url": here.url("lots-detail", lot=lot),
    }
    return render(request, "lots/edit.html", context, status=422 if form.is_bound else 200)
