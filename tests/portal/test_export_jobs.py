"""A long list becomes a file in a job: the same file as the download, with the rights of whoever asked, at that moment."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.event_export import verify_export
from daicho.domain.bulk.exports import start_export
from daicho.domain.bulk.models import Job
from daicho.domain.bulk.running import run_due_jobs
from daicho.domain.files.store import content
from daicho.domain.ledger.queries import lots
from daicho.interfaces.jobs.periodic import RUNNERS
from tests.world import World

PAGE = "/a/aozora.example.co.jp/subscriptions/"


@pytest.fixture
def long_list(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Lists count to three; five lots lie in Osaka, two in Tokyo."""
    monkeypatch.setattr(lots, "COUNT_LIMIT", 3)
    for number in range(7):
        world.deposit(
            world.storage, number + 1, world.osaka if number < 5 else world.tokyo, kind="subscription",
            order_number=f"=PO-{number}",
        )  # fmt: skip
    return world


def ask(client: Client, file_format: str, page: str = PAGE, **more: str) -> Any:
    return client.post(page, {"list_act": "export", "format": file_format, "request_id": str(uuid.uuid4()), **more})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def ended(answer: Any) -> Job:
    assert answer.status_code == 302
    run_due_jobs(RUNNERS)
    return Job.objects.select_related("result").get(uid=answer["Location"].rstrip("/").rpartition("/")[2])


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_file_of_the_job_is_that_of_the_download(long_list: World, file_format: str) -> None:
    client = long_list.client(long_list.admin)
    page = f"{PAGE}?sort=-end&q=STO"
    job = ended(ask(client, file_format, page))
    assert (job.state, job.done, job.total, job.error_code) == ("done", 7, 7, "")
    assert job.result is not None
    download = body(client.get(f"{page}&export={file_format}"))
    assert tabular.read(content(job.result)) == tabular.read(download)
    assert job.result_name.endswith(f".{file_format}")
    if file_format == "csv":
        assert content(job.result) == download
        assert b"'=PO-0" in download
    assert body(client.get(f"/a/aozora.example.co.jp/jobs/{job.uid}/result/")) == content(job.result)


def test_a_short_list_stays_a_download_and_a_long_one_asks_for_a_job(
    long_list: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = long_list.client(long_list.admin)
    monkeypatch.setattr("daicho.interfaces.portal.lists.SIZES", (5,))
    long = client.get(f"{PAGE}?size=5").content.decode()
    assert 'name="list_act" value="export"' in long
    assert "export=xlsx" not in long
    short = client.get(f"/a/aozora.example.co.jp/va/{long_list.tokyo.uid}/subscriptions/").content.decode()
    assert "export=xlsx" in short


def test_the_file_holds_what_its_owner_sees_when_it_is_made(long_list: World) -> None:
    world = long_list
    job = ended(ask(world.client(world.partner), "csv"))
    assert job.result is not None
    lines = content(job.result).decode("utf-8-sig").splitlines()
    assert len(lines) == 6
    assert "AOZORA" not in "".join(lines)
    assert world.client(world.stranger).get(f"/a/aozora.example.co.jp/jobs/{job.uid}/result/").status_code == 404
    asked = ask(world.client(world.osaka_admin), "csv")
    world.osaka_admin.grants.update(role="account_approver", virtual_account=None)
    lost = ended(asked)
    assert (lost.state, lost.error_code, lost.result) == ("failed", "not_found", None)
    assert ask(world.client(world.stranger), "csv").status_code == 404


def test_the_event_log_is_a_job_too_with_its_seal_and_its_note(long_list: World) -> None:
    world = long_list
    job = ended(ask(world.client(world.admin), "csv", "/a/aozora.example.co.jp/events/"))
    assert job.result is not None
    head, *rows = tabular.read(content(job.result))
    assert head[:3] == ["block", "block_hash", "digest"]
    assert {row[head.index("kind")] for row in rows if row[2]} >= {"license.deposited", "job.started"}
    assert verify_export(content(job.result)) is None


def test_only_who_may_see_something_there_starts_a_file(long_list: World) -> None:
    world = long_list
    given = {"path": PAGE, "query": "", "file_format": "csv", "title": "Lots"}
    for who, where, code in (
        (world.stranger, {"account": world.account}, "not_found"),
        (world.stranger, {"company": world.reseller_company}, "not_found"),
        (world.stranger, {}, "not_found"),
    ):
        with pytest.raises(BusinessError) as refused:
            start_export(world.as_(who), request_id=uuid.uuid4(), **given, **where)  # type: ignore[arg-type]
        assert refused.value.code == code
