"""The four numbers of the home page and the balance of each virtual account."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from daicho.domain.ledger.models import Pool, TransferRequest
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.states import horizon
from daicho.domain.tenancy.models import VirtualAccount

ALIKE = 100


@dataclass(frozen=True, slots=True)
class Summary:
    """Short pools' licenses and their sum, the sum of what is spare, what has not started, pools at all, transfers that wait for approval."""

    short_licenses: int
    short_quantity: int
    spare_quantity: int
    pending_quantity: int
    pools: int
    waiting_transfers: int


@dataclass(frozen=True, slots=True)
class VirtualAccountBalance:
    """One virtual account: what is short and what is spare there, summed over its licenses."""

    virtual_account: VirtualAccount
    short: int
    spare: int
    licenses: int
    short_licenses: int
    ending: int


def summary(sight: Sight) -> Summary:
    """Two queries, whatever the size of the account."""
    pools = sight.pools().order_by()
    found = pools.aggregate(
        short_licenses=Count("tag", filter=Q(balance__lt=0), distinct=True),
        short=Sum("balance", filter=Q(balance__lt=0)),
        spare=Sum("balance", filter=Q(balance__gt=0)),
        not_started=Sum("pending"),
        pools=Count("pk", filter=Q(purchased__gt=0) | Q(pending__gt=0) | Q(in_use__gt=0)),
    )
    waiting = TransferRequest.objects.filter(sight.condition("source"), account=sight.account, state="open").count()
    return Summary(
        short_licenses=found["short_licenses"],
        short_quantity=-(found["short"] or 0),
        spare_quantity=found["spare"] or 0,
        pools=found["pools"],
        pending_quantity=found["not_started"] or 0,
        waiting_transfers=waiting,
    )


def shortest_pools(sight: Sight, limit: int = 5) -> list[Pool]:
    """The pools that lack most."""
    return list(sight.pools().filter(balance__lt=0).order_by("balance", "uid")[:limit])


def virtual_account_balances(sight: Sight, limit: int = 10) -> list[VirtualAccountBalance]:
    """The virtual accounts that hold or use licenses: the shortest first, then those with most to spare."""
    pools = sight.pools().order_by()
    if (shortest := _shortest(pools, limit)) is not None:
        pools = pools.filter(virtual_account__in=shortest)
    rows = (
        pools.values("virtual_account_id")
        .annotate(
            missing=Coalesce(Sum("balance", filter=Q(balance__lt=0)), 0),
            spare=Coalesce(Sum("balance", filter=Q(balance__gt=0)), 0),
            licenses=Count("pk", filter=Q(purchased__gt=0) | Q(pending__gt=0) | Q(in_use__gt=0)),
            short_licenses=Count("pk", filter=Q(balance__lt=0)),
            ending=Count("pk", filter=Q(next_end_at__lte=horizon(), purchased__gt=0)),
        )
        .filter(licenses__gt=0)
        .order_by("missing", F("spare").desc(), "virtual_account_id")[:limit]
    )
    found = list(rows)
    places = VirtualAccount.objects.in_bulk([row["virtual_account_id"] for row in found])
    return [
        VirtualAccountBalance(
            places[row["virtual_account_id"]],
            -row["missing"],
            row["spare"],
            row["licenses"],
            row["short_licenses"],
            row["ending"],
        )
        for row in found
    ]


def _shortest(pools: QuerySet[Pool], limit: int) -> list[int] | None:
    """The virtual accounts among which the `limit` shortest are, read from the index on balances alone.

    None where fewer lack anything, or too many lack the same: then all pools must be summed.
    """
    short = pools.filter(balance__lt=0).values("virtual_account_id").annotate(missing=Sum("balance"))
    found = list(short.order_by("missing").values_list("virtual_account_id", "missing")[: limit + ALIKE + 1])
    if len(found) < limit:
        return None
    alike = [place for place, missing in found if missing <= found[limit - 1][1]]
    return alike if len(alike) <= limit + ALIKE else None
