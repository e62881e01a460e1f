"""A person's own drafts; nobody else's."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.domain.access.models import Draft
from daicho.domain.tenancy.models import SmartAccount


def get_draft(actor: Actor, account: SmartAccount, kind: str, uid: str) -> Draft:
    """The actor's own draft of this kind, or NotFound."""
    if actor.user_id is None:
        raise NotFound
    draft = Draft.objects.filter(user_id=actor.user_id, account=account, kind=kind, uid=uid).first()
    if draft is None:
        raise NotFound
    return draft


def open_drafts(actor: Actor, account: SmartAccount, kind: str = "") -> list[Draft]:
    """The actor's drafts in the account, the last touched first."""
    if actor.user_id is None:
        return []
    found = Draft.objects.filter(user_id=actor.user_id, account=account)
    if kind:
        found = found.filter(kind=kind)
    return list(found.order_by("-updated_at")[:20])
