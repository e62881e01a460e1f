"""More than one act takes: a large file and everything that matches become jobs, in portal, API and console."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import run_due_jobs
from daicho.domain.ledger.models import Entry
from daicho.domain.ledger.queries import transfer_file
from daicho.interfaces.cli.main import main
from daicho.interfaces.jobs.periodic import RUNNERS
from daicho.interfaces.portal.views import transfers_new
from tests.licenses.conftest import A, Stocked
from tests.world import make_virtual_account

API = "/api/v1/accounts/aozora.example.co.jp"
ROWS = "source,target,sku,quantity\nAOZORA Tokyo,Osaka,NET-ADV,4\nAOZORA Tokyo,Nowhere,NET-ADV,1\nAOZORA Tokyo,Osaka,NET-ADV,5\n"


@pytest.fixture
def small_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An act takes two rows, so that three make a job."""
    monkeypatch.setattr(transfer_file, "MAX_LINES", 2)


def upload(client: Client, text: str = ROWS) -> Any:
    file = SimpleUploadedFile("moves.csv", text.encode(), content_type="text/csv")
    return client.post(f"{A}/transfers/csv/", {"file": file, "choice": "soonest_end", "memo": "稟議 9"})


def press(client: Client, url: str, **more: str) -> Any:
    """Press the button of a page that carries its own request id."""
    found = re.search(r'name="request_id" value="([^"]+)"', client.get(url).content.decode())
    assert found is not None
    return client.post(url, {"request_id": found[1], **more})


@pytest.mark.usefixtures("small_acts")
def test_the_check_page_says_that_rows_fail_alone_and_the_button_starts_a_job(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.admin)
    check = upload(client)["Location"]
    text = client.get(check).content.decode()
    assert "Each row is moved or refused by itself" in text
    assert '<th scope="row" class="num">3</th>' in text
    mend = b"".join(client.get(f"{check}?problems=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in mend] == [["row", "column"], ["3", "target"]]
    started = press(client, check)
    assert not Entry.objects.filter(kind="transfer").exists()
    run_due_jobs(RUNNERS)
    assert "moves.csv" in client.get(started["Location"]).content.decode()
    assert world.pool(world.osaka, world.advantage).balance == 24
    job = Job.objects.get()
    assert (job.succeeded, job.refused, job.kind) == (2, 1, "license.transfer_file")
    assert Entry.objects.get(kind="transfer").memo == "稟議 9"
    assert client.get(check).status_code == 404  # the draft went with it


@pytest.mark.usefixtures("small_acts")
def test_the_api_answers_202_above_the_limit(stocked: Stocked) -> None:
    world = stocked.world
    ask = {"HTTP_AUTHORIZATION": world.api_client(), "HTTP_IDEMPOTENCY_KEY": "import 1"}
    told = []
    for _ in range(2):
        file = SimpleUploadedFile("moves.csv", ROWS.encode(), content_type="text/csv")
        answer = Client().post(f"{API}/transfers/import", {"file": file}, **ask)  # type: ignore[arg-type]
        assert answer.status_code == 202, answer.content
        told.append(answer.json()["uid"])
    assert told[0] == told[1]
    run_due_jobs(RUNNERS)
    job = Job.objects.get()
    assert (job.uid, job.succeeded, job.refused) == (told[0], 2, 1)


def test_what_matches_beyond_one_form_is_transferred_by_a_job(
    stocked: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = stocked.world
    monkeypatch.setattr(transfers_new, "MOST_ROWS", 1)
    lab = make_virtual_account(world.account, "Lab")
    client = world.client(world.admin)
    page = client.post(f"{A}/transfers/start/?q=NET-ADV", {"all": "1"})["Location"]
    text = client.get(page).content.decode()
    assert page == f"{A}/transfers/matching/?q=NET-ADV"
    assert "“NET-ADV”" in text
    assert press(client, page).status_code == 422
    press(client, page, target=lab.uid, choice="soonest_end", memo="")
    run_due_jobs(RUNNERS)
    assert world.pool(lab, world.advantage).on_hand == 115
    assert world.pool(world.osaka, world.premier).on_hand == 10


def test_a_partner_transfers_what_matches_only_from_where_he_may(stocked: Stocked) -> None:
    world = stocked.world
    partner, viewer = world.client(world.partner), world.client(world.viewer)
    assert (
        partner.post(f"{A}/transfers/matching/", {"target": world.tokyo.uid, "choice": "soonest_end"}).status_code
        == 422
    )
    assert viewer.get(f"{A}/transfers/matching/").status_code == 403
    body = {"filter": {"sku": "NET-ADV"}, "target": world.osaka.uid}
    answer = Client().post(
        f"{API}/transfers/matching", json.dumps(body), content_type="application/json",
        HTTP_AUTHORIZATION=world.api_client(),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["total"]) == (202, 1)
    run_due_jobs(RUNNERS)
    assert world.pool(world.osaka, world.advantage).on_hand == 120


@pytest.mark.usefixtures("small_acts")
def test_the_console_starts_a_job_for_a_large_file(
    stocked: Stocked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "moves.csv").write_text(ROWS, encoding="utf-8")
    ask = ["licenses", "transfer", str(tmp_path / "moves.csv"), "--account", "aozora.example.co.jp", "--json"]
    assert main([*ask, "--dry-run"]) == 0
    assert not Job.objects.exists()
    capsys.readouterr()
    assert main(ask) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["job"], told["rows"], told["bad_rows"]) == (Job.objects.get().uid, 3, 1)
    run_due_jobs(RUNNERS)
    assert stocked.world.pool(stocked.world.osaka, stocked.world.advantage).on_hand == 29
