"""How words are kept and compared: free text stays as typed; names, mail addresses and domains meet normalised."""

from __future__ import annotations

import functools
import hashlib
import json
import unicodedata
from typing import Any


def tidy(text: str) -> str:
    """Free text as it is kept: as typed (NFC, so that （株） stays （株）), trimmed, white space folded, no control characters."""
    shown = (sign for sign in text if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cs"})
    return " ".join(unicodedata.normalize("NFC", "".join(shown)).split())


def clean(text: str) -> str:
    """Trimmed, NFKC (full-width digits become ASCII), inner white space folded to one space."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


@functools.lru_cache(maxsize=8_000)  # the rows of a file repeat a few names
def name_key(text: str) -> str:
    """What two equal names share, whatever their case and width."""
    return clean(text).casefold()


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON value in one canonical form (keys sorted, no white space, dates and ids as text)."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode
