"""Write an event in the act's own transaction."""

from __future__ import annotations

import uuid
from typing import Any

from daicho.core.actor import Actor
from daicho.domain.audit.kinds import KINDS
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


def record(
    actor: Actor,
    kind: str,
    *,
    account: SmartAccount | None = None,
    virtual_account: VirtualAccount | None = None,
    other_virtual_account: VirtualAccount | None = None,
    subject: str = "",
    subject_uid: str = "",
    before: Any = None,
    after: Any = None,
    memo: str = "",
    act: uuid.UUID | None = None,
) -> Event:
    """One line of the log. `kind` must be one of audit.kinds; `before`/`after` are plain JSON values.

    Who may see only `virtual_account` sees this row, so nothing in it may name another one: put that into
    `other_virtual_account`, which is shown only to who may see it.
    """
    if kind not in KINDS:
        raise LookupError(f"unknown event kind {kind}")
    return Event.objects.create(
        account=account,
        virtual_account=virtual_account,
        other_virtual_account=other_virtual_account,
        kind=kind,
        act=act or actor.request_id,
        actor_kind=actor.kind,
        actor_name=actor.name[:200],
        actor_user_id=actor.user_id,
        actor_api_client_id=actor.api_client_id,
        interface=actor.interface,
        address=actor.address,
        subject=subject[:300],
        subject_uid=subject_uid,
        before=before,
        after=after,
        memo=memo[:500],
    )
