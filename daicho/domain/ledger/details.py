"""The columns of a lot that people keep: which there are, who may see which, how each is read. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from daicho.core import money
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import name_key, tidy

# Texts with the characters they take.
TEXTS = {
    "management_number": 100, "certificate_number": 100, "department": 100, "storage_place": 100, "note": 500,
}  # fmt: skip
# Seen by who sees every place of the lot; the others belong to the company: an account-wide right is needed.
SHARED = ("management_number", "department", "storage_place", "note")
COMPANY = ("certificate_number", "amount", "currency")
FIELDS = (*TEXTS, "amount", "currency")

# Heads of a file: our keys, and words in both languages.
COLUMNS: dict[str, tuple[str, ...]] = {
    "lot": ("lot", "ロット"),
    "management_number": ("management_number", "management number", "管理番号"),
    "certificate_number": ("certificate_number", "certificate number", "証書番号"),
    "department": ("department", "purchasing department", "購入部門"),
    "storage_place": ("storage_place", "storage place", "保管場所"),
    "note": ("note", "備考"),
    "amount": ("amount", "金額"),
    "currency": ("currency", "通貨"),
}


@dataclass(frozen=True, slots=True)
class Details:
    """What is written down about a lot. `amount`: in the smallest unit of `currency`; both or neither."""

    management_number: str = ""
    certificate_number: str = ""
    department: str = ""
    storage_place: str = ""
    note: str = ""
    amount: int | None = None
    currency: str = ""

    def price(self) -> str:
        """The amount with its currency, for people; "" without one."""
        return money.text(self.amount, self.currency) if self.amount is not None else ""

    def shared(self) -> Details:
        """Without what belongs to the company."""
        return replace(self, certificate_number="", amount=None, currency="")

    def is_empty(self) -> bool:
        return self == Details()

    def row(self) -> dict[str, Any]:
        """The columns of the table, each text with its search key."""
        return asdict(self) | {f"{name}_key": name_key(getattr(self, name)) for name in TEXTS}


def changed(before: Details, given: Mapping[str, Any]) -> Details:
    """`before` with what is given in its place: texts, and `amount` (a whole number or None) with `currency`.

    What has no amount has no currency. Raises FieldErrors: `too_long`, `bad_amount`, `currency_missing`,
    `unknown_currency`.
    """
    values: dict[str, Any] = {}
    errors: dict[str, BusinessError] = {}
    for name, limit in TEXTS.items():
        if name in given:
            values[name] = tidy(given[name])
            if len(values[name]) > limit:
                errors[name] = BusinessError("too_long", 422, _("Enter %(limit)s characters or less."), limit=limit)
    amount = given.get("amount", before.amount)
    currency = unicodedata.normalize("NFKC", given.get("currency", before.currency)).strip().upper()
    if amount is None:
        currency = ""
    elif isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= money.MOST:
        errors["amount"] = bad_amount()
    elif (problem := currency_problem(currency)) is not None:
        errors["currency"] = problem
    if errors:
        raise FieldErrors(errors)
    return replace(before, **values, amount=amount, currency=currency)


def written(amount: str, currency: str) -> int | None:
    """An amount as people write it, in the smallest unit; None for an empty one. Raises FieldErrors."""
    if not amount.strip():
        return None
    code = unicodedata.normalize("NFKC", currency).strip().upper()
    if (problem := currency_problem(code)) is not None:
        raise FieldErrors({"currency": problem})
    value = money.read(amount, code)
    if value is None:
        raise FieldErrors({"amount": bad_amount()})
    return value


def currency_problem(code: str) -> BusinessError | None:
    if not code:
        return BusinessError("currency_missing", 422, _("Enter the currency of the amount, such as JPY."))
    if code not in money.DIGITS:
        text = _("“%(currency)s” is no currency. Enter its code of three letters, such as JPY.")
        return BusinessError("unknown_currency", 422, text, currency=code[:20])
    return None


def bad_amount() -> BusinessError:
    return BusinessError(
        "bad_amount", 422,
        _("Enter an amount as on the invoice, such as 1,200,000, with no more decimals than the currency has."),
    )  # fmt: skip


def common(all_of: list[Details]) -> Details:
    """What several lots agree in, for the one lot they become; amounts of one currency are added up."""
    if not all_of:
        return Details()
    first, rest = all_of[0], all_of[1:]
    same = {
        name: getattr(first, name) for name in TEXTS if all(getattr(one, name) == getattr(first, name) for one in rest)
    }
    amounts = [one.amount for one in all_of if one.amount is not None]
    if len(amounts) < len(all_of) or len({one.currency for one in all_of}) > 1 or sum(amounts) > money.MOST:
        return Details(**same)
    return Details(**same, amount=sum(amounts), currency=first.currency)
