"""Large transfers as jobs: rows fail alone, a killed worker is taken over, nothing is done twice or out of sight."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.access.models import User
from daicho.domain.bulk.models import Job, Refusal
from daicho.domain.bulk.running import run_due_jobs
from daicho.domain.files.store import keep
from daicho.domain.ledger.commands import transfer_jobs
from daicho.domain.ledger.commands.transfer_jobs import (
    run_transfer_file,
    run_transfer_matching,
    start_transfer_file,
    start_transfer_matching,
)
from daicho.domain.ledger.commands.transfer_lines import transfer_lines
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.queries.pools import PoolCriteria
from tests.ledger.conftest import Ledger

RUNNERS = {transfer_jobs.FILE: run_transfer_file, transfer_jobs.MATCHING: run_transfer_matching}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_jobs, "PART", 3)


def file_job(ledger: Ledger, rows: list[str], who: User | None = None, **more: Any) -> Job:
    world = ledger.world
    actor = world.as_(who or world.admin)
    text = "\r\n".join(["source,target,sku,quantity", *rows]).encode()
    act: dict[str, Any] = {"account": world.account, "request_id": uuid.uuid4(), "rows": len(rows)} | more
    return start_transfer_file(actor, file=keep("moves.csv", "text/csv", [text], actor=actor), **act)


def ended(job: Job) -> Job:
    run_due_jobs(RUNNERS)
    job.refresh_from_db()
    return job


def test_each_row_of_a_file_succeeds_or_fails_alone(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    rows = [
        "AOZORA Tokyo,Osaka,STO-STD,4", "AOZORA Tokyo,Nowhere,STO-STD,4", "AOZORA Tokyo,Osaka,STO-STD,7",
        "AOZORA Tokyo,DEFAULT,STO-STD,6", "Osaka,DEFAULT,STO-STD,1", ",,NO-SUCH,zero", ",,,",
    ]  # fmt: skip
    job = ended(file_job(ledger, rows))
    assert (job.state, job.done, job.succeeded, job.refused) == ("done", 6, 3, 3)
    told = Refusal.objects.filter(job=job).order_by("number").values_list("row", "column", "code")
    assert list(told) == [
        (3, "target", "unknown_virtual_account"), (4, "quantity", "not_enough_licenses"), (7, "source", "unknown_virtual_account"),
        (7, "target", "unknown_virtual_account"), (7, "sku", "unknown_license"), (7, "quantity", "bad_quantity"),
    ]  # fmt: skip
    assert [ledger.figures(place, world.storage)[0] for place in (world.tokyo, world.osaka, world.default)] == [0, 3, 7]
    assert job.outcome["licenses"] == 11
    assert list(Entry.objects.filter(uid__in=job.outcome["entries"]).values_list("kind", flat=True)) == ["transfer"] * 2


def test_a_job_that_was_killed_goes_on_where_it_was_and_moves_nothing_twice(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ledger.world
    world.deposit(world.storage, 20, world.tokyo)
    job = file_job(ledger, ["AOZORA Tokyo,Osaka,STO-STD,1"] * 8)
    real, times = transfer_lines, []

    def killed(*args: Any, **given: Any) -> Any:
        times.append(1)
        done = real(*args, **given)
        if len(times) == 2:
            raise SystemExit  # after the act, before its commit
        return done

    monkeypatch.setattr(transfer_jobs, "transfer_lines", killed)
    with pytest.raises(SystemExit):
        run_due_jobs(RUNNERS)
    job.refresh_from_db()
    assert (job.state, job.cursor, ledger.figures(world.osaka, world.storage)[0]) == ("running", {"row": 4}, 3)
    Job.objects.update(lease_until=None)
    assert (ended(job).succeeded, ledger.figures(world.osaka, world.storage)[0], len(times)) == (8, 8, 4)


def test_the_same_file_with_the_same_request_id_is_one_job(ledger: Ledger) -> None:
    ledger.world.deposit(ledger.world.storage, 20, ledger.world.tokyo)
    act: dict[str, Any] = {"request_id": uuid.uuid4()}
    rows = ["AOZORA Tokyo,Osaka,STO-STD,1"] * 2
    first = file_job(ledger, rows, **act)
    assert ended(first).succeeded == 2
    assert file_job(ledger, rows, **act).uid == first.uid
    assert run_due_jobs(RUNNERS) == 0


def test_rights_are_asked_again_while_the_job_runs(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ledger.world
    world.deposit(world.storage, 20, world.tokyo)
    job = file_job(ledger, ["AOZORA Tokyo,Osaka,STO-STD,1"] * 8, world.user)
    real = transfer_lines

    def then_revoked(*args: Any, **given: Any) -> Any:
        done = real(*args, **given)
        world.user.grants.update(revoked_at=world.user.date_joined)
        return done

    monkeypatch.setattr(transfer_jobs, "transfer_lines", then_revoked)
    assert (ended(job).state, job.error_code, job.succeeded) == ("failed", "not_found", 3)


def test_all_that_matches_is_what_matched_at_the_start_and_may_be_moved(ledger: Ledger) -> None:
    world = ledger.world
    world.deposit(world.storage, 10, world.tokyo)
    world.deposit(world.security, 5, world.osaka)
    world.deposit(world.premier, 4, world.osaka)
    world.deposit(world.premier, 4, world.default)
    ledger.assign(world.unit(world.osaka), world.essentials, 3)
    act: dict[str, Any] = {"account": world.account, "target": world.default, "criteria": PoolCriteria(text="net")}
    job = start_transfer_matching(ledger.admin, request_id=uuid.uuid4(), **act)
    world.deposit(world.advantage, 9, world.tokyo)  # comes to the list later
    assert job.total == 1
    assert (ended(job).state, job.succeeded) == ("done", 1)
    assert ledger.figures(world.default, world.premier)[0] == 5
    assert ledger.figures(world.tokyo, world.advantage)[0] == 9
    act["criteria"] = PoolCriteria()
    everything = ended(start_transfer_matching(ledger.admin, request_id=uuid.uuid4(), **act))
    assert (everything.succeeded, everything.refused) == (3, 0)
    assert [ledger.figures(world.default, tag)[0] for tag in (world.storage, world.security, world.advantage)] == [
        10,
        5,
        9,
    ]


def test_all_that_matches_never_reaches_out_of_sight(ledger: Ledger) -> None:
    world = ledger.world
    lab = world.default
    world.partner.grants.create(
        role="va_administrator", account=world.account, virtual_account=lab, ends_at=world.partner.grants.get().ends_at
    )
    world.deposit(world.storage, 10, world.tokyo)
    world.deposit(world.storage, 6, world.osaka)
    act: dict[str, Any] = {"account": world.account, "criteria": PoolCriteria()}
    job = start_transfer_matching(world.as_(world.partner), target=lab, request_id=uuid.uuid4(), **act)
    assert (job.total, ended(job).succeeded) == (1, 1)
    assert (ledger.figures(lab, world.storage)[0], ledger.figures(world.tokyo, world.storage)[0]) == (6, 10)
    for who, target, code in (
        (world.partner, world.tokyo, "not_found"), (world.viewer, lab, "forbidden"), (world.stranger, lab, "not_found"),
    ):  # fmt: skip
        with pytest.raises(BusinessError) as refused:
            start_transfer_matching(world.as_(who), target=target, request_id=uuid.uuid4(), **act)
        assert refused.value.code == code
        if who is not world.partner:
            with pytest.raises(BusinessError) as refused:
                file_job(ledger, ["a,b,c,1"], who)
            assert refused.value.code == code
