"""What a person has typed so far in a wizard: kept on the server, so that a closed browser loses nothing."""

from __future__ import annotations

from typing import Any

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.models import Draft
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.access.queries_drafts import get_draft
from daicho.domain.tenancy.models import SmartAccount

MOST = 20


@command(permission=None, events=())
def keep_wizard_draft(actor: Actor, *, account: SmartAccount, kind: str, data: dict[str, Any], uid: str = "") -> Draft:
    """A person keeps what he typed; with `uid` in the draft he began, else in a new one (the oldest beyond 20 goes)."""
    user = ensure_signed_in(actor)
    if uid:
        draft = get_draft(actor, account, kind, uid)
        draft.data = data
        draft.save(update_fields=["data", "updated_at"])
        return draft
    kept = Draft.objects.filter(user=user, account=account, kind=kind).order_by("-updated_at")
    Draft.objects.filter(pk__in=list(kept.values_list("pk", flat=True)[MOST - 1 :])).delete()
    return Draft.objects.create(user=user, account=account, kind=kind, data=data)


@command(permission=None, events=())
def drop_wizard_draft(actor: Actor, *, account: SmartAccount, kind: str, uid: str) -> None:
    """A person throws a draft away, or has finished it."""
    get_draft(actor, account, kind, uid).delete()
