"""What an order line must be, before any table is asked (product.md, Licenses, Numbers)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from daicho.core.errors import BusinessError
from daicho.core.text import clean, fingerprint, name_key
from daicho.domain.catalog import errors as catalog_errors
from daicho.domain.catalog.rules import text_problem
from daicho.domain.ledger.errors import end_problem
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.orders import errors

MAX_LINE_NUMBER = 1_000_000
EARLIEST, LATEST = dt.date(1980, 1, 1), dt.date(2199, 12, 31)

KINDS = ("perpetual", "term", "subscription", "demo")
BILLINGS = ("prepaid", "usage")
KIND_WORDS = {"永続": "perpetual", "期間": "term", "サブスクリプション": "subscription", "評価用": "demo"}
BILLING_WORDS = {"前払い": "prepaid", "従量": "usage", "": "prepaid"}
DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:T00:00(?::00)?)?|(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class LineInput:
    """A line as somebody wrote it. `virtual_account` is a name; empty: the customer assigns it later."""

    sku: str
    quantity: int | str
    kind: str = "perpetual"
    line: int | str = ""
    billing: str = "prepaid"
    start_on: dt.date | str | None = None
    end_on: dt.date | str | None = None
    virtual_account: str = ""


@dataclass(frozen=True, slots=True)
class OrderInput:
    """An order as somebody wrote it. `identifier` is the customer's domain identifier."""

    number: str
    identifier: str
    lines: Sequence[LineInput]
    ordered_on: dt.date | str | None = None
    customer_reference: str = ""
    memo: str = ""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line whose values can be stored; start_on None: the day it is recorded."""

    line: int
    sku: str
    quantity: int
    kind: str
    billing: str
    start_on: dt.date | None
    end_on: dt.date | None
    virtual_account: str

    def fingerprint(self, identifier: str) -> str:
        """What tells the same line from another one under its number."""
        return fingerprint(
            {
                "identifier": identifier, "sku": name_key(self.sku), "quantity": self.quantity, "kind": self.kind,
                "billing": self.billing, "start_on": self.start_on, "end_on": self.end_on,
                "virtual_account": name_key(self.virtual_account),
            }
        )  # fmt: skip


@dataclass
class Wrong:
    """What is wrong with an input, by field."""

    errors: dict[str, BusinessError] = field(default_factory=dict)

    def note(self, name: str, error: BusinessError | None) -> None:
        if error is not None:
            self.errors.setdefault(name, error)


def check_line(given: LineInput, position: int, wrong: Wrong) -> CheckedLine | None:
    """The line's values, or None with what is wrong. `position` counts from 1 and numbers a line without a number."""
    number = parse_whole(given.line) if str(given.line).strip() else position
    if number is None or not 1 <= number <= MAX_LINE_NUMBER:
        wrong.note("line", errors.bad_line_number())
    quantity = parse_whole(given.quantity)
    if quantity is None or not 1 <= quantity <= MAX_QUANTITY:
        wrong.note("quantity", errors.bad_quantity())
    sku = clean(str(given.sku))
    wrong.note("sku", text_problem(sku, 100, needed=True))
    virtual_account = clean(str(given.virtual_account))
    wrong.note("virtual_account", text_problem(virtual_account, 100))
    kind = _choice(given.kind, KINDS, KIND_WORDS)
    if kind is None:
        wrong.note("kind", catalog_errors.unknown_choice(str(given.kind), ", ".join(KINDS)))
    billing = _choice(given.billing, BILLINGS, BILLING_WORDS)
    if billing is None:
        wrong.note("billing", catalog_errors.unknown_choice(str(given.billing), ", ".join(BILLINGS)))
    start_on = _day(given.start_on, "start_on", wrong)
    end_on = _day(given.end_on, "end_on", wrong)
    if "end_on" not in wrong.errors:
        wrong.note("end_on", _end_problem(kind, start_on, end_on))
    if wrong.errors or number is None or quantity is None or kind is None or billing is None:
        return None
    return CheckedLine(number, sku, quantity, kind, billing, start_on, end_on, virtual_account)


def _end_problem(kind: str | None, start_on: dt.date | None, end_on: dt.date | None) -> BusinessError | None:
    if kind is not None and (problem := end_problem(kind, has_end=end_on is not None)) is not None:
        return problem
    if start_on is not None and end_on is not None and end_on < start_on:
        return errors.ends_before_start()
    return None


def parse_whole(value: Any) -> int | None:
    """A whole number; digits may be full-width, with thousands separators. None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = clean(str(value))
    if text.isdecimal() and text.isascii() and len(text) <= 20:
        return int(text)
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+|[+-]?[0-9]{1,20}", text) is None:
        return None
    return int(text.replace(",", ""))


def parse_day(value: dt.date | str | None) -> dt.date | None:
    """A date written 2026-11-24, 2026/11/24, 2026年11月24日 or 20261124. None for empty; ValueError for anything else."""
    if value is None or isinstance(value, dt.date):
        day = value.date() if isinstance(value, dt.datetime) else value
    else:
        day = _written_day(value)
    if day is not None and not EARLIEST <= day <= LATEST:
        raise ValueError(str(day))
    return day


@functools.lru_cache(maxsize=2_000)  # the lines of a file name few days
def _written_day(value: str) -> dt.date | None:
    text = clean(value)
    if not text:
        return None
    found = DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, date = [int(part) for part in found.groups() if part is not None]
    return dt.date(year, month, date)


def _day(value: dt.date | str | None, name: str, wrong: Wrong) -> dt.date | None:
    try:
        return parse_day(value)
    except ValueError:
        wrong.note(name, errors.bad_date(clean(str(value))))
        return None


def _choice(value: str, codes: Sequence[str], words: dict[str, str]) -> str | None:
    if value in codes:
        return value
    word = clean(str(value))
    return word.casefold() if word.casefold() in codes else words.get(word)
