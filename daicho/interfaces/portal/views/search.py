"""検索結果: licenses, lots, devices, virtual accounts, orders, people, five each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from daicho.core.text import clean
from daicho.domain.access.queries_people import list_people
from daicho.domain.access.queries_tree import search_virtual_accounts
from daicho.domain.access.rules import Permission as P
from daicho.domain.devices.queries.devices import look_at_devices, search_devices
from daicho.domain.ledger.queries.details_search import search_lots
from daicho.domain.ledger.queries.pools import search_licenses
from daicho.domain.ledger.queries.sight import look
from daicho.domain.orders.queries.lines import Filters, list_account_lines
from daicho.interfaces.portal.views.licenses_parts import dotted, license_name
from daicho.interfaces.portal.web import Here, account_page

MOST = 5


@account_page(P.ACCOUNT_VIEW)
def results(request: HttpRequest, here: Here) -> HttpResponseBase:
    text = clean(request.GET.get("q", ""))[:200]
    groups = [group for group in _groups(here, text) if group["hits"]] if text else []
    context = {
        "title": _("Search"),
        "text": text,
        "groups": groups,
        "hits": sum(len(group["hits"]) for group in groups),
    }
    return render(request, "search/results.html", context)


def _groups(here: Here, text: str) -> list[dict[str, Any]]:
    query = "?" + urlencode({"q": text})
    return [
        _licenses(here, text, query), _lots(here, text, query), _devices(here, text, query), _virtual_accounts(here, text, query),
        _orders(here, text, query), _people(here, text, query),
    ]  # fmt: skip


def _group(label: str, hits: list[dict[str, str]], more: bool, url: str, icon: str) -> dict[str, Any]:
    return {"label": label, "hits": hits[:MOST], "more": more, "url": url, "icon": icon}


def _licenses(here: Here, text: str, query: str) -> dict[str, Any]:
    hits, more = [], False
    if here.may(P.LICENSES_VIEW):
        tags, more = search_licenses(look(here.actor, here.account, here.va), text, MOST)
        hits = [
            {"label": tag.sku, "hint": license_name(tag), "url": here.url("licenses-detail", tag=tag.uid)}
            for tag in tags
        ]
    return _group(_("Licenses"), hits, more, here.url("licenses-list") + query, "license")


def _lots(here: Here, text: str, query: str) -> dict[str, Any]:
    """Lots by what is written down about them."""
    hits, more = [], False
    if here.may(P.LICENSES_VIEW):
        found, more = search_lots(look(here.actor, here.account, here.va), text, MOST)
        hits = [
            {
                "label": row.management_number or row.lot.uid,
                "hint": dotted(row.lot.tag.sku, row.department, row.storage_place),
                "url": here.url("lots-detail", lot=row.lot.uid),
            }
            for row in found
        ]
    return _group(_("Lots"), hits, more, here.url("lots-list") + query, "receipt")


def _devices(here: Here, text: str, query: str) -> dict[str, Any]:
    hits, more = [], False
    if here.may(P.DEVICES_VIEW):
        found, more = search_devices(look_at_devices(here.actor, here.account, here.va), text, MOST)
        hits = [
            {
                "label": row.device.name,
                "hint": " · ".join(
                    part for part in (row.device.product_id, row.device.serial, row.virtual_account.name) if part
                ),
                "url": here.url("devices-detail", device=row.device.uid),
            }
            for row in found
        ]
    return _group(_("Devices"), hits, more, here.url("devices-list") + query, "server")


def _virtual_accounts(here: Here, text: str, query: str) -> dict[str, Any]:
    hits, more = [], False
    if here.may(P.VIRTUAL_ACCOUNTS_VIEW):
        found = search_virtual_accounts(here.actor, here.account, text, limit=MOST + 1)
        more = len(found) > MOST
        hits = [
            {"label": va.name, "hint": va.description, "url": here.url("home-dashboard", va=va.uid)} for va in found
        ]
    return _group(_("Virtual accounts"), hits, more, here.url("virtual_accounts-list", va=None) + query, "sitemap")


def _orders(here: Here, text: str, query: str) -> dict[str, Any]:
    hits, more = [], False
    if here.may(P.ORDERS_VIEW):
        page = list_account_lines(
            here.actor, here.account, virtual_account=here.va, filters=Filters(text=text), size=MOST
        )
        more = page.next_cursor is not None
        hits = [
            {
                "label": row.line.order.number,
                "hint": f"{row.line.tag.sku} {row.quantity:,}",
                "url": f"{here.url('orders-list')}?{urlencode({'q': row.line.order.number})}",
            }
            for row in page.rows
        ]
    return _group(_("Orders"), hits, more, here.url("orders-list") + query, "shopping-cart")


def _people(here: Here, text: str, query: str) -> dict[str, Any]:
    hits, more = [], False
    if here.may(P.USERS_VIEW):
        page = list_people(here.actor, here.account, virtual_account=here.va, text=text, size=MOST)
        more = page.next_cursor is not None
        url = here.url("people-list")
        hits = [
            {"label": person.shown_name, "hint": person.email, "url": f"{url}?{urlencode({'q': person.email})}"}
            for person in page.rows
        ]
    return _group(_("Users"), hits, more, here.url("people-list") + query, "users")
