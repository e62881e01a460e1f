"""Japanese postal codes: an ordinary one fills the address, a single office's is refused with what to use (S14).

The data is Japan Post's, cut by bin/cut-postal-codes into a read-only SQLite file beside this module.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daicho.core.errors import BusinessError
from daicho.domain.accounts import errors

FILE = Path(__file__).parent / "data" / "postal_codes.sqlite3"
DASHES = "‐‑‒–—―−ー-"


@dataclass(frozen=True, slots=True)
class Place:
    """An area that a postal code stands for; `neighborhood` is empty for "elsewhere in this city"."""

    code: str
    region: str
    city: str
    neighborhood: str


def _read(statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the file, which no process writes: opening it costs a fraction of a millisecond."""
    with closing(sqlite3.connect(f"file:{FILE}?mode=ro&immutable=1", uri=True)) as data:
        return data.execute(statement, values).fetchall()


def digits(text: str) -> str:
    """The seven digits of what people enter: full width, 〒 and any hyphen are understood; empty if there are not seven."""
    plain = re.sub(rf"[\s〒{re.escape(DASHES)}]", "", unicodedata.normalize("NFKC", text))
    return plain if re.fullmatch(r"[0-9]{7}", plain) else ""


def written(code: str) -> str:
    """1000001 as 100-0001."""
    return f"{code[:3]}-{code[3:]}"


def _places(condition: str, *values: object) -> list[Place]:
    rows = _read(
        f"SELECT code, prefecture, name, neighborhood FROM place JOIN city ON city.id = place.city WHERE {condition}"  # noqa: S608
        " ORDER BY code, number",
        *values,
    )
    return [Place(written(f"{code:07d}"), region, city, neighborhood) for code, region, city, neighborhood in rows]


def find_places(text: str) -> list[Place]:
    """The areas of an ordinary postal code, never empty.

    Raises `unknown_postal_code` and, for a single office's code, `office_postal_code` (422) with `ordinary`, the
    area's own code, or, where there is no single one, `candidates`: the codes of that city, the likeliest first.
    """
    code = digits(text)
    if not code:
        raise errors.unknown_postal_code(text.strip()[:20])
    found = _places("code = ?", int(code))
    if not found:
        raise _office_refusal(code) or errors.unknown_postal_code(written(code))
    return found


def _office_refusal(code: str) -> BusinessError | None:
    rows = _read("SELECT city, neighborhood, ordinary FROM office WHERE code = ?", int(code))
    if not rows:
        return None
    city, neighborhood, ordinary = rows[0]
    if ordinary is not None:
        return errors.office_postal_code(written(code), written(f"{ordinary:07d}"), [])

    def unlikeness(place: Place) -> int:
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(place.neighborhood, neighborhood, strict=False))
        return -sum(1 for _ in same)

    candidates = sorted(_places("city = ?", city), key=unlikeness)
    return errors.office_postal_code(
        written(code), None, [{"code": p.code, "place": p.region + p.city + p.neighborhood} for p in candidates]
    )
