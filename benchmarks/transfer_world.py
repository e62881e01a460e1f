"""The worlds of the benchmarks over HTTP, made in the installation's environment; prints how to ask it (JSON)."""

from __future__ import annotations

import json
import os
import sys
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
PLACES, TAGS, PER_PLACE, PART = 200, 10, 5, 10_000


def migrated() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, skip_checks=True)


def seats(kinds: int) -> dict[str, object]:
    """A device for each of 64 clients, kinds with plenty of seats, and one with 100."""
    migrated()
    from daicho.core.clock import now
    from daicho.domain.devices.commands.records import create_device
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from tests.world import make_tag, make_virtual_account, make_world

    world = make_world()
    place = make_virtual_account(world.account, "Crowd")
    tags = [make_tag(f"C-{number:02}", f"Crowd {number}") for number in range(kinds + 1)]
    lots = [NewLot(tag, 1_000_000 if n else 100, "perpetual", now(), None, place) for n, tag in enumerate(tags)]
    deposit_lots(world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lots=lots)
    admin = world.as_(world.admin)
    devices = [
        create_device(admin, account=world.account, virtual_account=place, request_id=uuid.uuid4(), name=f"c-{number}")
        for number in range(64)
    ]
    return {
        "identifier": world.account.identifier,
        "scarce": tags[0].sku,
        "skus": [tag.sku for tag in tags[1:]],
        "devices": [device.uid for device in devices],
        "authorization": world.api_client(),
    }


def prepare(lots: int) -> dict[str, object]:
    """Lots of 100,000 to transfer in 200 virtual accounts, and beside them as many small ones as are asked for."""
    migrated()
    from daicho.core.clock import now
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from tests.world import make_tag, make_virtual_account, make_world

    world = make_world()
    operator, at = world.as_(world.operator), now()
    tags = [make_tag(f"T-{number:02}", f"Tag {number}") for number in range(TAGS)]
    rest = [make_tag(f"R-{number:02}", f"Rest {number}") for number in range(TAGS)]
    places = [make_virtual_account(world.account, f"Office {number:03}") for number in range(PLACES)]

    def deposit(kinds: list[NewLot]) -> None:
        deposit_lots(operator, account=world.account, request_id=uuid.uuid4(), lots=kinds)

    deposit(
        [NewLot(tag, 100_000, "perpetual", at, None, place) for place in places for tag in tags[:PER_PLACE]]
    )  # fmt: skip
    for start in range(PLACES * PER_PLACE, lots, PART):
        count = min(PART, lots - start)
        deposit([NewLot(rest[n % TAGS], 5, "perpetual", at, None, places[n // TAGS % PLACES]) for n in range(count)])
    return {
        "identifier": world.account.identifier,
        "skus": [tag.sku for tag in tags[:PER_PLACE]],
        "places": [place.uid for place in places],
        "authorization": world.api_client(),
    }


if __name__ == "__main__":
    print(json.dumps({"prepare": prepare, "seats": seats}[sys.argv[1]](int(sys.argv[2]))))
