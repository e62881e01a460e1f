"""How words are compared: names, mail addresses and domains are normalised before they meet."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any


def clean(text: str) -> str:
    """Trimmed, NFKC (full-width digits become ASCII), inner white space folded to one space."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def name_key(text: str) -> str:
    """What two equal names share, whatever their case and width."""
    return clean(text).casefold()


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON value in one canonical form (keys sorted, no white space, dates and ids as text)."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
