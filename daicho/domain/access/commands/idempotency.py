"""Keep the first answer to a request of a program (product.md, Licenses: everything is idempotent)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import models

from daicho.core.clock import now
from daicho.core.db import is_postgres
from daicho.core.statements import among, ask, fetch, insert_rows
from daicho.domain.access.models import IdempotentRequest

KEPT = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed key: its first answer when there is one, and whether it was used for other content."""

    row_id: int
    is_other_content: bool = False
    status: int | None = None
    answer: str = ""


def claim_request(*, owner: str, key: str, fingerprint: str) -> Claim:
    """Claim a key inside the caller's transaction; waits while another transaction holds the same key."""
    made = ask(
        "INSERT INTO access_idempotentrequest (owner, key, fingerprint, status, answer, created_at)"
        " VALUES (%s, %s, %s, NULL, '', %s) ON CONFLICT (owner, key) DO NOTHING RETURNING id",
        [owner, key, fingerprint, now()],
    )
    if made:
        return Claim(made[0][0])
    lock = " FOR UPDATE" if is_postgres() else ""
    (row,) = fetch(IdempotentRequest, f"WHERE owner = %s AND key = %s{lock}", [owner, key])
    return Claim(row.pk, row.fingerprint != fingerprint, row.status, row.answer)


def keep_answer(claim: Claim, *, status: int, answer: str) -> None:
    """Remember the answer of the act that is about to commit."""
    ask("UPDATE access_idempotentrequest SET status = %s, answer = %s WHERE id = %s", [status, answer, claim.row_id])


def claimed_before(keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (owner, key) that were used already."""
    owners, names = sorted({owner for owner, _ in keys}), sorted({key for _, key in keys})
    of_owners, first = among("owner", owners)
    of_names, second = among("key", names)
    statement = f"SELECT owner, key FROM access_idempotentrequest WHERE {of_owners} AND {of_names}"  # noqa: S608
    return {(owner, key) for owner, key in ask(statement, [*first, *second])}


@dataclass(frozen=True, slots=True)
class Kept:
    """A key with the answer of its act."""

    owner: str
    key: str
    fingerprint: str
    status: int
    answer: str


def claim_answered(kept: Iterable[Kept]) -> None:
    """Claim many keys together with their answers; raises IntegrityError if one was taken in the meantime."""
    at = now()
    rows = [(one.owner, one.key, one.fingerprint, one.status, one.answer, at) for one in kept]
    insert_rows(IdempotentRequest, ("owner", "key", "fingerprint", "status", "answer", "created_at"), sorted(rows))


def forget_old_requests() -> int:
    """Drop answers older than 7 days; returns how many."""
    old: models.QuerySet[IdempotentRequest] = IdempotentRequest.objects.filter(created_at__lt=now() - KEPT)
    return old.delete()[0]
