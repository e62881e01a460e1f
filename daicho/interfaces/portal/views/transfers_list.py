"""移管 (history): who moved what, can it go back? One act line by line; undo."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.queries.entries import (
    TRANSFER_KINDS,
    EntryCriteria,
    EntryRow,
    entry_lines,
    get_entry,
    list_entries,
    open_requests,
)
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, DateFilter, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import (
    ENTRY_KINDS,
    OUTSIDE,
    PLACES,
    license_name,
    licenses_crumb,
    may_manage,
    side_text,
    sight_of,
)
from daicho.interfaces.portal.web import Here, account_page, request_id_of

KIND_CHOICES = [(str(kind), ENTRY_KINDS[kind]) for kind in TRANSFER_KINDS]


def licenses_text(row: EntryRow) -> str:
    """NET-ADV, or NET-ADV and 2 more."""
    if row.tag_count <= 1:
        return row.sku or words.NOTHING
    text = ngettext("%(sku)s and %(count)s more", "%(sku)s and %(count)s more", row.tag_count - 1)
    return text % {"sku": row.sku, "count": row.tag_count - 1}


def entry_state(row: EntryRow) -> kit.State:
    return kit.State("undone") if row.reversed_by is not None else kit.State("done")


class TransferList(ListPage):
    key = "transfers"
    title = gettext_lazy("Transfers")
    text_label = gettext_lazy("Filter by number, license, person or memo")
    default_sort = "-at"
    stamps = True
    here: Here
    sight: Sight
    filters = (
        ChoiceFilter("kind", gettext_lazy("Act"), KIND_CHOICES),
        DateFilter("since", gettext_lazy("From date")),
        DateFilter("until", gettext_lazy("Until date")),
    )
    empty = Empty(
        gettext_lazy("No transfers yet"), gettext_lazy("Licenses that you move between virtual accounts appear here.")
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        return [
            Column("number", gettext_lazy("No."), kind="code", value=lambda r: r.entry.uid,
                   link=lambda r: here.url("transfers-detail", entry=r.entry.uid)),
            Column("at", gettext_lazy("Time"), kind="datetime", sort=True, value=lambda r: r.entry.at, phone=True),
            Column("act", gettext_lazy("Act"), value=lambda r: ENTRY_KINDS[r.entry.kind]),
            Column("source", gettext_lazy("Source"), value=lambda r: side_text(r.source), phone=True),
            Column("target", gettext_lazy("Target"), value=lambda r: side_text(r.target), phone=True),
            Column("licenses", gettext_lazy("Licenses"), value=licenses_text),
            Column("quantity", gettext_lazy("Quantity"), kind="num", phone=True),
            Column("state", gettext_lazy("State"), kind="state", value=entry_state),
            Column("actor", gettext_lazy("Done by"), value=lambda r: r.entry.actor_name),
            Column("memo", gettext_lazy("Memo"), value=lambda r: r.entry.memo),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Page:
        kinds = (q.filters["kind"],) if "kind" in q.filters else TRANSFER_KINDS
        criteria = EntryCriteria(text=q.text, kinds=kinds, since=q.filters.get("since"), until=q.filters.get("until"))
        page = list_entries(self.sight, criteria, cursor=q.cursor, size=q.size, oldest_first=not q.descending)
        return Page(page.rows, page.next_cursor, page.previous_cursor)

    def row_menu(self, row: EntryRow) -> list[kit.MenuItem]:
        if not row.may_undo:
            return []
        url = self.here.url("transfers-undo", entry=row.entry.uid)
        return [kit.MenuItem(_("Undo"), url, "arrow-back-up", post=True)]


@account_page(Permission.LICENSES_VIEW)
def transfer_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = sight_of(request, here)
    actions = [kit.MenuItem(_("Statement"), here.url("statement-lines"), "report-analytics")]
    context: dict[str, Any] = {"tabs": list_tabs(here, sight, "transfers-list"), "actions": actions}
    if may_manage(here):
        context["primary"] = kit.Action(here.url("transfers-new"), _("Transfer"), "arrows-exchange")
        actions.insert(0, kit.MenuItem(_("Transfer by CSV"), here.url("transfers-csv"), "file-type-csv"))
    return TransferList(request, here=here, sight=sight).response(context)


def list_tabs(here: Here, sight: Sight, current: str) -> list[kit.Tab]:
    """History and requests; only where the account wants approvals or some request is open."""
    waiting = len(open_requests(sight))
    if not waiting and not here.account.transfers_need_approval:
        return []
    return [
        kit.Tab(_("History"), here.url("transfers-list"), current=current == "transfers-list"),
        kit.Tab(
            _("Approval requests"),
            here.url("transfers-requests"),
            current=current == "transfers-requests",
            count=waiting,
        ),
    ]


@account_page(Permission.LICENSES_VIEW)
def detail(request: HttpRequest, here: Here, entry: str) -> HttpResponseBase:
    sight = sight_of(request, here)
    return show_entry(request, here, sight, get_entry(sight, entry))


@account_page(Permission.LICENSES_MANAGE)
def undo(request: HttpRequest, here: Here, entry: str) -> HttpResponseBase:
    """元に戻す: a counter entry, whole or not at all."""
    if request.method != "POST":
        return HttpResponseRedirect(here.url("transfers-detail", entry=entry))
    try:
        made = undo_entry(
            here.actor, account=here.account, entry_uid=entry, request_id=request_id_of(request),
            memo=request.POST.get("memo", "")[:500],
        )  # fmt: skip
    except BusinessError as error:
        if error.http_status in (403, 404):
            raise
        sight = sight_of(request, here)
        return show_entry(request, here, sight, get_entry(sight, entry), refusal=error, status=error.http_status)
    link = (here.url("transfers-detail", entry=made.uid), _("Open the counter entry"))
    kit.tell(request, "done", _("The transfer was undone."), link=link)
    return HttpResponseRedirect(here.url("transfers-detail", entry=entry))


def show_entry(
    request: HttpRequest,
    here: Here,
    sight: Sight,
    row: EntryRow,
    *,
    refusal: BusinessError | None = None,
    status: int = 200,
) -> HttpResponse:
    entry = row.entry
    act = ENTRY_KINDS[entry.kind]
    facts = [
        kit.Fact(_("Act"), act),
        kit.Fact(_("Time"), words.datetime(entry.at, zone=True)),
        kit.Fact(_("Done by"), entry.actor_name),
        kit.Fact(_("Source"), side_text(row.source)),
        kit.Fact(_("Target"), side_text(row.target)),
        kit.Fact(_("Quantity"), words.num(row.quantity)),
        kit.Fact(_("Memo"), entry.memo),
    ]
    if entry.reverses is not None:
        url = here.url("transfers-detail", entry=entry.reverses.uid)
        facts.append(kit.Fact(_("Undoes"), entry.reverses.uid, url=url))
    if row.reversed_by is not None:
        url = here.url("transfers-detail", entry=row.reversed_by.uid)
        by = _("%(name)s, %(time)s") % {"name": row.reversed_by.actor_name, "time": words.datetime(row.reversed_by.at)}
        facts.append(kit.Fact(_("Undone by"), by, url=url))
    lines = entry_lines(sight, entry)
    repeat = ""
    if may_manage(here) and entry.kind == "transfer" and lines:
        repeat = here.url("transfers-again", entry=entry.uid)
    context = {
        "title": _("%(act)s %(number)s") % {"act": act, "number": entry.uid},
        "crumbs": [licenses_crumb(here), kit.Crumb(_("Transfers"), here.url("transfers-list")), kit.Crumb(entry.uid)],
        "row": row,
        "entry": entry,
        "state": entry_state(row),
        "facts": facts,
        "lines": [
            {
                "tag": line.lot.tag,
                "name": license_name(line.lot.tag),
                "lot": line.lot.uid,
                "order": line.lot.order_number,
                "quantity": line.quantity,
                "source": _place(line.source_kind, line.source, line.source_hidden),
                "target": _place(line.target_kind, line.target, line.target_hidden),
            }
            for line in lines
        ],
        "done": request.GET.get("done") == "1",
        "done_title": ngettext("%(count)s license transferred", "%(count)s licenses transferred", row.quantity)
        % {"count": words.num(row.quantity)},
        "undo_url": here.url("transfers-undo", entry=entry.uid) if row.may_undo else "",
        "list_url": here.url("licenses-list"),
        "again_url": repeat,
        "new_url": here.url("transfers-new"),
        "history_url": here.url("transfers-list"),
        "refusal": refusal,
    }
    return render(request, "transfers/detail.html", context, status=status)


def _place(kind: str, va: Any, hidden: bool) -> str:
    if hidden:
        return _("another virtual account")
    if va is None:
        return str(OUTSIDE.get(kind, kind))
    if kind == "on_hand":
        return str(va.name)
    return _("%(virtual_account)s (%(place)s)") % {"virtual_account": va.name, "place": PLACES[kind]}
