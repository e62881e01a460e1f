"""Parts that the commands of reservations share: who may, what was done before, what is granted, who proved what."""

from __future__ import annotations

import hmac
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.text import fingerprint, name_key
from daicho.domain.access.policy import ensure_may, scope_of
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices import air_gapped, signing
from daicho.domain.devices.air_gapped import DeviceRequest, Grant, Proof
from daicho.domain.devices.errors import code_not_by_device, device_is_reserved, request_code_used, request_id_reused
from daicho.domain.devices.models import ALIVE, Device, Instance, Reservation, ReservationAct, ReservationAuthorization
from daicho.domain.devices.reservation_states import ReservationAct as Did
from daicho.domain.devices.reservation_states import state_after
from daicho.domain.ledger.models import Entry, HolderLine
from daicho.domain.tenancy.models import SmartAccount

S = Reservation.State


class Wish(NamedTuple):
    """A license that a device asks for, as the catalog knows it. `name`: how the device calls it."""

    tag: LicenseTag
    quantity: int
    name: str


def request_of(reservation: Reservation) -> DeviceRequest:
    """The request code that a reservation answers."""
    return DeviceRequest(
        bytes(reservation.public_key), bytes.fromhex(reservation.nonce), reservation.product_id, reservation.serial
    )


def wishes_of(request: DeviceRequest) -> tuple[list[Wish], int]:
    """What a request asks for, and how many of its lines the catalog does not know."""
    if not request.wanted:
        return [], 0
    tags = list(LicenseTag.objects.all())
    by_mark = {air_gapped.mark(name): (tag, name) for tag in tags for name in (tag.regid, tag.sku) if name}
    by_name = {tag.sku_key: tag for tag in tags} | {tag.regid: tag for tag in tags if tag.regid}
    found, unknown = dict[int, Wish](), 0
    for one in request.wanted:
        tag, name = by_mark.get(one.mark, (None, ""))
        if one.name:
            tag, name = by_name.get(one.name) or by_name.get(name_key(one.name)), one.name
        if tag is None or one.quantity < 1:
            unknown += 1
            continue
        before = found[tag.pk].quantity if tag.pk in found else 0
        found[tag.pk] = Wish(tag, before + one.quantity, name)
    return list(found.values()), unknown


def known_device(actor: Actor, account: SmartAccount, request: DeviceRequest) -> Device | None:
    """The living device of this product ID and serial number where the actor sees devices."""
    if not request.serial:
        return None
    visible = scope_of(actor, account).virtual_account_ids(Permission.DEVICES_VIEW)
    found = Device.objects.filter(
        account=account, product_id=request.product_id, serial=request.serial, removed_at=None
    ).select_related("unit__virtual_account", "account")
    if visible is not None:
        found = found.filter(unit__virtual_account__in=visible)
    return found.order_by("pk").first()


def has_reservation(unit_id: int) -> bool:
    """Whether something is reserved for a unit, or waits to be."""
    found = Reservation.objects.filter(holder__unit=unit_id, state__in=Reservation.OPEN)
    return any(not settle_undone(reservation) for reservation in found)


def ensure_free(unit_id: int | None, request: DeviceRequest) -> None:
    """Raise unless this unit has no open reservation and the request code was not used."""
    if unit_id is not None and has_reservation(unit_id):
        raise device_is_reserved()
    used = Reservation.objects.filter(thumbprint=request.thumbprint, nonce=request.nonce.hex()).exclude(state=S.UNDONE)
    if any(not settle_undone(reservation) for reservation in used):
        raise request_code_used()


def settle_undone(reservation: Reservation) -> bool:
    """Whether its entry was undone from the history of the ledger, which knows nothing of devices."""
    if reservation.state == S.PREPARED and Entry.objects.filter(reverses=reservation.entry_id).exists():
        enter(reservation, S.UNDONE)
        reservation.save(update_fields=["state", "state_since"])
    return bool(reservation.state == S.UNDONE)


def lock_reservation(
    actor: Actor, account: SmartAccount, uid: str, permission: Permission = Permission.LICENSES_MANAGE
) -> Reservation:
    """A reservation of a virtual account in which the actor may. Raises NotFound, Forbidden."""
    found = Reservation.objects.select_for_update(of=("self",)).filter(account=account, uid=uid)
    reservation = found.select_related("holder__unit__virtual_account", "holder__unit__device", "entry").first()
    if reservation is None:
        raise NotFound
    ensure_may(actor, permission, account, reservation.holder.unit.virtual_account)
    settle_undone(reservation)
    return reservation


def done_before(account: SmartAccount, request_id: uuid.UUID, act: Did | str, content: Any) -> Reservation | None:
    """The reservation with which this request did the same before. Raises `request_id_reused` for anything else."""
    before = ReservationAct.objects.filter(account=account, request_id=request_id).select_related("reservation").first()
    if before is None:
        return None
    if before.act != act or before.fingerprint != fingerprint([act, content]):
        raise request_id_reused()
    return before.reservation


def note(
    actor: Actor, reservation: Reservation, act: Did | str, request_id: uuid.UUID, content: Any, kind: str,
    after: dict[str, Any], memo: str = "",
) -> None:  # fmt: skip
    """Keep that it was done, for who repeats it and for the event log."""
    ReservationAct.objects.create(
        account=reservation.account, reservation=reservation, request_id=request_id, act=act,
        fingerprint=fingerprint([act, content]), actor_name=actor.name[:200],
    )  # fmt: skip
    device = reservation.holder.unit.device
    record(
        actor, kind, account=reservation.account, virtual_account=reservation.holder.unit.virtual_account,
        subject=device.name, subject_uid=device.uid, after={"reservation": reservation.uid} | after, memo=memo, act=request_id,
    )  # fmt: skip


def enter(reservation: Reservation, state: str) -> None:
    """Be in a state from now on; who calls saves."""
    if reservation.state != state:
        reservation.state, reservation.state_since = state, now()


def go_on(reservation: Reservation, act: Did) -> None:
    """Enter the state that an act leads to. Raises `reservation_state`."""
    enter(reservation, state_after(reservation, act))


def authorize(reservation: Reservation) -> ReservationAuthorization:
    """Make the authorization of the present number from what the holder holds when all is confirmed."""
    (signer, key), request, iat = signing.signer_of_row(), request_of(reservation), int(now().timestamp())
    granted = grants_of(reservation)
    grants = [grant for grant, _sku in granted]
    payload = air_gapped.document(
        signing.issuer(), reservation.uid, request, reservation.number, key.version, iat, granted
    )
    return ReservationAuthorization.objects.create(
        reservation=reservation, number=reservation.number, key=key, document=signer.sign("reservation", payload),
        code=air_gapped.authorization_code(request, reservation.number, key.version, iat, grants, signer.private),
    )  # fmt: skip


def grants_of(reservation: Reservation) -> list[tuple[Grant, str]]:
    """Licenses by end, with their SKU, as they are held once a change is confirmed."""
    found: dict[tuple[str, Any], int] = defaultdict(int)
    names = {}
    for line in HolderLine.objects.filter(holder=reservation.holder_id, new__gt=0).select_related("lot__tag"):
        found[line.lot.tag.sku, line.lot.end_at] += line.new
        names[line.lot.tag.sku] = reservation.names.get(str(line.lot.tag_id), line.lot.tag.sku)
    ordered = sorted(found, key=lambda one: (one[0], one[1] is None, one[1] or now()))
    return [(Grant(names[sku], found[sku, end], end), sku) for sku, end in ordered]


def held_now(reservation: Reservation) -> dict[str, int]:
    """So many of each SKU once a change is confirmed, for the log."""
    told: dict[str, int] = defaultdict(int)
    for grant, sku in grants_of(reservation):
        told[sku] += grant.quantity
    return dict(told)


def ensure_proven(reservation: Reservation, kind: int, proof: Proof, numbers: Sequence[int]) -> None:
    """Raise unless the device of this reservation made the code, for one of these authorizations."""
    made = ReservationAuthorization.objects.filter(reservation=reservation, number=proof.number, shown_at__isnull=False)
    authorization = made.select_related("key").first()
    if authorization is None or proof.number not in numbers:
        raise code_not_by_device()
    request = request_of(reservation)
    key = air_gapped.proof_key(signing.private_half(authorization.key), request)
    if not hmac.compare_digest(air_gapped.proof(kind, key, request, proof.number), proof.mac):
        raise code_not_by_device()


def tell_instance(reservation: Reservation, *, reserved: bool) -> None:
    """Let the instance of the device, if it has one, be exempt from silence while the reservation is installed. Said before
    the ledger locks its unit, as the hot path does."""
    instances = Instance.objects.filter(
        device__unit=reservation.holder.unit_id,
        registration__in=ALIVE,
    )
    if reserved:
        instances.update(authorization=Instance.Authorization.RESERVED, authorization_since=now())
    else:
        instances.filter(authorization=Instance.Authorization.RESERVED).update(
            authorization=Instance.Authorization.NONE, authorization_since=now()
        )
