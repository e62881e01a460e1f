"""What an alert says in one sentence, for mails and for the portal's lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from daicho.interfaces.mail import words


def _short(data: Mapping[str, Any]) -> str:
    return _("%(sku)s is short.") % data


def _ending(data: Mapping[str, Any]) -> str:
    return _("%(sku)s ends on %(day)s.") % {**data, "day": words.date(data.get("end_on"))}


def _ended(data: Mapping[str, Any]) -> str:
    given = {"quantity": words.number(data.get("quantity")), "day": words.date(data.get("end_on"))}
    return _("The term of %(quantity)s %(sku)s ended on %(day)s.") % {**data, **given}


def _agreement_pending(data: Mapping[str, Any]) -> str:
    return _("The account agreement waits to be accepted. Until then licenses cannot be received or changed.")


def _agreement_updated(data: Mapping[str, Any]) -> str:
    return _("A new account agreement must be accepted by %(day)s.") % {"day": words.date(data.get("due"))}


def _order(data: Mapping[str, Any]) -> str:
    return _("Order %(number)s waits for a virtual account or the agreement.") % data


def _request(data: Mapping[str, Any]) -> str:
    return _("%(who)s asks for access.") % data


def _transfer(data: Mapping[str, Any]) -> str:
    return _("%(who)s asks to transfer licenses.") % data


def _duplicate(data: Mapping[str, Any]) -> str:
    return _("%(device)s is recorded twice (%(product_id)s, serial number %(serial)s).") % data


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "insufficient_licenses": _short,
    "ending": _ending,
    "ended": _ended,
    "agreement_pending": _agreement_pending,
    "agreement_updated": _agreement_updated,
    "order_waiting": _order,
    "access_request_waiting": _request,
    "transfer_waiting": _transfer,
    "duplicate_licenses": _duplicate,
}


def sentence(data: Mapping[str, Any]) -> str:
    """One alert (its data and `kind`) in the active language."""
    return SENTENCES[data["kind"]](data)
