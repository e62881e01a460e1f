"""A company with one of everything, planted words and prime numbers in all of it, and a handle to each thing."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.ids import new_secret
from daicho.core.text import name_key
from daicho.domain.access.models import AccessRequest, ApiClient, Draft, Grant, HandOver, Invitation, User
from daicho.domain.access.rules import Permission, Role
from daicho.domain.accounts.models import Acceptance, Agreement, Contest, Guide, Opening
from daicho.domain.alerts.models import Alert, ExtraAddress
from daicho.domain.audit.models import Event
from daicho.domain.bulk.models import Job, Refusal
from daicho.domain.catalog.models import Ladder, Product
from daicho.domain.continuity.commands.replacement import replace_device
from daicho.domain.continuity.queries.replacement import NewDevice
from daicho.domain.devices import air_gapped
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.printed_import import import_printed_licenses
from daicho.domain.devices.commands.records import create_device
from daicho.domain.devices.commands.reservation_steps import confirm_reservation
from daicho.domain.devices.commands.reservations import ReserveLine, reserve_for_device, show_reservation_codes
from daicho.domain.devices.commands.tokens import issue_tokens
from daicho.domain.devices.models import SigningKey
from daicho.domain.files import store
from daicho.domain.ledger.commands.lot_details import change_lot_details
from daicho.domain.ledger.commands.lot_files import attach_lot_file
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.models import TransferRequest
from daicho.domain.mailbox.models import Mail
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.rules import LineInput, OrderInput
from tests.devices.conftest import Fleet
from tests.support.offline_device import OfflineDevice
from tests.world import PLANTED, PRIME, World, make_user, make_virtual_account

SECRET_WORD = PLANTED.lower()


@dataclass
class Victim:
    """`ids` name the victim's things as URLs and the API name them: `<thing>` → handle."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)


def link() -> tuple[str, str]:
    secret = new_secret()
    return secret, hashlib.sha256(secret.encode()).hexdigest()


def plant_reservations(victim: Victim) -> None:
    """One in each state in which something can be done, and the codes that do it."""
    world, ids, secrets = victim.world, victim.ids, victim.secrets
    admin, account = world.as_(world.admin), world.account
    wanted = ReserveLine(world.advantage, 1, ids["lot"])
    for number, state in enumerate(("", "_waiting", "_installed", "_unbound")):
        offline = OfflineDevice(product_id=f"{PLANTED}-VAULT", serial=f"{PLANTED}-V{number}")
        made = reserve_for_device(
            admin, account=account, request=air_gapped.read_request(offline.request_code()), virtual_account=world.tokyo,
            lines=[wanted], request_id=uuid.uuid4(),
        )  # fmt: skip
        ids[f"reservation{state}"] = made.uid
        if not state:
            continue
        shown = show_reservation_codes(admin, account=account, uid=made.uid, request_id=uuid.uuid4())
        offline.server_keys = {key.version: bytes(key.public_key) for key in SigningKey.objects.all()}
        offline.take_code(shown.code, [])
        confirmation = offline.confirmation_code()
        if state == "_waiting":
            secrets["confirmation_code"], secrets["return_code"] = confirmation, offline.return_code()
            continue
        confirm_reservation(admin, account=account, uid=made.uid, code=confirmation, request_id=uuid.uuid4())
        if state == "_unbound":
            replace_device(
                admin, account=account, failed_uid=made.holder.unit.device.uid, request_id=uuid.uuid4(),
                successor=NewDevice(serial=f"{PLANTED}-V9"),
            )  # fmt: skip
    secrets["request_code"] = OfflineDevice(product_id=f"{PLANTED}-VAULT", serial=f"{PLANTED}-V9").request_code()
    begun = {"code": secrets["request_code"], "place": world.tokyo.uid}
    ids["reservation_draft"] = Draft.objects.create(
        user=world.admin, account=account, kind="reservation", data=begun
    ).uid


def make_victim(world: World) -> Victim:
    admin, account, tokyo, osaka = world.as_(world.admin), world.account, world.tokyo, world.osaka
    victim = Victim(world)
    ids, secrets = victim.ids, victim.secrets
    ids |= {"identifier": account.identifier, "va": tokyo.uid, "va_osaka": osaka.uid, "user": world.viewer.uid}
    # An empty one to delete, tagged.
    empty = make_virtual_account(account, f"{PLANTED} Empty", parent=tokyo)
    empty.tags.create(name=PLANTED, name_key=name_key(PLANTED))
    ids["va_empty"] = empty.uid

    # Licenses: one order in place, one line unassigned, a lot about to end, a short pool.
    soon = (now() + dt.timedelta(days=20)).date()
    lines = [
        LineInput(sku="NET-ADV", quantity=str(PRIME), kind="perpetual", virtual_account=tokyo.name),
        LineInput(sku="STO-STD", quantity="104729", kind="term", start_on="2026-01-01", end_on=soon.isoformat(),
                  virtual_account=tokyo.name),
        LineInput(sku="NET-PREM", quantity="15485863", kind="perpetual"),
    ]  # fmt: skip
    order = OrderInput(identifier=account.identifier, number=f"{PLANTED}-1", lines=lines, memo=f"{PLANTED} order")
    record_order(world.as_(world.operator), company=None, order=order)
    record_order(
        world.as_(world.reseller), company=world.reseller_company,
        order=OrderInput(identifier=account.identifier, number=f"{PLANTED}-2", lines=[lines[0]]),
    )  # fmt: skip
    ids["order"] = Order.objects.get(company=None, number=f"{PLANTED}-1").uid
    ids["line"] = OrderLine.objects.get(order__uid=ids["order"], line_number=1).uid
    ids["unassigned_line"] = OrderLine.objects.get(order__uid=ids["order"], state="unassigned").uid
    ids["unassigned_lot"] = OrderLine.objects.get(uid=ids["unassigned_line"]).lot.uid  # type: ignore[union-attr]
    ids["lot"] = OrderLine.objects.get(uid=ids["line"]).lot.uid  # type: ignore[union-attr]
    ids["term_lot"] = OrderLine.objects.get(order__uid=ids["order"], line_number=2).lot.uid  # type: ignore[union-attr]
    ids["term_lot_late"] = world.deposit(world.storage, 15, None, end=now() + dt.timedelta(days=60)).uid
    ids["partner_order"] = Order.objects.get(company=world.reseller_company).uid
    ids["partner_line"] = OrderLine.objects.get(order__uid=ids["partner_order"]).uid
    ids["company"] = world.reseller_company.uid
    ids["member"] = world.reseller.uid
    ids |= {"tag": world.advantage.uid, "tag_ladder": world.premier.uid}

    device = create_device(
        admin, account=account, virtual_account=tokyo, request_id=uuid.uuid4(), name=f"{PLANTED}-core-1",
        product_id=f"{PLANTED}-9500", serial=f"{PLANTED}0001",
    )  # fmt: skip
    spare = create_device(
        admin, account=account, virtual_account=tokyo, request_id=uuid.uuid4(), name=f"{PLANTED}-core-2"
    )
    assign_to_device(
        admin, account=account, device_uid=device.uid, request_id=uuid.uuid4(), lines=[UseLine(world.advantage, 17)]
    )
    ids |= {"device": device.uid, "device_spare": spare.uid}
    ids["printed_import"] = import_printed_licenses(
        admin, account=account, virtual_account=tokyo, request_id=uuid.uuid4(),
        content=f"UDI: PID:{PLANTED}-SW,SN:{PLANTED}0003\n".encode(),
    ).uid  # fmt: skip
    (token,) = issue_tokens(
        admin, account=account, virtual_accounts=[tokyo], request_id=uuid.uuid4(), description=f"{PLANTED} switches",
        uses=PRIME,
    )  # fmt: skip
    ids["token"] = token.uid
    fleet = Fleet(world)
    instance = fleet.instance(fleet.register(token, serial=f"{PLANTED}0003", name=f"{PLANTED}-edge"))
    ids["device_instance"] = instance.device.uid
    plant_reservations(victim)
    failed = create_device(
        admin, account=account, virtual_account=tokyo, request_id=uuid.uuid4(), name=f"{PLANTED}-failed"
    )
    ids["replacement"] = replace_device(
        admin, account=account, failed_uid=failed.uid, successor=NewDevice(serial=f"{PLANTED}0002"),
        request_id=uuid.uuid4(), memo=PLANTED,
    ).uid  # fmt: skip

    def move(actor: Actor, memo: str = "") -> object:
        return transfer_licenses(
            actor, account=account, request_id=uuid.uuid4(), moves=[Move(tokyo, osaka, world.advantage, 101)], memo=memo
        )

    ids["entry"] = move(admin).entry.uid  # type: ignore[attr-defined]
    waiting = TransferRequest.objects.create(
        account=account, source=tokyo, request_id=uuid.uuid4(), fingerprint="", memo=f"{PLANTED} waits",
        requested_by=world.user, requested_by_name=world.user.name,
        moves=[{"source": tokyo.uid, "target": osaka.uid, "tag": world.advantage.uid, "sku": world.advantage.sku, "quantity": 1, "lot": None, "choice": "soonest_end"}],
    )  # fmt: skip
    ids["transfer_request"] = waiting.uid

    change_lot_details(
        admin, account=account, lot_uid=ids["lot"],
        changes={"management_number": f"{PLANTED} 0001", "certificate_number": f"{PLANTED} C", "amount": PRIME, "currency": "JPY"},
    )  # fmt: skip
    file = f"lot,note\n{ids['lot']},{PLANTED} note".encode()
    ids["details_file"] = store.keep("details.csv", "text/csv", [file], actor=admin).uid

    ids["lot_file"] = attach_lot_file(
        admin, account=account, lot_uid=ids["lot"], name=f"{PLANTED}.pdf", content=b"%PDF-1.7 " + PLANTED.encode()
    ).uid

    # People.
    ids["grant"] = Grant.objects.get(user=world.viewer).uid
    secrets["invitation"], hashed = link()
    invitation = Invitation.objects.create(
        account=account, email=f"new@{account.identifier}", name=f"{PLANTED} newcomer", role=Role.ACCOUNT_VIEWER,
        token_hash=hashed, expires_at=now() + dt.timedelta(days=14), invited_by=world.admin,
    )  # fmt: skip
    asker = make_user(f"asker@{account.identifier}", f"{PLANTED} asker")
    victim.people["asker"] = asker
    wanted = AccessRequest.objects.create(account=account, user=asker, role=Role.ACCOUNT_VIEWER, reason=PLANTED)
    planned = HandOver.objects.create(
        account=account, from_user=world.user, to_user=world.viewer, due_at=now() + dt.timedelta(days=9)
    )
    client = ApiClient.objects.create(
        account=account, name=f"{PLANTED} sync", secret_hash=hashlib.sha256(b"x").hexdigest(), secret_hint="abcd",
        scopes=[str(one) for one in Permission], created_by=world.admin,
    )  # fmt: skip
    operators = ApiClient.objects.create(is_operator=True, name="batch", secret_hash="f" * 64, secret_hint="f")
    client_grant = Grant.objects.create(api_client=client, role=Role.ACCOUNT_VIEWER, account=account)
    ids |= {
        "invitation": invitation.uid, "access_request": wanted.uid, "hand_over": planned.uid, "api_client": client.uid,
        "client_grant": client_grant.uid, "operator_client": operators.uid, "asker": asker.uid,
    }  # fmt: skip

    # Agreement, opening, contest, guide.
    agreement = Agreement.objects.create(
        version=1, title_ja="合意書", title_en="Agreement", text_ja="本文", text_en="Text", effective_at=now(),
        published_by_name="Operator",
    )  # fmt: skip
    Acceptance.objects.create(
        account=account, agreement=agreement, user=world.admin, user_name=world.admin.name,
        user_email=world.admin.email, role=Role.ACCOUNT_ADMINISTRATOR, language="en", text_hash="0" * 64,
    )  # fmt: skip
    opening = Opening.objects.create(
        requester=world.admin, identifier="aozora-two.example.jp", account_name=f"{PLANTED} Two", step=2,
        is_representative=True,
    )  # fmt: skip
    held = Opening.objects.create(
        requester=world.nobody, identifier="held.example.jp", account_name=f"{PLANTED} Held", state="held",
        is_representative=True, held_for=["requester_not_matching"], held_at=now(),
    )  # fmt: skip
    contest = Contest.objects.create(identifier=account.identifier, user=world.nobody, reason=f"{PLANTED} is ours")
    guide = Guide.objects.create(title="Guide", url="https://vendor.example/guide", language="en", kind="document")
    ids |= {
        "agreement": agreement.uid, "opening": opening.uid, "held": held.uid, "contest": contest.uid,
        "guide": guide.uid, "ladder": Ladder.objects.get().uid,
        "product": Product.objects.create(vendor="Vendor", name="Switch", key="vendor switch").uid,
    }  # fmt: skip

    # Signals and drafts.
    alert = Alert.objects.create(
        account=account, virtual_account=tokyo, kind="insufficient_licenses", severity="major", source="pool:0",
        data={"tag": world.advantage.uid, "sku": "NET-ADV", "virtual_account": tokyo.name, "short": 3}, resolved_at=None,
    )  # fmt: skip
    secrets["extra_address"], hashed = link()
    extra = ExtraAddress.objects.create(
        account=account,
        email=f"extra@{account.identifier}",
        token_hash=hashed,
        token_expires_at=now() + dt.timedelta(days=7),
        summarized_on=now().date(),
    )
    draft = Draft.objects.create(user=world.admin, account=account, kind="transfer", data={"rows": []})
    event = Event.objects.filter(account=account, virtual_account=tokyo).latest("id")
    mail = Mail.objects.create(to="x@vendor.example", template="invitation", state=Mail.State.FAILED)
    ids |= {"event": event.uid, "mail": mail.uid}

    # Jobs: one that waits, one that made a file and refused a row, one of the partner.
    job = {"kind": "license.transfer_file", "source_name": f"{PLANTED}.csv", "starter_name": world.admin.name}
    made = store.keep(f"{PLANTED}.csv", "text/csv", [f"{PLANTED},{PRIME}".encode()])
    waits, ended = (
        Job.objects.create(**job, owner=admin.owner, user=world.admin, account=account, request_id=uuid.uuid4(), **more)
        for more in ({}, {"state": "done", "refused": 1, "result": made, "result_name": made.name, "ended_at": now()})
    )
    Refusal.objects.create(job=ended, number=0, row=2, code="x", text=f"{PLANTED} is odd", cells=[PLANTED])
    partners = Job.objects.create(
        **job, owner=world.as_(world.reseller).owner, user=world.reseller, company=world.reseller_company,
        request_id=uuid.uuid4(), state="done", ended_at=now(), refused=1, result=made, result_name=made.name,
    )  # fmt: skip
    ids |= {"job": waits.uid, "job_done": ended.uid, "partner_job": partners.uid}
    ids |= {"alert": alert.uid, "extra_address": extra.uid, "draft": draft.uid}
    return victim


def log_everybody_in(victim: Victim) -> None:
    """Before the tests begin: a session that a test makes is rolled back with it."""
    for user in User.objects.all():
        victim.world.client(user).get("/help/")
