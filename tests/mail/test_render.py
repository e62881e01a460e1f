"""A mail reads right in its recipient's language and zone, and its HTML twin says the same."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from daicho.interfaces.mail import words
from daicho.interfaces.mail.render import twin


@pytest.mark.parametrize(
    ("language", "zone", "expected"),
    [
        ("ja", "Asia/Tokyo", "2026/12/01(火)14:05 JST"),
        ("en", "Asia/Tokyo", "1 Dec 2026, 14:05 JST"),
        ("en", "America/Sao_Paulo", "1 Dec 2026, 02:05 UTC-03"),
        ("ja", "America/New_York", "2026/12/01(火)00:05 EST"),
    ],
)
def test_a_moment_names_day_time_and_zone(language: str, zone: str, expected: str) -> None:
    with translation.override(language), timezone.override(zone):
        assert words.moment("2026-12-01T05:05:00+00:00") == expected


def test_a_date_without_time_is_not_moved_between_zones() -> None:
    with translation.override("ja"), timezone.override("America/New_York"):
        assert words.day("2026-12-01") == "2026/12/01(火)"
        assert words.date(None) == "–"


def test_people_and_companies_are_addressed() -> None:
    with translation.override("ja"):
        assert words.person("佐藤 花子") == "佐藤 花子 様"
        assert words.salutation("", "sato@example.co.jp") == "sato@example.co.jp 様"
        assert words.company("株式会社サンプル") == "株式会社サンプル 御中"
    with translation.override("en"):
        assert words.salutation("Hanako Sato") == "Dear Hanako Sato,"


def test_columns_are_aligned_by_what_the_eye_sees() -> None:
    rows = [
        {"name": "東京本社", "count": 1200, "after": -118},
        {"name": "Osaka", "count": 4, "after": 0},
    ]
    with translation.override("ja"):
        table = words.columns(rows, ["場所=name", "数量=count:num", "過不足=after:signed"])
    assert table.splitlines() == [
        " 場所       数量  過不足",
        " 東京本社  1,200    -118",
        " Osaka         4       0",
    ]


def test_the_twin_shows_links_tables_and_nothing_as_markup() -> None:
    html = twin("S", "山田 太郎 様\nhttps://daicho.example/a?b=1&c=2。次へ\n\n 期限  <b>\n 1     2\n後", "ja")
    assert '<a href="https://daicho.example/a?b=1&amp;c=2">https://daicho.example/a?b=1&amp;c=2</a>。次へ' in html
    assert ">期限  &lt;b&gt;\n1     2</pre>" in html
    assert "<p>後</p>" in html
    assert "<img" not in html
