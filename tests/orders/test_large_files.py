"""Order files of any size: recorded part by part, each line alone and once, whatever happens in the middle."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.tabular import csv_lines, read, xlsx_bytes
from daicho.domain.access.models import PartnerCompany
from daicho.domain.bulk.commands import cancel_job
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.queries import refused_rows
from daicho.domain.bulk.running import Run, run_due_jobs
from daicho.domain.files import store
from daicho.domain.ledger.carrying import Move
from daicho.domain.ledger.check import check_ledger
from daicho.domain.ledger.commands.transfer import transfer_licenses
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.models import Entry, Holding, Lot
from daicho.domain.orders import order_file, spooling
from daicho.domain.orders.commands import imports, order_jobs
from daicho.domain.orders.commands.imports import import_orders
from daicho.domain.orders.commands.order_jobs import KIND, run_order_file, start_order_file
from daicho.domain.orders.commands.record_large import Part, record_part
from daicho.domain.orders.models import Order, OrderLine, PartnerAllowance
from daicho.domain.orders.sheet import Sheet
from daicho.interfaces.cli.main import main
from tests.world import World

pytestmark = pytest.mark.django_db

HEAD = "order_number,line,domain,virtual_account,sku,quantity,kind,start_date,end_date\n"
READ_APART = order_file.read_apart
AT = "aozora.example.co.jp"


class Killed(BaseException):
    """The process is gone: nothing is tidied up."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven lines an act, and the reader in this process: one test starts the real one."""
    monkeypatch.setattr(order_jobs, "PART", 7)
    monkeypatch.setattr(order_jobs, "PART_OF_SQLITE", 7)
    monkeypatch.setattr(order_file, "read_apart", spooling.spool)


def good(count: int) -> str:
    """Orders of ten lines; every second one names a virtual account, and only an order's first row its customer."""
    return HEAD + "".join(
        f"PO-{n // 10},,{AT if n % 10 == 0 else ''},{'Osaka' if n // 10 % 2 else ''},NET-ADV,{n + 1},"
        f"term,2026-01-01,{'2190-12-31' if n % 3 else '2026-01-02'}\n"
        for n in range(count)
    )


def start(world: World, content: str | bytes, company: PartnerCompany | None = None) -> Job:
    who = world.as_(world.reseller if company is not None else world.operator)
    data = content.encode() if isinstance(content, str) else content
    file = store.keep("十一月.csv", "text/csv", [data], actor=who)
    return start_order_file(who, company=company, request_id=uuid.uuid4(), file=file)


def run(job: Job) -> Job:
    run_due_jobs({KIND: run_order_file})
    job.refresh_from_db()
    return job


def books(company: PartnerCompany | None) -> list[tuple[object, ...]]:
    """What the lines of a company became."""
    lines = OrderLine.objects.filter(order__company=company).order_by("order__number_key", "line_number")
    columns = (
        "order__number", "account", "line_number", "tag", "quantity", "kind", "billing", "start_on", "end_on",
        "virtual_account", "state", "fingerprint", "lot__order_number", "lot__kind", "lot__start_at", "lot__end_at",
        "lot__billing", "lot__tag", "lot__account",
    )  # fmt: skip
    lying = Holding.objects.order_by("lot", "is_issue")
    return [
        (*row, list(lying.filter(lot=lot).values_list("place__kind", "place__virtual_account", "quantity")))
        for *row, lot in lines.values_list(*columns, "lot")
    ]


def test_parts_leave_the_books_that_one_act_leaves(world: World) -> None:
    import_orders(world.as_(world.operator), company=None, content=good(25).encode())
    pool = world.pool(world.osaka, world.advantage)
    PartnerAllowance.objects.create(company=world.reseller_company, tag=world.advantage, monthly_quantity=10_000)
    job = run(start(world, good(25), world.reseller_company))
    assert (job.state, job.total, job.done, job.succeeded, job.refused) == ("done", 25, 25, 25, 0)
    assert job.outcome == {"new": 25, "repeated": 0, "deposited": 10, "unassigned": 15}
    assert books(world.reseller_company) == books(None)
    both = world.pool(world.osaka, world.advantage)
    assert (both.on_hand, both.next_end_at) == (2 * pool.on_hand, pool.next_end_at)
    assert check_ledger(deep=True) == []


def test_the_same_file_again_deposits_nothing(world: World) -> None:
    run(start(world, good(25)))
    entries = Entry.objects.count()
    again = run(start(world, good(25)))
    assert again.outcome == {"new": 0, "repeated": 25}
    assert (Lot.objects.count(), OrderLine.objects.count(), Order.objects.count()) == (25, 25, 3)
    assert Entry.objects.count() == entries


def test_after_a_kill_in_mid_file_another_worker_goes_on_and_no_line_counts_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, parts = record_part, []

    def kill(*args: object, **kwargs: object) -> object:
        done = real(*args, **kwargs)  # type: ignore[arg-type]
        parts.append(done)
        if len(parts) == 3:
            raise Killed
        return done

    monkeypatch.setattr(order_jobs, "record_part", kill)
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world, good(25))
        with pytest.raises(Killed):
            run(job)
        assert 0 < Lot.objects.count() < 25
        clock.shift(120)
        job = run(job)
    assert (job.state, job.done, job.succeeded) == ("done", 25, 25)
    assert job.outcome["new"] == Lot.objects.count() == OrderLine.objects.count() == 25
    assert check_ledger() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["kill", "cancel"])
def test_two_parts_at_a_time_are_counted_in_their_order_and_nothing_counts_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    job = start(world, good(100) + f"PO-0,,{AT},,NONE,1,,,\n")
    real, counted = order_jobs._count, []

    def count(run: Run, part: Sheet, found: Part, done: int) -> None:
        counted.append(done)
        if len(counted) == 5:
            if end == "kill":
                raise Killed
            cancel_job(world.as_(world.operator), uid=job.uid)
        real(run, part, found, done)

    with monkeypatch.context() as patch:
        patch.setattr(order_jobs, "_count", count)
        with suppress(Killed):
            run(job)
    assert counted == sorted(counted)
    job.refresh_from_db()
    if end == "cancel":
        assert (job.state, job.done) == ("cancelled", OrderLine.objects.count() + job.refused)
        return
    assert job.done < OrderLine.objects.count(), "parts were recorded that nobody counted"
    with time_machine.travel(now() + dt.timedelta(minutes=2)):
        run(job)
    assert (job.state, job.done, job.succeeded, job.refused) == ("done", 101, 100, 1)
    assert Lot.objects.count() == OrderLine.objects.count() == 100
    assert check_ledger() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_licenses_are_transferred_while_a_file_is_recorded(world: World) -> None:
    world.deposit(world.advantage, 1_000, world.osaka)
    job = start(world, good(200))
    over, moved = threading.Event(), []

    def transfer() -> None:
        admin = world.as_(world.admin)
        try:
            while not over.is_set():
                move = Move(world.osaka, world.tokyo, world.advantage, 1)
                transfer_licenses(admin, account=world.account, request_id=uuid.uuid4(), moves=[move])
                moved.append(1)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as hands:
        crowd = hands.submit(transfer)
        run(job)
        over.set()
        crowd.result()
    assert (job.state, job.succeeded) == ("done", 200)
    assert moved
    assert world.pool(world.tokyo, world.advantage).on_hand == len(moved)
    assert check_ledger(deep=True) == []


def test_every_refused_row_is_named_and_can_be_mended_and_taken_alone(world: World) -> None:
    bad = (
        f"PO-1,,{AT},Osaka,NONE,1,,,\n"
        f"PO-8,1,nobody.example.com,,NET-ADV,3,,,\n"
        f"PO-9,1,{AT},Kyoto,NET-ADV,x,,,\n"
        f"PO-0,1,{AT},,NET-ADV,77,,,\n"
    )
    job = run(start(world, good(25) + bad))
    assert (job.state, job.succeeded, job.refused, OrderLine.objects.count()) == ("done", 25, 4, 25)
    file = refused_rows(world.as_(world.operator), job)
    rows = [[str(cell) for cell in row] for row in file.rows]
    told = {(int(row[0]), row[1], row[2]) for row in rows}
    assert told == {
        (27, "sku", "unknown_sku"), (28, "domain", "unknown_destination"),
        (29, "virtual_account, quantity", "unknown_destination, bad_quantity"), (30, "line", "order_conflict"),
    }  # fmt: skip
    mended = "".join(csv_lines(file.columns, [row for row in rows if row[0] == "27"])).replace("NONE", "NET-ADV")
    run(start(world, mended))
    assert OrderLine.objects.get(order__number="PO-1", line_number=11).quantity == 1, "not line 1 of its own file"


def test_a_workbook_is_read_by_a_process_of_its_own_and_says_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_file, "read_apart", READ_APART)
    head, *rows = read(good(25).encode())
    run(start(world, xlsx_bytes(head, rows)))
    assert [row[2:5] for row in books(None)] == [
        (n % 10 + 1, world.advantage.pk, n + 1) for n in range(25)
    ]  # fmt: skip


def test_an_order_larger_than_a_part_is_torn_apart_at_the_same_lines_each_time() -> None:
    lines = "".join(f'[{n + 2}, {n + 1}, 20, ["a.example", "", "", ""], {["PO"] + [""] * 12}]\n' for n in range(20))
    spool = lines.replace("'", '"')
    whole = [list(part.rows) for part in order_file.parts_from(io.StringIO(spool), size=8)]
    assert whole == [list(range(2, 10)), list(range(10, 18)), list(range(18, 22))]
    assert [list(part.rows) for part in order_file.parts_from(io.StringIO(spool), done=8, size=8)] == whole[1:]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "nothing_in_file"),
        ("a,b\n1,2\n", "unknown_columns"),
        (HEAD, "nothing_in_file"),
        ("\x00", "file_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_ends_its_job_with_the_reason(world: World, content: str, code: str) -> None:
    job = run(start(world, content or "\n"))
    assert (job.state, job.error_code) == ("failed", code)
    assert job.error_text


def test_a_line_that_the_ledger_cannot_count_is_refused_alone(world: World) -> None:
    rows = [f"PO-1,{n},{AT},Osaka,NET-ADV,{MAX_QUANTITY if n == 3 else 1},,,\n" for n in range(1, 6)]
    job = run(start(world, HEAD + "".join(rows)))
    assert (job.state, job.succeeded, job.refused) == ("done", 4, 1)
    assert job.refusals.get().row == 4
    assert check_ledger() == []


def test_lines_wait_for_the_agreement_and_beyond_an_allowance_for_the_operator(world: World) -> None:
    world.account.good_standing_until = now()
    world.account.save()
    PartnerAllowance.objects.create(company=world.reseller_company, tag=world.advantage, monthly_quantity=10)
    job = run(start(world, good(6), world.reseller_company))
    assert job.outcome == {"new": 6, "repeated": 0, "waiting_agreement": 4, "waiting_operator": 2}
    assert not Lot.objects.exists()


def test_only_who_may_record_starts_a_file(world: World) -> None:
    file = store.keep("a.csv", "text/csv", [b"x"])
    asked: list[tuple[Callable[[], object], PartnerCompany | None]] = [
        (lambda: world.as_(world.admin), None), (lambda: world.as_(world.stranger), world.reseller_company),
    ]  # fmt: skip
    for who, company in asked:
        with pytest.raises(NotFound):
            start_order_file(who(), company=company, request_id=uuid.uuid4(), file=file)  # type: ignore[arg-type]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file that is a large one here."""
    monkeypatch.setattr(imports, "MAX_LINES", 20)
    return (good(25) + f"PO-9,1,{AT},Kyoto,NET-ADV,1,,,\n").encode()


def test_the_operator_looks_at_the_first_rows_and_a_job_takes_the_file(world: World, large: bytes) -> None:
    browser = world.client(world.operator)
    upload = {"file": SimpleUploadedFile("large.csv", large)}
    looked = browser.post(reverse("operator_orders-import"), upload, follow=True)
    page = looked.content.decode()
    assert "recorded in the background" in page
    assert "Record 26 rows" in page
    assert "No such destination" in page, "a row that will be refused is shown before"
    assert not Order.objects.exists()
    at = looked.redirect_chain[-1][0]
    request_id = str(uuid.uuid4())
    answers = [browser.post(at, {"request_id": request_id}) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {
        reverse("operator_jobs-detail", kwargs={"uid": Job.objects.get().uid})
    }
    run(Job.objects.get())
    page = browser.get(answers[0]["Location"]).content.decode()
    assert "Orders from large.csv" in page
    assert OrderLine.objects.count() == 25
    assert world.client(world.reseller).get(at).status_code == 404


def test_a_program_sends_a_large_file_and_gets_a_job(world: World, large: bytes) -> None:
    browser, at = world.client(world.operator), "/api/v1/operator/order-imports"
    looked = browser.post(f"{at}/preview", {"file": SimpleUploadedFile("large.csv", large)}).json()
    assert (looked["as_job"], looked["rows"], looked["looked_at"], len(looked["errors"])) == (True, 26, 26, 1)
    answer = browser.post(
        at, {"file": SimpleUploadedFile("large.csv", large)}, headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    assert (answer.status_code, answer.json()["kind"]) == (202, KIND)
    run(Job.objects.get())
    assert browser.get(f"/api/v1/jobs/{answer.json()['uid']}").json()["refused"] == 1


def test_the_console_starts_a_job_for_a_large_file(
    world: World, large: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(large)
    assert main(["orders", "import", str(file), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["job"] is None
    assert main(["orders", "import", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["job"] == Job.objects.get().uid
