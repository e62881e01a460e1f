"""Who may do what: people, rights, programs; and who knocks with a program's secret."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.statements import fetch
from daicho.domain.access.models import ApiClient

SEEN_EVERY = timedelta(minutes=5)


def authenticate_api_client(uid: str, secret: str, *, address: str = "") -> Actor | None:
    """The program with this uid and secret as an actor of the API, else None.

    None, too, for a revoked or ended client and for one of a partner company that is not active any more. Notes the
    use at most every five minutes.
    """
    client = next(iter(fetch(ApiClient, "WHERE uid = %s AND revoked_at IS NULL", [uid])), None)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    at = now()
    if (
        client is None
        or not hmac.compare_digest(client.secret_hash, digest)
        or (client.ends_at is not None and client.ends_at <= at)
        or (client.company is not None and not client.company.is_active)
    ):
        return None
    if client.last_used_at is None or client.last_used_at < at - SEEN_EVERY:
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=at)
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
