"""The life of an instance: it registers, asks, renews, leaves; each request once, whatever is lost or replayed."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.domain.alerts.models import Alert
from daicho.domain.alerts.watch import run
from daicho.domain.audit.models import Event
from daicho.domain.devices import hot, signing, wire
from daicho.domain.devices.commands.instances import expire_due
from daicho.domain.devices.commands.records import create_device, remove_device
from daicho.domain.devices.commands.tokens import revoke_token, secret_of
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.signing import rotate_keys
from daicho.domain.ledger.models import Unit, UseChange
from tests.devices.conftest import Fleet, code, lines, public_keys
from tests.support.device_client import Client

DAY = dt.timedelta(days=1)


def test_a_device_registers_and_its_licenses_are_counted(fleet: Fleet) -> None:
    world = fleet.world
    world.deposit(world.storage, 5, world.osaka)
    client = fleet.register(serial="SN-1")
    instance = fleet.instance(client)
    assert (instance.authorization, instance.device.unit.kind) == ("none", Unit.Kind.INSTANCE)
    assert (instance.device.name, instance.device.unit.virtual_account) == ("SN-1", world.osaka)
    granted = fleet.authorize(client, {"STO-STD": 3})
    assert (granted["state"], lines(granted)) == ("authorized", {"STO-STD": (3, "authorized")})
    assert world.pool(world.osaka, world.storage).in_use == 3
    more = fleet.authorize(client, {"STO-STD": 6})
    assert (more["state"], lines(more)) == ("out_of_compliance", {"STO-STD": (6, "short")})
    assert more["contact_within"] == 12 * 3_600
    assert lines(fleet.authorize(client, {})) == {}
    assert fleet.instance(client).authorization == "none"
    assert world.pool(world.osaka, world.storage).in_use == 0
    assert list(Event.objects.filter(kind__startswith="device.").values_list("kind", flat=True)) == [
        "device.registered", "device.authorized", "device.authorized", "device.authorized",
    ]  # fmt: skip


def test_the_same_list_again_writes_nothing_but_one_contact_an_hour(fleet: Fleet) -> None:
    world = fleet.world
    world.deposit(world.storage, 5, world.osaka)
    client = fleet.register()
    fleet.authorize(client, {"STO-STD": 3})
    before = fleet.instance(client)
    again = fleet.authorize(client, {"STO-STD": 3})
    assert lines(again) == {"STO-STD": (3, "authorized")}
    after = fleet.instance(client)
    assert (after.last_sequence, after.last_contact_at) == (before.last_sequence, before.last_contact_at)
    with time_machine.travel(before.last_contact_at + dt.timedelta(hours=2), tick=True):
        fleet.authorize(client, {"STO-STD": 3})
        assert fleet.instance(client).last_contact_at > before.last_contact_at
        fleet.authorize(fleet.register(), {"STO-STD": 3})  # now both are short, and are to come sooner
    with time_machine.travel(before.last_contact_at + dt.timedelta(hours=4), tick=True):
        short = fleet.authorize(client, {"STO-STD": 3})
        heard = fleet.instance(client)
        assert heard.last_sequence == before.last_sequence
        assert heard.contact_due_at - heard.last_contact_at == dt.timedelta(seconds=short["contact_within"])
        assert short["contact_within"] == 12 * 3_600
    assert UseChange.objects.count() == 2


def test_a_lost_answer_is_given_again_and_an_old_request_is_nobodys(fleet: Fleet) -> None:
    client = fleet.register()
    first = client.authorize({"STO-STD": 1})
    assert fleet.ask(first).document == fleet.ask(first).document
    assert UseChange.objects.count() == 1
    fleet.authorize(client, {"STO-STD": 2})
    assert code(fleet.ask(first)) == "sequence_used"
    client.sequence -= 1
    clone = fleet.ask(client.authorize({"STO-STD": 9}))
    assert (code(clone), clone.document.data["last_sequence"]) == ("sequence_used", 2)  # type: ignore[union-attr]
    assert fleet.instance(client).reused_sequence_at is not None
    assert fleet.world.pool(fleet.world.osaka, fleet.world.storage).in_use == 2


def test_enforced_licenses_are_refused_beyond_what_is_there_each_line_alone(fleet: Fleet) -> None:
    world = fleet.world
    world.deposit(world.security, 2, world.osaka)
    one, two = fleet.register(), fleet.register()
    fleet.authorize(one, {"SEC-PLUS": 2})
    answer = fleet.authorize(two, {"SEC-PLUS": 1, "STO-STD": 1, "NO-SUCH": 1})
    assert lines(answer) == {"SEC-PLUS": (0, "refused"), "STO-STD": (1, "short"), "NO-SUCH": (0, "refused")}
    assert [line.get("code") for line in answer["licenses"]] == ["not_enough_licenses", None, "unknown_tag"]
    kept = fleet.authorize(one, {"SEC-PLUS": 3})
    assert lines(kept) == {"SEC-PLUS": (2, "refused")}


def test_export_controlled_licenses_need_a_token_that_allows_them(fleet: Fleet) -> None:
    world = fleet.world
    type(world.premier).objects.filter(pk=world.premier.pk).update(enforcement="export_controlled")
    world.deposit(world.premier, 2, world.osaka)
    plain, allowed = fleet.register(), fleet.register(fleet.token(allows_export_controlled=True))
    assert fleet.authorize(plain, {"NET-PREM": 1})["licenses"][0]["code"] == "export_not_allowed"
    assert lines(fleet.authorize(allowed, {"NET-PREM": 1})) == {"NET-PREM": (1, "authorized")}


def test_registering_again_with_a_token_that_allows_export_costs_a_use(fleet: Fleet) -> None:
    world = fleet.world
    type(world.premier).objects.filter(pk=world.premier.pk).update(enforcement="export_controlled")
    world.deposit(world.premier, 2, world.osaka)
    one, other = fleet.register(), fleet.register()
    token = fleet.token(allows_export_controlled=True, uses=1)

    def again(client: Client) -> hot.Reply:
        client.offset += 5  # the clock goes on
        request, _ = client.register(secret_of(token), "EXR-24", "SN-0")
        return fleet.ask(request)

    one.take(fleet.opened("certificate", again(one)))
    assert lines(fleet.authorize(one, {"NET-PREM": 1})) == {"NET-PREM": (1, "authorized")}
    token.refresh_from_db()
    assert (token.uses, Event.objects.filter(kind="token.used_up").count()) == (1, 1)
    assert again(one).status == 201
    assert code(again(other)) == "token_used_up"


def test_one_bad_request_of_a_batch_fails_alone(fleet: Fleet) -> None:
    clients = [fleet.register() for _ in range(3)]
    bad = Client(uid=clients[1].uid, generation=1, mac=b"\0" * 32)
    broken = clients[2].by_mac("authorize", {"sequence": 1, "licenses": "all"})
    requests = [
        clients[0].authorize({"STO-STD": 1}),
        bad.authorize({"STO-STD": 5}),
        broken,
        clients[2].authorize({"STO-STD": 2}),
    ]
    replies = fleet.ask_all(requests)
    assert [reply.status for reply in replies] == [200, 401, 400, 200]
    assert fleet.world.pool(fleet.world.osaka, fleet.world.storage).in_use == 3


def test_two_requests_of_one_instance_in_a_batch_are_done_in_their_order(fleet: Fleet) -> None:
    client = fleet.register()
    first, second = client.authorize({"STO-STD": 5}), client.authorize({"STO-STD": 2})
    replies = fleet.ask_all([first, second, first])
    assert [reply.status for reply in replies] == [200, 200, 409]
    assert fleet.world.pool(fleet.world.osaka, fleet.world.storage).in_use == 2


def test_a_clock_a_month_off_hears_our_time(fleet: Fleet) -> None:
    client = fleet.register()
    for days in (-30, 30):
        client.offset = days * 86_400
        reply = fleet.ask(client.authorize({"STO-STD": 1}))
        assert code(reply) == "clock_skew"
        assert reply.document.data["time"].count(".") == 2  # type: ignore[union-attr]
    client.offset = 0
    assert lines(fleet.authorize(client, {"STO-STD": 1})) == {"STO-STD": (1, "short")}


def test_a_token_admits_as_many_as_it_says_and_a_repetition_is_free(fleet: Fleet) -> None:
    token = fleet.token(uses=2)
    secret = secret_of(token)
    clients = [Client() for _ in range(4)]
    requests = [client.register(secret, "EXR-24", f"S{number}")[0] for number, client in enumerate(clients)]
    replies = fleet.ask_all(requests)
    assert [reply.status for reply in replies] == [201, 201, 403, 403]
    assert [reply.status for reply in fleet.ask_all(requests)] == [201, 201, 403, 403]
    assert fleet.ask(requests[0]).document == replies[0].document
    token.refresh_from_db()
    assert (token.uses, Device.objects.count()) == (2, 2)
    assert Event.objects.filter(kind="token.used_up").count() == 1
    again, _ = clients[0].register(secret, "EXR-24", "S0")
    later = clients[0].by_key("register", again.body, at=2_000_000_000)
    assert code(fleet.ask(later)) == "clock_skew"


@pytest.mark.parametrize(("ends", "expected"), [("days", "token_expired"), ("revoked", "token_revoked")])
def test_what_has_ended_a_token_is_told(fleet: Fleet, ends: str, expected: str) -> None:
    token = fleet.token(days=1)
    request, _ = Client().register(secret_of(token), "EXR-24", "S")
    if ends == "revoked":
        revoke_token(fleet.world.as_(fleet.world.admin), account=fleet.world.account, uid=token.uid)
        assert code(fleet.ask(request)) == expected
    else:
        with time_machine.travel(token.expires_at + dt.timedelta(seconds=1), tick=True):
            late, _ = Client().register(secret_of(token), "EXR-24", "S")
            assert code(fleet.ask(late)) == expected
    unknown, _ = Client().register("no such token", "EXR-24", "S")
    assert code(fleet.ask(unknown)) == "unknown_token"


def test_a_record_kept_by_hand_becomes_the_instance_where_the_token_lets_it_in(fleet: Fleet) -> None:
    world = fleet.world
    kept = {}
    for place in (world.osaka, world.tokyo):
        kept[place.pk] = create_device(
            world.as_(world.admin), account=world.account, virtual_account=place, request_id=uuid.uuid4(),
            name=f"core of {place.uid}", product_id="EXR-24", serial="SN-7",
        )  # fmt: skip
    client = fleet.register(serial="SN-7")
    assert fleet.instance(client).device == kept[world.osaka.pk]
    assert fleet.instance(client).device.unit.kind == Unit.Kind.INSTANCE
    twin = fleet.register(serial="SN-7")
    assert fleet.instance(twin).device not in kept.values()


def test_a_certificate_is_renewed_and_a_lost_answer_locks_nobody_out(fleet: Fleet) -> None:
    client = fleet.register()
    lost, _ = client.renew()
    assert fleet.ask(lost).status == 200
    assert lines(fleet.authorize(client, {"STO-STD": 1})) == {"STO-STD": (1, "short")}  # by the former key
    renewed, _ = client.renew()
    client.take(fleet.opened("certificate", fleet.ask(renewed)))
    assert client.generation == 3
    former = Client(uid=client.uid, generation=1, mac=b"")
    fleet.authorize(client, {"STO-STD": 2})
    instance = fleet.instance(client)
    assert (instance.mac_generation, instance.former_mac_generation) == (3, None)
    assert code(fleet.ask(former.authorize({}))) == "unknown_instance"


def test_an_ended_certificate_is_only_renewed(fleet: Fleet) -> None:
    client = fleet.register()
    with time_machine.travel(fleet.instance(client).certificate_until + DAY, tick=True):
        assert code(fleet.ask(client.authorize({"STO-STD": 1}))) == "certificate_expired"
        renewed, _ = client.renew()
        client.take(fleet.opened("certificate", fleet.ask(renewed)))
        assert lines(fleet.authorize(client, {"STO-STD": 1})) == {"STO-STD": (1, "short")}


def test_who_leaves_returns_all_and_gets_the_receipt_again(fleet: Fleet) -> None:
    client = fleet.register()
    fleet.authorize(client, {"STO-STD": 4})
    leaving = client.deregister()
    receipt = fleet.ask(leaving)
    assert fleet.opened("receipt", receipt)["state"] == "removed"
    assert fleet.ask(leaving).document == receipt.document
    assert fleet.world.pool(fleet.world.osaka, fleet.world.storage).in_use == 0
    assert code(fleet.ask(client.authorize({"STO-STD": 1}))) == "instance_removed"
    assert Instance.objects.get().registration == "removed"
    fleet_again = Client(private=client.private)
    request, _ = fleet_again.register(secret_of(fleet.token()), "EXR-24", "S")
    assert fleet.ask(request).status == 201


def test_silence_returns_what_was_used_until_it_speaks_again(fleet: Fleet) -> None:
    world = fleet.world
    client, other = fleet.register(), fleet.register()
    fleet.authorize(client, {"STO-STD": 2})
    heard = fleet.instance(client).last_contact_at
    with time_machine.travel(heard + 91 * DAY, tick=True):
        Instance.objects.filter(uid=other.uid).update(last_contact_at=heard + 90 * DAY)
        assert expire_due() == 1
        assert expire_due() == 0
        assert fleet.instance(client).authorization == "authorization_expired"
        assert world.pool(world.osaka, world.storage).in_use == 0
        event = Event.objects.get(kind="device.authorization_expired")
        assert event.after == {"released": {"STO-STD": 2}}
        assert fleet.authorize(client, {"STO-STD": 2})["state"] == "out_of_compliance"
    with time_machine.travel(heard + 366 * DAY, tick=True):
        Instance.objects.update(last_contact_at=heard + 366 * DAY)
        assert expire_due() == 2
        assert fleet.instance(client).registration == "expired"


def test_its_page_tells_how_it_stands_and_alerts_what_needs_somebody(fleet: Fleet) -> None:
    world = fleet.world
    client = fleet.register(fleet.token(days=5, description="Five days"), name="edge-1")
    fleet.authorize(client, {"STO-STD": 2})
    instance = fleet.instance(client)
    page = world.client(world.admin).get(f"/a/{world.account.identifier}/devices/{instance.device.uid}/")
    for said in ("Out of compliance", instance.thumbprint, "Without contact, licenses return on"):
        assert said in page.content.decode()
    run()
    assert kinds() == {"insufficient_licenses", "token_about_to_end"}
    fleet.authorize(client, {})
    Instance.objects.update(
        contact_due_at=now() - 2 * DAY, certificate_until=now() + DAY, reused_sequence_at=now()
    )  # fmt: skip
    run()
    assert kinds() == {
        "token_about_to_end", "instance_failed_to_connect", "instance_failed_to_renew", "identity_used_twice",
    }  # fmt: skip
    listed = world.client(world.admin).get(f"/a/{world.account.identifier}/alerts/").content.decode()
    assert "Two devices seem to use the identity of edge-1." in listed
    remove_device(
        world.as_(world.admin), account=world.account, device_uid=instance.device.uid, request_id=uuid.uuid4()
    )
    run()
    assert kinds() == {"token_about_to_end"}


def kinds() -> set[str]:
    return set(Alert.objects.filter(resolved_at=None).values_list("kind", flat=True))


def test_who_was_removed_by_people_is_refused(fleet: Fleet) -> None:
    world = fleet.world
    client = fleet.register()
    fleet.authorize(client, {"STO-STD": 2})
    device = fleet.instance(client).device
    remove_device(world.as_(world.admin), account=world.account, device_uid=device.uid, request_id=uuid.uuid4())
    assert code(fleet.ask(client.authorize({"STO-STD": 2}))) == "instance_removed"
    assert world.pool(world.osaka, world.storage).in_use == 0


def test_an_account_that_is_suspended_grants_nothing_and_one_out_of_standing_goes_on(fleet: Fleet) -> None:
    client = fleet.register()
    accounts = type(fleet.world.account).objects.filter(pk=fleet.world.account.pk)
    accounts.update(good_standing_until=None)
    assert fleet.authorize(client, {"STO-STD": 1})["state"] == "out_of_compliance"
    accounts.update(state="suspended")
    assert code(fleet.ask(client.authorize({"STO-STD": 2}))) == "account_suspended"


def test_a_new_signing_key_is_known_before_it_signs(fleet: Fleet) -> None:
    client, operator = fleet.register(), fleet.world.as_(fleet.world.operator)
    first = signing.signer().kid
    rotate_keys(operator)
    signing.forget()
    assert (signing.signer().kid, len(signing.key_sets())) == (first, 2)
    assert fleet.authorize(client, {"STO-STD": 1})["keys_version"] == 2
    leaked = signing.signer()
    rotate_keys(operator, at_once=True)
    signing.forget()
    assert signing.signer().kid != first
    assert list(public_keys()) == [signing.signer().kid]
    assert fleet.authorize(client, {"STO-STD": 1})["keys_version"] == 3
    with pytest.raises(ValueError, match="unknown key"):
        wire.verify("authorization", leaked.sign("authorization", {"sub": client.uid}), public_keys())
    assert fleet.authorize(client, {"STO-STD": 2})["keys_version"] == 3
    with pytest.raises(NotFound):
        rotate_keys(fleet.world.as_(fleet.world.admin))
