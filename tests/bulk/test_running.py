"""A job is done once, part by part, whatever happens to its worker, its starter and the people who wait for it."""

from __future__ import annotations

import datetime as dt
import threading
import uuid

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.core.storage import StorageUnavailable
from daicho.domain.access.models import ApiClient, Grant
from daicho.domain.audit.models import Event
from daicho.domain.bulk import taking
from daicho.domain.bulk.commands import OPEN_AT_ONCE, cancel_job, forget_old_jobs
from daicho.domain.bulk.models import Job, Refusal
from daicho.domain.bulk.queries import refused_rows, result_of
from daicho.domain.bulk.running import Run, run_due_jobs
from daicho.domain.files import store
from daicho.domain.files.models import StoredFile
from daicho.domain.mailbox.models import Mail
from daicho.interfaces.mail.render import render
from tests.bulk.work import KIND, Lines, start

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone: nothing is tidied up."""


def events(kind: str) -> list[dict]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("after", flat=True))


def test_a_job_ends_with_its_counts_its_refused_rows_and_a_line_in_the_log(world, lines) -> None:
    admin = world.as_(world.admin)
    job = start(admin, "a", "b", "!c", "d", "e", account=world.account)
    assert lines.run() == 1
    job.refresh_from_db()
    assert (job.state, job.total, job.done, job.succeeded, job.refused) == ("done", 5, 5, 4, 1)
    assert job.outcome == {"words": 4}
    file = refused_rows(admin, job)
    assert (file.name, file.columns) == ("words-refused", ["row", "column", "code", "reason", "word"])
    assert list(file.rows) == [[4, "word", "odd_word", "This word is odd.", "!c"]]
    assert events("job.started") == [{"kind": KIND}]
    assert events("job.ended") == [{"kind": KIND, "state": "done", "succeeded": 4, "refused": 1}]
    assert lines.run() == 0


def test_a_row_with_two_faults_counts_once_and_stands_once_in_the_file_of_refused_rows(world, lines) -> None:
    def refuse(run: Run) -> None:
        run.head(["sku", "quantity"])
        for row in (2, 3):
            run.refuse(row, "sku", "unknown", "Unknown.", ["X", "-1"])
            run.refuse(row, "quantity", "bad", "Bad.", ["X", "-1"])
        run.refuse(None, "", "whole", "Something about the file.")
        run.step(done=3)

    job = start(world.as_(world.admin), "a", account=world.account)
    run_due_jobs({KIND: refuse})
    job.refresh_from_db()
    assert job.refused == 3
    both = ["sku, quantity", "unknown, bad", "Unknown. Bad.", "X", "-1"]
    rows = list(refused_rows(world.as_(world.admin), job).rows)
    assert rows == [[2, *both], [3, *both], [None, "", "whole", "Something about the file."]]


def test_the_same_request_starts_one_job_and_other_content_is_refused(world, lines) -> None:
    admin, request_id = world.as_(world.admin), uuid.uuid4()
    first = start(admin, "a", account=world.account, request_id=request_id)
    lines.run()
    assert start(admin, "a", account=world.account, request_id=request_id).uid == first.uid
    assert lines.run() == 0
    with pytest.raises(BusinessError, match="request_id_reused"):
        start(admin, "b", account=world.account, request_id=request_id)
    assert start(world.as_(world.user), "b", account=world.account, request_id=request_id).uid != first.uid
    assert len(events("job.started")) == 2


def test_after_a_kill_another_worker_goes_on_where_it_stood_and_does_no_part_twice(world, lines) -> None:
    def kill(part: int, run: Run) -> None:
        if part == 1:
            lines.before = lambda part, run: None
            run.refuse(9, "word", "lost", "Refused by a part that was never finished.", [])
            raise Killed

    lines.before = kill
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", "!b", "c", "d", "!e", account=world.account)
        with pytest.raises(Killed):
            lines.run()
        clock.shift(59)
        assert lines.run() == 0, "its lease has not ended"
        clock.shift(1)
        assert lines.run() == 1
    job.refresh_from_db()
    assert dict(lines.taken) == {"a": 1, "c": 1, "d": 1}
    assert (job.state, job.done, job.succeeded, job.refused) == ("done", 5, 3, 2)
    assert list(Refusal.objects.filter(job=job).values_list("row", flat=True)) == [3, 6]


def test_a_part_in_flight_has_the_same_request_id_the_second_time(world, lines) -> None:
    seen: list[uuid.UUID] = []

    def runner(run: Run) -> None:
        seen.append(run.request_id(0))
        if len(seen) == 1:
            raise Killed

    with time_machine.travel(now(), tick=False) as clock:
        start(world.as_(world.admin), "a", account=world.account)
        with pytest.raises(Killed):
            run_due_jobs({KIND: runner}, worker="w1")
        clock.shift(60)
        run_due_jobs({KIND: runner}, worker="w2")
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_frozen_worker_that_lost_its_job_changes_nothing_any_more(world, lines) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", "b", "c", account=world.account)
        frozen = Lines()

        def freeze(part: int, run: Run) -> None:
            clock.shift(60)
            assert lines.run() == 1

        frozen.before = freeze
        assert frozen.run() == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.succeeded) == ("done", 3, 3)
    assert len(events("job.ended")) == 1


def test_a_lease_is_held_while_a_part_takes_long(world, lines) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        start(world.as_(world.admin), "a", account=world.account)
        others: list[int] = []

        def long_part(part: int, run: Run) -> None:
            for _ in range(10):
                clock.shift(30)
                taking.renew_leases()
                others.append(run_due_jobs({KIND: lines}, worker="w2"))

        lines.before = long_part
        assert lines.run() == 1
    assert others == [0] * 10
    assert not taking._held


def test_cancelled_in_the_middle_a_job_stops_after_its_part_and_keeps_what_is_done(world, lines) -> None:
    job = start(world.as_(world.admin), "a", "b", "c", "d", "e", account=world.account)

    def cancel(part: int, run: Run) -> None:
        if part == 1:
            cancel_job(world.as_(world.admin), uid=job.uid)

    lines.before = cancel
    lines.run()
    job.refresh_from_db()
    assert (job.state, job.done, sorted(lines.taken)) == ("cancelled", 4, ["a", "b", "c", "d"])
    assert len(events("job.cancelled")) == len(events("job.ended")) == 1
    with pytest.raises(BusinessError, match="job_ended"):
        cancel_job(world.as_(world.admin), uid=job.uid)


def test_cancelled_while_it_waits_a_job_never_runs(world, lines) -> None:
    job = start(world.as_(world.admin), "a", account=world.account)
    assert cancel_job(world.as_(world.admin), uid=job.uid).state == "cancelled"
    assert lines.run() == 0


def test_a_job_whose_worker_died_after_the_wish_to_cancel_is_cancelled_by_the_next(world, lines) -> None:
    def kill(part: int, run: Run) -> None:
        cancel_job(world.as_(world.admin), uid=run.job.uid)
        raise Killed

    lines.before = kill
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", account=world.account)
        with pytest.raises(Killed):
            lines.run()
        clock.shift(60)
        lines.run()
    job.refresh_from_db()
    assert (job.state, job.done, len(lines.taken)) == ("cancelled", 0, 0)


@pytest.mark.parametrize(
    ("taken", "code"),
    [("right", "not_found"), ("user", "starter_gone"), ("client", "starter_gone")],
)
def test_whose_rights_end_midway_his_job_ends_at_the_next_part(world, lines, taken: str, code: str) -> None:
    starter = world.as_(world.user)
    if taken == "client":
        from daicho.domain.access.queries import authenticate_api_client

        uid, _, secret = world.api_client().removeprefix("Bearer ").partition(".")
        found = authenticate_api_client(uid, secret)
        assert found is not None
        starter = found

    def end_rights(part: int, run: Run) -> None:
        if part != 1:
            return
        if taken == "right":
            Grant.objects.filter(user=world.user).update(revoked_at=now())
        elif taken == "client":
            ApiClient.objects.update(revoked_at=now())
        else:
            world.user.is_active = False
            world.user.save()

    lines.before = end_rights
    job = start(starter, "a", "b", "c", "d", "e", account=world.account if taken == "right" else None)
    lines.run()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", code)
    assert "e" not in lines.taken


def test_a_refusal_of_the_whole_job_is_told_in_the_starters_language(world, lines) -> None:
    def refuse(run: Run) -> None:
        run.actor = None  # type: ignore[assignment]
        from daicho.core import tabular

        tabular.read(b"PK\x03\x04 not a workbook")

    from dataclasses import replace

    job = start(replace(world.as_(world.admin), language="ja"), "a", account=world.account)
    run_due_jobs({KIND: refuse}, worker="w1")
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "file_unreadable")
    assert "読み" in job.error_text


def test_a_fault_is_tried_again_after_growing_pauses_and_ends_the_job_after_five(world, lines) -> None:
    def fail(run: Run) -> None:
        raise RuntimeError("a fault of ours")

    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", account=world.account)
        waited = []
        for _ in range(5):
            seconds = 0
            while not run_due_jobs({KIND: fail}, worker="w1"):
                clock.shift(5)
                seconds += 5
            waited.append(seconds)
    job.refresh_from_db()
    assert waited == [0, 5, 10, 20, 40]
    assert (job.state, job.error_code) == ("failed", "job_broke")


def test_a_full_disk_never_ends_a_job(world, lines) -> None:
    def full(run: Run) -> None:
        raise StorageUnavailable("full")

    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", account=world.account)
        for _ in range(8):
            assert run_due_jobs({KIND: full}, worker="w1") == 1
            clock.shift(600)
        lines.run()
    job.refresh_from_db()
    assert job.state == "done"


@pytest.mark.parametrize(("gets_on", "state"), [(False, "failed"), (True, "done")])
def test_a_job_that_is_killed_again_and_again_fails_unless_it_gets_on(world, lines, gets_on: bool, state: str) -> None:
    killed = []

    def kill(part: int, run: Run) -> None:
        if part >= (1 if gets_on else 0) and part not in killed[-1:] and len(killed) < 20:
            killed.append(part)
            raise Killed
        if not gets_on:
            raise Killed

    lines.before = kill
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), *map(str, range(16)), account=world.account)
        while job.is_open:
            try:
                lines.run()
            except Killed:
                clock.shift(60)
            job.refresh_from_db()
    assert job.state == state
    assert job.error_code == ("" if gets_on else "interrupted_too_often")
    assert max(lines.taken.values(), default=1) == 1


def test_a_worker_that_stops_gives_the_job_back_and_the_next_goes_on_at_once(world, lines) -> None:
    stopping = threading.Event()
    lines.before = lambda part, run: stopping.set() if part == 1 else None
    job = start(world.as_(world.admin), "a", "b", "c", "d", "e", account=world.account)
    assert lines.run(stopping=stopping) == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts) == ("waiting", 4, 0)
    assert lines.run() == 1
    job.refresh_from_db()
    assert (job.state, max(lines.taken.values())) == ("done", 1)


def test_owners_take_turns_however_many_jobs_one_of_them_has(world, lines) -> None:
    order: list[str] = []
    lines.before = lambda part, run: order.append(run.job.starter_name)
    with time_machine.travel(now(), tick=True):
        for _ in range(3):
            start(world.as_(world.user), "a", account=world.account)
        for someone in (world.viewer, world.operator):
            start(world.as_(someone), "a")
        lines.run()
    assert order == ["User", "Viewer", "Operator", "User", "User"]


@pytest.mark.parametrize(("minutes", "mails"), [(1, 0), (2, 1)])
def test_who_started_a_job_that_took_long_hears_of_its_end(world, lines, minutes: int, mails: int) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", "!b", account=world.account)
        clock.shift(minutes * 60)
        lines.run()
    assert Mail.objects.filter(template="job_ended", to=world.admin.email).count() == mails
    for mail in Mail.objects.filter(template="job_ended"):
        for language in ("ja", "en"):
            told = render("job_ended", mail.context, to=mail.to, to_name="", language=language, time_zone="Asia/Tokyo")
            assert f"/a/aozora.example.co.jp/jobs/{job.uid}/" in told.text
            assert "Take in words.csv" in told.text


def test_one_owner_has_at_most_twenty_open_jobs(world, lines) -> None:
    for _ in range(OPEN_AT_ONCE):
        start(world.as_(world.user), "a")
    with pytest.raises(BusinessError, match="too_many_jobs"):
        start(world.as_(world.user), "a")
    start(world.as_(world.admin), "a")


def test_a_result_file_is_kept_for_thirty_days_with_the_source(world, lines) -> None:
    def export(run: Run) -> None:
        def parts():
            for number in range(3):
                run.step(done=1, succeeded=1)
                yield f"{number}\r\n".encode()

        run.result("lots.csv", "text/csv", parts())

    admin = world.as_(world.admin)
    source = store.keep("wanted.csv", "text/csv", [b"a"])
    job = start(admin, account=world.account, source=source)
    run_due_jobs({KIND: export}, worker="w1")
    job.refresh_from_db()
    file, parts = result_of(admin, job)
    assert (file.name, b"".join(parts), job.done) == ("lots.csv", b"0\r\n1\r\n2\r\n", 3)
    assert forget_old_jobs() == 0
    with time_machine.travel(now() + dt.timedelta(days=31)):
        assert forget_old_jobs() == 1
        assert forget_old_jobs() == 0
    job.refresh_from_db()
    with pytest.raises(BusinessError, match="result_gone"):
        result_of(admin, job)
    assert not StoredFile.objects.exists()


def test_an_export_that_starts_again_counts_from_the_beginning(world, lines) -> None:
    tries: list[int] = []

    def export(run: Run) -> None:
        tries.append(1)
        run.step(done=7)
        run._write(None)
        if len(tries) == 1:
            raise Killed

    with time_machine.travel(now(), tick=False) as clock:
        job = start(world.as_(world.admin), "a", account=world.account)
        with pytest.raises(Killed):
            run_due_jobs({KIND: export}, worker="w1")
        clock.shift(60)
        run_due_jobs({KIND: export}, worker="w1")
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 7)


@pytest.mark.postgres  # SQLite could not empty the event log afterwards
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_run_each_job_once(world, lines) -> None:
    from django.db import connection

    for someone in (world.admin, world.user, world.viewer, world.operator, world.approver):
        for number in range(2):
            start(world.as_(someone), f"{someone.pk}.{number}")
    counted = threading.Lock()
    ran: list[str] = []

    def note(part: int, run: Run) -> None:
        with counted:
            ran.append(run.job.uid)

    lines.before = note

    def work(name: str) -> None:
        try:
            for _ in range(5):
                run_due_jobs({KIND: lines}, worker=name)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.run()
    assert len(ran) == len(set(ran)) == 10
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
