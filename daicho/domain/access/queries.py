"""Who may do what: people, rights, programs; and who knocks with a program's secret."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor, ActorKind
from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.access.models import ApiClient

SEEN_EVERY = timedelta(minutes=5)


def authenticate_api_client(uid: str, secret: str) -> Actor:
    """The program with this uid and secret as an actor of the API.

    Raises `bad_credentials` (401), the same for a wrong secret, an unknown, revoked or ended client and a partner
    company that is not active any more. Notes the use at most every five minutes.
    """
    client = ApiClient.objects.select_related("company").filter(uid=uid, revoked_at=None).first()
    digest = hashlib.sha256(secret.encode()).hexdigest()
    at = now()
    if (
        client is None
        or not hmac.compare_digest(client.secret_hash, digest)
        or (client.ends_at is not None and client.ends_at <= at)
        or (client.company is not None and not client.company.is_active)
    ):
        raise BusinessError("bad_credentials", 401, _("The client or its secret is wrong, revoked or ended."))
    seen = Q(last_used_at=None) | Q(last_used_at__lt=at - SEEN_EVERY)
    ApiClient.objects.filter(seen, pk=client.pk).update(last_used_at=at)
    return Actor(
        kind=ActorKind.API_CLIENT,
        name=client.name,
        api_client_id=client.pk,
        is_operator=client.is_operator,
        interface="api",
    )
