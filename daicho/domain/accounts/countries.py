"""Countries by ISO 3166 code: names in both languages and the principal time zone (data/manifest.json says whence)."""

from __future__ import annotations

import functools
import json
import unicodedata
from importlib import resources


@functools.cache
def _table() -> dict[str, dict[str, str]]:
    text = resources.files("daicho.domain.accounts").joinpath("data/countries.json").read_text("utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def is_country(code: str) -> bool:
    return code in _table()


def country_name(code: str, language: str) -> str:
    """The country's name in ja or en; the code itself for one that is not known."""
    entry = _table().get(code)
    return entry["ja" if language.startswith("ja") else "en"] if entry else code


def time_zone_of(code: str) -> str:
    """The zone in which a new account of this country counts its days."""
    return _table()[code]["zone"] if code in _table() else "UTC"


def country_choices(language: str) -> list[tuple[str, str]]:
    """Code and name: Japan first, the others by name."""
    names = [(code, country_name(code, language)) for code in _table()]

    def alphabetic(choice: tuple[str, str]) -> tuple[bool, str]:
        return choice[0] != "JP", unicodedata.normalize("NFKD", choice[1]).casefold()

    return sorted(names, key=alphabetic)
