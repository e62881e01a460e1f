"""The permission matrix: the one place that says what a role may do (product.md, Roles)."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.domain.tenancy.rules import domain_matches


class Role(models.TextChoices):
    """What a grant gives. The first four hold in the whole account, the others within one virtual account."""

    ACCOUNT_ADMINISTRATOR = "account_administrator", _("Smart Account Administrator")
    ACCOUNT_APPROVER = "account_approver", _("Smart Account Approver")
    ACCOUNT_USER = "account_user", _("Smart Account User")
    ACCOUNT_VIEWER = "account_viewer", _("Smart Account Viewer")
    VA_ADMINISTRATOR = "va_administrator", _("Virtual Account Administrator")
    VA_USER = "va_user", _("Virtual Account User")
    VA_VIEWER = "va_viewer", _("Virtual Account Viewer")

    @property
    def is_account_wide(self) -> bool:
        return self.value.startswith("account_")


class Permission(StrEnum):
    """Public codes: added, never renamed. A `*.view` that is lacking answers 404, any other 403."""

    ACCOUNT_VIEW = "account.view"
    ACCOUNT_EDIT = "account.edit"
    SETTINGS_MANAGE = "settings.manage"
    AGREEMENTS_VIEW = "agreements.view"
    AGREEMENTS_ACCEPT = "agreements.accept"
    USERS_VIEW = "users.view"
    USERS_MANAGE = "users.manage"
    ACCESS_REQUESTS_VIEW = "access_requests.view"
    ACCESS_REQUESTS_ANSWER = "access_requests.answer"
    API_CLIENTS_MANAGE = "api_clients.manage"
    VIRTUAL_ACCOUNTS_VIEW = "virtual_accounts.view"
    VIRTUAL_ACCOUNTS_MANAGE = "virtual_accounts.manage"
    LICENSES_VIEW = "licenses.view"
    LICENSES_MANAGE = "licenses.manage"
    TRANSFERS_APPROVE = "transfers.approve"
    DEVICES_VIEW = "devices.view"
    DEVICES_MANAGE = "devices.manage"
    TOKENS_VIEW = "tokens.view"
    ORDERS_VIEW = "orders.view"
    ORDERS_ASSIGN = "orders.assign"
    ALERTS_VIEW = "alerts.view"
    EVENTS_VIEW = "events.view"
    EVENTS_VIEW_LICENSES = "events.view_licenses"


class OperatorPermission(StrEnum):
    """What staff of the licensor may do; every operator has all of it."""

    OPENINGS = "operator.openings"
    ACCOUNTS = "operator.accounts"
    CATALOG = "operator.catalog"
    AGREEMENTS = "operator.agreements"
    ORDERS = "operator.orders"
    PARTNERS = "operator.partners"
    GUIDES = "operator.guides"
    SUPPORT = "operator.support"


P = Permission
_READ_LICENSES = {P.LICENSES_VIEW, P.DEVICES_VIEW, P.ORDERS_VIEW, P.ALERTS_VIEW, P.EVENTS_VIEW, P.EVENTS_VIEW_LICENSES}
_WORK = {P.LICENSES_MANAGE, P.DEVICES_MANAGE, P.TOKENS_VIEW}  # viewers read everything but tokens
_VA_VIEWER = {P.ACCOUNT_VIEW, P.VIRTUAL_ACCOUNTS_VIEW} | _READ_LICENSES
_ACCOUNT_VIEWER = _VA_VIEWER | {P.AGREEMENTS_VIEW, P.USERS_VIEW, P.ACCESS_REQUESTS_VIEW}

MATRIX: dict[Role, frozenset[Permission]] = {
    Role.ACCOUNT_ADMINISTRATOR: frozenset(Permission),
    Role.ACCOUNT_APPROVER: frozenset(
        {P.ACCOUNT_VIEW, P.ACCOUNT_EDIT, P.USERS_VIEW, P.AGREEMENTS_VIEW, P.AGREEMENTS_ACCEPT, P.EVENTS_VIEW}
    ),
    Role.ACCOUNT_USER: frozenset(_VA_VIEWER | _WORK | {P.ORDERS_ASSIGN, P.AGREEMENTS_VIEW}),
    Role.ACCOUNT_VIEWER: frozenset(_ACCOUNT_VIEWER),
    Role.VA_ADMINISTRATOR: frozenset(_VA_VIEWER | _WORK | {P.USERS_VIEW, P.USERS_MANAGE, P.TRANSFERS_APPROVE}),
    Role.VA_USER: frozenset(_VA_VIEWER | _WORK),
    Role.VA_VIEWER: frozenset(_VA_VIEWER),
}

# Who lacks the act but has the sight gets 403; who lacks the sight too gets 404.
SIGHT: dict[Permission, Permission] = {
    P.ACCOUNT_EDIT: P.ACCOUNT_VIEW,
    P.SETTINGS_MANAGE: P.ACCOUNT_VIEW,
    P.AGREEMENTS_ACCEPT: P.AGREEMENTS_VIEW,
    P.USERS_MANAGE: P.USERS_VIEW,
    P.ACCESS_REQUESTS_ANSWER: P.ACCESS_REQUESTS_VIEW,
    P.API_CLIENTS_MANAGE: P.ACCOUNT_VIEW,
    P.VIRTUAL_ACCOUNTS_MANAGE: P.VIRTUAL_ACCOUNTS_VIEW,
    P.LICENSES_MANAGE: P.LICENSES_VIEW,
    P.TRANSFERS_APPROVE: P.LICENSES_VIEW,
    P.DEVICES_MANAGE: P.DEVICES_VIEW,
    P.ORDERS_ASSIGN: P.ORDERS_VIEW,
    P.EVENTS_VIEW_LICENSES: P.EVENTS_VIEW,
}

# Refused while the agreement in force is not accepted (product.md, good standing). Revoking a right asks
# USERS_MANAGE with `standing=False`.
NEEDS_GOOD_STANDING: frozenset[Permission] = frozenset(
    {
        P.USERS_MANAGE,
        P.ACCESS_REQUESTS_ANSWER,
        P.API_CLIENTS_MANAGE,
        P.VIRTUAL_ACCOUNTS_MANAGE,
        P.LICENSES_MANAGE,
        P.TRANSFERS_APPROVE,
        P.DEVICES_MANAGE,
        P.ORDERS_ASSIGN,
    }
)


def may_grant(holder: Role, wanted: Role) -> bool:
    """May somebody with this role in a scope give (or take) that role there: administrators only, within their scope."""
    if holder is Role.ACCOUNT_ADMINISTRATOR:
        return True
    return holder is Role.VA_ADMINISTRATOR and not wanted.is_account_wide


OUTSIDER_PERIOD = dt.timedelta(days=365)  # S23: a partner user's right ends, by default after a year


def is_outsider(mail_domain: str, identifier: str) -> bool:
    """A partner user: his mail domain is neither the account's identifier nor below it."""
    return not domain_matches(identifier, mail_domain)


# From the weakest to the strongest, for joining two rights of one person in one scope.
STRENGTH = (
    Role.VA_VIEWER,
    Role.VA_USER,
    Role.VA_ADMINISTRATOR,
    Role.ACCOUNT_APPROVER,
    Role.ACCOUNT_VIEWER,
    Role.ACCOUNT_USER,
    Role.ACCOUNT_ADMINISTRATOR,
)


def stronger(one: Role, other: Role) -> Role:
    """The role of the two that may more."""
    return max(one, other, key=STRENGTH.index)


# What a permission means in words, in the order in which a role is explained.
WORDS: dict[Permission, Promise] = {
    P.LICENSES_VIEW: _("see licenses, end dates and transfers"),
    P.LICENSES_MANAGE: _("transfer and assign licenses"),
    P.DEVICES_VIEW: _("see devices"),
    P.DEVICES_MANAGE: _("register, move and replace devices"),
    P.TOKENS_VIEW: _("see registration tokens"),
    P.ORDERS_VIEW: _("see orders"),
    P.ORDERS_ASSIGN: _("assign unassigned orders"),
    P.TRANSFERS_APPROVE: _("approve transfers"),
    P.USERS_VIEW: _("see users and their rights"),
    P.USERS_MANAGE: _("invite users and change their rights"),
    P.VIRTUAL_ACCOUNTS_MANAGE: _("create, rename and nest virtual accounts"),
    P.ACCESS_REQUESTS_ANSWER: _("answer access requests"),
    P.AGREEMENTS_ACCEPT: _("accept the account agreement"),
    P.ACCOUNT_EDIT: _("edit the account's name and address"),
    P.SETTINGS_MANAGE: _("change the account's settings"),
    P.API_CLIENTS_MANAGE: _("manage API clients"),
    P.EVENTS_VIEW: _("read the event log"),
}


def explain(role: Role) -> tuple[list[Promise], list[Promise]]:
    """What the role may, and what it may not, in words."""
    held = MATRIX[role]
    may = [words for permission, words in WORDS.items() if permission in held]
    return may, [words for permission, words in WORDS.items() if permission not in held]
