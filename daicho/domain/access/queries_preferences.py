"""What a person chose in a list."""

from __future__ import annotations

from typing import Any

from daicho.core.actor import Actor
from daicho.domain.access.models import Preference


def list_choices(actor: Actor, list_key: str) -> dict[str, Any]:
    """`columns` (keys, or None for the list's own) and `views` ([name, query string]); empty when nothing was chosen."""
    if actor.user_id is None:
        return {}
    found = Preference.objects.filter(user_id=actor.user_id, key=f"list.{list_key}"[:100]).first()
    return dict(found.value) if found else {}
