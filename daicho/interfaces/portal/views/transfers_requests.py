"""移管の承認: transfers that wait for an administrator of their source (account setting)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.commands.transfer import approve_transfer, decline_transfer, withdraw_transfer
from daicho.domain.ledger.queries.entries import get_request, open_requests
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import licenses_crumb, sight_of
from daicho.interfaces.portal.views.transfers_list import list_tabs
from daicho.interfaces.portal.web import Here, account_page

STATES = [
    ("open", pgettext_lazy("transfer request", "Open")), ("approved", gettext_lazy("Approved")), ("declined", gettext_lazy("Declined")),
    ("withdrawn", gettext_lazy("Withdrawn")),
]  # fmt: skip


def request_state(waiting: Any) -> kit.State:
    if waiting.state == "open":
        return kit.State("waiting")
    if waiting.state == "withdrawn":
        return kit.State("neutral", text=_("Withdrawn"))
    return kit.State(waiting.state)


def moves_text(waiting: Any) -> str:
    return words.listed(f"{line['sku']} {line['quantity']:,}" for line in waiting.moves[:3]) + (
        "…" if len(waiting.moves) > 3 else ""
    )


class RequestList(ListPage):
    key = "transfer-requests"
    title = gettext_lazy("Transfer approvals")
    here: Here
    sight: Sight
    filters = (ChoiceFilter("state", gettext_lazy("State"), STATES),)
    empty = Empty(gettext_lazy("No transfer waits for approval"), kind="nothing_wrong")

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        return [
            Column("number", gettext_lazy("No."), kind="code", value=lambda w: w.uid,
                   link=lambda w: here.url("transfers-request", waiting=w.uid)),
            Column("state", gettext_lazy("State"), kind="state", value=request_state),
            Column("at", gettext_lazy("Requested"), kind="datetime", value=lambda w: w.created_at, phone=True),
            Column("source", gettext_lazy("Source"), value=lambda w: w.source.name, phone=True),
            Column("licenses", gettext_lazy("Licenses"), value=moves_text, phone=True),
            Column("by", gettext_lazy("Requested by"), value=lambda w: w.requested_by_name),
            Column("memo", gettext_lazy("Memo"), value=lambda w: w.memo),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Page:
        return Page.of(open_requests(self.sight, state=q.filters.get("state", "open")), q, self.columns)


@account_page(Permission.LICENSES_VIEW)
def request_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = sight_of(request, here)
    return RequestList(request, here=here, sight=sight).response({"tabs": list_tabs(here, sight, "transfers-requests")})


@account_page(Permission.LICENSES_VIEW)
def request_detail(request: HttpRequest, here: Here, waiting: str) -> HttpResponseBase:
    return _show(request, here, waiting)


@account_page(Permission.LICENSES_VIEW)
def decide(request: HttpRequest, here: Here, waiting: str) -> HttpResponseBase:
    """Approve, decline or withdraw, by the button that was pressed."""
    if request.method != "POST":
        return HttpResponseRedirect(here.url("transfers-request", waiting=waiting))
    act = request.POST.get("act", "")
    reason = request.POST.get("reason", "")[:500]
    commands = {"approve": approve_transfer, "decline": decline_transfer, "withdraw": withdraw_transfer}
    told = {
        "approve": _("The transfer was approved and made."),
        "decline": _("The transfer was declined."),
        "withdraw": _("The request was withdrawn."),
    }
    if act not in commands:
        return HttpResponseRedirect(here.url("transfers-request", waiting=waiting))
    try:
        outcome = commands[act](here.actor, account=here.account, request_uid=waiting, reason=reason)
    except BusinessError as error:
        if error.http_status in (403, 404):
            raise
        return _show(request, here, waiting, refusal=error, reason=reason, status=error.http_status)
    kit.tell(request, "done", told[act])
    if outcome.entry is not None:
        return HttpResponseRedirect(here.url("transfers-detail", entry=outcome.entry.uid))
    return HttpResponseRedirect(here.url("transfers-request", waiting=waiting))


def _show(
    request: HttpRequest,
    here: Here,
    uid: str,
    *,
    refusal: BusinessError | None = None,
    reason: str = "",
    status: int = 200,
) -> HttpResponse:
    sight = sight_of(request, here)
    waiting = get_request(sight, uid)
    targets = names_of(sight, {line["target"] for line in waiting.moves})
    is_open = waiting.state == "open"
    facts = [
        kit.Fact(_("Requested by"), waiting.requested_by_name),
        kit.Fact(_("Requested"), words.datetime(waiting.created_at)),
        kit.Fact(_("Source"), waiting.source.name),
        kit.Fact(_("Memo"), waiting.memo),
    ]
    if not is_open:
        facts += [
            kit.Fact(_("Decided by"), waiting.decided_by_name),
            kit.Fact(_("Decided at"), words.datetime(waiting.decided_at)),
            kit.Fact(_("Reason"), waiting.decision_reason),
        ]
    context = {
        "title": _("Transfer request %(number)s") % {"number": waiting.uid},
        "crumbs": [
            licenses_crumb(here), kit.Crumb(_("Transfers"), here.url("transfers-list")),
            kit.Crumb(_("Approval requests"), here.url("transfers-requests")), kit.Crumb(waiting.uid),
        ],
        "waiting": waiting,
        "state": request_state(waiting),
        "facts": facts,
        "lines": [
            {"sku": line["sku"], "target": targets.get(line["target"], _("another virtual account")), "quantity": line["quantity"]}
            for line in waiting.moves[:500]
        ],
        "decide_url": here.url("transfers-decide", waiting=waiting.uid),
        "may_decide": is_open and here.scope.allows(Permission.TRANSFERS_APPROVE, waiting.source_id),
        "may_withdraw": is_open and waiting.requested_by_id == here.actor.user_id,
        "entry_url": here.url("transfers-detail", entry=waiting.entry.uid) if waiting.entry else "",
        "done": request.GET.get("done") == "1",
        "refusal": refusal,
        "reason": reason,
    }  # fmt: skip
    return render(request, "transfers/request.html", context, status=status)


def names_of(sight: Sight, uids: set[str]) -> dict[str, str]:
    """Names of the virtual accounts that the reader may see."""
    return {va.uid: va.name for va in sight.all_virtual_accounts().filter(uid__in=uids)}
