"""移管: choose licenses, say where to and how many, see the effects, move them (S25)."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.errors import BusinessError
from daicho.core.text import fingerprint
from daicho.domain.access.commands.drafts import drop_wizard_draft, keep_wizard_draft
from daicho.domain.access.queries_drafts import get_draft, open_drafts
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.commands.transfer import TransferPreview, preview_transfer, transfer_licenses
from daicho.domain.ledger.queries.entries import done_before, get_entry, latest_change, moves_again
from daicho.domain.ledger.queries.pools import PoolCriteria, families, list_pools
from daicho.domain.ledger.queries.sight import Sight, look, manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import BulkAct, ChoiceFilter, Empty, ListQuery, Page, selected
from daicho.interfaces.portal.views.licenses_list import LicenseList
from daicho.interfaces.portal.views.licenses_parts import balance_state, join
from daicho.interfaces.portal.views.transfers_csv import moves_of
from daicho.interfaces.portal.views.transfers_draft import (
    BY_HAND,
    KIND,
    MOST_ROWS,
    MOST_TARGETS,
    Matrix,
    TransferForm,
    mark_shortages,
    matrix,
    suggest_target,
)
from daicho.interfaces.portal.views.transfers_large import check_file
from daicho.interfaces.portal.web import Here, account_page


def steps(here: Here, at: int, draft: str = "") -> list[kit.Step]:
    names = (_("Licenses"), _("Targets and quantities"), _("Check"))
    urls = (here.url("transfers-new"), here.url("transfers-draft", draft=draft) if draft else "", "")
    return [
        kit.Step(name, "done" if number < at else "current" if number == at else "later", url)
        for number, (name, url) in enumerate(zip(names, urls, strict=True), 1)
    ]


def title(at: int) -> str:
    names = {1: _("Licenses"), 2: _("Targets and quantities"), 3: _("Check")}
    return _("Transfer %(step)s/3 %(name)s") % {"step": at, "name": names[at]}


class SpareList(LicenseList):
    """Step 1: what can be moved from here."""

    key = "transfer-licenses"
    exports = False
    stamps = False
    template = "transfers/choose.html"

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.title = title(1)
        self.empty = Empty(gettext_lazy("Nothing is spare"), gettext_lazy("Everything you may move is in use."))

    @functools.cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        names = families(self.sight)
        return [ChoiceFilter("family", gettext_lazy("Family"), [(one, one) for one in names])] if len(names) > 1 else []

    def fetch(self, q: ListQuery) -> Page:
        criteria = PoolCriteria(text=q.text, family=q.filters.get("family", ""), spare=True)
        page = list_pools(self.sight, criteria, sort=q.sort, descending=q.descending, cursor=q.cursor, size=q.size)
        rows = [pool for pool in page.rows if self.sight.may_manage(pool.virtual_account_id)]
        return Page(rows, page.next_cursor, page.previous_cursor)

    def bulk_acts(self) -> list[BulkAct]:
        return [BulkAct("next", _("Next: targets and quantities"), self.here.url("transfers-start"))]

    row_menu = None  # type: ignore[assignment]


@account_page(Permission.LICENSES_MANAGE)
def choose(request: HttpRequest, here: Here) -> HttpResponseBase:
    page = SpareList(request, here=here, sight=look(here.actor, here.account, here.va))
    drafts = [
        {"url": here.url("transfers-draft", draft=draft.uid), "at": draft.updated_at}
        for draft in open_drafts(here.actor, here.account, KIND)
    ]
    return page.response(
        {"steps": steps(here, 1), "drafts": drafts, "actions": [], "csv_url": here.url("transfers-csv")}
    )


@account_page(Permission.LICENSES_MANAGE)
def start(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Step 2 from a link or from selected rows; a draft begins with the first thing that is sent from it."""
    sight = look(here.actor, here.account)
    if request.method == "POST" and "line" in request.POST:
        return _quantities(request, here, sight, TransferForm(), "")
    if request.method == "POST":
        rows, everything = selected(request)
        if everything:
            rows = _all_that_match(request, here)
            if len(rows) > MOST_ROWS:
                return HttpResponseRedirect(f"{here.url('transfers-matching')}?{request.GET.urlencode()}")
        if not rows:
            kit.tell(request, "caution", _("Choose the licenses to transfer first."))
            return HttpResponseRedirect(here.url("licenses-list"))
        form = TransferForm(rows=rows[:MOST_ROWS])
        suggest_target(sight, form)
        draft = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=form.data())
        if len(rows) > MOST_ROWS:
            kit.tell(
                request,
                "info",
                _("The first %(count)s licenses were taken. Use a CSV file for more.") % {"count": MOST_ROWS},
            )
        return HttpResponseRedirect(here.url("transfers-draft", draft=draft.uid))
    form = TransferForm.from_query(request.GET)
    suggest_target(sight, form)
    return _show(request, here, form, matrix(sight, form), "")


@account_page(Permission.LICENSES_MANAGE)
def again(request: HttpRequest, here: Here, entry: str) -> HttpResponseBase:
    """A draft with the licenses, targets and quantities of a transfer that was made before."""
    sight = look(here.actor, here.account)
    made = get_entry(sight, entry).entry
    if request.method != "POST":
        return HttpResponseRedirect(here.url("transfers-detail", entry=entry))
    form, is_whole = TransferForm.from_moves(moves_again(sight, made))
    if not form.rows:
        kit.tell(request, "caution", _("Nothing of this transfer can be moved again by you."))
        return HttpResponseRedirect(here.url("transfers-detail", entry=entry))
    if not is_whole:
        text = _("The first %(rows)s licenses and %(targets)s targets were taken. Use a CSV file for more.")
        kit.tell(request, "info", text % {"rows": MOST_ROWS, "targets": MOST_TARGETS})
    draft = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=form.data())
    return HttpResponseRedirect(here.url("transfers-draft", draft=draft.uid))


def _all_that_match(request: HttpRequest, here: Here) -> list[str]:
    """The pools of the whole filtered list, as far as one form takes them."""
    listed = LicenseList(
        request, here=here, sight=look(here.actor, here.account, here.va, below=request.GET.get("below") == "1")
    )
    criteria = listed.criteria(listed.query())
    page = list_pools(listed.sight, criteria, size=MOST_ROWS)
    rest = list_pools(listed.sight, criteria, size=1, cursor=page.next_cursor).rows if page.next_cursor else []
    return [pool.uid for pool in [*page.rows, *rest]]


@account_page(Permission.LICENSES_MANAGE)
def quantities(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """Step 2: where to, how many, which lots first."""
    form = TransferForm.from_data(get_draft(here.actor, here.account, KIND, draft).data)
    if form.moves or form.file:
        return HttpResponseRedirect(here.url("transfers-check", draft=draft))
    sight = look(here.actor, here.account)
    if request.method == "POST":
        return _quantities(request, here, sight, form, draft)
    return _show(request, here, form, matrix(sight, form), draft)


def _quantities(request: HttpRequest, here: Here, sight: Sight, form: TransferForm, draft: str) -> HttpResponseBase:
    act, _colon, which = request.POST.get("act", "check").partition(":")
    before = form.choice
    form.read(request.POST)
    if act == "add_target" and len(form.targets) < MOST_TARGETS:
        form.targets.append("")
    if act == "drop_target" and which.isdigit() and len(form.targets) > 1:
        _drop_target(form, int(which))
    if act == "drop_row":
        form.rows = [row for row in form.rows if row != which]
    kept = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=form.data(), uid=draft)
    shown = matrix(sight, form)
    if act == "save":
        return render(request, "transfers/_left.html", {"matrix": shown})
    by_hand_began = BY_HAND in (form.choice, before) and form.choice != before
    if act != "check" or by_hand_began:
        return HttpResponseRedirect(here.url("transfers-draft", draft=kept.uid))
    if not shown.errors and not shown.moves:
        shown.errors.append(
            {"text": _("Enter how many licenses to transfer, and where to."), "target": "", "code": "no_lines"}
        )
    if not shown.errors:
        try:
            preview = preview_transfer(here.actor, account=here.account, moves=shown.moves, choice=choice_of(form))
            mark_shortages(shown, preview)
        except BusinessError as error:
            if error.http_status == 404:
                raise
            shown.errors.append({"text": error.text(), "target": "", "code": error.code})
    if shown.errors:
        return _show(request, here, form, shown, kept.uid, status=422)
    return HttpResponseRedirect(here.url("transfers-check", draft=kept.uid))


def _drop_target(form: TransferForm, at: int) -> None:
    form.targets = [uid for number, uid in enumerate(form.targets) if number != at]
    form.cells = {
        line: [text for number, text in enumerate(cells) if number != at] for line, cells in form.cells.items()
    }


def choice_of(form: TransferForm) -> str:
    return "soonest_end" if form.choice == BY_HAND else form.choice


def _show(
    request: HttpRequest, here: Here, form: TransferForm, shown: Matrix, draft: str, status: int = 200
) -> HttpResponse:
    sources = {line.pool.virtual_account.name for line in shown.lines}
    context = {
        "title": title(2),
        "steps": steps(here, 2, draft),
        "wizard": form,
        "matrix": shown,
        "draft": draft,
        "sources": join(sorted(sources)[:3]),
        "act_url": here.url("transfers-draft", draft=draft) if draft else here.url("transfers-start"),
        "discard_url": here.url("transfers-discard", draft=draft) if draft else "",
        "back_url": here.url("transfers-new"),
        "csv_url": here.url("transfers-csv"),
        "choices": [
            ("soonest_end", _("Those that end soonest first")),
            ("longest_term", _("Those that end last first")),
            (BY_HAND, _("Choose lots by hand")),
        ],
        "targets": list(zip(range(1, len(shown.targets) + 1), shown.targets, form.targets, strict=True)),
        "more_targets": len(shown.targets) < MOST_TARGETS,
    }
    return render(request, "transfers/quantities.html", context, status=status)


@account_page(Permission.LICENSES_MANAGE)
def check(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """Step 3: the effects in numbers; then the act."""
    sight = look(here.actor, here.account)
    if request.method == "POST":
        done = done_before(sight, request.POST.get("request_id", ""))
        if done is not None:
            return HttpResponseRedirect(result_url(here, done.entry_uid, done.request_uid))
    form = TransferForm.from_data(get_draft(here.actor, here.account, KIND, draft).data)
    if form.file:
        return check_file(request, here, form, draft)
    moves = moves_of(sight, form) if form.moves else matrix(sight, form).moves
    if not moves:
        kit.tell(request, "caution", _("Enter how many licenses to transfer, and where to."))
        return HttpResponseRedirect(
            here.url("transfers-csv") if form.moves else here.url("transfers-draft", draft=draft)
        )
    preview = preview_transfer(here.actor, account=here.account, moves=moves, choice=choice_of(form))
    if request.method == "POST":
        if request.POST.get("seen") != seen_of(preview):
            return _check(request, here, form, moves, preview, draft, stale=True, status=409)
        try:
            outcome = transfer_licenses(
                here.actor, account=here.account, request_id=uuid.UUID(form.request_id), moves=moves,
                choice=choice_of(form), memo=form.memo,
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            preview = preview_transfer(here.actor, account=here.account, moves=moves, choice=choice_of(form))
            return _check(request, here, form, moves, preview, draft, refusal=error, status=error.http_status)
        drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
        entry, asked = outcome.entry, outcome.request
        return HttpResponseRedirect(result_url(here, entry.uid if entry else "", asked.uid if asked else ""))
    return _check(request, here, form, moves, preview, draft)


def result_url(here: Here, entry_uid: str, request_uid: str) -> str:
    if entry_uid:
        return f"{here.url('transfers-detail', va=None, entry=entry_uid)}?done=1"
    return f"{here.url('transfers-request', va=None, waiting=request_uid)}?done=1"


def seen_of(preview: TransferPreview) -> str:
    """What the reader was shown; if it differs when he acts, somebody else was faster."""
    return fingerprint([[e.virtual_account.uid, e.tag.uid, e.before, e.after] for e in preview.effects])


def _check(
    request: HttpRequest,
    here: Here,
    form: TransferForm,
    moves: list[Any],
    preview: TransferPreview,
    draft: str,
    *,
    stale: bool = False,
    refusal: BusinessError | None = None,
    status: int = 200,
) -> HttpResponse:
    total = sum(move.quantity for move in moves)
    kinds = len({move.tag.pk for move in moves})
    verb = ngettext("Transfer %(total)s license", "Transfer %(total)s licenses", total) % {"total": words.num(total)}
    if kinds > 1:
        verb = _("Transfer %(total)s licenses of %(kinds)s kinds") % {"total": words.num(total), "kinds": kinds}
    shown = preview.effects[:200]
    lines = [
        (
            _("%(source)s → %(target)s") % {"source": move.source.name, "target": move.target.name},
            _("%(sku)s: %(quantity)s") % {"sku": move.tag.sku, "quantity": words.num(move.quantity)},
        )
        for move in moves[:200]
    ]
    needs_approval = here.account.transfers_need_approval and not here.scope.allows(Permission.TRANSFERS_APPROVE)
    context = {
        "title": title(3),
        "steps": steps(here, 3, draft),
        "lines": lines,
        "more": max(0, len(moves) - 200),
        "effects": [
            kit.Effect(f"{e.virtual_account.name}  {e.tag.sku}", e.before, e.after, balance_state(e.after))
            for e in shown
        ],
        "lots": preview.lots[:200],
        "memo": form.memo,
        "verb": verb,
        "needs_approval": needs_approval,
        "impossible": "" if preview.is_possible else _("There are not enough spare licenses. Change the quantities."),
        "stale": stale,
        "refusal": refusal,
        "seen": seen_of(preview),
        "new_request_id": form.request_id,
        "is_file": bool(form.moves),
        "change_url": here.url("transfers-csv") if form.moves else here.url("transfers-draft", draft=draft),
        "discard_url": here.url("transfers-discard", draft=draft),
    }
    if stale:
        context["changed"] = latest_change(here.account, [(e.virtual_account.pk, e.tag.pk) for e in preview.effects])
    return render(request, "transfers/check.html", context, status=status)


@account_page(Permission.LICENSES_MANAGE)
def discard(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    if request.method == "POST":
        drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
        kit.tell(request, "done", _("The draft was discarded."))
    return HttpResponseRedirect(here.url("licenses-list"))


@account_page(Permission.LICENSES_MANAGE)
def targets(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Options of the target's combobox: `?q=`."""
    found = manageable(look(here.actor, here.account), text=request.GET.get("q", "")[:100], limit=51)
    options = [{"value": va.uid, "label": va.name, "hint": ""} for va in found[:50]]
    return JsonResponse({"options": options, "more": len(found) > 50})
