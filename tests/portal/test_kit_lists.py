"""What a declared list gives by itself: filters, sorting, pages, columns, saved views, files."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from daicho.core.actor import Actor, ActorKind
from daicho.domain.access.commands.preferences import keep_list_choices
from daicho.domain.access.models import User
from daicho.domain.access.queries_preferences import list_choices

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.kit_urls")]
LIST = "/_patterns/list/"


@pytest.fixture
def reader() -> Client:
    return Client(headers={"accept-language": "en"})


def body(response: Any) -> str:
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode("utf-8-sig")


def test_a_page_holds_25_rows_and_leads_to_the_next(reader: Client) -> None:
    html = body(reader.get(LIST))
    assert html.count('name="row"') == 25
    assert "240 rows" in html
    assert 'rel="next"' in html
    assert 'rel="prev"' not in html
    assert 'rel="prev"' in body(reader.get(LIST, {"cursor": "25"}))


def test_unknown_filters_sizes_and_sorts_are_dropped(reader: Client) -> None:
    html = body(reader.get(LIST, {"state": "nonsense", "size": "7", "sort": "password", "until": "x"}))
    assert "240 rows" in html
    assert html.count('name="row"') == 25


def test_a_condition_is_a_chip_whose_link_lifts_only_it(reader: Client) -> None:
    html = body(reader.get(LIST, {"q": "sec", "state": "short"}))
    assert 'href="?q=sec"' in html
    assert 'href="?state=short"' in html


def test_full_width_text_finds_what_half_width_text_finds(reader: Client) -> None:
    assert "60 rows" in body(reader.get(LIST, {"q": "ｓｅｃ"}))


def test_a_sorted_head_says_so_and_turns_around(reader: Client) -> None:
    html = body(reader.get(LIST, {"sort": "balance"}))
    assert 'aria-sort="ascending"><a class="sort" href="?sort=-balance">' in html
    rows = list(csv.DictReader(io.StringIO(body(reader.get(LIST, {"sort": "-balance", "export": "csv"})))))
    balances = [int(row["balance"]) for row in rows]
    assert balances == sorted(balances, reverse=True)


def test_a_file_holds_all_that_is_filtered_with_keys_and_codes(reader: Client) -> None:
    response = reader.get(LIST, {"state": "short", "export": "csv"})
    assert response["Content-Disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(body(response))))
    assert len(rows) > 25
    assert {row["state"] for row in rows} == {"short"}
    assert list(rows[0])[:2] == ["name", "place"]


def test_a_pasted_table_holds_numbers_and_words(reader: Client) -> None:
    head, first, *_rest = body(reader.get(LIST, {"export": "tsv"})).splitlines()
    assert head.split("\t")[:3] == ["License", "Virtual account", "State"]
    assert "-3" in first.split("\t")


def test_a_workbook_is_a_workbook(reader: Client) -> None:
    assert b"".join(reader.get(LIST, {"export": "xlsx"}).streaming_content)[:2] == b"PK"


def test_print_shows_every_row_and_no_acts(reader: Client) -> None:
    html = body(reader.get(LIST, {"export": "print"}))
    assert html.count("<tr>") > 240
    assert 'name="row"' not in html
    assert "stamps" in html


def test_chosen_columns_are_remembered_and_the_first_cannot_go(reader: Client) -> None:
    answer = reader.post(LIST + "?state=short", {"list_act": "columns", "column": ["tags"]})
    assert answer["Location"] == LIST + "?state=short"
    rows = list(csv.reader(io.StringIO(body(reader.get(LIST, {"export": "csv"})))))
    assert rows[0] == ["name", "tags"]
    reader.post(LIST, {"list_act": "reset_columns"})
    assert len(next(csv.reader(io.StringIO(body(reader.get(LIST, {"export": "csv"})))))) == 8


def test_the_choice_follows_the_person_to_another_browser(reader: Client) -> None:
    person = User.objects.create_user("hanako@sample.example", name="Hanako")
    reader.force_login(person)
    reader.post(LIST, {"list_act": "columns", "column": ["tags"]})
    other = Client()
    other.force_login(person)
    assert body(other.get(LIST, {"export": "csv"})).splitlines()[0] == "name,tags"
    assert list_choices(Actor(ActorKind.USER, "Hanako", user_id=person.pk), "samples")["columns"] == ["tags"]
    stranger = Client()
    stranger.force_login(User.objects.create_user("taro@other.example", name="Taro"))
    assert "purchased" in body(stranger.get(LIST, {"export": "csv"})).splitlines()[0]


def test_only_the_newest_saved_conditions_are_kept() -> None:
    person = User.objects.create_user("hanako@sample.example", name="Hanako")
    actor = Actor(ActorKind.USER, "Hanako", user_id=person.pk)
    keep_list_choices(actor, list_key="x", columns=None, views=[(f"view {i}", "?q=1") for i in range(30)])
    assert [name for name, _query in list_choices(actor, "x")["views"]] == [f"view {i}" for i in range(10, 30)]


def test_saved_conditions_come_back_by_name_and_can_be_forgotten(reader: Client) -> None:
    reader.post(LIST + "?state=short&q=sec", {"list_act": "save_view", "name": "Short SEC"})
    html = body(reader.get(LIST))
    assert 'href="?state=short&amp;q=sec"><span>Short SEC</span>' in html
    reader.post(LIST, {"list_act": "drop_view", "name": "Short SEC"})
    assert "Short SEC</span></a>" not in body(reader.get(LIST))


def test_htmx_gets_the_list_alone_and_hears_how_many(reader: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "div#list-samples"}
    response = reader.get(LIST, {"q": "sec", "until": ""}, headers=headers)
    html = body(response)
    assert "<html" not in html
    assert '<div id="flash" class="sr-only" role="status" hx-swap-oob="innerHTML">60 rows</div>' in html
    assert response["HX-Push-Url"] == LIST + "?q=sec"


def test_nothing_yet_and_nothing_matches_are_told_apart(reader: Client) -> None:
    assert "No licenses yet" in body(reader.get(LIST, {"none": "1"}))
    html = body(reader.get(LIST, {"q": "no such license"}))
    assert "Nothing matches these conditions" in html
    assert "Clear the conditions" in html


def test_a_name_with_markup_stays_a_name(reader: Client) -> None:
    html = body(reader.get(LIST, {"q": "plant"}))
    assert "&lt;b&gt;plant&lt;/b&gt;" in html
    assert "<b>plant" not in html
