"""Postal codes fill the address; those of single offices are refused with what to use (S14)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.accounts import postal_codes
from daicho.domain.accounts.countries import country_choices, country_name, time_zone_of
from daicho.domain.accounts.postal_codes import FILE, find_places


def test_the_files_are_those_of_the_manifest() -> None:
    manifest = json.loads(FILE.with_name("manifest.json").read_text())
    for name, facts in manifest.items():
        assert hashlib.sha256(FILE.with_name(name).read_bytes()).hexdigest() == facts["sha256"], name
        assert facts["license"]
        assert facts["version"]
    figures = manifest["postal_codes.sqlite3"]
    assert (figures["ordinary_codes"], figures["office_codes"]) == (120_720, 22_200)
    with closing(sqlite3.connect(FILE)) as data:
        assert data.execute("SELECT COUNT(DISTINCT code) FROM place").fetchone() == (120_720,)
        assert data.execute("SELECT COUNT(*) FROM office").fetchone() == (22_200,)
        assert data.execute("SELECT COUNT(*) FROM office JOIN place USING (code)").fetchone() == (0,)


@pytest.mark.parametrize(
    "entered", ["1000001", "100-0001", "〒100-0001", "１００－０００１", " 100ー0001 ", "100‐0001"]
)
def test_a_code_is_understood_however_it_is_written(entered: str) -> None:
    (place,) = find_places(entered)
    assert (place.code, place.region, place.city, place.neighborhood) == ("100-0001", "東京都", "千代田区", "千代田")


def test_a_code_of_several_areas_gives_them_all() -> None:
    assert len({place.city for place in find_places("004-0000")}) == 2


@pytest.mark.parametrize("entered", ["", "100", "999-9999", "abc-defg", "10000011"])
def test_a_code_that_does_not_exist_is_refused(entered: str) -> None:
    with pytest.raises(BusinessError) as refused:
        find_places(entered)
    assert refused.value.code == "unknown_postal_code"


def test_an_office_code_is_refused_with_the_areas_own_code() -> None:
    """The example of design.md §8: 060-8520 is the Hokkaido police headquarters in 北二条西7丁目."""
    with pytest.raises(BusinessError) as refused:
        find_places("060-8520")
    assert refused.value.code == "office_postal_code"
    assert refused.value.data["ordinary"] == "060-0002"


def test_an_office_code_without_a_single_area_offers_the_codes_of_its_city() -> None:
    with closing(sqlite3.connect(FILE)) as data:
        code, city = data.execute(
            "SELECT code, city.prefecture || city.name FROM office JOIN city ON city.id = city WHERE ordinary IS NULL LIMIT 1"
        ).fetchone()
    with pytest.raises(BusinessError) as refused:
        find_places(f"{code:07d}")
    assert refused.value.data["ordinary"] == ""
    assert refused.value.data["candidates"]
    for one in refused.value.data["candidates"]:
        assert one["place"].startswith(city)
        assert postal_codes.digits(one["code"])


def test_countries_have_both_names_and_a_zone() -> None:
    assert country_choices("ja")[0] == ("JP", "日本")
    assert len(country_choices("en")) == 249
    assert country_name("DE", "ja") == "ドイツ"
    assert (time_zone_of("JP"), time_zone_of("US"), time_zone_of("AU")) == (
        "Asia/Tokyo", "America/New_York", "Australia/Sydney",
    )  # fmt: skip
