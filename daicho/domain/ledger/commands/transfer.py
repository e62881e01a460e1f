"""Licenses move between virtual accounts: checked beforehand, done as one entry, or sent for approval (S1, S25)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import Forbidden, NotFound
from daicho.core.statements import fetch
from daicho.core.text import fingerprint
from daicho.domain.access.policy import Scope, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book
from daicho.domain.ledger.carrying import ChosenLot, Move, asked_of, carry, ensure_all_carried, gaps_of, spots_of
from daicho.domain.ledger.door import ensure_lines, ensure_may_in, names_for
from daicho.domain.ledger.errors import (
    one_source_at_a_time,
    request_id_reused,
    same_virtual_account,
    transfer_request_closed,
)
from daicho.domain.ledger.events import record_moves
from daicho.domain.ledger.judging import Names, shortage
from daicho.domain.ledger.models import Entry, TransferRequest
from daicho.domain.ledger.posting import Refuse, open_book, post
from daicho.domain.ledger.rules import Act, Choice
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

__all__ = [
    "ChosenLot",
    "Move",
    "PoolEffect",
    "TransferOutcome",
    "TransferPreview",
    "approve_transfer",
    "decline_transfer",
    "preview_transfer",
    "transfer_licenses",
    "withdraw_transfer",
]


@dataclass(frozen=True, slots=True)
class TransferOutcome:
    """The entry, or the request that waits for an administrator of the source; approved in the meantime, both."""

    entry: Entry | None
    request: TransferRequest | None


@dataclass(frozen=True, slots=True)
class PoolEffect:
    """What a transfer does to one license in one virtual account: balance before and after, and what lacks for it."""

    virtual_account: VirtualAccount
    tag: LicenseTag
    before: int
    after: int
    missing: int


@dataclass(frozen=True, slots=True)
class TransferPreview:
    effects: list[PoolEffect]
    lots: list[ChosenLot]

    @property
    def is_possible(self) -> bool:
        return not any(effect.missing for effect in self.effects)


@command(permission=Permission.LICENSES_MANAGE, events=("license.transferred", "license.transfer_requested"))
def transfer_licenses(
    actor: Actor,
    *,
    account: SmartAccount,
    request_id: uuid.UUID,
    moves: Sequence[Move],
    choice: str = Choice.SOONEST_END,
    memo: str = "",
) -> TransferOutcome:
    """Move spare licenses between virtual accounts, all or nothing, as one entry.

    Where the account wants approval and the actor is no administrator of the source, it waits as a request. The
    actor must manage licenses in source and target. Raises not_enough_licenses, request_id_reused (409),
    same_virtual_account, bad_quantity, too_many_lines (422), not_found for a lot that is not in its source.
    """
    scope = ensure_may_transfer(actor, account, moves)
    for waiting in fetch(TransferRequest, "WHERE account_id = %s AND request_id = %s", [account.pk, request_id]):
        return _same_again(waiting, moves, choice, memo)
    if needs_approval(actor, account, scope, moves):
        return _ask_for_approval(actor, account, request_id, moves, choice, memo)
    names = names_for(scope, [place for move in moves for place in (move.source, move.target)])
    return TransferOutcome(post_transfer(actor, account, request_id, moves, choice, memo, names), None)


def post_transfer(
    actor: Actor,
    account: SmartAccount,
    request_id: uuid.UUID,
    moves: Sequence[Move],
    choice: str,
    memo: str,
    names: Names,
) -> Entry:
    """Post and record a transfer that somebody was allowed to make."""

    def write(book: Book, entry: Entry) -> None:
        chosen = carry(book, entry, moves, Choice(choice))
        ensure_all_carried("transfer", book, moves, chosen, names)

    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.TRANSFER,
        act=Act.TAKE,
        content=content_of(moves, choice),
        reach=lambda book: spots_of(moves),
        write=write,
        refuse=refusing(moves, names),
        memo=memo,
    )
    if posted.book is not None:
        record_moves(actor, "license.transferred", posted.entry, posted.book)
    return posted.entry


def refusing(moves: Sequence[Move], names: Names) -> Refuse:
    """What the judge's no becomes for these moves."""
    return lambda book, short: shortage("transfer", book, short, asked_of(moves), names)


def preview_transfer(
    actor: Actor, *, account: SmartAccount, moves: Sequence[Move], choice: str = Choice.SOONEST_END
) -> TransferPreview:
    """What a transfer would do, in numbers: the act itself, taken back. Raises as `transfer_licenses`, but never for a shortage."""
    ensure_may_transfer(actor, account, moves)
    with transaction.atomic():
        book = open_book(lambda book: spots_of(moves))
        chosen = carry(book, Entry(), moves, Choice(choice))
        book.reckon_all()
        effects = _effects(book, moves, chosen)
        transaction.set_rollback(True)
    return TransferPreview(effects, chosen)


def _effects(book: Book, moves: Sequence[Move], chosen: Sequence[ChosenLot]) -> list[PoolEffect]:
    names = {place.pk: place for move in moves for place in (move.source, move.target)}
    gap: dict[tuple[int, int], int] = defaultdict(int)
    missing: dict[tuple[int, int], int] = defaultdict(int)
    for move, lacking in gaps_of(moves, chosen).items():
        missing[move.source.pk, move.tag.pk] += lacking
        gap[move.source.pk, move.tag.pk] -= lacking
        gap[move.target.pk, move.tag.pk] += lacking
    touched = {key for move in moves for key in ((move.source.pk, move.tag.pk), (move.target.pk, move.tag.pk))}
    return [
        PoolEffect(
            names[pool.virtual_account_id],
            pool.tag,
            pool.before.balance,
            pool.figures.balance + gap[key],
            pool.change.missing + missing[key],
        )
        for key, pool in book.pools.items()
        if key in touched or pool.figures.balance != pool.before.balance
    ]


def content_of(moves: Sequence[Move], choice: str) -> list[object]:
    """What makes two transfers the same request."""
    return [[move.content() for move in moves], str(choice)]


def ensure_may_transfer(actor: Actor, account: SmartAccount, moves: Sequence[Move]) -> Scope:
    """Let the actor pass who manages licenses in every source and target; raises as `transfer_licenses`."""
    ensure_lines(move.quantity for move in moves)
    places = [place for move in moves for place in (move.source, move.target)]
    scope = ensure_may_in(actor, Permission.LICENSES_MANAGE, account, places)
    if any(move.source.pk == move.target.pk for move in moves):
        raise same_virtual_account()
    return scope


def needs_approval(actor: Actor, account: SmartAccount, scope: Scope, moves: Sequence[Move]) -> bool:
    """Whether these moves must wait for an administrator of their source."""
    return (
        account.transfers_need_approval
        and not actor.is_system
        and not all(scope.allows(Permission.TRANSFERS_APPROVE, move.source.pk) for move in moves)
    )


def _same_again(waiting: TransferRequest, moves: Sequence[Move], choice: str, memo: str) -> TransferOutcome:
    if waiting.fingerprint != fingerprint([content_of(moves, choice), memo]):
        raise request_id_reused()
    return TransferOutcome(waiting.entry, waiting)


def _ask_for_approval(
    actor: Actor, account: SmartAccount, request_id: uuid.UUID, moves: Sequence[Move], choice: str, memo: str
) -> TransferOutcome:
    """Let a transfer wait for an administrator of its source; refused at once if it is impossible now."""
    source = moves[0].source
    if any(move.source.pk != source.pk for move in moves):
        raise one_source_at_a_time()
    claim = TransferRequest(
        account=account, source=source, request_id=request_id, memo=memo[:500],
        fingerprint=fingerprint([content_of(moves, choice), memo]),
        moves=[
            {"source": move.source.uid, "target": move.target.uid, "tag": move.tag.uid, "sku": move.tag.sku,
             "quantity": move.quantity, "lot": move.lot_uid, "choice": str(choice)}
            for move in moves
        ],
        requested_by_id=actor.user_id, requested_by_name=actor.name[:200],
    )  # fmt: skip
    TransferRequest.objects.bulk_create([claim], ignore_conflicts=True)
    waiting = TransferRequest.objects.select_related("entry").get(account=account, request_id=request_id)
    if waiting.uid == claim.uid:
        record_many(_told(actor, "license.transfer_requested", waiting, moves))
    return _same_again(waiting, moves, choice, memo)


@command(permission=Permission.TRANSFERS_APPROVE, events=("license.transferred",))
def approve_transfer(actor: Actor, *, account: SmartAccount, request_uid: str, reason: str = "") -> TransferOutcome:
    """Approve a transfer out of one's virtual account, which makes it at once.

    Raises not_enough_licenses (it stays open), transfer_request_closed (409), not_found.
    """
    waiting, scope = _decide(actor, account, request_uid, Permission.TRANSFERS_APPROVE)
    moves, choice = _moves_of(waiting)
    names = names_for(scope, [place for move in moves for place in (move.source, move.target)])
    waiting.entry = post_transfer(actor, account, waiting.request_id, moves, choice, waiting.memo, names)
    return _close(actor, waiting, TransferRequest.State.APPROVED, reason)


@command(permission=Permission.TRANSFERS_APPROVE, events=("license.transfer_declined",))
def decline_transfer(actor: Actor, *, account: SmartAccount, request_uid: str, reason: str = "") -> TransferOutcome:
    """Decline a transfer out of one's virtual account; the requester reads the reason."""
    waiting, _ = _decide(actor, account, request_uid, Permission.TRANSFERS_APPROVE)
    record_many(_told(actor, "license.transfer_declined", waiting, _moves_of(waiting)[0], reason))
    return _close(actor, waiting, TransferRequest.State.DECLINED, reason)


@command(permission=Permission.LICENSES_MANAGE, events=("license.transfer_withdrawn",))
def withdraw_transfer(actor: Actor, *, account: SmartAccount, request_uid: str, reason: str = "") -> TransferOutcome:
    """Take back a transfer request of one's own."""
    waiting, _ = _decide(actor, account, request_uid, Permission.LICENSES_MANAGE)
    if not actor.is_system and (actor.user_id is None or waiting.requested_by_id != actor.user_id):
        raise Forbidden(Permission.LICENSES_MANAGE)
    record_many(_told(actor, "license.transfer_withdrawn", waiting, _moves_of(waiting)[0], reason))
    return _close(actor, waiting, TransferRequest.State.WITHDRAWN, reason)


def _decide(
    actor: Actor, account: SmartAccount, request_uid: str, permission: Permission
) -> tuple[TransferRequest, Scope]:
    """The open request, locked, if the actor may decide about it."""
    requests = TransferRequest.objects.select_for_update(of=("self",), no_key=True).select_related("source")
    waiting = requests.filter(account=account, uid=request_uid).first()
    if waiting is None:
        raise NotFound
    scope = ensure_may(actor, permission, account, waiting.source)
    if waiting.state != TransferRequest.State.OPEN:
        raise transfer_request_closed()
    return waiting, scope


def _close(actor: Actor, waiting: TransferRequest, state: TransferRequest.State, reason: str) -> TransferOutcome:
    waiting.state = state
    waiting.decided_by_name = actor.name[:200]
    waiting.decision_reason = reason[:500]
    waiting.decided_at = now()
    waiting.save(update_fields=["state", "decided_by_name", "decision_reason", "decided_at", "entry"])
    return TransferOutcome(waiting.entry, waiting)


def _moves_of(waiting: TransferRequest) -> tuple[list[Move], str]:
    """The moves as they were asked for; NotFound if a virtual account is gone."""
    lines = waiting.moves
    uids = {line[side] for line in lines for side in ("source", "target")}
    places = {
        place.uid: place
        for place in VirtualAccount.objects.filter(account_id=waiting.account_id, uid__in=uids, deleted_at=None)
    }
    if len(places) < len(uids):
        raise NotFound
    tags = {tag.uid: tag for tag in LicenseTag.objects.filter(uid__in={line["tag"] for line in lines})}
    moves = [
        Move(places[line["source"]], places[line["target"]], tags[line["tag"]], line["quantity"], line["lot"])
        for line in lines
    ]
    return moves, lines[0]["choice"]


def _told(actor: Actor, kind: str, waiting: TransferRequest, moves: Sequence[Move], reason: str = "") -> list[Event]:
    """The request as the source's log tells it: nothing has moved, so the target's log stays silent."""
    return [
        describe(
            actor, kind, account_id=waiting.account_id, virtual_account_id=move.source.pk,
            other_virtual_account_id=move.target.pk, subject=move.tag.sku, subject_uid=waiting.uid,
            after={"quantity": move.quantity, "direction": "out"}, memo=reason or waiting.memo,
        )
        for move in moves
    ]  # fmt: skip
