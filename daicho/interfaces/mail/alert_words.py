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


def _late(data: Mapping[str, Any]) -> str:
    return _("%(device)s has not been heard of since %(day)s.") % {**data, "day": words.date(data.get("last_contact"))}


def _unrenewed(data: Mapping[str, Any]) -> str:
    return _("The certificate of %(device)s ends on %(day)s and was not renewed.") % {
        **data, "day": words.date(data.get("until")),
    }  # fmt: skip


def _twice(data: Mapping[str, Any]) -> str:
    return _("Two devices seem to use the identity of %(device)s.") % data


def _token(data: Mapping[str, Any]) -> str:
    return _("The registration token %(token)s expires on %(day)s.") % {**data, "day": words.date(data.get("due"))}


def _reserved_ended(data: Mapping[str, Any]) -> str:
    return _("%(sku)s reserved for %(device)s ended on %(day)s.") % {**data, "day": words.date(data.get("end_on"))}


def _reserved_returned(data: Mapping[str, Any]) -> str:
    return _("The licenses reserved for %(device)s are spare again.") % data


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
    "instance_failed_to_connect": _late,
    "instance_failed_to_renew": _unrenewed,
    "identity_used_twice": _twice,
    "token_about_to_end": _token,
    "reserved_license_ended": _reserved_ended,
    "reserved_licenses_returned": _reserved_returned,
}


def sentence(data: Mapping[str, Any]) -> str:
    """One alert (its data and `kind`) in the active language."""
    return SENTENCES[data["kind"]](data)
