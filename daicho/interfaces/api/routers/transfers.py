"""Transfers: previewed, made, undone, and approved where the account wants it (S25)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.core.errors import NotFound
from daicho.core.text import name_key
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.files.store import UPLOAD_LIMIT, keep
from daicho.domain.ledger.commands.transfer import (
    Move,
    approve_transfer,
    decline_transfer,
    preview_transfer,
    transfer_licenses,
    withdraw_transfer,
)
from daicho.domain.ledger.commands.transfer_jobs import start_transfer_file
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.queries.entries import (
    TRANSFER_KINDS,
    EntryCriteria,
    EntryRow,
    Side,
    entry_lines,
    get_entry,
    get_request,
    list_entries,
    open_requests,
)
from daicho.domain.ledger.queries.errors import unknown_license
from daicho.domain.ledger.queries.sight import Sight, places_by_uid
from daicho.domain.ledger.queries.transfer_file import read_transfer_file
from daicho.interfaces.api.auth import actor_of, request_id_of
from daicho.interfaces.api.jobs import JobOut, started
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.routers.licenses import named, sight_of
from daicho.interfaces.api.schemas import MemoIn, Named, Quantity, Text, Told, Uid

router = Router(tags=["Transfers"])

Choice = Literal["soonest_end", "longest_term"]
Kind = Literal["transfer", "reuse", "move_unit", "assign_order", "undo"]


class MoveIn(Schema):
    """So many of a license from one virtual account (uid) to another; of one lot if it is named."""

    source: Uid
    target: Uid
    sku: Annotated[Text, Field(min_length=1, max_length=100)]
    quantity: Quantity
    lot: Uid | None = None


class TransferIn(Schema):
    """`choice`: which lots go first where none is named."""

    moves: list[MoveIn] = Field(min_length=1, max_length=10_000)
    choice: Choice = "soonest_end"
    memo: Text = Field("", max_length=500)


class EffectOut(Told):
    """A license in a virtual account before and after; `missing`: how many lack for it."""

    virtual_account: Named
    sku: str
    before: int
    after: int
    missing: int


class PreviewOut(Told):
    possible: bool
    effects: list[EffectOut]


class SideOut(Told):
    """One side of an act, as far as the caller sees it: some virtual accounts (`more` beyond them), places outside."""

    virtual_accounts: list[Named]
    more: int
    outside: list[str]
    another_virtual_account: bool


class EntryOut(Told):
    """An act that moved licenses."""

    uid: str
    kind: str
    at: dt.datetime
    actor: str
    memo: str
    quantity: int
    licenses: int
    source: SideOut
    target: SideOut
    undoes: str | None
    undone_by: str | None


class EntryLineOut(Told):
    """So many of a lot from here to there; null: outside, or a virtual account that the caller may not see."""

    sku: str
    lot: str
    quantity: int
    source: Named | None
    source_place: str
    target: Named | None
    target_place: str


class EntryDetailOut(EntryOut):
    lines: list[EntryLineOut]


class RequestOut(Told):
    """A transfer that waits, or waited, for an administrator of its source."""

    uid: str
    state: str
    source: Named
    requested_by: str
    memo: str
    created_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    reason: str
    entry: str | None


class OutcomeOut(Told):
    """The entry that was made, or the request that waits for approval."""

    entry: str | None
    request: str | None


class DecisionReasonIn(Schema):
    reason: Text = Field("", max_length=500)


def moves_of(sight: Sight, moves: list[MoveIn]) -> list[Move]:
    places = places_by_uid(sight, {uid for move in moves for uid in (move.source, move.target)})
    return moves_among(moves, places, tags_by_sku([move.sku for move in moves]))


def moves_among(moves: list[MoveIn], places: Mapping[str, Any], tags: Mapping[str, Any]) -> list[Move]:
    """The moves between these virtual accounts (by handle), of these licenses (by the key of their SKU)."""
    found = []
    for move in moves:
        if move.source not in places or move.target not in places:
            raise NotFound
        tag = tags.get(name_key(move.sku))
        if tag is None:
            raise unknown_license(move.sku)
        found.append(Move(places[move.source], places[move.target], tag, move.quantity, move.lot))
    return found


def side_out(side: Side) -> dict[str, Any]:
    return {
        "virtual_accounts": [named(va) for va in side.virtual_accounts],
        "more": side.more,
        "outside": list(side.outside),
        "another_virtual_account": side.hidden,
    }


def entry_out(row: EntryRow) -> dict[str, Any]:
    entry = row.entry
    return {
        "uid": entry.uid,
        "kind": entry.kind,
        "at": entry.at,
        "actor": entry.actor_name,
        "memo": entry.memo,
        "quantity": row.quantity,
        "licenses": row.tag_count,
        "source": side_out(row.source),
        "target": side_out(row.target),
        "undoes": entry.reverses.uid if entry.reverses else None,
        "undone_by": row.reversed_by.uid if row.reversed_by else None,
    }


def detail_out(sight: Sight, uid: str) -> dict[str, Any]:
    row = get_entry(sight, uid)
    lines = [
        {
            "sku": line.lot.tag.sku,
            "lot": line.lot.uid,
            "quantity": line.quantity,
            "source": named(line.source) if line.source else None,
            "source_place": line.source_kind,
            "target": named(line.target) if line.target else None,
            "target_place": line.target_kind,
        }
        for line in entry_lines(sight, row.entry, limit=10_000)
    ]
    return entry_out(row) | {"lines": lines}


def request_out(waiting: Any) -> dict[str, Any]:
    return {
        "uid": waiting.uid,
        "state": waiting.state,
        "source": named(waiting.source),
        "requested_by": waiting.requested_by_name,
        "memo": waiting.memo,
        "created_at": waiting.created_at,
        "decided_by": waiting.decided_by_name,
        "decided_at": waiting.decided_at,
        "reason": waiting.decision_reason,
        "entry": waiting.entry.uid if waiting.entry else None,
    }


def outcome_out(outcome: Any) -> dict[str, Any]:
    return {
        "entry": outcome.entry.uid if outcome.entry else None,
        "request": outcome.request.uid if outcome.request else None,
    }


@router.post("/accounts/{identifier}/transfers", response={201: OutcomeOut, **PROBLEMS}, operation_id="createTransfer")
def create_transfer(request: HttpRequest, identifier: str, body: TransferIn) -> Any:
    """Move spare licenses between virtual accounts in one atomic act; where the account wants it, ask for approval."""
    sight = sight_of(request, identifier, lists=False)
    outcome = transfer_licenses(
        actor_of(request), account=sight.account, request_id=request_id_of(request), moves=moves_of(sight, body.moves),
        choice=body.choice, memo=body.memo,
    )  # fmt: skip
    return Status(201, outcome_out(outcome))


@router.post(
    "/accounts/{identifier}/transfers/preview", response={200: PreviewOut, **PROBLEMS}, operation_id="previewTransfer"
)
def preview(request: HttpRequest, identifier: str, body: TransferIn) -> Any:
    """What a transfer would do, in numbers. Nothing is written."""
    sight = sight_of(request, identifier)
    moves = moves_of(sight, body.moves)
    seen = preview_transfer(actor_of(request), account=sight.account, moves=moves, choice=body.choice)
    effects = [
        {
            "virtual_account": named(effect.virtual_account),
            "sku": effect.tag.sku,
            "before": effect.before,
            "after": effect.after,
            "missing": effect.missing,
        }
        for effect in seen.effects
    ]
    return {"possible": seen.is_possible, "effects": effects}


@router.post(
    "/accounts/{identifier}/transfers/import",
    response={201: OutcomeOut, 202: JobOut, **PROBLEMS},
    operation_id="importTransfer",
)
def import_transfer(
    request: HttpRequest,
    identifier: str,
    file: File[UploadedFile],
    choice: Choice = "soonest_end",
    memo: Annotated[Text, Field(max_length=500)] = "",
) -> Any:
    """A transfer from a CSV or XLSX file (source, target, sku, quantity, lot).

    Up to 10,000 rows: all rows or none, in one act. More, up to 200,000: 202 and a job, in which each row succeeds or
    fails alone.
    """
    actor, request_id = actor_of(request), request_id_of(request)
    sight = sight_of(request, identifier)
    found = read_transfer_file(sight, file.read())
    if found.is_large:
        file.seek(0)
        kept = keep(
            file.name or "transfer.csv", file.content_type or "text/csv", file.chunks(), actor=actor, limit=UPLOAD_LIMIT
        )
        job = start_transfer_file(
            actor, account=sight.account, request_id=request_id, file=kept, rows=found.count, choice=choice, memo=memo
        )
        return started(job)
    found.ensure_clean()
    outcome = transfer_licenses(
        actor, account=sight.account, request_id=request_id, moves=found.moves, choice=choice, memo=memo
    )
    return Status(201, outcome_out(outcome))


@router.get(
    "/accounts/{identifier}/transfers", response={200: Paged[EntryOut], **PROBLEMS}, operation_id="listTransfers"
)
def get_transfers(
    request: HttpRequest,
    identifier: str,
    paging: Query[PageParams],
    kind: Kind | None = None,
    text: Annotated[Text, Field(max_length=200)] = "",
    sku: Annotated[Text, Field(max_length=100)] = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
    virtual_account: Annotated[str, Field(max_length=16)] = "",
) -> Any:
    """Acts that moved licenses between virtual accounts, the newest first."""
    sight = sight_of(request, identifier, virtual_account)
    criteria = EntryCriteria(text=text, kinds=(kind,) if kind else TRANSFER_KINDS, sku=sku, since=since, until=until)
    return paged(list_entries(sight, criteria, cursor=paging.cursor, size=paging.size), entry_out)


@router.get(
    "/accounts/{identifier}/transfers/{uid}", response={200: EntryDetailOut, **PROBLEMS}, operation_id="getTransfer"
)
def get_transfer(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One act, line by line."""
    return detail_out(sight_of(request, identifier), uid)


@router.post(
    "/accounts/{identifier}/transfers/{uid}/undo",
    response={201: EntryDetailOut, **PROBLEMS},
    operation_id="undoTransfer",
)
def undo(request: HttpRequest, identifier: str, uid: Uid, body: MemoIn) -> Any:
    """Undo an act by a counter entry, whole or not at all, once."""
    sight = sight_of(request, identifier)
    entry = undo_entry(
        actor_of(request), account=sight.account, entry_uid=uid, request_id=request_id_of(request), memo=body.memo
    )
    return Status(201, detail_out(sight, entry.uid))


@router.get(
    "/accounts/{identifier}/transfer-requests",
    response={200: list[RequestOut], **PROBLEMS},
    operation_id="listTransferRequests",
)
def get_requests(
    request: HttpRequest,
    identifier: str,
    state: Literal["open", "approved", "declined", "withdrawn"] = "open",
    virtual_account: Annotated[str, Field(max_length=16)] = "",
) -> Any:
    """Transfers that wait for approval at a source that the caller sees, the oldest first, 200 at most."""
    return [request_out(one) for one in open_requests(sight_of(request, identifier, virtual_account), state=state)]


@router.get(
    "/accounts/{identifier}/transfer-requests/{uid}",
    response={200: RequestOut, **PROBLEMS},
    operation_id="getTransferRequest",
)
def get_one_request(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """A transfer that waits, or waited, for an administrator of its source."""
    return request_out(get_request(sight_of(request, identifier), uid))


@router.post(
    "/accounts/{identifier}/transfer-requests/{uid}/approve",
    response={200: OutcomeOut, **PROBLEMS},
    operation_id="approveTransferRequest",
)
def approve(request: HttpRequest, identifier: str, uid: Uid, body: DecisionReasonIn) -> Any:
    """Approve a transfer out of one's virtual account, which makes it at once."""
    account = sight_of(request, identifier).account
    return outcome_out(approve_transfer(actor_of(request), account=account, request_uid=uid, reason=body.reason))


@router.post(
    "/accounts/{identifier}/transfer-requests/{uid}/decline",
    response={200: OutcomeOut, **PROBLEMS},
    operation_id="declineTransferRequest",
)
def decline(request: HttpRequest, identifier: str, uid: Uid, body: DecisionReasonIn) -> Any:
    """Decline a transfer out of one's virtual account."""
    account = sight_of(request, identifier).account
    return outcome_out(decline_transfer(actor_of(request), account=account, request_uid=uid, reason=body.reason))


@router.post(
    "/accounts/{identifier}/transfer-requests/{uid}/withdraw",
    response={200: OutcomeOut, **PROBLEMS},
    operation_id="withdrawTransferRequest",
)
def withdraw(request: HttpRequest, identifier: str, uid: Uid, body: DecisionReasonIn) -> Any:
    """Take back a transfer request of one's own."""
    account = sight_of(request, identifier).account
    return outcome_out(withdraw_transfer(actor_of(request), account=account, request_uid=uid, reason=body.reason))
