"""Fill an installation's database for the crowd, and say on standard output (JSON) how to ask it.

Run in the environment of the server: `python -m tests.crowd.prepare CLIENTS TAGS SEATS`.
"""

from __future__ import annotations

import json
import os
import sys
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")


def main(clients: int, tags: int, seats: int) -> dict[str, object]:
    import django

    django.setup()
    from daicho.core.clock import now
    from daicho.domain.devices.commands.records import create_device
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from daicho.domain.tenancy.models import VirtualAccount
    from tests.world import make_tag, make_virtual_account, make_world

    world = make_world()
    place: VirtualAccount = make_virtual_account(world.account, "Crowd")
    kinds = [make_tag(f"CROWD-{number:02}", f"Crowd {number}") for number in range(tags)]
    lots = [
        NewLot(tag=tag, quantity=seats, kind="perpetual", start_at=now(), end_at=None, virtual_account=place)
        for tag in kinds
    ]
    deposit_lots(world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lots=lots)
    devices = [
        create_device(
            world.as_(world.admin),
            account=world.account,
            virtual_account=place,
            request_id=uuid.uuid4(),
            name=f"client-{number:02}",
        )
        for number in range(clients)
    ]
    return {
        "identifier": world.account.identifier,
        "skus": [tag.sku for tag in kinds],
        "devices": [device.uid for device in devices],
        "authorization": world.api_client(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*(int(argument) for argument in sys.argv[1:4]))))
