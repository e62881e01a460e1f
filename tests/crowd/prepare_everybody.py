"""Fill an installation for the mixed crowd, and say on standard output (JSON) how to ask it."""

from __future__ import annotations

import hashlib
import json
import os
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
START = 60


def main(clients: int) -> dict[str, object]:
    import django

    django.setup()
    from daicho.core.ids import new_secret
    from daicho.domain.access.models import ApiClient
    from daicho.domain.access.rules import OperatorPermission
    from daicho.domain.devices.commands.records import create_device
    from tests.orders.helpers import line, recorded
    from tests.world import make_world

    world = make_world()
    places = [world.tokyo, world.osaka, world.default]
    tags = [world.premier, world.essentials, world.storage, world.security]
    for place in places:
        for tag in tags:
            world.deposit(tag, START, place)
    done = recorded(world, *[line(world.advantage.sku, 5, virtual_account="Osaka", line=n + 1) for n in range(clients)])
    devices = {
        place.uid: [
            create_device(
                world.as_(world.admin),
                account=world.account,
                virtual_account=place,
                request_id=uuid.uuid4(),
                name=f"d{n}",
            ).uid
            for n in range(2)
        ]
        for place in places
    }
    secret = new_secret()
    operator = ApiClient.objects.create(
        is_operator=True, name="desk", secret_hash=hashlib.sha256(secret.encode()).hexdigest(), secret_hint=secret[-4:],
        scopes=[str(one) for one in OperatorPermission],
    )  # fmt: skip
    return {
        "identifier": world.account.identifier,
        "places": {place.uid: place.name for place in places},
        "skus": [tag.sku for tag in tags],
        "devices": devices,
        "lines": [one.uid for one in done.new],
        "cancelled_sku": world.advantage.sku,
        "authorization": world.api_client(),
        "operator": f"Bearer {operator.uid}.{secret}",
    }


if __name__ == "__main__":
    import sys

    print(json.dumps(main(int(sys.argv[1]))))
