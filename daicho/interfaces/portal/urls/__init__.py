"""The portal's addresses, by area. Names are `<area>-<page>`; account pages exist with and without a virtual account."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver

AREAS = (
    "language", "public", "account", "opening", "agreements", "help", "guides", "home", "licenses", "lots", "statement", "transfers", "ends", "replacements", "tokens", "devices", "device_imports", "reservations", "search",
    "orders", "partner", "people", "partners", "access_requests", "invitations", "api_clients", "virtual_accounts", "me",
    "alerts", "events", "jobs", "notifications", "demo_mails", "operator_openings", "operator_accounts", "operator_agreements",
    "operator_catalog", "operator_lots", "operator_api_clients", "operator_orders", "operator_partners", "operator_status", "patterns",
)  # fmt: skip

urlpatterns: list[URLPattern | URLResolver] = []
for area in AREAS:
    if find_spec(f"{__name__}.{area}"):
        urlpatterns += import_module(f"{__name__}.{area}").urlpatterns
