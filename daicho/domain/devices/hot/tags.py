"""The licenses that devices name, by regid or SKU: the catalog is small and read once a minute by each process."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from daicho.core.text import name_key
from daicho.domain.catalog.models import LicenseTag

FRESH_SECONDS = 60.0
ABSENT_SECONDS = 2.0
"""How long what was not found stays so: a device that asks for nonsense costs no reading of the catalog each time."""


class Catalog(NamedTuple):
    """The catalog as it was read, replaced as a whole: a thread that is at it never sees half of one."""

    by_name: dict[str, LicenseTag]
    by_id: dict[int, LicenseTag]
    read_at: float


NEVER = Catalog({}, {}, float("-inf"))
_held = [NEVER]


def find_tags(names: Iterable[str]) -> dict[str, LicenseTag]:
    """The tags of these names; what is not in the catalog is left out."""
    wanted, catalog = {name: _key(name) for name in names}, _held[0]
    age = time.monotonic() - catalog.read_at
    is_absent = age >= ABSENT_SECONDS and any(key not in catalog.by_name for key in wanted.values())
    if is_absent or not 0 <= age < FRESH_SECONDS:
        catalog = _read()
    return {name: catalog.by_name[key] for name, key in wanted.items() if key in catalog.by_name}


def tags_by_id(ids: Iterable[int]) -> dict[int, LicenseTag]:
    """The tags with these primary keys."""
    wanted, catalog = set(ids), _held[0]
    if not wanted <= catalog.by_id.keys():
        catalog = _read()
    return {number: catalog.by_id[number] for number in wanted}


def forget() -> None:
    """Read the catalog again the next time."""
    _held[0] = NEVER


def _key(name: str) -> str:
    return name if name.startswith("regid.") else name_key(name)


def _read() -> Catalog:
    tags = list(LicenseTag.objects.all())
    by_name = {tag.sku_key: tag for tag in tags} | {tag.regid: tag for tag in tags if tag.regid}
    _held[0] = Catalog(by_name, {tag.pk: tag for tag in tags}, time.monotonic())
    return _held[0]
