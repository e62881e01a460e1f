"""Licenses move between virtual accounts: chosen, previewed, refused, approved."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from daicho.core.clock import now
from daicho.core.text import fingerprint
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.transfer import (
    Move,
    approve_transfer,
    decline_transfer,
    preview_transfer,
    transfer_licenses,
    withdraw_transfer,
)
from daicho.domain.ledger.models import Entry, Holding, Lot, Place, Posting, TransferRequest
from tests.ledger.conftest import Ledger, refusal
from tests.world import grant, make_tag, make_virtual_account

DAY = dt.timedelta(days=1)


def there(lot: Lot, virtual_account) -> int:
    found = Holding.objects.filter(lot=lot, place__virtual_account=virtual_account, place__kind=Place.Kind.ON_HAND)
    return sum(found.values_list("quantity", flat=True))


def test_the_soonest_end_or_the_longest_term_goes_first(ledger: Ledger) -> None:
    world = ledger.world
    lots = [
        world.deposit(world.storage, 10, world.tokyo, end=end and now() + end) for end in (None, 90 * DAY, 30 * DAY)
    ]
    ledger.transfer(world.tokyo, world.osaka, world.storage, 15)
    assert [there(lot, world.osaka) for lot in lots] == [0, 5, 10]
    ledger.transfer(world.tokyo, world.default, world.storage, 12, choice="longest_term")
    assert [there(lot, world.default) for lot in lots] == [10, 2, 0]


def test_a_lot_by_hand_may_also_be_one_that_has_not_started_or_has_ended(ledger: Ledger) -> None:
    world = ledger.world
    later = world.deposit(world.storage, 5, world.tokyo, start=now() + DAY)
    ended = world.deposit(world.storage, 6, world.tokyo, end=now() - DAY)
    for lot in (later, ended):
        ledger.transfer(world.tokyo, world.osaka, world.storage, 4, lot_uid=lot.uid)
    assert world.pool(world.osaka, world.storage).pending == 4
    assert world.pool(world.osaka, world.storage).next_change_at == later.start_at
    error = refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.storage, 2, lot_uid=later.uid))
    assert (error.code, error.data["available"], error.data["lot"]) == ("not_enough_licenses", 1, later.uid)
    assert (
        refusal(lambda: ledger.transfer(world.default, world.osaka, world.storage, 1, lot_uid=later.uid)).code
        == "not_found"
    )
    assert (
        refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.security, 1, lot_uid=later.uid)).code
        == "not_found"
    )


def test_many_lines_are_one_entry_all_or_nothing(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    world.deposit(world.security, 10, world.tokyo)
    moves = [
        Move(world.tokyo, world.osaka, world.storage, 4),
        Move(world.tokyo, world.default, world.storage, 6),
        Move(world.tokyo, world.osaka, world.security, 11),
    ]
    act = {"account": world.account, "request_id": uuid.uuid4()}
    error = refusal(lambda: transfer_licenses(ledger.admin, moves=moves, **act))
    assert (error.data["sku"], error.data["missing"]) == ("SEC-PLUS", 1)
    assert not Posting.objects.filter(entry__kind=Entry.Kind.TRANSFER).exists()
    moves[2] = Move(world.tokyo, world.osaka, world.security, 10)
    outcome = transfer_licenses(ledger.admin, moves=moves, **act)
    assert outcome.entry is not None
    assert outcome.entry.postings.count() == 3
    assert ledger.figures(world.default, world.storage) == (6, 0, 6)


def test_what_arrives_by_one_line_may_leave_by_the_next(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    moves = [Move(world.tokyo, world.osaka, world.storage, 8), Move(world.osaka, world.default, world.storage, 5)]
    transfer_licenses(ledger.admin, account=world.account, request_id=uuid.uuid4(), moves=moves)
    assert [ledger.figures(place, world.storage)[0] for place in (world.tokyo, world.osaka, world.default)] == [2, 3, 5]


def test_lines_of_one_source_are_added_up(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.storage, 4)
    moves = [Move(world.tokyo, world.osaka, world.storage, 4), Move(world.tokyo, world.default, world.storage, 3)]
    error = refusal(
        lambda: transfer_licenses(ledger.admin, account=world.account, request_id=uuid.uuid4(), moves=moves)
    )
    assert (error.data["asked"], error.data["available"], error.data["missing"]) == (7, 6, 1)
    assert error.text() == (
        "Nothing was transferred. AOZORA Tokyo has 6 spare STO-STD (you asked for 7). Enter 6 or less, or choose another source."
    )


def test_a_shortage_in_a_lower_tier_is_told_by_the_license_that_was_asked_for(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.premier, 10, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.essentials, 8)
    error = refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.premier, 3))
    assert (error.data["sku"], error.data["available"], error.data["missing"]) == ("NET-PREM", 2, 1)


def test_each_side_has_its_own_event_without_the_other_sides_name(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    entry = ledger.entry(world.tokyo, world.osaka, world.storage, 4, memo="稟議 12")
    sent, received = Event.objects.filter(kind="license.transferred").order_by("pk")
    assert (sent.virtual_account, sent.other_virtual_account) == (world.tokyo, world.osaka)
    assert (received.virtual_account, received.other_virtual_account) == (world.osaka, world.tokyo)
    assert sent.before == {"on_hand": 10, "in_use": 0, "reserved": 0, "balance": 10}
    assert sent.after == {"quantity": 4, "direction": "out", "on_hand": 6, "in_use": 0, "reserved": 0, "balance": 6}
    assert received.after["direction"] == "in"
    assert {sent.subject_uid, received.subject_uid} == {entry.uid}
    assert sent.memo == "稟議 12"
    assert world.tokyo.name not in f"{received.subject}{received.before}{received.after}"


def test_who_may_transfer(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.osaka)
    move = Move(world.osaka, world.tokyo, world.storage, 1)

    def as_(user):
        return lambda: transfer_licenses(world.as_(user), account=world.account, request_id=uuid.uuid4(), moves=[move])

    assert refusal(as_(world.viewer)).code == "forbidden"
    assert refusal(as_(world.approver)).code == "not_found"
    assert refusal(as_(world.stranger)).code == "not_found"
    assert refusal(as_(world.osaka_admin)).code == "not_found", "he may not learn that Tokyo exists"
    right = grant(world.osaka_admin, Role.VA_VIEWER, world.account, world.tokyo)
    assert refusal(as_(world.osaka_admin)).code == "forbidden"
    right.role = Role.VA_USER
    right.save()
    as_(world.osaka_admin)()
    as_(world.user)()


def test_a_transfer_into_itself_and_into_another_account_are_refused(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    assert refusal(lambda: ledger.transfer(world.tokyo, world.tokyo, world.storage, 1)).code == "same_virtual_account"
    assert refusal(lambda: ledger.transfer(world.tokyo, world.other_default, world.storage, 1)).code == "not_found"


def test_without_an_accepted_agreement_nothing_is_transferred(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    world.account.good_standing_until = now() - DAY
    world.account.save()
    assert refusal(lambda: ledger.transfer(world.tokyo, world.osaka, world.storage, 1)).code == "agreement_pending"


def test_a_preview_tells_the_effects_and_changes_nothing(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.storage, 4)
    counts = (Entry.objects.count(), Posting.objects.count(), Event.objects.count())

    def preview(quantity: int):
        moves = [Move(world.tokyo, world.osaka, world.storage, quantity)]
        return preview_transfer(ledger.admin, account=world.account, moves=moves)

    good = preview(6)
    assert good.is_possible
    assert [(e.virtual_account, e.before, e.after, e.missing) for e in good.effects] == [
        (world.tokyo, 6, 0, 0),
        (world.osaka, 0, 6, 0),
    ]
    assert [(part.lot, part.quantity) for part in good.lots] == [(lot, 6)]
    bad = preview(13)
    assert not bad.is_possible
    assert [(e.before, e.after, e.missing) for e in bad.effects] == [(6, -7, 7), (0, 13, 0)]
    assert counts == (Entry.objects.count(), Posting.objects.count(), Event.objects.count())
    assert world.pool(world.tokyo, world.storage).on_hand == 10


def test_a_preview_asks_the_door_like_the_act(ledger: Ledger) -> None:
    world = ledger.world
    moves = [Move(world.osaka, world.tokyo, world.storage, 1)]
    error = refusal(lambda: preview_transfer(world.as_(world.osaka_admin), account=world.account, moves=moves))
    assert error.code == "not_found"


def test_a_transfer_of_one_line_costs_few_queries(ledger: Ledger, django_assert_max_num_queries) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    ledger.transfer(world.tokyo, world.osaka, world.storage, 1)
    with django_assert_max_num_queries(16):
        ledger.transfer(world.tokyo, world.osaka, world.storage, 1)


def test_a_thousand_lines_cost_no_more_queries_than_a_few(ledger: Ledger, django_assert_max_num_queries) -> None:
    world = ledger.world
    targets = [make_virtual_account(world.account, f"Branch {number}") for number in range(10)]
    tags = [make_tag(f"T-{number}", f"Tag {number}") for number in range(100)]
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots

    lots = [NewLot(tag, 10, "perpetual", now() - DAY, None, world.tokyo) for tag in tags]
    deposit_lots(ledger.admin, account=world.account, request_id=uuid.uuid4(), lots=lots)
    moves = [Move(world.tokyo, target, tag, 1) for tag in tags for target in targets]
    with django_assert_max_num_queries(30):
        transfer_licenses(ledger.admin, account=world.account, request_id=uuid.uuid4(), moves=moves)
    assert Posting.objects.filter(entry__kind=Entry.Kind.TRANSFER).count() == 1_000


# ── approval ──


@pytest.fixture
def waiting(ledger: Ledger) -> TransferRequest:
    """The account's user wants 4 out of Osaka; the account wants approval for that."""
    world = ledger.world
    world.account.transfers_need_approval = True
    world.account.save()
    world.deposit(world.storage, 10, world.osaka)
    request = ask(ledger).request
    assert request is not None
    return request


REQUEST = uuid.UUID(int=7)


def ask(ledger: Ledger, quantity: int = 4):
    world = ledger.world
    moves = [Move(world.osaka, world.tokyo, world.storage, quantity)]
    return transfer_licenses(
        world.as_(world.user), account=world.account, request_id=REQUEST, moves=moves, memo="for March"
    )


def test_a_transfer_waits_for_the_administrator_of_its_source(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world
    assert ledger.figures(world.osaka, world.storage) == (10, 0, 10)
    event = Event.objects.get(kind="license.transfer_requested")
    assert (event.virtual_account, event.other_virtual_account) == (world.osaka, world.tokyo)
    again = ask(ledger)
    assert (again.entry, again.request) == (None, waiting)
    assert refusal(lambda: ask(ledger, 5)).code == "request_id_reused"
    done = approve_transfer(world.as_(world.osaka_admin), account=world.account, request_uid=waiting.uid)
    assert done.entry is not None
    assert (done.entry.memo, done.entry.request_id) == ("for March", waiting.request_id)
    assert ledger.figures(world.tokyo, world.storage) == (4, 0, 4)
    after = ask(ledger)
    assert (after.entry, after.request) == (done.entry, waiting)
    assert done.entry.fingerprint != fingerprint([])


def test_administrators_of_the_source_need_no_approval(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world
    assert ledger.transfer(world.osaka, world.tokyo, world.storage, 1).entry is not None


def test_only_the_sources_administrator_decides_and_only_once(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world

    def decide(act, user):
        return lambda: act(world.as_(user), account=world.account, request_uid=waiting.uid, reason="no budget")

    assert refusal(decide(approve_transfer, world.user)).code == "forbidden"
    assert refusal(decide(approve_transfer, world.stranger)).code == "not_found"
    assert refusal(decide(withdraw_transfer, world.osaka_admin)).code == "forbidden"
    declined = decide(decline_transfer, world.osaka_admin)().request
    assert (declined.state, declined.decision_reason, declined.decided_by_name) == (
        "declined",
        "no budget",
        "Osaka Admin",
    )
    assert Event.objects.get(kind="license.transfer_declined").memo == "no budget"
    for act, user in ((approve_transfer, world.osaka_admin), (withdraw_transfer, world.user)):
        assert refusal(decide(act, user)).code == "transfer_request_closed"
    assert ledger.figures(world.osaka, world.storage) == (10, 0, 10)


def test_who_asked_may_withdraw(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world
    done = withdraw_transfer(world.as_(world.user), account=world.account, request_uid=waiting.uid)
    assert done.request is not None
    assert done.request.state == TransferRequest.State.WITHDRAWN
    assert Event.objects.filter(kind="license.transfer_withdrawn").count() == 1


def test_an_approval_that_finds_too_few_stays_open(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world
    ledger.transfer(world.osaka, world.default, world.storage, 8)
    approve = lambda: approve_transfer(world.as_(world.osaka_admin), account=world.account, request_uid=waiting.uid)  # noqa: E731
    error = refusal(approve)
    assert (error.code, error.data["available"]) == ("not_enough_licenses", 2)
    ledger.transfer(world.default, world.osaka, world.storage, 8)
    assert approve().entry is not None


def test_a_waiting_transfer_has_one_source(ledger: Ledger, waiting: TransferRequest) -> None:
    world = ledger.world
    moves = [Move(world.osaka, world.tokyo, world.storage, 1), Move(world.default, world.tokyo, world.storage, 1)]
    act = lambda: transfer_licenses(world.as_(world.user), account=world.account, request_id=uuid.uuid4(), moves=moves)  # noqa: E731
    assert refusal(act).code == "one_source_at_a_time"
