"""What the pages of lots share: the ledger columns (台帳項目) in words and in lists."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core import money
from daicho.domain.ledger.details import FIELDS, SHARED, Details
from daicho.domain.ledger.queries.lot_details import UNSEEN
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column
from daicho.interfaces.portal.web import Here

LABELS: Mapping[str, Any] = {
    "lot": gettext_lazy("Lot"),
    "management_number": gettext_lazy("Management number"),
    "certificate_number": gettext_lazy("Certificate number"),
    "department": gettext_lazy("Purchasing department"),
    "storage_place": gettext_lazy("Storage place"),
    "note": gettext_lazy("Note"),
    "amount": gettext_lazy("Amount"),
    "currency": gettext_lazy("Currency"),
}


def seen_fields(sight: Sight) -> tuple[str, ...]:
    """The ledger columns that a reader may see at all."""
    return FIELDS if sight.sees_all else SHARED


def details_columns(sight: Sight, kept: Mapping[int, Details]) -> list[Column]:
    """Columns of a list of lots, to be chosen; `kept` is filled by the page that is shown."""

    def column(name: str) -> Column:
        return Column(
            name, LABELS[name], kind="num" if name == "amount" else "text", optional=True,
            value=lambda row: shown(kept.get(row.lot.pk, UNSEEN), name),
        )  # fmt: skip

    return [column(name) for name in seen_fields(sight)]


def shown(details: Details, name: str) -> Any:
    """The value of a column: an amount in whole units of its currency."""
    if name == "amount":
        return amount_of(details)
    return getattr(details, name)


def amount_of(details: Details) -> int | Decimal | None:
    return money.value(details.amount, details.currency) if details.amount is not None else None


def details_facts(details: Details, *, company: bool) -> list[kit.Fact]:
    """The ledger columns of a lot for its page; the amount with its currency."""
    names = [name for name in (FIELDS if company else SHARED) if name not in ("amount", "currency")]
    facts = [kit.Fact(LABELS[name], getattr(details, name)) for name in names]
    return [*facts, kit.Fact(LABELS["amount"], details.price())] if company else facts


def lots_crumb(here: Here) -> kit.Crumb:
    return kit.Crumb(_("Lots"), here.url("lots-list"))


def lot_crumb(here: Here, uid: str) -> kit.Crumb:
    return kit.Crumb(_("Lot %(lot)s") % {"lot": uid}, here.url("lots-detail", lot=uid))
