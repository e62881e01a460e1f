"""Everything unassigned that matches goes to one virtual account: a job whose lines succeed or fail alone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.bulk.models import Job, Refusal
from daicho.domain.bulk.running import run_due_jobs
from daicho.domain.ledger.commands.assign_rest import assign_rest
from daicho.domain.ledger.models import Entry
from daicho.domain.orders.commands import assign_matching
from daicho.domain.orders.commands.assign import LinePart, assign_lines, undo_assignment
from daicho.domain.orders.commands.assign_matching import run_assign_matching, start_assign_matching
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.queries.lines import Filters
from daicho.interfaces.portal.views import orders_assign_many
from tests.orders.helpers import line, recorded
from tests.world import World


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assign_matching, "PART", 2)


def started(world: World, **more: Any) -> Job:
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4(), "virtual_account": world.osaka} | more
    return start_assign_matching(world.as_(world.admin), **act)


def ended(job: Job) -> Job:
    run_due_jobs({assign_matching.MATCHING: run_assign_matching})
    job.refresh_from_db()
    return job


def test_all_that_matches_is_assigned_and_nothing_that_came_later(world: World) -> None:
    recorded(world, *[line(quantity=3) for _ in range(3)], line("STO-STD"), number="PO-1")
    part = OrderLine.objects.get(order__number="PO-1", line_number=1)
    assign_lines(
        world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), parts=[LinePart(part, world.tokyo, 2)]
    )
    job = started(world, filters=Filters(text="net-adv"), memo="稟議 7")
    recorded(world, line(quantity=50), number="PO-2")
    assert job.total == 3
    assert (ended(job).state, job.succeeded, job.refused, job.outcome["licenses"]) == ("done", 3, 0, 7)
    assert world.pool(world.osaka, world.advantage).on_hand == 7
    left = OrderLine.objects.filter(state="unassigned").values_list("order__number", "tag__sku")
    assert sorted(left) == [("PO-1", "STO-STD"), ("PO-2", "NET-ADV")]
    entries = Entry.objects.filter(uid__in=job.outcome["entries"])
    assert set(entries.values_list("kind", "memo")) == {("assign_order", "稟議 7")}
    for entry in entries:
        undo_assignment(world.as_(world.admin), account=world.account, entry_uid=entry.uid)
    assert world.pool(world.osaka, world.advantage).on_hand == 0


def test_a_line_that_somebody_else_was_faster_with_is_told_and_the_others_are_assigned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(world, *[line(quantity=3) for _ in range(2)], number="PO-1")
    job = started(world)
    first = OrderLine.objects.get(line_number=1)
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4()}
    assign_lines(world.as_(world.admin), parts=[LinePart(first, world.tokyo, 3)], **act)
    read_before = OrderLine.objects.select_related("lot", "order", "tag")
    monkeypatch.setattr(assign_matching, "unassigned_lines", lambda *given: read_before)
    assert (ended(job).state, job.succeeded, job.refused) == ("done", 1, 1)
    assert Refusal.objects.get(job=job).cells == ["PO-1", 1, "NET-ADV"]
    assert [world.pool(place, world.advantage).on_hand for place in (world.tokyo, world.osaka)] == [3, 3]


def test_only_who_may_assign_in_the_whole_account_starts_it(world: World) -> None:
    recorded(world)
    for who, code in ((world.viewer, "forbidden"), (world.osaka_admin, "not_found"), (world.stranger, "not_found")):
        with pytest.raises(BusinessError) as refused:
            start_assign_matching(
                world.as_(who), account=world.account, request_id=uuid.uuid4(), virtual_account=world.osaka
            )
        assert refused.value.code == code
    with pytest.raises(BusinessError) as refused:
        started(world, virtual_account=world.other_default)
    assert refused.value.code == "not_found"


def test_from_the_list_to_the_form_or_beyond_it_to_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(world, *[line(quantity=3) for _ in range(3)], line("STO-STD"), number="PO-1")
    browser, base = world.client(world.admin), "/a/aozora.example.co.jp/orders"
    listed = browser.get(f"{base}/unassigned/?q=net-adv").content.decode()
    assert listed.count('name="row"') == 3
    form = browser.post(f"{base}/assign/start/?q=net-adv", {"all": "1"})["Location"]
    assert form.count("row=") == 3
    assert browser.get(form).content.decode().count('name="parts.') == 6
    assert browser.post(f"{base}/assign/start/?status=deposited", {"all": "1"})["Location"] == f"{base}/unassigned/"
    monkeypatch.setattr(orders_assign_many, "MOST", 1)
    page = browser.post(f"{base}/assign/start/?q=net-adv", {"all": "1"})["Location"]
    assert page == f"{base}/assign/matching/?q=net-adv"
    assert "“net-adv”" in browser.get(page).content.decode()
    assert browser.post(page, {"virtual_account": world.other_default.uid}).status_code == 422
    assert browser.post(page, {"virtual_account": world.osaka.uid, "memo": "m"})["Location"].startswith("/a/")
    assert (ended(Job.objects.get()).succeeded, world.pool(world.osaka, world.advantage).on_hand) == (3, 9)
    for who, status in ((world.viewer, 403), (world.osaka_admin, 404), (world.stranger, 404)):
        assert world.client(who).get(page).status_code == status


def test_the_list_of_unassigned_lines_is_paged_however_long(world: World) -> None:
    recorded(world, *[line(quantity=1) for _ in range(30)])
    first = world.client(world.admin).get("/a/aozora.example.co.jp/orders/unassigned/?size=25").content.decode()
    assert first.count('name="row"') == 25
    assert 'rel="next"' in first
    assert "Select all that match (30 rows)" in first


def test_the_same_part_again_gets_its_first_answer(world: World) -> None:
    recorded(world, line(quantity=3))
    lot = OrderLine.objects.get().lot
    assert lot is not None
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4(), "virtual_account": world.osaka}
    first = assign_rest(world.as_(world.admin), content=1, lot_uids=[lot.uid], **act)
    assert assign_rest(world.as_(world.admin), content=1, lot_uids=[lot.uid], **act) == first
    assert (first.quantity, first.empty) == (3, [])
    with pytest.raises(BusinessError) as refused:
        assign_rest(world.as_(world.admin), content=2, lot_uids=[lot.uid], **act)
    assert refused.value.code == "request_id_reused"
