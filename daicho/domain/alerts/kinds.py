"""The kinds of alerts, in one place: how grave, who reads and answers them, who is mailed, when each begins and ends.

A kind stands here only with its condition (`conditions.py`): it is open exactly while the condition holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.domain.access.policy import Scope
from daicho.domain.access.rules import Permission as P
from daicho.domain.alerts import conditions
from daicho.domain.alerts.conditions import Facts
from daicho.domain.alerts.models import Alert

MAJOR, MINOR, INFORMATIONAL = Alert.Severity.MAJOR, Alert.Severity.MINOR, Alert.Severity.INFORMATIONAL
DAYS: Final = (90, 60, 30, 14, 7, 1)
"""How many days before an end a person may want to be told."""


@dataclass(frozen=True, slots=True)
class AlertKind:
    """`view`: who reads it; `answer`: who may hide it; `tell`: who is mailed at once, None: nobody.

    `summed_up`: the daily summary tells of it whoever was not mailed at once.
    """

    code: str
    label: Promise
    severity: Alert.Severity
    view: P
    answer: P
    tell: P | None
    facts: Callable[[], Facts]
    summed_up: bool = True


KINDS: Final = {
    kind.code: kind
    for kind in (
        AlertKind(
            "insufficient_licenses", _("Insufficient licenses"), MAJOR,
            P.LICENSES_VIEW, P.LICENSES_MANAGE, P.LICENSES_VIEW, conditions.pools_that_are_short,
        ),
        AlertKind(
            "agreement_pending", _("Agreement pending"), MAJOR,
            P.AGREEMENTS_VIEW, P.AGREEMENTS_ACCEPT, P.AGREEMENTS_ACCEPT, conditions.accounts_out_of_standing,
        ),
        AlertKind(
            "agreement_updated", _("Agreement updated"), MINOR,
            P.AGREEMENTS_VIEW, P.AGREEMENTS_ACCEPT, P.AGREEMENTS_ACCEPT, conditions.accounts_with_a_newer_agreement,
        ),
        AlertKind(
            "ending", _("Licenses ending"), MINOR,
            P.LICENSES_VIEW, P.LICENSES_MANAGE, None, conditions.pools_with_an_end_ahead,
        ),
        AlertKind(
            "ended", _("Licenses ended"), MINOR,
            P.LICENSES_VIEW, P.LICENSES_MANAGE, None, conditions.lots_that_ended,
        ),
        AlertKind(
            "order_waiting", _("Order waiting"), MINOR,
            P.ORDERS_VIEW, P.ORDERS_ASSIGN, P.ORDERS_ASSIGN, conditions.orders_that_wait,
        ),
        AlertKind(
            "access_request_waiting", _("Access request waiting"), MINOR,
            P.ACCESS_REQUESTS_VIEW, P.ACCESS_REQUESTS_ANSWER, None, conditions.open_access_requests,
            summed_up=False,  # the request itself mails the administrators
        ),
        AlertKind(
            "transfer_waiting", _("Transfer waiting for approval"), MINOR,
            P.LICENSES_VIEW, P.TRANSFERS_APPROVE, P.TRANSFERS_APPROVE, conditions.open_transfer_requests,
        ),
        AlertKind(
            "duplicate_licenses", _("Duplicate devices"), MINOR,
            P.DEVICES_VIEW, P.DEVICES_MANAGE, None, conditions.devices_recorded_twice,
        ),
        AlertKind(
            "instance_failed_to_connect", _("Instance failed to connect"), MINOR,
            P.DEVICES_VIEW, P.DEVICES_MANAGE, None, conditions.instances_out_of_touch,
        ),
        AlertKind(
            "instance_failed_to_renew", _("Instance failed to renew"), MAJOR,
            P.DEVICES_VIEW, P.DEVICES_MANAGE, P.DEVICES_MANAGE, conditions.instances_not_renewed,
        ),
        AlertKind(
            "identity_used_twice", _("Identity used twice"), MAJOR,
            P.DEVICES_VIEW, P.DEVICES_MANAGE, P.DEVICES_MANAGE, conditions.identities_used_twice,
        ),
        AlertKind(
            "token_about_to_end", _("Token about to end"), INFORMATIONAL,
            P.TOKENS_VIEW, P.DEVICES_MANAGE, None, conditions.tokens_about_to_end,
        ),
        AlertKind(
            "reserved_license_ended", _("Reserved license ended"), MINOR,
            P.LICENSES_VIEW, P.LICENSES_MANAGE, None, conditions.reserved_lots_that_ended,
        ),
        AlertKind(
            "reserved_licenses_returned", _("Reserved licenses returned"), INFORMATIONAL,
            P.LICENSES_VIEW, P.LICENSES_MANAGE, None, conditions.reservations_returned,
        ),
    )
}  # fmt: skip


def readable(scope: Scope) -> dict[str, frozenset[int] | None]:
    """The kinds that a scope reads: the virtual accounts where it does, None for everywhere."""
    found: dict[str, frozenset[int] | None] = {}
    for kind in KINDS.values():
        ids = scope.virtual_account_ids(kind.view)
        if ids is None or ids:
            found[kind.code] = None if ids is None else frozenset(ids)
    return found
