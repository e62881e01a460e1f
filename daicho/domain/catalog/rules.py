"""Rules of the catalog that need no table: which texts can be taken, how a product is told from another."""

from __future__ import annotations

import unicodedata

from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import clean, name_key
from daicho.domain.catalog import errors

ENFORCEMENTS = ("unenforced", "enforced", "export_controlled")
ENFORCEMENT_WORDS = {
    "強制なし": "unenforced",
    "強制あり": "enforced",
    "輸出規制対象": "export_controlled",
    "": "unenforced",
}
MAX_LADDER = 20


class Fields:
    """Collects what is wrong field by field, so that a form is told everything at once."""

    def __init__(self) -> None:
        self.errors: dict[str, BusinessError] = {}

    def text(self, field: str, value: object, limit: int, *, needed: bool = False) -> str:
        """The cleaned text; notes `required`, `too_long`, `control_character`."""
        cleaned = clean(str(value)) if value is not None else ""
        error = text_problem(cleaned, limit, needed=needed)
        if error is not None:
            self.errors[field] = error
        return cleaned

    def stop_if_wrong(self) -> None:
        """Raise FieldErrors when anything was noted."""
        if self.errors:
            raise FieldErrors(self.errors)


def text_problem(cleaned: str, limit: int, *, needed: bool = False) -> BusinessError | None:
    """Why a cleaned text cannot be taken, or None."""
    if needed and not cleaned:
        return errors.required()
    if len(cleaned) > limit:
        return errors.too_long(limit)
    if not cleaned.isprintable() and any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in cleaned):
        return errors.control_character()
    return None


def search_words(text: str) -> list[str]:
    """What somebody typed to search, as words without control characters (PostgreSQL refuses NUL)."""
    return ["".join(c for c in word if unicodedata.category(c) not in {"Cc", "Cs"}) for word in clean(text).split()]


def enforcement_of(text: str) -> str | None:
    """The code of a class written as code or Japanese word; None when it is neither."""
    word = clean(text).casefold().replace("-", "_").replace(" ", "_")
    return word if word in ENFORCEMENTS else ENFORCEMENT_WORDS.get(clean(text))


def product_key(vendor: str, name: str, part_number: str) -> str:
    """Two rows of the same vendor, name and part number are one product."""
    return "\x1f".join(name_key(part) for part in (vendor, name, part_number))
