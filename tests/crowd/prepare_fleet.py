"""Fill an installation's database for a crowd of devices, and say on standard output (JSON) how to ask it.

Run in the environment of the server: `python -m tests.crowd.prepare_fleet USES SEATS`.
"""

from __future__ import annotations

import json
import os
import sys
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")


def main(uses: int, seats: int) -> dict[str, object]:
    import django

    django.setup()
    from daicho.core.clock import now
    from daicho.domain.devices.commands.tokens import issue_tokens, secret_of
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from tests.world import make_tag, make_world

    world = make_world()
    tags = [make_tag("STRICT", "Strict", enforcement="enforced"), make_tag("FREE", "Free")]
    lots = [
        NewLot(tag=tag, quantity=seats, kind="perpetual", start_at=now(), end_at=None, virtual_account=world.osaka)
        for tag in tags
    ]
    deposit_lots(world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lots=lots)
    (token,) = issue_tokens(
        world.as_(world.admin),
        account=world.account,
        virtual_accounts=[world.osaka],
        request_id=uuid.uuid4(),
        uses=uses,
    )
    return {"token": secret_of(token), "identifier": world.account.identifier, "authorization": world.api_client()}


if __name__ == "__main__":
    print(json.dumps(main(*(int(argument) for argument in sys.argv[1:3]))))
