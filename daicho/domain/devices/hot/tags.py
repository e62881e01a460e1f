"""The licenses that devices name, by regid or SKU: the catalog is small and read once a minute by each process."""

from __future__ import annotations

import time
from collections.abc import Iterable
from threading import Lock

from daicho.core.text import name_key
from daicho.domain.catalog.models import LicenseTag

FRESH_SECONDS = 60.0
ABSENT_SECONDS = 2.0
"""How long what was not found stays so: a device that asks for nonsense costs no reading of the catalog each time."""
_lock = Lock()
_known: dict[str, LicenseTag] = {}
_by_id: dict[int, LicenseTag] = {}
_read_at = [float("-inf")]


def find_tags(names: Iterable[str]) -> dict[str, LicenseTag]:
    """The tags of these names; what is not in the catalog is left out."""
    wanted, age = set(names), time.monotonic() - _read_at[0]
    if not 0 <= age < FRESH_SECONDS or (age >= ABSENT_SECONDS and any(_key(name) not in _known for name in wanted)):
        _read()
    return {name: _known[key] for name in wanted if (key := _key(name)) in _known}


def tags_by_id(ids: Iterable[int]) -> dict[int, LicenseTag]:
    """The tags with these primary keys."""
    wanted = set(ids)
    if not wanted <= _by_id.keys():
        _read()
    return {number: _by_id[number] for number in wanted}


def forget() -> None:
    """Read the catalog again the next time."""
    _read_at[0] = float("-inf")


def _key(name: str) -> str:
    return name if name.startswith("regid.") else name_key(name)


def _read() -> None:
    with _lock:
        tags = list(LicenseTag.objects.all())
        known = {tag.sku_key: tag for tag in tags} | {tag.regid: tag for tag in tags if tag.regid}
        _known.clear()
        _known.update(known)
        _by_id.clear()
        _by_id.update({tag.pk: tag for tag in tags})
        _read_at[0] = time.monotonic()
