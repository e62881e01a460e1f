"""Every address of the portal, and whose things its parameters name. A new address without an entry fails the build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# Pages that anybody may open, or that show everybody only his own; `<name>` or `<prefix>*`.
OPEN_TO_ALL = {
    "public-home", "guide", "guide-pdf", "set_language", "help-index", "help-tour", "help-topic",
    "patterns", "patterns-*", "account_*", "mfa_*", "usersessions_list", "socialaccount_*",
}  # fmt: skip
# Only one's own things, whoever one is: the address names nothing of anybody.
OWN = {"me-*", "opening-list", "opening-find", "opening-start", "opening-contest", "demo_mails-*"}

# Parameter → handle in Victim.ids, by name of the address (the longest prefix wins).
PARAMETERS: dict[str, dict[str, str]] = {
    "": {"identifier": "identifier", "va": "va", "company": "company", "tag": "tag", "device": "device",
         "entry": "entry", "waiting": "transfer_request", "draft": "draft",
         "replacement": "replacement", "registration": "token", "reservation": "reservation", "alert": "alert", "event": "event", "address": "extra_address"},
    "reservations-": {"draft": "reservation_draft"},
    "reservations-file": {"reservation": "reservation_waiting"},
    "device_imports-undo": {"imported": "printed_import"},
    "operator_status-": {"uid": "mail"},
    "agreements-": {"uid": "agreement"},
    "orders-": {"uid": "order"},
    "orders-undo": {"entry": "entry"},
    "people-detail": {"uid": "user"},
    "people-grant-new": {"uid": "user"},
    "people-grant": {"uid": "grant"},
    "people-invitation": {"uid": "invitation"},
    "people-hand-over": {"uid": "hand_over"},
    "opening-": {"uid": "opening"},
    "partner-order": {"uid": "partner_order"},
    "partner-line": {"uid": "partner_line"},
    "partner-import": {"uid": "draft"},
    "operator_openings-detail": {"uid": "held"},
    "operator_openings-contest": {"uid": "contest"},
    "operator_agreements-": {"uid": "agreement"},
    "operator_lots-": {"lot": "lot"},
    "operator_api_clients-": {"uid": "operator_client"},
    "operator_catalog-tag": {"uid": "tag"},
    "operator_catalog-ladder": {"uid": "ladder"},
    "operator_orders-": {"uid": "order", "company": "company"},
    "operator_orders-cancel": {"uid": "line"},
    "operator_orders-preview": {"uid": "draft"},
    "operator_orders-bad": {"uid": "draft"},
    "guides-": {"uid": "guide"},
    "jobs-": {"uid": "job_done"},
    "partner-jobs-": {"uid": "partner_job"},
    "operator_jobs-": {"uid": "partner_job"},
    "api_clients-": {"uid": "api_client", "client": "api_client", "grant": "client_grant"},
    "access_requests-": {"uid": "access_request"},
    "me-access": {"uid": "access_request"},
    "partners-": {"uid": "grant"},
    "alerts-": {"uid": "alert"},
    "lots-": {"lot": "lot", "file": "lot_file"},
    "lots-import-check": {"file": "details_file"},
    "notifications-": {"uid": "extra_address"},
    "operator_partners-": {"uid": "company", "user": "member", "member": "member", "client": "api_client"},
    "virtual_accounts-": {"uid": "va"},
}  # fmt: skip
# Parameters that are no handle.
PLAIN = {"file_format": "pdf", "language": "en", "kind": "csv", "step": "company", "topic": "licenses", "group": "tag"}
# Links from mails: who has the secret may look; a wrong one is a 404 like any other.
BY_SECRET = {"opening-reason", "opening-approve", "opening-activate", "invitations-*", "notifications-confirm"}


@dataclass(frozen=True)
class PageAddress:
    name: str
    route: str
    parameters: tuple[str, ...]

    @property
    def is_of_account(self) -> bool:
        return self.route.lstrip("^").startswith("a/")

    @property
    def is_of_virtual_account(self) -> bool:
        return "va" in self.parameters

    @property
    def is_of_operator(self) -> bool:
        return self.route.startswith("operator/")

    @property
    def is_of_partner(self) -> bool:
        return self.route.startswith("partner/")


def matches(name: str, patterns: set[str]) -> bool:
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in patterns)


def addresses() -> list[PageAddress]:
    """All addresses of the portal (the API has its own test)."""

    def walk(patterns: list[Any], before: str) -> Iterator[PageAddress]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                if not route.startswith("api/"):
                    yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                converters = pattern.pattern.converters or getattr(pattern.pattern, "regex", None)
                names = (
                    tuple(converters)
                    if isinstance(converters, dict)
                    else tuple(converters.groupindex)
                    if converters is not None
                    else ()
                )
                yield PageAddress(pattern.name or "", route, names)

    return list(walk(get_resolver().url_patterns, ""))


def handles(page: PageAddress) -> dict[str, str]:
    """Parameter → name in Victim.ids; raises LookupError for one that nobody has thought of."""
    found = {}
    for parameter in page.parameters:
        if parameter in PLAIN:
            continue
        for prefix in sorted(PARAMETERS, key=len, reverse=True):
            if page.name.startswith(prefix) and parameter in PARAMETERS[prefix]:
                found[parameter] = PARAMETERS[prefix][parameter]
                break
        else:
            raise LookupError(f"{page.name} ({page.route}): nobody says what <{parameter}> names")
    return found
