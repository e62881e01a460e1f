"""The pages, operations and commands of jobs: what they show, to whom, and what they let one do."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.urls import reverse

from daicho.domain.access.models import Grant
from daicho.domain.audit.models import Event
from daicho.domain.bulk.commands import cancel_job
from daicho.domain.bulk.running import Run, run_due_jobs
from daicho.domain.files import store
from daicho.interfaces.cli.main import main
from tests.bulk.work import KIND, start
from tests.world import PLANTED

pytestmark = pytest.mark.django_db
AT = "/a/aozora.example.co.jp/jobs/"


@pytest.fixture
def ended(world, lines):
    job = start(world.as_(world.user), "a", "!<b>", "c", account=world.account)
    lines.run()
    job.refresh_from_db()
    return job


def test_the_page_of_a_waiting_job_polls_and_offers_its_end(world, lines) -> None:
    job = start(world.as_(world.user), "a", account=world.account)
    page = world.client(world.user).get(f"{AT}{job.uid}/").content.decode()
    assert "Take in words.csv" in page
    assert f'hx-get="{AT}{job.uid}/"' in page
    assert "Cancel the job?" in page
    assert "<noscript>" in page
    assert '<progress max="1" aria-label' in page, "while nobody knows how long it takes, the bar has no value"
    answer = world.client(world.user).post(f"{AT}{job.uid}/cancel/")
    assert answer["Location"] == f"{AT}{job.uid}/"
    part = world.client(world.user).get(f"{AT}{job.uid}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Cancelled" in part
    assert "The job has ended." in part
    assert "hx-trigger" not in part


def test_the_page_of_an_ended_job_shows_what_was_refused_and_hands_it_out(world, ended) -> None:
    page = world.client(world.user).get(f"{AT}{ended.uid}/").content.decode()
    assert "3 of 3 rows" in page
    assert "This word is odd." in page
    assert "Cancel the job" not in page
    file = world.client(world.user).get(f"{AT}{ended.uid}/refused.csv")
    assert file["Content-Disposition"].startswith('attachment; filename="words-refused.csv"')
    assert b"".join(file).decode() == "\ufeffrow,column,code,reason,word\r\n3,word,odd_word,This word is odd.,!<b>\r\n"
    assert world.client(world.user).get(f"{AT}{ended.uid}/result/").status_code == 404


def test_the_event_log_says_how_a_job_ended(world, ended) -> None:
    log = world.client(world.admin).get("/a/aozora.example.co.jp/events/?kind=job").content.decode()
    assert "The job “Take in words.csv” was started." in log
    assert "The job “Take in words.csv” ended (Done): 2 done, 1 refused." in log


def test_a_result_is_handed_out_under_its_name(world, lines) -> None:
    def export(run: Run) -> None:
        run.result("保有一覧.csv", "text/csv; charset=utf-8", [b"1,2\r\n"])

    job = start(world.as_(world.user), "a", account=world.account)
    run_due_jobs({KIND: export})
    file = world.client(world.user).get(f"{AT}{job.uid}/result/")
    assert (b"".join(file), file["Content-Length"]) == (b"1,2\r\n", "5")
    assert "filename*=UTF-8''%E4%BF%9D%E6%9C%89%E4%B8%80%E8%A6%A7.csv" in file["Content-Disposition"]
    api = world.client(world.user).get(f"/api/v1/jobs/{job.uid}/result")
    assert b"".join(api) == b"1,2\r\n"


def test_the_starter_and_administrators_see_a_job_others_of_the_account_do_not(world, ended) -> None:
    seen = {}
    for name in ("user", "admin", "viewer", "osaka_admin", "approver", "stranger", "reseller"):
        browser = world.client(getattr(world, name))
        in_list = "Take in words.csv" in browser.get(AT).content.decode()
        seen[name] = (browser.get(f"{AT}{ended.uid}/").status_code, in_list)
        assert browser.get(f"/api/v1/jobs/{ended.uid}").status_code == seen[name][0]
        assert browser.get(f"{AT}{ended.uid}/refused.csv").status_code == seen[name][0]
    assert {name for name, found in seen.items() if found == (200, True)} == {"user", "admin"}
    assert {found for name, found in seen.items() if name not in {"user", "admin"}} == {(404, False)}
    Grant.objects.filter(user=world.user).delete()
    assert world.client(world.user).get(f"/api/v1/jobs/{ended.uid}").status_code == 404
    assert world.client(world.user).get("/api/v1/jobs").json()["items"] == []


def test_the_operator_sees_that_an_accounts_job_ran_but_not_what_was_in_it(world, ended) -> None:
    browser = world.client(world.operator)
    page = browser.get(f"/operator/jobs/{ended.uid}/").content.decode()
    assert "3 of 3 rows" in page
    assert f"{PLANTED} Manufacturing" in page
    assert "This word is odd." not in page
    assert "refused.csv" not in page
    assert browser.get(f"/operator/jobs/{ended.uid}/refused.csv").status_code == 404
    assert "Take in words.csv" in browser.get("/operator/jobs/").content.decode()


def test_members_of_a_partner_company_see_its_jobs_and_no_other(world, lines) -> None:
    job = start(world.as_(world.reseller), "a", company=world.reseller_company)
    at = reverse("partner-jobs-list", kwargs={"company": world.reseller_company.uid})
    browser = world.client(world.reseller)
    assert "Take in words.csv" in browser.get(at).content.decode()
    assert browser.get(f"{at}{job.uid}/").status_code == 200
    assert world.client(world.admin).get(f"{at}{job.uid}/").status_code == 404
    assert world.client(world.admin).get(f"{AT}{job.uid}/").status_code == 404
    company = f"/api/v1/partner/{world.reseller_company.uid}/jobs"
    assert [one["uid"] for one in browser.get(company).json()["items"]] == [job.uid]


def test_a_job_shows_only_where_it_belongs(world, ended) -> None:
    other = reverse("jobs-detail", kwargs={"identifier": world.other_account.identifier, "uid": ended.uid})
    assert world.client(world.admin).get(other).status_code == 404
    Grant.objects.create(user=world.admin, role="account_administrator", account=world.other_account)
    assert world.client(world.admin).get(other).status_code == 404


def test_an_empty_list_says_what_would_stand_there(world) -> None:
    assert "No jobs yet" in world.client(world.admin).get(AT).content.decode()


def test_a_program_follows_its_job_and_cancels_it(world, lines) -> None:
    headers = {"Authorization": world.api_client(scopes=["account.view"])}
    browser = world.client(None)
    uid = headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
    from dataclasses import replace

    from daicho.core.actor import ActorKind
    from daicho.domain.access.models import ApiClient

    client = ApiClient.objects.get(uid=uid)
    program = replace(
        world.as_(world.admin),
        kind=ActorKind.API_CLIENT,
        user_id=None,
        api_client_id=client.pk,
        scopes=frozenset(client.scopes),
    )
    job = start(program, "a", "b", account=world.account, total=2)
    found = browser.get(f"/api/v1/jobs/{job.uid}", headers=headers).json()
    assert (found["state"], found["percent"], found["account"]) == ("waiting", 0, "aozora.example.co.jp")
    other = start(world.as_(world.user), "a", account=world.account)
    assert browser.get(f"/api/v1/jobs/{other.uid}", headers=headers).status_code == 404, "its scopes are too few"
    listed = browser.get("/api/v1/accounts/aozora.example.co.jp/jobs", headers=headers).json()["items"]
    assert [one["uid"] for one in listed] == [job.uid]
    ended = browser.post(f"/api/v1/jobs/{job.uid}/cancel", headers=headers).json()
    assert ended["state"] == "cancelled"
    again = browser.post(f"/api/v1/jobs/{job.uid}/cancel", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "job_ended")


def test_the_console_lists_shows_cancels_and_saves(world, ended, lines, tmp_path, capsys) -> None:
    waiting = start(world.as_(world.admin), "a", account=world.account)

    def console(*words: str) -> tuple[int, object]:
        code = main(["bulk", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    assert [job["uid"] for job in console("list")[1]] == [waiting.uid]
    assert {job["uid"] for job in console("list", "--all")[1]} == {waiting.uid, ended.uid}
    assert console("cancel", waiting.uid)[1]["state"] == "cancelled"
    assert Event.objects.get(kind="job.cancelled").interface == "cli"
    assert console("show", ended.uid)[1]["refused"] == 1
    target = tmp_path / "refused.csv"
    assert console("result", ended.uid, str(target), "--refused")[0] == 0
    assert "odd_word" in target.read_text("utf-8")
    assert console("result", ended.uid, str(target))[0] == 1
    assert console("show", "nosuchjob")[0] == 1
    assert main(["bulk", "list"]) == 0
    assert "There are no jobs." in capsys.readouterr().out


def test_files_of_forgotten_jobs_are_gone_for_programs_too(world, lines) -> None:
    job = start(world.as_(world.admin), account=world.account, source=store.keep("w.csv", "text/csv", [b"!a b"]))
    lines.run()
    from daicho.core.clock import now
    from daicho.domain.bulk.commands import forget_old_jobs
    from daicho.domain.bulk.models import Job

    Job.objects.filter(pk=job.pk).update(ended_at=now() - dt.timedelta(days=31))
    forget_old_jobs()
    browser = world.client(world.admin)
    assert browser.get(f"/api/v1/jobs/{job.uid}/refused-rows").json()["code"] == "result_gone"
    assert browser.get(f"/api/v1/jobs/{job.uid}").json()["refused_rows"] is None
    assert "Its files were removed" in browser.get(f"{AT}{job.uid}/").content.decode()


def test_who_asks_twice_for_the_end_gets_the_same_answer(world, lines) -> None:
    job = start(world.as_(world.admin), "a", "b", "c", account=world.account)
    answers: list[bool] = []

    def ask_twice(part: int, run: Run) -> None:
        if part == 0:
            answers.extend(cancel_job(world.as_(world.admin), uid=job.uid).cancel_asked for _ in range(2))

    lines.before = ask_twice
    lines.run()
    assert answers == [True, True]
    assert Event.objects.filter(kind="job.cancelled").count() == 1
