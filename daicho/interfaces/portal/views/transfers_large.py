"""移管 of more than one act takes: a large file, and all that matches a filter. Both end in a job."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access import policy
from daicho.domain.access.commands.drafts import drop_wizard_draft
from daicho.domain.access.rules import Permission
from daicho.domain.files.store import content, uploaded
from daicho.domain.ledger.commands.transfer_jobs import start_transfer_file, start_transfer_matching
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.ledger.queries.pools import spare_totals
from daicho.domain.ledger.queries.sight import look, manageable
from daicho.domain.ledger.queries.transfer_file import COLUMNS, TransferFile, every_problem
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.jobs import job_url
from daicho.interfaces.portal.views.licenses_list import LicenseList
from daicho.interfaces.portal.views.licenses_parts import licenses_crumb, sight_of
from daicho.interfaces.portal.views.transfers_draft import KIND, TransferForm
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors

if TYPE_CHECKING:
    from daicho.domain.files.models import StoredFile

LABELS = {
    "source": gettext_lazy("Source"), "target": gettext_lazy("Target"), "sku": gettext_lazy("SKU"),
    "quantity": gettext_lazy("Quantity"), "lot": gettext_lazy("Lot"),
}  # fmt: skip
CHOICES = [
    ("soonest_end", gettext_lazy("Those that end soonest first")),
    ("longest_term", gettext_lazy("Those that end last first")),
]


def summary(found: TransferFile, kept: StoredFile) -> dict[str, Any]:
    """What the check page says of a large file, kept in the draft so that it is read once."""
    return {
        "uid": kept.uid, "name": kept.name, "count": found.count, "bad_rows": found.bad_rows,
        "quantity": found.quantity, "sources": found.sources, "targets": found.targets, "licenses": found.licenses,
        "problems": [[p.row, p.column, p.error.text()] for p in found.problems],
    }  # fmt: skip


def check_file(request: HttpRequest, here: Here, form: TransferForm, draft: str) -> HttpResponseBase:
    """What a large file would do, and the button that starts it."""
    file = uploaded(here.actor, form.file["uid"])
    if request.GET.get("problems") == "csv":
        return _bad_rows(here, file)
    if request.method == "POST":
        job = start_transfer_file(
            here.actor, account=here.account, request_id=uuid.UUID(form.request_id), file=file,
            rows=form.file["count"], choice=form.choice, memo=form.memo,
        )  # fmt: skip
        drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
        return HttpResponseRedirect(job_url(here, job))
    told = form.file
    good = told["count"] - told["bad_rows"]
    facts = [
        kit.Fact(_("File"), told["name"]),
        kit.Fact(_("Rows to move"), words.num(good)),
        kit.Fact(_("Rows that cannot be taken"), words.num(told["bad_rows"])),
        kit.Fact(_("Licenses"), words.num(told["quantity"])),
        kit.Fact(_("Kinds of licenses"), words.num(told["licenses"])),
        kit.Fact(_("Source virtual accounts"), words.num(told["sources"])),
        kit.Fact(_("Target virtual accounts"), words.num(told["targets"])),
        kit.Fact(_("Which lots first"), str(dict(CHOICES)[form.choice])),
        kit.Fact(_("Memo"), form.memo or words.NOTHING),
    ]
    context = {
        "title": _("Check the file"),
        "crumbs": _crumbs(here, _("Check the file")),
        "facts": facts,
        "rule": _(
            "The file has more than %(most)s rows. Each row is moved or refused by itself; refused rows and the reasons are"
            " in the result. You can follow the progress, and cancel what is not done yet."
        ) % {"most": words.num(MAX_LINES)},
        "problems": [kit.RowError(row, LABELS.get(column, column), text) for row, column, text in told["problems"]],
        "bad_rows": told["bad_rows"],
        "bad_url": f"{request.path}?problems=csv",
        "verb": ngettext("Transfer %(count)s row", "Transfer %(count)s rows", good) % {"count": words.num(good)},
        "impossible": "" if good else _("No row of this file can be moved. Correct it and upload it again."),
        "new_request_id": form.request_id,
        "change_url": here.url("transfers-csv"),
        "discard_url": here.url("transfers-discard", draft=draft),
    }  # fmt: skip
    return render(request, "transfers/check_file.html", context)


def _bad_rows(here: Here, file: StoredFile) -> HttpResponseBase:
    """Every row that cannot be taken, with its reasons, to be mended and uploaded again."""
    found = every_problem(look(here.actor, here.account), io.BytesIO(content(file)))

    def rows() -> Iterator[list[tabular.Cell]]:
        for row, problem in found:
            cells = [row.cells.get(key, "") for key in COLUMNS]
            yield [row.number, problem.column, problem.error.text(), *cells]

    lines = tabular.csv_lines(["row", "column", "reason", *COLUMNS], rows())
    answer = StreamingHttpResponse((line.encode() for line in list(lines)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="transfer-rows-to-mend.csv"'
    return answer


def _crumbs(here: Here, last: str) -> list[kit.Crumb]:
    return [licenses_crumb(here), kit.Crumb(_("Transfers"), here.url("transfers-list")), kit.Crumb(last)]


class MatchingForm(forms.Form):
    """Where all that matches goes."""

    target = forms.ChoiceField(label=gettext_lazy("Target"))
    choice = forms.ChoiceField(
        label=gettext_lazy("Which lots first"), choices=CHOICES, initial="soonest_end", widget=forms.RadioSelect
    )
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), max_length=500, required=False)

    def __init__(self, here: Here, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["target"]
        sight = look(here.actor, here.account)
        chosen = [data["target"]] if data and data.get("target") else []
        places = manageable(sight, limit=50)
        places += [one for one in manageable(sight, uids=chosen) if one not in places]
        field.choices = [("", _("Choose a virtual account")), *((one.uid, one.name) for one in places)]  # type: ignore[attr-defined]
        field.widget = kit.Combobox(source=here.url("transfers-targets"), choices=field.choices)  # type: ignore[attr-defined]


@account_page(Permission.LICENSES_MANAGE)
def matching(request: HttpRequest, here: Here) -> HttpResponseBase:
    """All that is spare of the licenses that match the list's filter, to one virtual account."""
    listed = LicenseList(request, here=here, sight=sight_of(request, here))
    q = listed.query()
    criteria = listed.criteria(q)
    form = MatchingForm(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            place = policy.get_virtual_account(
                here.actor, here.account, form.cleaned_data["target"], Permission.LICENSES_VIEW
            )
            job = start_transfer_matching(
                here.actor, account=here.account, request_id=request_id_of(request), criteria=criteria, target=place,
                virtual_account=here.va, below=listed.sight.below, choice=form.cleaned_data["choice"],
                memo=form.cleaned_data["memo"],
            )  # fmt: skip
            return HttpResponseRedirect(job_url(here, job))
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
    totals = spare_totals(listed.sight, criteria)
    count = words.num(totals.count) if totals.is_exact else _("%(count)s or more") % {"count": words.num(totals.count)}
    spare = words.num(totals.sums["balance"]) if totals.is_exact else words.NOTHING
    conditions = " · ".join(chip["label"] for chip in listed.chips(q))
    where = here.va.name if here.va is not None else _("All virtual accounts that you may manage")
    context = {
        "title": _("Transfer all that matches"),
        "crumbs": _crumbs(here, _("Transfer all that matches")),
        "form": form,
        "facts": [
            kit.Fact(_("Conditions"), conditions or _("None: the whole list")),
            kit.Fact(_("Scope"), where),
            kit.Fact(_("Licenses with spare"), count, hint=_("One for each license in each virtual account.")),
            kit.Fact(_("Spare now"), spare),
        ],
        "rule": _(
            "All that is spare moves to the target. Each license is moved or refused by itself, by what is spare when its"
            " turn comes; what comes to the list later stays where it is."
        ),
        "verb": _("Transfer all that is spare"),
        "impossible": "" if totals.count else _("Nothing that matches is spare."),
        "back_url": f"{here.url('licenses-list')}{listed.link()}",
    }  # fmt: skip
    return render(request, "transfers/matching.html", context, status=422 if form.errors else 200)
