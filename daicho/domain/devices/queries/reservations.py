"""Reservations as people read them: what is locked to offline devices, what is unfinished, since when."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import last_day
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.search import Holds
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices import air_gapped, codes, signing
from daicho.domain.devices.air_gapped import DeviceRequest
from daicho.domain.devices.models import Device, Reservation, ReservationAct, ReservationAuthorization
from daicho.domain.devices.reservation_states import ReservationAct as Did
from daicho.domain.devices.reservation_states import acts_of
from daicho.domain.devices.reserving import known_device, wishes_of
from daicho.domain.ledger.models import HolderLine, Holding, Lot, Place
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

S = Reservation.State
UNBOUND, UNFINISHED = "unbound", "unfinished"
STATES = (S.PREPARED, S.WAITING, S.INSTALLED, S.CHANGING, UNBOUND, S.RETURNED, S.WITHDRAWN, S.UNDONE)
UNDONE = Q(state=S.UNDONE) | Q(state=S.PREPARED, entry__reversed_by__isnull=False)
MOVED = Q(state__in=Reservation.OPEN) & ~Q(bound_unit=F("holder__unit"))


@dataclass(frozen=True, slots=True)
class HeldLine:
    """So much of a lot: `quantity` is held now, `new` when a change is confirmed. `end_on`: last day in the account's zone."""

    lot: Lot
    quantity: int
    new: int
    end_on: dt.date | None

    @property
    def tag(self) -> LicenseTag:
        return self.lot.tag


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """A reservation with what it holds. State: as stored, but `unbound` while the device that took over has no authorization
    of its own, and `undone` where the ledger's entry was undone."""

    reservation: Reservation
    state: str
    lines: list[HeldLine] = field(default_factory=list)

    @property
    def device(self) -> Device:
        found: Device = self.reservation.holder.unit.device
        return found

    @property
    def virtual_account(self) -> VirtualAccount:
        return self.reservation.holder.unit.virtual_account

    @property
    def is_unfinished(self) -> bool:
        return self.state in (S.PREPARED, S.WAITING, S.CHANGING, UNBOUND)

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def end_on(self) -> dt.date | None:
        """The soonest end of what is held."""
        return min((line.end_on for line in self.lines if line.end_on is not None), default=None)

    @property
    def acts(self) -> frozenset[Did]:
        return frozenset() if self.state == S.UNDONE else frozenset(acts_of(self.reservation))


@dataclass(frozen=True, slots=True)
class Codes:
    """An authorization as it was shown. `text`: the typed form, "" where it is too long; `file`: the file for the device."""

    number: int
    text: str
    file: str
    made_at: dt.datetime

    @property
    def qr(self) -> str:
        return codes.packed(self.text)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request code says: the device, if it is known here, and what it asks for as far as the catalog knows it."""

    request: DeviceRequest
    device: Device | None
    wishes: list[tuple[LicenseTag, int]]
    unknown: int
    is_used: bool


def list_reservations(
    sight: Sight, *, state: str = "", text: str = "", cursor: str | None = None, size: int = 25, count: bool = True
) -> Page[ReservationRow]:
    """One page of reservations, what changed last first. Without a state those that are open; `unfinished`: those that wait
    for somebody."""
    found = _matching(sight, state, clean(text))
    page = keyset_page(found, ("-state_since", "-uid"), cursor=cursor, size=size, count=count)
    return Page(rows_of(page.rows), page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def get_reservation(
    actor: Actor, account: SmartAccount, uid: str, permission: Permission = Permission.LICENSES_VIEW
) -> ReservationRow:
    """A reservation that the actor may see. Raises NotFound, Forbidden."""
    reservation = _related(Reservation.objects.filter(account=account, uid=uid)).first()
    if reservation is None:
        raise NotFound
    ensure_may(actor, permission, account, reservation.holder.unit.virtual_account)
    return rows_of([reservation])[0]


def reservation_of(device: Device) -> ReservationRow | None:
    """The open reservation of a device that the reader sees already."""
    found = Reservation.objects.filter(holder__unit=device.unit_id, state__in=Reservation.OPEN).exclude(UNDONE)
    rows = rows_of(_related(found)[:1])
    return rows[0] if rows else None


def codes_of(actor: Actor, account: SmartAccount, uid: str) -> Codes | None:
    """The last authorization, for who may fetch it; None while it was never shown."""
    row = get_reservation(actor, account, uid, Permission.LICENSES_MANAGE)
    shown = ReservationAuthorization.objects.filter(reservation=row.reservation, number=row.reservation.number)
    last = shown.filter(shown_at__isnull=False).first()
    return codes_from(last) if last is not None else None


def codes_from(authorization: ReservationAuthorization) -> Codes:
    """What is handed over of an authorization that was just shown."""
    told = {
        "daicho": "air-gapped-authorization/1",
        "authorization": authorization.document,
        "keys": signing.key_sets(),
        "code": authorization.code,
    }
    return Codes(authorization.number, authorization.code, json.dumps(told, indent=1) + "\n", authorization.made_at)


def read_asked(actor: Actor, account: SmartAccount, text: str) -> Asked:
    """What a request code (or the device's file of it) says. Raises `code_unreadable`, `code_line_wrong`,
    `code_of_another_kind`."""
    request = air_gapped.read_request(text)
    wishes, unknown = wishes_of(request)
    used = Reservation.objects.filter(thumbprint=request.thumbprint, nonce=request.nonce.hex()).exclude(UNDONE)
    return Asked(
        request, known_device(actor, account, request), [(wish.tag, wish.quantity) for wish in wishes], unknown,
        used.exists(),
    )  # fmt: skip


def rows_of(reservations: Iterable[Reservation]) -> list[ReservationRow]:
    """The reservations with what they hold: two queries."""
    found: Sequence[Reservation] = list(reservations)
    by_holder: dict[int, list[HeldLine]] = {}
    lines = HolderLine.objects.filter(holder__in=[one.holder_id for one in found]).filter(Q(old__gt=0) | Q(new__gt=0))
    zones = {one.holder_id: one.account.time_zone for one in found}
    for line in lines.select_related("lot__tag").order_by("lot__tag__sku_key", "lot__end_at", "lot__uid"):
        end = last_day(line.lot.end_at, zones[line.holder_id]) if line.lot.end_at is not None else None
        by_holder.setdefault(line.holder_id, []).append(HeldLine(line.lot, max(line.old, line.new), line.new, end))
    undone = set(
        Reservation.objects.filter(UNDONE, pk__in=[one.pk for one in found if one.state == S.PREPARED]).values_list(
            "pk", flat=True
        )
    )
    return [ReservationRow(one, _state(one, undone), by_holder.get(one.holder_id, [])) for one in found]


def _state(one: Reservation, undone: set[int]) -> str:
    if one.pk in undone:
        return S.UNDONE
    is_moved = one.state in Reservation.OPEN and one.bound_unit_id != one.holder.unit_id
    return UNBOUND if is_moved else one.state


def _related(found: QuerySet[Reservation]) -> QuerySet[Reservation]:
    return found.select_related("account", "holder__unit__virtual_account", "holder__unit__device")


def _matching(sight: Sight, state: str, text: str) -> QuerySet[Reservation]:
    found = _related(
        Reservation.objects.filter(sight.condition("holder__unit__virtual_account"), account=sight.account)
    )
    match state:
        case "undone":
            found = found.filter(UNDONE)
        case "unbound":
            found = found.filter(MOVED)
        case "unfinished":
            found = found.exclude(UNDONE).filter(MOVED | Q(state__in=(S.PREPARED, S.WAITING, S.CHANGING)))
        case "returned" | "withdrawn":
            found = found.filter(state=state)
        case "prepared" | "waiting" | "installed" | "changing":
            found = found.exclude(UNDONE).exclude(MOVED).filter(state=state)
        case _:
            found = found.exclude(UNDONE).filter(state__in=Reservation.OPEN)
    for word in text.split():
        device = "holder__unit__device__"
        found = found.filter(
            Holds(
                name_key(word),
                f"{device}name_key",
                f"{device}serial",
                f"{device}product_id",
                "holder__unit__virtual_account__name_key",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class LotChoice:
    """A lot that can be reserved for a device: `free` of it lie on hand, `spare` of its license are not needed by anybody;
    `held` of it the device holds already."""

    lot: Lot
    free: int
    spare: int
    held: int
    end_on: dt.date | None

    @property
    def most(self) -> int:
        """How many the device may hold in the end."""
        return self.held + min(self.free, self.spare)


def lots_to_reserve(
    sight: Sight, place: VirtualAccount, row: ReservationRow | None = None, *, limit: int = 300
) -> tuple[list[LotChoice], bool]:
    """The lots of a virtual account that can be set aside, those that last longest first within a license, and whether there
    are more; with what the reservation of `row` holds already."""
    held = {line.lot.pk: line.new for line in row.lines} if row is not None else {}
    pools = {pool.tag_id: pool for pool in sight.pools().filter(virtual_account=place)}
    free = Holding.objects.filter(place__virtual_account=place, place__kind=Place.Kind.ON_HAND, quantity__gt=0)
    ordered = free.filter(lot__tag__in=[tag for tag, pool in pools.items() if pool.available]).select_related(
        "lot__tag"
    )
    found = list(
        ordered.order_by("lot__tag__sku_key", F("lot__end_at").desc(nulls_first=True), "lot__uid")[: limit + 1]
    )
    lots = {holding.lot_id: (holding.lot, holding.quantity) for holding in found[:limit]}
    for line in row.lines if row is not None else []:
        lots.setdefault(line.lot.pk, (line.lot, 0))
    zone = sight.account.time_zone
    choices = [
        LotChoice(
            lot, quantity, pools[lot.tag_id].available if lot.tag_id in pools else 0, held.get(lot.pk, 0),
            last_day(lot.end_at, zone) if lot.end_at is not None else None,
        )
        for lot, quantity in lots.values()
    ]  # fmt: skip
    return sorted(choices, key=lambda one: one.lot.tag.sku_key), len(found) > limit


def balances_of(sight: Sight, place: VirtualAccount, tag_ids: Iterable[int]) -> dict[int, int]:
    """What is spare or short of these licenses there now."""
    pools = sight.pools().filter(virtual_account=place, tag__in=list(tag_ids))
    return {pool.tag_id: pool.balance for pool in pools}


def made_by(actor: Actor, account: SmartAccount, request_id: str) -> ReservationRow | None:
    """The reservation that this request made, for a form that was sent twice."""
    try:
        wanted = uuid.UUID(request_id)
    except ValueError:
        return None
    act = ReservationAct.objects.filter(account=account, request_id=wanted).select_related("reservation").first()
    return get_reservation(actor, account, act.reservation.uid) if act is not None else None


def where_most_is_spare(sight: Sight, asked: Asked) -> VirtualAccount | None:
    """The virtual account in which most is spare of the first license that a device asks for, where the reader may reserve."""
    if not asked.wishes:
        return None
    tag, quantity = asked.wishes[0]
    pools = sight.pools().filter(tag=tag, balance__gte=quantity, virtual_account__deleted_at=None).order_by("-balance")
    return next((pool.virtual_account for pool in pools[:50] if sight.may_manage(pool.virtual_account_id)), None)
