"""Reservations for devices without network: the codes go back and forth, and the ledger holds what they say (S7)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.alerts import watch
from daicho.domain.alerts.models import Alert
from daicho.domain.audit.models import Event
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import NewDevice
from daicho.domain.devices import air_gapped, signing
from daicho.domain.devices.commands.records import create_device, remove_device
from daicho.domain.devices.commands.reservation_steps import (
    HeldLot,
    bind_reservation,
    change_reserved,
    confirm_reservation,
    return_reserved,
    withdraw_reservation,
)
from daicho.domain.devices.commands.reservations import (
    ReserveLine,
    reserve_for_device,
    show_reservation_codes,
    undo_reservation,
)
from daicho.domain.devices.models import Device, Reservation, ReservationAuthorization, SigningKey
from daicho.domain.devices.reservation_states import TABLE, acts_of
from daicho.domain.devices.reservation_states import ReservationAct as A
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.domain.ledger.models import Lot
from daicho.domain.ledger.sweep import sweep_due
from tests.support.offline_device import OfflineDevice
from tests.world import World

S = Reservation.State
SAID = "It stands in the rack and was never switched on."


@dataclass
class Room:
    """An offline device, and the people who carry its codes. Osaka has 20 NET-ADV for ever and 5 that end."""

    world: World
    lot: Lot
    ending: Lot
    device: OfflineDevice = field(default_factory=OfflineDevice)

    @property
    def actor(self) -> Actor:
        return self.world.as_(self.world.osaka_admin)

    def reserve(self, *lines: ReserveLine, request_id: uuid.UUID | None = None, **given: Any) -> Reservation:
        request = air_gapped.read_request(given.pop("code", "") or self.device.request_code())
        return reserve_for_device(
            given.pop("actor", self.actor), account=self.world.account, request=request, virtual_account=self.world.osaka,
            lines=lines, request_id=request_id or uuid.uuid4(), **given,
        )  # fmt: skip

    def reserve_ten(self, **given: Any) -> Reservation:
        return self.reserve(ReserveLine(self.world.advantage, 10, self.lot.uid), **given)

    def act(self, command: Any, reservation: Reservation, **given: Any) -> Any:
        wanted = {"account": self.world.account, "uid": reservation.uid, "request_id": uuid.uuid4()} | given
        return command(wanted.pop("actor", self.actor), **wanted)

    def install(self, reservation: Reservation) -> ReservationAuthorization:
        shown: ReservationAuthorization = self.act(show_reservation_codes, reservation)
        self.device.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
        self.device.take_code(shown.code, ["NET-ADV", "SEC-PLUS"])
        return shown

    def installed(self) -> Reservation:
        reservation = self.reserve_ten()
        self.install(reservation)
        done: Reservation = self.act(confirm_reservation, reservation, code=self.device.confirmation_code())
        return done

    def change(self, reservation: Reservation, quantity: int, **given: Any) -> Reservation:
        done: Reservation = self.act(change_reserved, reservation, lots=[HeldLot(self.lot.uid, quantity)], **given)
        return done

    def figures(self) -> tuple[int, int]:
        """On hand and reserved."""
        pool = self.world.pool(self.world.osaka, self.world.advantage)
        return pool.on_hand, pool.reserved


@pytest.fixture
def room(world: World) -> Room:
    lot = world.deposit(world.advantage, 20, world.osaka)
    ending = world.deposit(world.advantage, 5, world.osaka, end=now() + dt.timedelta(days=40))
    return Room(world, lot, ending)


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(BusinessError) as found:
        call(*arguments, **named)
    return found.value.code


def test_a_device_is_reserved_for_installs_confirms_and_returns(room: Room) -> None:
    world, reservation = room.world, room.reserve_ten(memo="Ringi 42")
    device = reservation.holder.unit.device
    assert (device.product_id, device.serial, device.name) == ("EXR-24", "SN-0001", "SN-0001")
    assert room.figures() == (15, 10)
    room.install(reservation)
    assert room.device.installed["licenses"] == [{"tag": "NET-ADV", "quantity": 10, "end": None}]
    code = room.device.confirmation_code()
    done = room.act(confirm_reservation, reservation, code=f"  {code.lower().replace('0', 'o')}  ")
    assert (done.state, done.installed_number) == (S.INSTALLED, 1)
    assert room.act(confirm_reservation, reservation, code=code).state == S.INSTALLED
    assert refused(remove_device, room.actor, account=world.account, device_uid=device.uid, request_id=uuid.uuid4()) == "device_is_reserved"  # fmt: skip
    done = room.act(return_reserved, reservation, code=room.device.return_code())
    assert (done.state, room.figures()) == (S.RETURNED, (25, 0))
    kinds = Event.objects.filter(kind__startswith="reservation.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["reservation.made", "reservation.shown", "reservation.confirmed", "reservation.returned"]
    remove_device(room.actor, account=world.account, device_uid=device.uid, request_id=uuid.uuid4())


def test_the_file_says_the_same_as_the_typed_form(room: Room) -> None:
    reservation = room.reserve(
        ReserveLine(room.world.advantage, 4, room.lot.uid), ReserveLine(room.world.advantage, 5, room.ending.uid)
    )
    shown = room.install(reservation)
    typed, room.device.installed = room.device.installed, {}
    told = {"daicho": "air-gapped-authorization/1", "authorization": shown.document, "keys": signing.key_sets()}
    filed = room.device.take_file(json.dumps(told))
    assert [(line["tag"], line["quantity"]) for line in filed["licenses"]] == [("NET-ADV", 5), ("NET-ADV", 4)]
    assert [line["end"] // 60 if line["end"] else None for line in filed["licenses"]] == [
        line["end"] // 60 if line["end"] else None for line in typed["licenses"]
    ]
    assert len(shown.code.replace("\n", "-").split("-")) <= 40
    assert room.act(confirm_reservation, reservation, code=room.device.confirmation_code()).state == S.INSTALLED


def test_an_authorization_is_good_for_its_device_and_its_request_alone(room: Room) -> None:
    shown = room.install(room.reserve_ten())
    keys = room.device.server_keys
    for other in (
        OfflineDevice(server_keys=keys),
        OfflineDevice(private=room.device.private, server_keys=keys),
        OfflineDevice(private=room.device.private, nonce=room.device.nonce, serial="SN-2", server_keys=keys),
    ):
        with pytest.raises(InvalidSignature):
            other.take_code(shown.code, [])
        assert not other.installed


def test_a_code_that_the_device_did_not_make_confirms_and_returns_nothing(room: Room) -> None:
    reservation = room.reserve_ten()
    room.install(reservation)
    thief = OfflineDevice(nonce=room.device.nonce, server_keys=room.device.server_keys, installed=room.device.installed)
    right = room.device.confirmation_code()
    for code, expected in (
        (thief.confirmation_code(), "code_not_by_device"),
        (room.device.request_code(), "code_of_another_kind"),
        (right.translate(str.maketrans("0123456789", "1234567890")), "code_line_wrong"),
        ("", "code_unreadable"),
        ('{"daicho": "air-gapped-return/1"}', "code_of_another_kind"),
        ('{"daicho": ', "code_unreadable"),
    ):
        assert refused(room.act, confirm_reservation, reservation, code=code) == expected
    assert refused(room.act, return_reserved, reservation, code=thief.return_code()) == "code_not_by_device"
    told = json.dumps({"daicho": "air-gapped-confirmation/1", "code": right})
    assert room.act(confirm_reservation, reservation, code=told).state == S.INSTALLED


def test_a_change_holds_the_larger_of_both_until_it_is_confirmed(room: Room) -> None:
    reservation = room.installed()
    room.change(reservation, 14)
    assert room.figures() == (11, 14)
    room.install(reservation)
    room.act(confirm_reservation, reservation, code=room.device.confirmation_code())
    room.change(reservation, 3)
    assert room.figures() == (11, 14)
    room.install(reservation)
    assert room.act(confirm_reservation, reservation, code=room.device.confirmation_code()).installed_number == 3
    assert room.figures() == (22, 3)


def test_a_change_of_which_the_device_knows_nothing_is_returned_by_the_code_of_the_old_authorization(
    room: Room,
) -> None:
    reservation = room.installed()
    room.change(reservation, 14)
    assert room.act(return_reserved, reservation, code=room.device.return_code()).state == S.RETURNED
    assert room.figures() == (25, 0)


def test_half_way_it_is_cancelled_by_the_statement_of_an_administrator(room: Room) -> None:
    world, reservation = room.world, room.reserve_ten()
    room.install(reservation)
    with pytest.raises(Forbidden):
        room.act(withdraw_reservation, reservation, statement=SAID, actor=world.as_(world.user))
    assert refused(room.act, withdraw_reservation, reservation, statement="no") == "statement_needed"
    key = uuid.uuid4()
    for _again in range(2):
        done = room.act(withdraw_reservation, reservation, statement=SAID, request_id=key)
    assert (done.state, room.figures()) == (S.WITHDRAWN, (25, 0))
    event = Event.objects.get(kind="reservation.withdrawn")
    assert event.after == {"reservation": reservation.uid, "authorization_number": 1, "statement": SAID}
    assert refused(room.reserve_ten) == "request_code_used"


def test_a_change_that_nobody_has_seen_is_withdrawn_without_a_statement(room: Room) -> None:
    world, reservation = room.world, room.installed()
    room.change(reservation, 14)
    done = room.act(withdraw_reservation, reservation, statement="", actor=world.as_(world.user))
    assert (done.state, room.figures()) == (S.INSTALLED, (15, 10))
    assert room.act(return_reserved, reservation, code=room.device.return_code()).state == S.RETURNED


def test_it_is_undone_until_its_authorization_was_shown_and_the_code_may_be_used_again(room: Room) -> None:
    first = room.reserve_ten()
    assert room.act(undo_reservation, first).state == S.UNDONE
    second = room.reserve_ten()
    undo_entry(room.actor, account=room.world.account, entry_uid=second.entry.uid, request_id=uuid.uuid4())
    assert refused(room.act, show_reservation_codes, second) == "reservation_state"
    third = room.reserve_ten()
    assert refused(room.reserve_ten, code=OfflineDevice().request_code()) == "device_is_reserved"
    room.act(show_reservation_codes, third)
    assert refused(room.act, undo_reservation, third) == "reservation_state"
    assert room.figures() == (15, 10)


def test_the_same_request_acts_once_and_other_content_is_refused(room: Room) -> None:
    key = uuid.uuid4()
    first = room.reserve_ten(request_id=key)
    assert room.reserve_ten(request_id=key).pk == first.pk
    assert refused(room.reserve, ReserveLine(room.world.advantage, 9), request_id=key) == "request_id_reused"
    room.install(first)
    code, key = room.device.confirmation_code(), uuid.uuid4()
    for _again in range(2):
        room.act(confirm_reservation, first, code=code, request_id=key)
    assert refused(room.change, first, 12, request_id=key) == "request_id_reused"
    key = uuid.uuid4()
    for _again in range(2):
        room.change(first, 12, request_id=key)
    assert ReservationAuthorization.objects.filter(reservation=first).count() == 2
    assert room.figures() == (13, 12)


def test_a_universal_reservation_takes_all_that_the_device_asks_for_of_what_lasts_longest(room: Room) -> None:
    room.world.deposit(room.world.security, 3, room.world.osaka)
    wanted = {"net-adv": 7, "SEC-PLUS": 2, "NOT-SOLD": 1}
    reservation = room.reserve(code=room.device.request_file(wanted, name="vault-1"))
    assert reservation.is_universal
    assert reservation.holder.unit.device.name == "vault-1"
    shown = room.act(show_reservation_codes, reservation)
    room.device.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
    lines = room.device.take_code(shown.code, list(wanted))["licenses"]
    assert lines == [{"tag": "net-adv", "quantity": 7, "end": None}, {"tag": "SEC-PLUS", "quantity": 2, "end": None}]
    typed = OfflineDevice(serial="SN-0002").request_code({"NET-ADV": 1})
    assert room.reserve(code=typed).is_universal
    assert refused(room.reserve, code=OfflineDevice(serial="SN-0003").request_code()) == "nothing_reserved"


def test_the_record_of_the_device_is_taken_where_it_stands(room: Room) -> None:
    world = room.world
    record = create_device(
        world.as_(world.admin), account=world.account, virtual_account=world.osaka, request_id=uuid.uuid4(), name="vault",
        product_id="EXR-24", serial="SN-0001",
    )  # fmt: skip
    assert room.reserve_ten().holder.unit_id == record.unit_id
    assert Device.objects.count() == 1


def test_who_may(room: Room) -> None:
    world = room.world
    with pytest.raises(Forbidden):
        room.reserve_ten(actor=world.as_(world.viewer))
    with pytest.raises(NotFound):
        room.reserve_ten(actor=world.as_(world.stranger))
    reservation = room.reserve_ten(actor=world.as_(world.user))
    for person, error in ((world.viewer, Forbidden), (world.stranger, NotFound), (world.nobody, NotFound)):
        with pytest.raises(error):
            room.act(show_reservation_codes, reservation, actor=world.as_(person))


def test_the_replacement_of_a_failed_device_gets_an_authorization_of_its_own(room: Room) -> None:
    world, reservation = room.world, room.installed()
    replaced = replace_device(
        room.actor, account=world.account, failed_uid=reservation.holder.unit.device.uid,
        successor=NewDevice(product_id="EXR-24", serial="SN-0002"), request_id=uuid.uuid4(),
    )  # fmt: skip
    page = world.client(world.osaka_admin).get(f"/a/aozora.example.co.jp/replacements/{replaced.uid}/").content.decode()
    assert f"reservations/{reservation.uid}/bind/" in page
    assert refused(room.act, return_reserved, reservation, code=room.device.return_code()) == "reservation_state"
    room.device = OfflineDevice(serial="SN-0002")
    request = air_gapped.read_request(room.device.request_code())
    bound = room.act(bind_reservation, reservation, request=request)
    assert (bound.state, bound.number) == (S.WAITING, 2)
    room.install(bound)
    assert room.act(confirm_reservation, bound, code=room.device.confirmation_code()).state == S.INSTALLED
    assert room.figures() == (15, 10)


def test_alerts_tell_of_a_reserved_license_that_ended_and_of_licenses_that_came_back(room: Room) -> None:
    reservation = room.reserve(
        ReserveLine(room.world.advantage, 1, room.lot.uid), ReserveLine(room.world.advantage, 5, room.ending.uid)
    )
    room.install(reservation)
    room.act(confirm_reservation, reservation, code=room.device.confirmation_code())
    watch.run()
    ours = Alert.objects.filter(kind__startswith="reserved", resolved_at=None)
    assert not ours.exists()
    with time_machine.travel(now() + dt.timedelta(days=41)):
        sweep_due()
        watch.run()
        alert = ours.get()
        assert (alert.kind, alert.source) == ("reserved_license_ended", f"{reservation.uid}:{room.ending.uid}")
        assert (alert.data["device"], alert.data["sku"]) == ("SN-0001", "NET-ADV")
        listed = room.world.client(room.world.osaka_admin).get("/a/aozora.example.co.jp/alerts/").content.decode()
        assert "NET-ADV reserved for SN-0001 ended on" in listed
        room.act(return_reserved, reservation, code=room.device.return_code())
        watch.run()
        assert ours.get().kind == "reserved_licenses_returned"


def test_a_former_key_of_the_server_still_answers_for_what_it_signed(room: Room) -> None:
    reservation = room.installed()
    signing.rotate_keys(room.world.as_(room.world.operator), at_once=True)
    signing.forget()
    assert room.act(return_reserved, reservation, code=room.device.return_code()).state == S.RETURNED


@pytest.mark.parametrize("state", TABLE)
def test_the_table_of_states_is_what_the_commands_do(room: Room, state: str) -> None:
    reservation = room.reserve_ten() if state == S.PREPARED else room.installed()
    if state == S.CHANGING:
        reservation = room.change(reservation, 12)
    if state in (S.WAITING, S.RETURNED, S.WITHDRAWN, S.UNDONE):
        Reservation.objects.filter(pk=reservation.pk).update(state=state, installed_number=0)
        reservation.refresh_from_db()
    room.device.installed = room.device.installed or {"number": 1, "key_version": 1}
    room.device.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
    calls: dict[A, tuple[Any, dict[str, Any]]] = {
        A.SHOW: (show_reservation_codes, {}),
        A.CHANGE: (change_reserved, {"lots": [HeldLot(room.lot.uid, 11)]}),
        A.WITHDRAW: (withdraw_reservation, {"statement": SAID}),
        A.UNDO: (undo_reservation, {}),
    }
    assert set(acts_of(reservation)) == set(TABLE[state])
    for act, (command, given) in calls.items():
        if act not in TABLE[state] and (state, act) != (S.UNDONE, A.UNDO):
            assert refused(room.act, command, reservation, **given) == "reservation_state"
    proof = room.device.confirmation_code()
    if A.CONFIRM not in TABLE[state] and state != S.INSTALLED:
        assert refused(room.act, confirm_reservation, reservation, code=proof) == "reservation_state"
    if A.RETURN not in TABLE[state] and state != S.RETURNED:
        assert refused(room.act, return_reserved, reservation, code=room.device.return_code()) == "reservation_state"
