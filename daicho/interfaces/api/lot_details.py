"""The ledger columns of a lot as JSON, alone and in lists."""

from __future__ import annotations

from typing import Any

from daicho.domain.ledger.details import COMPANY, FIELDS, Details
from daicho.interfaces.api.schemas import Told


class LotDetailsOut(Told):
    """The ledger columns of a lot. `amount`: in the smallest unit of `currency` (ISO 4217). `certificate_number`, `amount`
    and `currency` are the company's: null for who has no role in the whole account."""

    management_number: str
    certificate_number: str | None
    department: str
    storage_place: str
    note: str
    amount: int | None
    currency: str | None


def details_out(details: Details, *, company: bool) -> dict[str, Any]:
    return {name: getattr(details, name) if company or name not in COMPANY else None for name in FIELDS}
