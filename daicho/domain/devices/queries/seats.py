"""What many devices use now, by few plain statements: the answers of acts that come thousands of times a second."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from daicho.core.statements import among, ask, instant
from daicho.domain.devices.models import Device
from daicho.domain.devices.queries.devices import IN_COMPLIANCE, NONE, REMOVED, SHORT
from daicho.domain.ledger.queries.sight import Sight

MOST_ALIKE = 20


class UseNow(NamedTuple):
    """So many of a license; `balance`: of its virtual account."""

    sku: str
    quantity: int
    since: dt.datetime | None
    balance: int
    counted: int


class Seated(NamedTuple):
    """A device, what it uses by SKU, and handles of others in sight with its serial number and product ID."""

    device: Device
    uses: list[UseNow]
    duplicates: list[str]

    @property
    def state(self) -> str:
        """As `DeviceRow.state`."""
        if self.device.removed_at is not None:
            return REMOVED
        if any(use.balance < 0 and use.counted for use in self.uses):
            return SHORT
        return IN_COMPLIANCE if self.uses else NONE


def seated(devices: Sequence[tuple[Sight, Device]]) -> list[Seated]:
    """Each device as its caller sees it; the caller may see it already."""
    condition, parameters = among("u.unit_id", sorted({device.unit_id for _, device in devices}))
    rows = ask(
        "SELECT u.unit_id, t.sku, u.reported, u.since, p.balance, u.counted FROM ledger_use AS u"  # noqa: S608
        " JOIN catalog_licensetag AS t ON t.id = u.tag_id JOIN ledger_pool AS p ON p.id = u.pool_id"
        f" WHERE {condition} AND u.reported > 0 ORDER BY t.sku_key",
        parameters,
    )
    uses: dict[int, list[UseNow]] = defaultdict(list)
    for unit_id, sku, reported, since, balance, counted in rows:
        uses[unit_id].append(UseNow(sku, reported, instant(since), balance, counted))
    alike = _alike([device for _, device in devices])
    return [
        Seated(
            device,
            uses[device.unit_id],
            [uid for uid, place_id in alike[device.pk] if sight.sees(place_id)][:MOST_ALIKE],
        )
        for sight, device in devices
    ]


def _alike(devices: Sequence[Device]) -> dict[int, list[tuple[str, int]]]:
    """Other living devices of the account with the same serial number and product ID, and where they are."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    numbered = sorted({device.pk for device in devices if device.serial})
    if numbered:
        condition, parameters = among("d.id", numbered)
        rows = ask(
            "SELECT d.id, o.uid, u.virtual_account_id FROM devices_device AS d"  # noqa: S608
            " JOIN devices_device AS o ON o.account_id = d.account_id AND o.serial = d.serial"
            " AND o.product_id = d.product_id AND o.id <> d.id AND o.removed_at IS NULL"
            " JOIN ledger_unit AS u ON u.id = o.unit_id JOIN tenancy_virtualaccount AS v ON v.id = u.virtual_account_id"
            f" WHERE {condition} AND v.deleted_at IS NULL ORDER BY o.id",
            parameters,
        )
        for number, uid, place_id in rows:
            found[number].append((uid, place_id))
    return found
