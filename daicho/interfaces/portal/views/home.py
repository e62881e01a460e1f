"""ホーム: short? ending? spare? waiting? In this order; everything else is one click away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.domain.access.queries_access import list_access_requests
from daicho.domain.access.queries_drafts import open_drafts
from daicho.domain.access.queries_events import latest_events
from daicho.domain.access.queries_people import list_people
from daicho.domain.access.queries_tree import tree
from daicho.domain.access.rules import Permission as P
from daicho.domain.ledger.queries.ends import EndCriteria, EndRow, end_summary, ends_by_month, list_ends
from daicho.domain.ledger.queries.pools import spare_elsewhere
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.summary import Summary, shortest_pools, summary, virtual_account_balances
from daicho.domain.orders.queries.account import order_card
from daicho.domain.orders.queries.lines import count_unassigned
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import sentence, who
from daicho.interfaces.portal.views.licenses_parts import may_manage, sight_of
from daicho.interfaces.portal.views.transfers_draft import KIND as TRANSFER_DRAFT
from daicho.interfaces.portal.web import Here, account_page

WORK_LINES = 5


@dataclass(frozen=True, slots=True)
class Work:
    """One line of the work list: what is the matter, until when, and the act."""

    state: str
    text: str
    due: Any = None
    due_text: str = ""
    url: str = ""
    label: str = ""


@account_page(P.ACCOUNT_VIEW)
def dashboard(request: HttpRequest, here: Here) -> HttpResponseBase:
    context: dict[str, Any] = {
        "title": here.va.name if here.va is not None else here.account.name,
        "drafts": drafts(here),
        "events": recent(here),
        "events_url": here.url("events-list") if here.may(P.EVENTS_VIEW) else "",
        "roles": [str(role.label) for role, _place in here.scope.roles],
    }
    if here.may(P.LICENSES_VIEW):
        context |= licenses(request, here)
    return render(request, "home/dashboard.html", context)


def licenses(request: HttpRequest, here: Here) -> dict[str, Any]:
    sight = sight_of(request, here)
    figures = summary(sight)
    waiting = waiting_work(here, figures)
    if not figures.pools:
        return {"tour": tour(here), "card": card(here), "work": waiting}
    ending = end_summary(sight)
    more = "" if ending.is_exact else "+"
    balances = virtual_account_balances(sight) if sight.is_wide else []
    short_state = "short" if figures.short_quantity else ""
    return {
        "figures": [
            {"label": _("Short"), "value": figures.short_quantity, "state": short_state,
             "unit": ngettext("%(count)s kind", "%(count)s kinds", figures.short_licenses) % {"count": figures.short_licenses},
             "url": f"{here.url('licenses-list')}?state=short"},
            {"label": _("Ending within 90 days"), "value": ending.quantity if ending.is_exact else f"{words.num(ending.quantity)}+", "state": "ending" if ending.lots else "",
             "unit": ngettext("%(count)s lot", "%(count)s lots", ending.lots) % {"count": words.num(ending.lots) + more},
             "url": here.url("ends-list")},
            {"label": _("Spare"), "value": figures.spare_quantity, "state": "", "unit": _("licenses that can be moved"),
             "url": f"{here.url('licenses-list')}?state=spare&sort=-balance"},
            {"label": _("Waiting for you"), "value": len(waiting), "state": "waiting" if waiting else "",
             "unit": ngettext("%(count)s matter", "%(count)s matters", len(waiting)) % {"count": len(waiting)},
             "url": "#work"},
        ],
        "work": [*short_work(here, sight), *waiting, *ending_work(here, sight)],
        "months": [
            (words_of_month(month.month), month.quantity, f"{here.url('ends-list')}?days=365") for month in ends_by_month(sight, 12)
        ],
        "not_started": not_started(here, figures.pending_quantity),
        "balances": balances,
        "licenses_url": here.url("licenses-list"),
        "balance_rows": [
            {"name": b.virtual_account.name, "url": here.url("licenses-list", va=b.virtual_account.uid), "short": b.short,
             "spare": b.spare, "licenses": b.licenses, "ending": b.ending}
            for b in balances
        ],
    }  # fmt: skip


def not_started(here: Here, quantity: int) -> dict[str, str]:
    """What is bought and does not count yet."""
    if not quantity:
        return {}
    text = ngettext("%(count)s license has not started yet.", "%(count)s licenses have not started yet.", quantity)
    return {"text": text % {"count": words.num(quantity)}, "url": f"{here.url('licenses-list')}?state=pending"}


def words_of_month(day: Any) -> str:
    """2026/12 or Dec 2026."""
    full = words.date(day)
    return full.rpartition("/")[0] if "/" in full else full.partition(" ")[2]


def short_work(here: Here, sight: Sight) -> list[Work]:
    """What is short now, and where it could come from."""
    pools = shortest_pools(sight, WORK_LINES)
    givers = spare_elsewhere(sight, pools)
    lines = []
    for pool in pools:
        found = [giver for giver in givers.get(pool.pk, []) if sight.may_manage(giver.virtual_account_id)]
        data = {"sku": pool.tag.sku, "virtual_account": pool.virtual_account.name, "count": words.num(pool.short)}
        text = _("%(sku)s is %(count)s short in %(virtual_account)s.") % data
        url, label = here.url("licenses-detail", tag=pool.tag.uid, va=pool.virtual_account.uid), _("See why")
        if found:
            giver = found[0]
            more = {"source": giver.virtual_account.name, "spare": words.num(giver.available)}
            text = _("%(sku)s is %(count)s short in %(virtual_account)s (%(source)s has %(spare)s spare).") % (
                data | more
            )
            if sight.may_manage(pool.virtual_account_id) and may_manage(here):
                quantity = min(giver.available, pool.short)
                start = here.url("transfers-start", va=None)
                url = f"{start}?row={giver.uid}&target={pool.virtual_account.uid}&quantity={quantity}"
                label = _("Transfer")
        lines.append(Work("short", text, due_text=_("now"), url=url, label=label))
    return lines


def ending_work(here: Here, sight: Sight) -> list[Work]:
    """What ends next."""
    return [_ending(here, row) for row in list_ends(sight, EndCriteria(days=90), size=WORK_LINES, count=False).rows]


def _ending(here: Here, row: EndRow) -> Work:
    data = {
        "sku": row.row.lot.tag.sku, "quantity": words.num(row.row.quantity),
        "virtual_account": row.virtual_account.name, "count": words.num(row.short_after),
    }  # fmt: skip
    text = _("%(quantity)s %(sku)s end in %(virtual_account)s.") % data
    if row.short_after:
        text = _("%(quantity)s %(sku)s end in %(virtual_account)s, which is then %(count)s short.") % data
    return Work("ending", text, due=row.row.end_on, url=here.url("ends-list"), label=_("See the list"))


def waiting_work(here: Here, figures: Summary) -> list[Work]:
    """What only a person can do: approve a transfer, assign an order, answer a request for access."""
    lines = []
    if figures.waiting_transfers and here.may(P.TRANSFERS_APPROVE):
        text = ngettext(
            "%(count)s transfer waits for your approval.", "%(count)s transfers wait for your approval.",
            figures.waiting_transfers,
        )  # fmt: skip
        url = here.url("transfers-requests")
        lines.append(Work("waiting", text % {"count": figures.waiting_transfers}, url=url, label=_("See the requests")))
    may_assign = here.va is None and here.scope.allows(P.ORDERS_ASSIGN)
    if may_assign and (unassigned := count_unassigned(here.actor, here.account)):
        text = ngettext(
            "%(count)s order line is not assigned to a virtual account.",
            "%(count)s order lines are not assigned to a virtual account.",
            unassigned,
        )
        url = f"{here.url('orders-list')}?status=unassigned"
        lines.append(Work("waiting", text % {"count": unassigned}, url=url, label=_("Assign")))
    if here.va is None and here.scope.allows(P.ACCESS_REQUESTS_ANSWER):
        asked = list_access_requests(here.actor, here.account, size=1).count or 0
        if asked:
            text = ngettext("%(count)s person asks for access.", "%(count)s people ask for access.", asked)
            url = here.url("access_requests-list")
            lines.append(Work("waiting", text % {"count": asked}, url=url, label=_("See the requests")))
    return lines


def recent(here: Here) -> list[kit.Event]:
    if not here.may(P.EVENTS_VIEW):
        return []
    rows = latest_events(here.actor, here.account, here.va, limit=6)
    return [kit.Event(row.at, who(row), sentence(row)) for row in rows]


def drafts(here: Here) -> list[dict[str, Any]]:
    if not here.may(P.LICENSES_MANAGE):
        return []
    return [
        {"url": here.url("transfers-draft", draft=draft.uid), "at": draft.updated_at}
        for draft in open_drafts(here.actor, here.account, TRANSFER_DRAFT)[:3]
    ]


def card(here: Here) -> list[tuple[str, str]]:
    """The two names that a partner needs (S20)."""
    if not here.may(P.ORDERS_VIEW):
        return []
    names = order_card(here.actor, here.account, here.va)
    return [(_("Domain identifier"), names.identifier), (_("Virtual account"), names.virtual_account)]


def tour(here: Here) -> list[dict[str, Any]]:
    """The first steps of a new account, in place of numbers: what is done is ticked (S24)."""
    steps: list[dict[str, Any]] = []
    if here.scope.allows(P.AGREEMENTS_VIEW):
        steps.append(
            {"text": _("Accept the account agreement. Licenses can be received from then on."),
             "done": here.account.in_good_standing(), "url": here.url("agreements-list", va=None), "label": _("Account agreement")}
        )  # fmt: skip
    if here.scope.allows(P.VIRTUAL_ACCOUNTS_MANAGE):
        steps.append(
            {"text": _("Create virtual accounts for departments, places or maintenance partners."),
             "done": len(tree(here.actor, here.account, limit=2)) > 1, "url": here.url("virtual_accounts-list"),
             "label": _("Virtual accounts")}
        )  # fmt: skip
    if here.scope.allows(P.USERS_MANAGE):
        people = list_people(here.actor, here.account, size=2)
        steps.append(
            {"text": _("Invite a second administrator, so that somebody can always act."), "done": len(people.rows) > 1,
             "url": here.url("people-list"), "label": _("Users")}
        )  # fmt: skip
    if here.may(P.ORDERS_VIEW):
        steps.append(
            {"text": _("Tell your partner the two names below when you order."), "done": False, "url": here.url("orders-list"),
             "label": _("Orders")}
        )  # fmt: skip
    if here.may(P.DEVICES_MANAGE):
        steps.append(
            {"text": _("Register your devices, and assign licenses to them when they have arrived."), "done": False,
             "url": here.url("devices-new"), "label": _("Register devices")}
        )  # fmt: skip
    return steps
