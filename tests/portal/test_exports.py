"""Files of lists: as large as the list, with little memory, and the same by the quick way as by the slow one."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from daicho.core import tabular
from daicho.core.clock import now
from daicho.interfaces.portal import lists
from daicho.interfaces.portal.views.licenses_lots import LotList
from tests.world import World

A = "/a/aozora.example.co.jp"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.fixture
def stocked(world: World) -> World:
    later = now() + dt.timedelta(days=10)
    world.deposit(world.advantage, 7, world.tokyo, end=later, kind_with_end="subscription", order_number="=1+1")
    world.deposit(world.advantage, 5, world.osaka, end=later + dt.timedelta(days=300), kind_with_end="subscription")
    world.deposit(
        world.storage, 3, world.osaka, start=later, end=later + dt.timedelta(days=1), kind_with_end="subscription"
    )
    world.deposit(world.storage, 2, world.default, order_number='two "quoted"\nlines')
    return world  # fmt: skip


@pytest.mark.parametrize("address", ["subscriptions/", "licenses/{tag}/", "licenses/{tag}/?sort=-start"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_quick_file_is_byte_for_byte_the_one_that_builds_models(
    stocked: World, monkeypatch: pytest.MonkeyPatch, address: str, language: str
) -> None:
    stocked.admin.language, stocked.admin.time_zone = language, "America/New_York" if language == "en" else "Asia/Tokyo"
    stocked.admin.save(update_fields=["language", "time_zone"])
    for number, text in enumerate(("'=already", "\t=tab", " leading, comma", "@at", "日本語\r\n２行", "''=two", "\\.")):
        start = now() - dt.timedelta(days=100 * number)
        end = start + dt.timedelta(days=100 * number + 20 - 5 * number)
        stocked.deposit(
            stocked.storage,
            number + 1,
            stocked.tokyo,
            start=start,
            end=end,
            kind_with_end="subscription",
            order_number=text,
        )
    url = f"{A}/{address.format(tag=stocked.storage.uid)}"
    url += ("&" if "?" in url else "?") + "export=csv"
    client = stocked.client(stocked.admin)
    quick = body(client.get(url))
    monkeypatch.setattr(LotList, "plain_lines", lambda self, q, keys: None)
    assert body(client.get(url)) == quick
    monkeypatch.setattr(LotList, "plain_rows", lambda self, q, keys: None)
    assert body(client.get(url)) == quick
    assert len(list(csv.reader(io.StringIO(quick.decode("utf-8-sig"))))) > 2


def test_the_quick_file_reads_no_pages(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LotList, "fetch", lambda self, q: pytest.fail("a page was read"))
    assert body(stocked.client(stocked.admin).get(f"{A}/subscriptions/?export=csv")).count(b"\r\n") == 4


def test_a_partner_gets_a_file_of_his_virtual_account_alone(stocked: World) -> None:
    text = body(stocked.client(stocked.partner).get(f"{A}/subscriptions/?export=csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(int(row["quantity"]) for row in rows) == [3, 5]
    assert "AOZORA" not in text


def test_a_viewer_may_export_and_a_stranger_learns_nothing(stocked: World) -> None:
    assert stocked.client(stocked.viewer).get(f"{A}/subscriptions/?export=csv").status_code == 200
    assert stocked.client(stocked.stranger).get(f"{A}/subscriptions/?export=csv").status_code == 404


def test_no_cell_of_a_file_is_calculated(stocked: World) -> None:
    assert "'=1+1" in body(stocked.client(stocked.admin).get(f"{A}/subscriptions/?export=csv")).decode()


def test_a_list_that_is_read_by_pages_is_exported_whole(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "EXPORT_CHUNK", 1)
    text = body(stocked.client(stocked.admin).get(f"{A}/licenses/?export=csv")).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 5


def many(count: int) -> Iterator[list[tabular.Cell]]:
    for number in range(count):
        yield [f"row {number}", number, None, "x" * 40]


def peak(work: Any) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_csv_file_holds_no_more_for_many_rows_than_for_few() -> None:
    def write(count: int) -> int:
        return sum(len(part) for part in tabular.csv_lines(["a", "b", "c", "d"], many(count)))

    assert peak(lambda: write(20_000)) < peak(lambda: write(5_000)) + 100_000


def test_a_workbook_holds_no_more_for_many_rows_than_for_few() -> None:
    def write(count: int) -> None:
        tabular.xlsx_file(["a", "b", "c", "d"], many(count)).close()

    assert peak(lambda: write(6_000)) < peak(lambda: write(2_000)) + 400_000


def test_more_rows_than_a_sheet_takes_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine

    monkeypatch.setattr(tabular, "SHEET_ROWS", 3)
    with tabular.xlsx_file(["name", "n", "none", "x"], many(7), sheet="機器") as file:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    assert book.sheet_names == ["機器", "機器 (2)", "機器 (3)"]
    heads = [book.get_sheet_by_index(at).to_python()[0][0] for at in range(3)]
    names = [row[0] for at in range(3) for row in book.get_sheet_by_index(at).to_python()[1:]]
    assert heads == ["name"] * 3
    assert names == [f"row {number}" for number in range(7)]


def test_a_text_longer_than_a_cell_takes_is_cut_with_a_mark() -> None:
    back = tabular.read(tabular.xlsx_bytes(["note"], [["a" * 40_000], ["b" * 32_767]]))
    assert back[1][0] == "a" * 32_766 + "…"
    assert back[2][0] == "b" * 32_767
