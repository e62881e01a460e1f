"""How states, numbers, dates and fields read, in both languages."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words

NOON = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)


def drawn(source: str, language: str = "en", **context: object) -> str:
    with translation.override(language), timezone.override("Asia/Tokyo"):
        return Template("{% load i18n kit %}" + source).render(Context(context))


def test_a_balance_is_signed_with_the_minus_that_spreadsheets_read() -> None:
    assert [words.balance(n) for n in (12, 0, -3, -1234, None)] == ["+12", "0", "-3", "-1,234", "–"]


@pytest.mark.parametrize(("language", "expected"), [("en", "24 Nov 2026"), ("ja", "2026/11/24")])
def test_a_date_reads_as_each_language_writes_it(language: str, expected: str) -> None:
    assert expected in drawn("{% date day %}", language, day=dt.date(2026, 11, 24))


def test_an_instant_is_shown_in_the_readers_zone_and_names_it_when_asked() -> None:
    assert "2026/11/24 12:00 JST" in drawn("{% datetime at zone=True %}", "ja", at=NOON)


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("days", "en", "ja"),
    [
        (12, "12 days left", "あと12日"),
        (1, "1 day left", "あと1日"),
        (0, "until today", "今日まで"),
        (-3, "3 days ago", "3日前"),
    ],
)
def test_a_relative_day_never_stands_alone(days: int, en: str, ja: str) -> None:
    day = dt.date(2026, 11, 24) + dt.timedelta(days=days)
    for language, expected in (("en", en), ("ja", ja)):
        html = drawn("{% ago day %}", language, day=day)
        assert expected in html
        assert f'datetime="{day.isoformat()}"' in html


def test_a_state_carries_its_word_and_number_and_its_code() -> None:
    html = drawn('{% state "short" number=3 %}', "ja")
    assert "不足 3" in html
    assert 'data-code="short"' in html
    assert 'aria-hidden="true"' in html


def test_an_unknown_state_is_shown_calmly_as_it_is() -> None:
    assert "state-neutral" in drawn('{% state "something_new" %}')


def test_an_icon_that_the_sprite_lacks_is_an_error() -> None:
    with pytest.raises(Exception, match="no icon"):
        drawn('{% icon "unicorn" %}')


def test_a_button_that_cannot_be_pressed_says_why_and_stays_in_reach() -> None:
    html = drawn('{% button "Transfer" unavailable="No spare licenses." %}')
    assert 'aria-disabled="true"' in html
    assert " disabled" not in html.replace("aria-disabled", "")
    reason = html.split('aria-describedby="')[1].split('"')[0]
    assert f'id="{reason}">No spare licenses.' in html


class OrderForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the order", max_length=8)
    quantity = forms.IntegerField(label="Quantity", widget=kit.Quantity())
    day = forms.DateField(label="Day", widget=kit.DateInput())
    choice = forms.ChoiceField(label="Choice", widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])


def test_what_people_type_is_normalised_not_scolded() -> None:
    form = OrderForm({"name": "x", "quantity": "１,０００", "day": "２０２６/１１/２４", "choice": "a"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["quantity"] == 1000
    assert form.cleaned_data["day"] == dt.date(2026, 11, 24)


def test_a_field_ties_its_hint_and_error_to_the_control() -> None:
    html = drawn("{% field form.name %}", form=OrderForm({"name": ""}))
    assert '<label class="label" for="id_name">' in html
    assert 'aria-describedby="id_name_hint id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert "required" in html


def test_the_summary_links_each_error_to_its_field() -> None:
    html = drawn("{% error_summary form %}", form=OrderForm({}))
    assert 'role="alert"' in html
    for target in ("#id_name", "#id_quantity", "#id_choice_0"):
        assert f'href="{target}"' in html
    assert drawn("{% error_summary form %}", form=OrderForm()) == ""


def test_a_result_stays_for_the_next_page_with_its_link_and_undo() -> None:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]  # enough for the message storage
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    kit.tell(request, "done", "5 licenses transferred.", link=("/t/1", "Open"), undo="/t/1/undo")
    html = drawn("{% told %}", messages=get_messages(request))
    assert "5 licenses transferred." in html
    assert 'href="/t/1"' in html
    assert 'action="/t/1/undo"' in html


def test_what_users_wrote_is_never_markup() -> None:
    evil = "<b>x</b>"
    html = drawn(
        '{% page_head evil facts=evil %}{% endpage_head %}{% facts lines %}{% state "waiting" text=evil %}'
        "{% copy evil %}{% tag_list tags %}{% table evil %}{% endtable %}",
        evil=evil, lines=[(evil, evil)], tags=[evil],
    )  # fmt: skip
    assert "<b>x" not in html
