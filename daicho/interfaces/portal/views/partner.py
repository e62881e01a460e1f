"""The partner company's own pages: home, and its desk for orders."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from daicho.domain.access.rules import Role
from daicho.domain.orders.queries.companies import allowances_of, customers_of, open_work_of
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.web import Here, partner_page


@partner_page
def home(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Which customers, and what is open."""
    customers = []
    for customer in customers_of(here.actor):
        place = {"va": customer.virtual_account_uid} if customer.virtual_account_uid else {}
        url = reverse("licenses-list", kwargs={"identifier": customer.identifier} | place)
        customers.append((customer, url, Role(customer.role).label))
    context = {
        "customers": customers,
        "waiting": open_work_of(here.actor, here.company),
        "allowances": [(row, license_name(row.tag)) for row in allowances_of(here.actor, here.company)],
        "orders_url": here.url("partner-orders"),
        "new_url": here.url("partner-order-new"),
        "import_url": here.url("partner-import"),
    }
    return render(request, "partner/home.html", context)
