"""Which help belongs beside which page (S24)."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

TOPICS = {
    "opening": gettext_lazy("Opening an account"),
    "agreements": gettext_lazy("Account agreement"),
    "home": gettext_lazy("Home"),
    "licenses": gettext_lazy("Licenses"),
    "lots": gettext_lazy("Lots and ledger columns"),
    "transfers": gettext_lazy("Transfers"),
    "ends": gettext_lazy("End dates"),
    "devices": gettext_lazy("Devices"),
    "reservations": gettext_lazy("Reservations for offline devices"),
    "device_imports": gettext_lazy("Import what devices print"),
    "orders": gettext_lazy("Orders"),
    "virtual_accounts": gettext_lazy("Virtual accounts"),
    "people": gettext_lazy("Users and roles"),
    "partners": gettext_lazy("Partners"),
    "alerts": gettext_lazy("Alerts and mail"),
    "events": gettext_lazy("Event log"),
    "jobs": gettext_lazy("Jobs"),
    "api": gettext_lazy("API and programs"),
    "me": gettext_lazy("Your own settings"),
    "operator": gettext_lazy("For the operator"),
    "glossary": gettext_lazy("Glossary"),
    "browsers": gettext_lazy("Browsers and keyboard"),
}

TOPIC_OF_AREA = {
    "access_requests": "people",
    "account": "agreements",
    "api_clients": "api",
    "guides": "operator",
    "invitations": "people",
    "notifications": "alerts",
    "partner": "orders",
    "replacements": "devices",
    "tokens": "devices",
    "statement": "licenses",
}
"""Areas of the portal whose help has another name than the area itself."""


def help_url(request: HttpRequest) -> str:
    """The address of the help for the page that is shown; the list of topics where there is none."""
    name = request.resolver_match.url_name if request.resolver_match else None
    area = (name or "").partition("-")[0]
    topic = "operator" if area.startswith("operator_") else TOPIC_OF_AREA.get(area, area)
    return reverse("help-topic", kwargs={"topic": topic}) if topic in TOPICS else reverse("help-index")
