"""Who may do what: people, rights, programs; and who knocks with a program's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.statements import among, fetch
from daicho.domain.access.models import ApiClient

SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody says to be a program: its uid, the secret, and the address it comes from."""

    uid: str
    secret: str
    address: str = ""


def authenticate_api_client(uid: str, secret: str, *, address: str = "") -> Actor | None:
    """The program with this uid and secret as an actor of the API, else None (see `authenticate_api_clients`)."""
    return authenticate_api_clients([Knock(uid, secret, address)])[0]


def authenticate_api_clients(knocks: Sequence[Knock]) -> list[Actor | None]:
    """Who knocks, each as an actor of the API of its own.

    None for a wrong uid or secret, for a revoked or ended client, and for one of a partner company that is not active
    any more. Notes the use at most every five minutes.
    """
    uids = sorted({knock.uid for knock in knocks})
    condition, parameters = among("uid", uids)
    known = {client.uid: client for client in fetch(ApiClient, f"WHERE {condition} AND revoked_at IS NULL", parameters)}
    at = now()
    stale: set[int] = set()
    found: list[Actor | None] = []
    for knock in knocks:
        client = known.get(knock.uid)
        digest = hashlib.sha256(knock.secret.encode()).hexdigest()
        if (
            client is None
            or not hmac.compare_digest(client.secret_hash, digest)
            or (client.ends_at is not None and client.ends_at <= at)
            or (client.company is not None and not client.company.is_active)
        ):
            found.append(None)
            continue
        if client.last_used_at is None or client.last_used_at < at - SEEN_EVERY:
            stale.add(client.pk)
        found.append(_actor_of(client, knock.address))
    if stale:
        ApiClient.objects.filter(pk__in=stale).update(last_used_at=at)
    return found


def _actor_of(client: ApiClient, address: str) -> Actor:
    return Actor(
        kind=ActorKind.API_CLIENT,
        name=client.name,
        api_client_id=client.pk,
        is_operator=client.is_operator,
        interface="api",
        address=address,
        scopes=frozenset(client.scopes),
        memo={},
    )
