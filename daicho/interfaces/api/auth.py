"""Who calls: an API client by its secret, or a person by the portal's session."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja.security import HttpBearer, SessionAuth

from daicho.core.actor import Actor, ActorKind
from daicho.core.ids import derived_uuid
from daicho.domain.access.queries import authenticate_api_client


class ClientSecret(HttpBearer):
    """`Authorization: Bearer <client id>.<secret>`."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        known: Actor | None = getattr(request, "daicho_actor", None)
        if known is not None:
            return known  # the idempotency wrapper has asked already
        uid, _, secret = token.partition(".")
        actor = authenticate_api_client(uid, secret, address=request.META.get("REMOTE_ADDR", ""))
        if actor is not None:
            request.daicho_actor = actor  # type: ignore[attr-defined]
        return actor


class PortalSession(SessionAuth):
    """The cookie of the portal; writes need the CSRF header."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = request.user
        if not user.is_authenticated:
            return None
        request.daicho_actor = Actor(  # type: ignore[attr-defined]
            ActorKind.USER,
            user.name or user.email,
            user_id=user.pk,
            is_operator=user.is_operator,
            interface="api",
            address=request.META.get("REMOTE_ADDR", ""),
            language=get_language() or "en",
            memo={},
        )
        return user


AUTHENTICATION = [ClientSecret(), PortalSession()]


def actor_of(request: HttpRequest) -> Actor:
    """The actor that authentication found."""
    actor: Actor = request.daicho_actor  # type: ignore[attr-defined]
    return actor


def request_id_of(request: HttpRequest) -> uuid.UUID:
    """The act's request id: the same for the same caller and Idempotency-Key, a new one without a key."""
    key = request.headers.get("Idempotency-Key", "").strip()
    return derived_uuid(owner_of(request), key) if key else uuid.uuid4()


def owner_of(request: HttpRequest) -> str:
    """Whose keys these are: keys of two callers never meet."""
    actor = actor_of(request)
    return f"client:{actor.api_client_id}" if actor.api_client_id is not None else f"user:{actor.user_id}"
