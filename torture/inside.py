"""What runs in the installation's own environment: its world, its durability, what its tables hold. Answers in JSON."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
PLACES, TAGS, STOCK = 6, 4, 1_000
PASSWORD = "nothing that anybody uses elsewhere"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def migrate() -> Any:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, skip_checks=True)
    call_command("createcachetable", verbosity=0)
    return {}


def durability() -> dict[str, str]:
    """What keeps a commit from being lost, as the database itself says."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            names = {"synchronous": {0: "off", 1: "normal", 2: "full", 3: "extra"}, "journal_mode": {}}
            found = {}
            for name, words in names.items():
                cursor.execute(f"PRAGMA {name}")
                value = cursor.fetchone()[0]
                found[name] = str(words.get(value, value))
            return found
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DURABLE)])
        return dict(cursor.fetchall())


def prepare() -> dict[str, Any]:
    """Six virtual accounts with 1,000 of each of four licenses, and two programs: the customer's and the operator's."""
    import hashlib

    from daicho.core.clock import now
    from daicho.core.ids import new_secret
    from daicho.domain.access.models import ApiClient
    from daicho.domain.access.rules import OperatorPermission
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from tests.world import make_tag, make_virtual_account, make_world

    world = make_world()
    places = [make_virtual_account(world.account, f"Office {number}") for number in range(PLACES)]
    tags = [make_tag(f"T-{number}", f"Tag {number}") for number in range(TAGS)]
    make_tag("FILE", "From a large file")
    lots = [NewLot(tag, STOCK, "perpetual", now(), None, place) for place in places for tag in tags]
    deposit_lots(world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lots=lots)
    world.admin.set_password(PASSWORD)
    world.admin.save()
    secret = new_secret()
    client = ApiClient.objects.create(
        is_operator=True, name="storm", secret_hash=hashlib.sha256(secret.encode()).hexdigest(), secret_hint=secret[:4],
        scopes=[str(one) for one in OperatorPermission], created_by=world.operator,
    )  # fmt: skip
    return {
        "identifier": world.account.identifier,
        "places": [{"uid": place.uid, "name": place.name} for place in places],
        "skus": [tag.sku for tag in tags],
        "stock": STOCK,
        "customer": world.api_client(),
        "operator": f"Bearer {client.uid}.{secret}",
        "email": world.admin.email,
        "password": PASSWORD,
    }


def written() -> dict[str, Any]:
    """How often each act stands in the books, by the word that its client gave it; and all figures of pools."""
    from django.db.models import Count, F

    from daicho.domain.ledger.models import Entry, Lot, Pool
    from daicho.domain.orders.models import OrderLine

    transfers = Entry.objects.exclude(memo="").order_by().values_list("memo").annotate(Count("pk"))
    lines = OrderLine.objects.order_by().values_list(F("order__number")).annotate(Count("pk"))
    lots = Lot.objects.exclude(order_number="").order_by().values_list("order_number").annotate(Count("pk"))
    pools = Pool.objects.values_list("virtual_account__uid", "tag__sku", "on_hand")
    return {
        "transfers": dict(transfers),
        "lines": dict(lines),
        "lots": dict(lots),
        "pools": {f"{place} {sku}": held for place, sku, held in pools},
    }


def counts() -> dict[str, int]:
    """Rows of every table."""
    from django.apps import apps

    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models(include_auto_created=True)}


def log_in(email: str, password: str) -> bool:
    """Whether the portal opens for a person."""
    from django.test import Client

    client = Client(HTTP_HOST="localhost")
    client.post("/account/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (migrate, durability, prepare, written, counts, log_in)
}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(FUNCTIONS[sys.argv[1]](**json.loads(sys.argv[2])), default=str))
