"""What the license pages share: how a license, a side of an act and a formula read on screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from daicho.core.clock import last_day, today
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.entries import Side
from daicho.domain.ledger.queries.sight import Sight, look
from daicho.domain.ledger.queries.states import state_of
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.web import Here

if TYPE_CHECKING:
    from daicho.domain.catalog.models import LicenseTag
    from daicho.domain.ledger.models import Pool

KINDS: dict[str, str | Promise] = {
    "perpetual": gettext_lazy("Perpetual"),
    "term": pgettext_lazy("license kind", "Term"),
    "subscription": gettext_lazy("Subscription"),
    "demo": gettext_lazy("Demo"),
}
BILLINGS: dict[str, str | Promise] = {"prepaid": gettext_lazy("Prepaid"), "usage": pgettext_lazy("billing", "Usage")}
ENFORCEMENTS: dict[str, str | Promise] = {
    "unenforced": gettext_lazy("Unenforced"),
    "enforced": gettext_lazy("Enforced"),
    "export_controlled": gettext_lazy("Export-controlled"),
}
OUTSIDE: dict[str, str | Promise] = {
    "issued": gettext_lazy("Issued"),
    "cancelled": gettext_lazy("Cancelled"),
    "converted": gettext_lazy("Converted"),
    "unassigned": gettext_lazy("Unassigned"),
}
PLACES: dict[str, str | Promise] = OUTSIDE | {
    "pending": gettext_lazy("Not started"),
    "on_hand": gettext_lazy("On hand"),
    "reserved": gettext_lazy("Reserved"),
    "fulfilled": gettext_lazy("Fulfilled"),
    "ended": gettext_lazy("Ended"),
}
ENTRY_KINDS: dict[str, str | Promise] = {
    "deposit": gettext_lazy("Deposit"),
    "assign_order": gettext_lazy("Order assigned"),
    "transfer": pgettext_lazy("act", "Transfer"),
    "reserve": gettext_lazy("Reservation"),
    "return": gettext_lazy("Return"),
    "fulfil": gettext_lazy("License file issued"),
    "convert": gettext_lazy("Conversion"),
    "co_term": gettext_lazy("Common end date"),
    "cancel": gettext_lazy("Cancellation"),
    "revoke": gettext_lazy("Revocation by the operator"),
    "correct": gettext_lazy("Correction by the operator"),
    "time": gettext_lazy("Start or end"),
    "undo": pgettext_lazy("act", "Undo"),
    "reuse": pgettext_lazy("act", "Re-use"),
    "move_unit": gettext_lazy("Device moved"),
    "replace": gettext_lazy("Device replaced"),
}


def sight_of(request: HttpRequest, here: Here) -> Sight:
    """What the reader sees of licenses on this page; `?below=1` adds the virtual accounts under the one of the page."""
    return look(here.actor, here.account, here.va, below=request.GET.get("below") == "1")


def license_name(tag: LicenseTag) -> str:
    """The name of a license in the language of the page."""
    japanese = (get_language() or "").startswith("ja")
    return (tag.name_ja if japanese else tag.name) or tag.name or tag.sku


def license_label(tag: LicenseTag) -> str:
    """SKU and name, as choices and facts show them."""
    name = license_name(tag)
    return tag.sku if name == tag.sku else _("%(sku)s %(name)s") % {"sku": tag.sku, "name": name}


def pool_state(pool: Pool, zone: str) -> kit.State:
    """The worst state of a pool, with the number that belongs to it: how many are short, or the days left."""
    code = state_of(pool)
    if code == "ending" and pool.next_end_at is not None:
        return kit.State(code, (last_day(pool.next_end_at, zone) - today(zone)).days)
    return kit.State(code, pool.short if code == "short" else None)


def dotted(*parts: str) -> str:
    """One line of facts."""
    return " · ".join(part for part in parts if part)


def balance_state(balance: int) -> str:
    return "short" if balance < 0 else "in_compliance"


def last_day_of(end_at: dt.datetime | None, zone: str) -> dt.date | None:
    """The day to whose end something is valid, in the account's zone."""
    return last_day(end_at, zone) if end_at is not None else None


def start_text(quantity: int, first: dt.date | None) -> str:
    """What is bought and does not count yet."""
    text = ngettext(
        "%(count)s more has not started yet; the first starts on %(day)s.",
        "%(count)s more have not started yet; the first start on %(day)s.",
        quantity,
    )
    return text % {"count": words.num(quantity), "day": words.date(first)}


def side_text(side: Side) -> str:
    """One side of an act in words; what the reader may not see has no name."""
    names = [va.name for va in side.virtual_accounts]
    names += [str(OUTSIDE.get(kind, kind)) for kind in side.outside]
    if side.hidden:
        names.append(_("another virtual account"))
    if side.more:
        text = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", side.more)
        return text % {"names": join(names), "count": side.more}
    return join(names) or words.NOTHING


def join(names: Sequence[str]) -> str:
    """Names in a row, as the language separates them."""
    return ("、" if (get_language() or "").startswith("ja") else ", ").join(names)


def may_manage(here: Here) -> bool:
    return here.may(Permission.LICENSES_MANAGE)


def licenses_crumb(here: Here) -> kit.Crumb:
    return kit.Crumb(_("Licenses"), here.url("licenses-list"))
