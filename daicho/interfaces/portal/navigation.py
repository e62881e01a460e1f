"""What the frame around a page shows: navigation, switchers, the bell, account-wide facts.

Data only; how it looks is the kit's. An entry is left out when the actor's rights never open its page.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from daicho.core.clock import FOREVER, now
from daicho.domain.access import policy
from daicho.domain.access.rules import Permission as P
from daicho.domain.alerts.queries import open_major_count
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import scope_choices, words
from daicho.interfaces.portal.help_topics import help_url
from daicho.interfaces.portal.web import Here


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """Context of the frame for the page that `web.py` let in; nothing for pages without one."""
    here: Here | None = getattr(request, "here", None)
    if here is None:
        return {}
    if not request.user.is_authenticated:
        return {"help_url": help_url(request)}
    context: dict[str, Any] = {
        "here": here,
        "help_url": help_url(request),
        "user_menu": _user_menu(request, here),
        "accounts": [
            kit.Choice(
                account.name,
                reverse("home-dashboard", kwargs={"identifier": account.identifier}),
                hint=account.identifier,
                current=here.account_or_none is not None and account.pk == here.account.pk,
            )
            for account in policy.accounts_of(here.actor)[:50]
        ],
    }
    if here.account_or_none is not None:
        context |= _account(request, here)
    elif here.company_or_none is not None:
        context |= {
            "nav": _partner_nav(request, here),
            "acting_as": _("Recording orders for %(company)s") % {"company": here.company.name},
            "account": {"name": here.company.name},
        }
    elif here.frame == "operator":
        context |= {"nav": _operator_nav(request), "acting_as": _("Acting as the operator")}
    return context


def _account(request: HttpRequest, here: Here) -> dict[str, Any]:
    account, va = here.account, here.va
    context: dict[str, Any] = {
        "account": {"name": account.name, "domain": account.identifier},
        "account_url": reverse("home-dashboard", kwargs={"identifier": account.identifier}),
        "nav": _account_nav(request, here),
        "va": va.name if va is not None else "",
        "search_url": here.url("search-results"),
        "notice": _notices(here),
    } | _va_selector(request, here)
    if here.may(P.ALERTS_VIEW):
        context |= {"alerts_url": here.url("alerts-list"), "alerts_count": open_major_count(here.actor, account)}
    return context


def _item(request: HttpRequest, url: str, label: str, icon: str) -> kit.NavItem:
    home = 5 if "/va/" in url else 3  # slashes of the address that all others begin with
    return kit.NavItem(
        url, label, icon, current=request.path == url or (url.count("/") > home and request.path.startswith(url))
    )


def _account_nav(request: HttpRequest, here: Here) -> list[kit.NavGroup]:
    entries = (
        (
            (None, "home-dashboard", _("Home"), "home"),
        ),
        (
            (P.LICENSES_VIEW, "licenses-list", _("Licenses"), "license"),
            (P.LICENSES_VIEW, "ends-list", _("End dates"), "calendar-due"),
            (P.LICENSES_VIEW, "transfers-list", _("Transfers"), "arrows-exchange"),
            (P.LICENSES_VIEW, "licenses-subscriptions", _("Subscriptions"), "refresh"),
            (P.LICENSES_VIEW, "lots-list", _("Lots"), "receipt"),
        ),
        (
            (P.DEVICES_VIEW, "devices-list", _("Devices"), "server"),
            (P.LICENSES_VIEW, "reservations-list", _("Reservations"), "lock"),
            (P.ORDERS_VIEW, "orders-list", _("Orders"), "shopping-cart"),
        ),
        (
            (P.VIRTUAL_ACCOUNTS_VIEW, "virtual_accounts-list", _("Virtual accounts"), "sitemap"),
            (P.USERS_VIEW, "people-list", _("Users"), "users"),
            (P.USERS_VIEW, "partners-list", _("Partners"), "users-group"),
            (P.ACCESS_REQUESTS_VIEW, "access_requests-list", _("Access requests"), "user-plus"),
        ),
        (
            (P.AGREEMENTS_VIEW, "agreements-list", _("Account agreement"), "certificate"),
            (P.ALERTS_VIEW, "alerts-list", _("Alerts"), "bell"),
            (P.EVENTS_VIEW, "events-list", _("Event log"), "history"),
            (P.LICENSES_VIEW, "jobs-list", _("Jobs"), "hourglass"),
            (P.ACCOUNT_VIEW, "account-settings", _("Settings"), "settings"),
        ),
    )  # fmt: skip
    whole_account_only = {"agreements-list", "access_requests-list", "jobs-list", "account-settings"}
    groups = []
    for group in entries:
        items = [
            _item(request, here.url(name, va=None) if name in whole_account_only else here.url(name), label, icon)
            for permission, name, label, icon in group
            if permission is None or here.scope.allows_somewhere(permission)
        ]
        if items:
            groups.append(kit.NavGroup(items))
    return groups


def _partner_nav(request: HttpRequest, here: Here) -> list[kit.NavGroup]:
    return [
        kit.NavGroup(
            [
                _item(request, here.url("partner-home"), _("Home"), "home"),
                _item(request, here.url("partner-order-new"), _("Record an order"), "plus"),
                _item(request, here.url("partner-orders"), _("Recorded orders"), "shopping-cart"),
                _item(request, here.url("partner-import"), _("Import orders"), "upload"),
                _item(request, here.url("partner-jobs-list"), _("Jobs"), "hourglass"),
            ]
        )
    ]


def _operator_nav(request: HttpRequest) -> list[kit.NavGroup]:
    groups = (
        (
            ("operator_openings-queue", _("To do"), "list-check"),
        ),
        (
            ("operator_openings-list", _("Openings"), "clipboard-check"),
            ("operator_accounts-list", _("Smart Accounts"), "building"),
            ("operator_orders-list", _("Orders"), "shopping-cart"),
            ("operator_partners-list", _("Partner companies"), "users-group"),
        ),
        (
            ("operator_catalog-tags", _("Catalog"), "package"),
            ("operator_agreements-list", _("Account agreement"), "certificate"),
            ("guides-manage", _("Guides"), "book"),
        ),
        (
            ("events-operator", _("Event log"), "history"),
            ("operator_jobs-list", _("Jobs"), "hourglass"),
            ("operator_api_clients-list", _("API clients"), "key"),
            ("operator_status-page", _("Status"), "database"),
        ),
    )  # fmt: skip
    return [
        kit.NavGroup([_item(request, reverse(name), label, icon) for name, label, icon in group]) for group in groups
    ]


def _va_selector(request: HttpRequest, here: Here) -> dict[str, Any]:
    """The virtual accounts to choose from; where they are many, also where to look for the others."""
    match = request.resolver_match
    if match is None or not match.url_name:
        return {}
    page = scope_choices.page_to_keep(match.url_name, match.kwargs)
    choices, more = scope_choices.few(here, page)
    url = f"{here.url('virtual_accounts-choose')}?{urlencode({'page': page})}" if more else ""
    return {"va_choices": choices, "va_search": {"url": url, "page": page} if more else None}


def _notices(here: Here) -> list[kit.Banner]:
    account = here.account
    if account.state != "active":
        return [kit.Banner("caution", _("This account is suspended or closed. It can be read, not changed."))]
    until = account.good_standing_until
    if until is not None and until >= FOREVER:
        return []
    url = reverse("agreements-list", kwargs={"identifier": account.identifier})
    link: dict[str, Any] = {"url": url, "label": _("Check the content")} if here.scope.allows(P.AGREEMENTS_VIEW) else {}
    if until is None or until <= now():
        text = _("The account agreement has not been accepted. Until it is, licenses cannot be received or changed.")
        return [kit.Banner("caution", text, **link)]
    text = _("A new account agreement must be accepted by %(day)s.") % {"day": words.date(until)}
    return [kit.Banner("caution", text, dismissible=True, **link)]


def _user_menu(request: HttpRequest, here: Here) -> list[kit.MenuItem]:
    items = [kit.MenuItem(_("My settings"), reverse("me-settings"), "settings")]
    items += [
        kit.MenuItem(
            _("Partner: %(company)s") % {"company": company.name},
            reverse("partner-home", kwargs={"company": company.uid}),
            "users-group",
        )
        for company in policy.companies_of(here.actor)[:5]
    ]
    if here.actor.is_operator:
        items.append(kit.MenuItem(_("Operator"), reverse("operator_openings-queue"), "adjustments"))
    return items
