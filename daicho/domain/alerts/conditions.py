"""When each kind of alert holds: one set-based condition per kind, and what its alert says.

Every condition is a query whose rows carry `fact_source` (unique among the kind's open alerts), `fact_account`,
`fact_place` (a virtual account or None) and `fact_due`. An alert is the same as long as all of these are; when the end date of a pool changes, the
old alert is resolved and a new one begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from daicho.core.clock import FOREVER, last_day, now
from daicho.domain.access.models import AccessRequest
from daicho.domain.accounts.models import Agreement
from daicho.domain.devices.models import ALIVE, Device, Instance, RegistrationToken, Reservation
from daicho.domain.ledger.models import HolderLine, Holding, Place, Pool, Posting, TransferRequest
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.tenancy.models import SmartAccount

ENDING_WITHIN = dt.timedelta(days=90)
ENDED_WITHIN = dt.timedelta(days=30)
LATE_BY = dt.timedelta(days=1)
RENEWED_BEFORE = dt.timedelta(days=30)
TOKEN_ENDS_WITHIN = dt.timedelta(days=7)
RETURNED_WITHIN = dt.timedelta(days=7)
NO_DUE = Value(None, output_field=DateTimeField())
ACTIVE = SmartAccount.State.ACTIVE

type Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """`rows`: what holds now. `tell(sources)`: what their alerts say, by source, in one query or a few."""

    rows: QuerySet[Any]
    tell: Callable[[Collection[str]], dict[str, Data]]


def pools_that_are_short() -> Facts:
    """More in use than owned (S2): open while the balance is below zero."""
    rows = Pool.objects.filter(balance__lt=0, account__state=ACTIVE)
    return Facts(_marked(rows, source=F("uid"), place=F("virtual_account_id"), due=NO_DUE), _about_pools)


def pools_with_an_end_ahead() -> Facts:
    """Something ends within 90 days: open until that end, or until no lot of the pool ends then."""
    at = now()
    rows = Pool.objects.filter(next_end_at__gt=at, next_end_at__lte=at + ENDING_WITHIN, account__state=ACTIVE)
    return Facts(_marked(rows, source=F("uid"), place=F("virtual_account_id"), due=F("next_end_at")), _about_ends)


def _about_pools(sources: Collection[str]) -> dict[str, Data]:
    pools = Pool.objects.filter(uid__in=sources).select_related("tag")
    return {pool.uid: _tag(pool.tag) for pool in pools}


def _about_ends(sources: Collection[str]) -> dict[str, Data]:
    pools = Pool.objects.filter(uid__in=sources, next_end_at__isnull=False).select_related("tag", "account")
    return {pool.uid: _tag(pool.tag) | _end(pool.next_end_at, pool.account) for pool in pools}


def lots_that_ended() -> Facts:
    """A lot ended in a virtual account within 30 days: resolved after that, or when it is moved away."""
    at = now()
    rows = Holding.objects.filter(
        place__kind=Place.Kind.ENDED,
        quantity__gt=0,
        lot__end_at__gt=at - ENDED_WITHIN,
        lot__end_at__lte=at,
        account__state=ACTIVE,
    )
    source = Concat(F("lot__uid"), Value(":"), F("place__virtual_account__uid"), output_field=CharField())

    def tell(sources: Collection[str]) -> dict[str, Data]:
        lots = {source.partition(":")[0] for source in sources}
        found = Holding.objects.filter(place__kind=Place.Kind.ENDED, lot__uid__in=lots, quantity__gt=0)
        return {
            f"{holding.lot.uid}:{holding.place.virtual_account.uid}": _tag(holding.lot.tag)
            | {"quantity": holding.quantity, "lot": holding.lot.uid}
            | _end(holding.lot.end_at, holding.account)
            for holding in found.select_related("lot__tag", "place__virtual_account", "account")
            if holding.place.virtual_account
        }

    return Facts(_marked(rows, source=source, place=F("place__virtual_account_id"), due=NO_DUE), tell)


def accounts_out_of_standing() -> Facts:
    """The agreement in force is not accepted (S17): open until one person accepts it."""
    rows = SmartAccount.objects.exclude(good_standing_until__gt=now()).filter(state=ACTIVE)
    return Facts(_marked(rows, source=F("uid"), account=F("pk"), due=NO_DUE), _about_agreements)


def accounts_with_a_newer_agreement() -> Facts:
    """A new version comes into force on a day (S21): open until it is accepted, or that day makes it pending."""
    rows = SmartAccount.objects.filter(good_standing_until__gt=now(), good_standing_until__lt=FOREVER, state=ACTIVE)
    return Facts(_marked(rows, source=F("uid"), account=F("pk"), due=F("good_standing_until")), _about_agreements)


def _about_agreements(sources: Collection[str]) -> dict[str, Data]:
    newest = Agreement.objects.order_by("-version").values_list("version", flat=True).first()
    return {source: {"version": newest} for source in sources}


def orders_that_wait() -> Facts:
    """Lines without a virtual account, or that wait for the agreement: open until the last one has landed."""
    waiting = OrderLine.objects.filter(
        order=OuterRef("pk"), state__in=[OrderLine.State.UNASSIGNED, OrderLine.State.WAITING_AGREEMENT]
    )
    rows = Order.objects.filter(Exists(waiting), account__state=ACTIVE)

    def tell(sources: Collection[str]) -> dict[str, Data]:
        return {order.uid: {"number": order.number} for order in Order.objects.filter(uid__in=sources)}

    return Facts(_marked(rows, source=F("uid"), due=NO_DUE), tell)


def open_access_requests() -> Facts:
    """Somebody asks for a right (S9): open until it is answered or withdrawn."""
    rows = AccessRequest.objects.filter(state=AccessRequest.State.OPEN, account__state=ACTIVE)

    def tell(sources: Collection[str]) -> dict[str, Data]:
        found = AccessRequest.objects.filter(uid__in=sources).select_related("user")
        return {asked.uid: {"who": str(asked.user), "email": asked.user.email} for asked in found}

    return Facts(_marked(rows, source=F("uid"), due=NO_DUE), tell)


def open_transfer_requests() -> Facts:
    """A transfer out of a virtual account waits for approval there: open until it is decided or withdrawn."""
    rows = TransferRequest.objects.filter(state=TransferRequest.State.OPEN, account__state=ACTIVE)

    def tell(sources: Collection[str]) -> dict[str, Data]:
        found = TransferRequest.objects.filter(uid__in=sources)
        return {asked.uid: {"who": asked.requested_by_name, "memo": asked.memo} for asked in found}

    return Facts(_marked(rows, source=F("uid"), place=F("source_id"), due=NO_DUE), tell)


def devices_recorded_twice() -> Facts:
    """The same product ID and serial number twice in one account: open until one is removed or corrected.

    Each device has its own alert, which names only itself: the other one may stand where the reader sees nothing.
    """
    twin = Device.objects.filter(
        account=OuterRef("account"), product_id=OuterRef("product_id"), serial=OuterRef("serial"), removed_at=None
    ).exclude(pk=OuterRef("pk"))
    rows = Device.objects.filter(Exists(twin), removed_at=None, account__state=ACTIVE).exclude(serial="")

    def tell(sources: Collection[str]) -> dict[str, Data]:
        found = Device.objects.filter(uid__in=sources)
        return {d.uid: {"device": d.name, "product_id": d.product_id, "serial": d.serial} for d in found}

    return Facts(_marked(rows, source=F("uid"), place=F("unit__virtual_account_id"), due=NO_DUE), tell)


def instances_out_of_touch() -> Facts:
    """An instance is more than a day late with its contact: open until it speaks, leaves, or is reserved."""
    rows = (
        _instances().filter(contact_due_at__lte=now() - LATE_BY).exclude(authorization=Instance.Authorization.RESERVED)
    )
    return Facts(_of_device(rows, due=NO_DUE), _about_instances)


def instances_not_renewed() -> Facts:
    """A certificate ends within 30 days, or has ended, and was not renewed."""
    rows = _instances().filter(certificate_until__lte=now() + RENEWED_BEFORE)
    return Facts(_of_device(rows, due=F("certificate_until")), _about_instances)


def identities_used_twice() -> Facts:
    """Two seem to use one identity, as cloned images do: open until the instance registers again or leaves."""
    rows = _instances().filter(reused_sequence_at__isnull=False)
    return Facts(_of_device(rows, due=NO_DUE), _about_instances)


def tokens_about_to_end() -> Facts:
    """An open registration token ends within 7 days: open until it has ended, is used up or revoked."""
    at = now()
    rows = RegistrationToken.objects.filter(
        revoked_at=None, expires_at__gt=at, expires_at__lte=at + TOKEN_ENDS_WITHIN, uses__lt=F("max_uses"),
        account__state=ACTIVE,
    )  # fmt: skip

    def tell(sources: Collection[str]) -> dict[str, Data]:
        found = RegistrationToken.objects.filter(uid__in=sources)
        return {one.uid: {"token": one.description or f"{one.secret_hint}…", "left": one.uses_left} for one in found}

    return Facts(_marked(rows, source=F("uid"), place=F("virtual_account_id"), due=F("expires_at")), tell)


def reserved_lots_that_ended() -> Facts:
    """A lot ended within 30 days in the hands of an offline device: open that long, or until the device returns."""
    at = now()
    ended = Posting.objects.filter(
        lot=OuterRef("lot"), source__holder=OuterRef("holder"), source__kind=Place.Kind.RESERVED,
        target__kind=Place.Kind.ENDED,
    )  # fmt: skip
    rows = HolderLine.objects.filter(
        Exists(ended), holder__reservation__state__in=Reservation.OPEN, lot__end_at__gt=at - ENDED_WITHIN,
        lot__end_at__lte=at, holder__account__state=ACTIVE,
    )  # fmt: skip
    source = Concat(F("holder__reservation__uid"), Value(":"), F("lot__uid"), output_field=CharField())

    def tell(sources: Collection[str]) -> dict[str, Data]:
        lots = {source.partition(":")[2] for source in sources}
        found = HolderLine.objects.filter(lot__uid__in=lots, holder__reservation__isnull=False)
        return {
            f"{line.holder.reservation.uid}:{line.lot.uid}": _tag(line.lot.tag)
            | {"device": line.holder.unit.device.name, "lot": line.lot.uid}
            | _end(line.lot.end_at, line.holder.account)
            for line in found.select_related(
                "lot__tag", "holder__reservation", "holder__unit__device", "holder__account"
            )
        }

    place, account = F("holder__unit__virtual_account_id"), F("holder__account_id")
    return Facts(_marked(rows, source=source, place=place, account=account, due=NO_DUE), tell)


def reservations_returned() -> Facts:
    """An offline device gave its licenses back, or never got them, within 7 days."""
    over = [Reservation.State.RETURNED, Reservation.State.WITHDRAWN]
    rows = Reservation.objects.filter(state__in=over, state_since__gt=now() - RETURNED_WITHIN, account__state=ACTIVE)

    def tell(sources: Collection[str]) -> dict[str, Data]:
        found = Reservation.objects.filter(uid__in=sources).select_related("holder__unit__device")
        return {one.uid: {"device": one.holder.unit.device.name} for one in found}

    return Facts(_marked(rows, source=F("uid"), place=F("holder__unit__virtual_account_id"), due=NO_DUE), tell)


def _instances() -> QuerySet[Instance]:
    return Instance.objects.filter(registration__in=ALIVE, account__state=ACTIVE)


def _of_device(rows: QuerySet[Instance], *, due: Any) -> QuerySet[Any]:
    return _marked(rows, source=F("device__uid"), place=F("device__unit__virtual_account_id"), due=due)


def _about_instances(sources: Collection[str]) -> dict[str, Data]:
    found = Instance.objects.filter(device__uid__in=sources).select_related("device", "account").order_by("pk")
    return {
        one.device.uid: {
            "device": one.device.name,
            "last_contact": last_day(one.last_contact_at, one.account.time_zone).isoformat(),
            "until": last_day(one.certificate_until, one.account.time_zone).isoformat(),
        }
        for one in found
    }


def _tag(tag: Any) -> Data:
    return {"tag": tag.uid, "sku": tag.sku, "name": tag.name, "name_ja": tag.name_ja}


def _end(end_at: dt.datetime | None, account: SmartAccount) -> Data:
    return {"end_on": last_day(end_at, account.time_zone).isoformat()} if end_at else {}


def _marked(rows: QuerySet[Any], *, source: Any, due: Any, place: Any = None, account: Any = None) -> QuerySet[Any]:
    """The four columns every condition has, under names that no table uses."""
    nowhere = Value(None, output_field=BigIntegerField())
    marked: QuerySet[Any] = rows.annotate(
        fact_source=source, fact_account=account or F("account_id"), fact_place=place or nowhere, fact_due=due
    )
    return marked
