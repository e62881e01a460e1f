"""What a revocation or a correction would do: the act itself, rolled back, so that there is no second rule."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from daicho.core.actor import Actor
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.commands.cancel import revoke_lot
from daicho.domain.ledger.commands.correct import ORDER, correct_lot
from daicho.domain.ledger.commands.deposit import NewLot
from daicho.domain.ledger.models import Holding, Lot, Place, Pool
from daicho.domain.ledger.queries.held import Held
from daicho.domain.tenancy.models import SmartAccount

UNSAID = "–"  # a preview needs no reason


@dataclass(frozen=True, slots=True)
class RevocationPreview:
    """How many would be revoked, how many stay with units until they return them, and how many uses become short."""

    revoked: int
    left: int
    held: list[Held]
    newly_short: int


@dataclass(frozen=True, slots=True)
class CorrectionPreview:
    """How many there are outside of units' hands now and then, how many of those would be unassigned, and how many uses
    become short. Below zero: so many shortages are covered."""

    before: int
    after: int
    unassigned: int
    held: list[Held]
    newly_short: int


def preview_revocation(actor: Actor, *, account: SmartAccount, lot: Lot) -> RevocationPreview:
    """What `revoke_lot` would do, and nothing of it done. Raises the same refusals."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    with _rolled_back():
        places = _places_of(lot)
        short = _short(places)
        done = revoke_lot(actor, account=account, request_id=uuid.uuid4(), lot=lot, reason=UNSAID)
        return RevocationPreview(done.revoked, done.left, done.held, _short(places) - short)


def preview_correction(actor: Actor, *, account: SmartAccount, lot: Lot, right: NewLot) -> CorrectionPreview:
    """What `correct_lot` would do, and nothing of it done. Raises the same refusals."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    with _rolled_back():
        places = _places_of(lot)
        short, before = _short(places), outside_hands(lot)
        done = correct_lot(actor, account=account, request_id=uuid.uuid4(), lot=lot, right=right, reason=UNSAID)
        unassigned = _sum(Holding.objects.filter(lot=done.lot, place__kind=Place.Kind.UNASSIGNED))
        return CorrectionPreview(before, right.quantity, unassigned, done.held, _short(places) - short)


def outside_hands(lot: Lot) -> int:
    """How many of a lot no unit holds, ended ones included: what a correction exchanges."""
    return _sum(Holding.objects.filter(lot=lot, place__kind__in=ORDER))


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _places_of(lot: Lot) -> list[int]:
    held = Holding.objects.filter(lot=lot, quantity__gt=0, place__virtual_account__isnull=False)
    return [place for place in held.values_list("place__virtual_account_id", flat=True).distinct() if place is not None]


def _short(places: list[int]) -> int:
    """What the pools of these virtual accounts lack, all tiers of a ladder included."""
    found = Pool.objects.filter(virtual_account__in=places).aggregate(n=Sum("balance", filter=Q(balance__lt=0)))["n"]
    return -int(found or 0)


def _sum(holdings: QuerySet[Holding]) -> int:
    return int(holdings.aggregate(n=Sum("quantity"))["n"] or 0)
