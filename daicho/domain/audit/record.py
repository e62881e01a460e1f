"""Write events in the act's own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.ids import new_uids
from daicho.core.statements import JsonText, insert_rows
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
    event = describe(
        actor,
        kind,
        account_id=account.pk if account else None,
        virtual_account_id=virtual_account.pk if virtual_account else None,
        other_virtual_account_id=other_virtual_account.pk if other_virtual_account else None,
        subject=subject,
        subject_uid=subject_uid,
        before=before,
        after=after,
        memo=memo,
        act=act,
    )
    event.save(force_insert=True)
    return event


def describe(
    actor: Actor,
    kind: str,
    *,
    account_id: int | None,
    virtual_account_id: int | None = None,
    other_virtual_account_id: int | None = None,
    subject: str = "",
    subject_uid: str = "",
    before: Any = None,
    after: Any = None,
    memo: str = "",
    act: uuid.UUID | None = None,
) -> Event:
    """A line of the log that is not written yet, by ids: for acts that write many (`record_many`)."""
    if kind not in KINDS:
        raise LookupError(f"unknown event kind {kind}")
    return Event(
        account_id=account_id,
        virtual_account_id=virtual_account_id,
        other_virtual_account_id=other_virtual_account_id,
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


def record_many(events: Iterable[Event]) -> None:
    """Write described lines, in their order, by as few statements as there may be."""
    fields = [field for field in Event._meta.concrete_fields if not field.primary_key]
    rows = [[getattr(event, field.attname) for field in fields] for event in events]
    insert_rows(Event, [field.name for field in fields], rows)


class Line(NamedTuple):
    """A line about one virtual account in the fewest words, for acts that write thousands of them."""

    kind: str
    account_id: int
    virtual_account_id: int
    subject: str
    subject_uid: str
    before: JsonText
    after: JsonText
    act: uuid.UUID


def record_lines(actor: Actor, lines: Sequence[Line]) -> None:
    """Write them, in their order, without a model of each."""
    if unknown := {line.kind for line in lines} - set(KINDS):
        raise LookupError(f"unknown event kinds {unknown}")
    columns = (
        "uid", "account", "virtual_account", "kind", "act", "at", "actor_kind", "actor_name", "actor_user_id",
        "actor_api_client_id", "interface", "address", "subject", "subject_uid", "before", "after", "memo",
    )  # fmt: skip
    at, name = now(), actor.name[:200]
    rows = [
        (
            uid, line.account_id, line.virtual_account_id, line.kind, line.act, at, actor.kind, name, actor.user_id,
            actor.api_client_id, actor.interface, actor.address, line.subject[:300], line.subject_uid, line.before,
            line.after, "",
        )
        for uid, line in zip(new_uids(len(lines)), lines, strict=True)
    ]  # fmt: skip
    insert_rows(Event, columns, rows)
