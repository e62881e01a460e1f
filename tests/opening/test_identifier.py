"""Which domains can be an account's identifier, and whose address stands for it (product.md, Opening)."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.accounts import domains

REAL_DATA = Path(os.environ.get("DAICHO_REAL_DATA", "."))


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("example.co.jp", "example.co.jp"),
        ("  Example.CO.JP. ", "example.co.jp"),
        ("ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", "example.co.jp"),
        ("https://www.example.co.jp/about", "www.example.co.jp"),
        ("taro@example.co.jp", "example.co.jp"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("XN--WGV71A119E.jp", "xn--wgv71a119e.jp"),
        ("sales.example.co.jp", "sales.example.co.jp"),
        ("our-team.github.io", "our-team.github.io"),
        ("食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"),
    ],
)
def test_an_identifier_is_kept_in_one_spelling(entered: str, kept: str) -> None:
    assert domains.parse_identifier(entered) == kept


@pytest.mark.parametrize(
    ("entered", "code"),
    [
        ("", "identifier_not_domain"),
        ("localhost", "identifier_not_domain"),
        ("株式会社サンプル", "identifier_not_domain"),
        ("two words.jp", "identifier_not_domain"),
        ("_x.example.jp", "identifier_not_domain"),
        ("-x.example.jp", "identifier_not_domain"),
        ("x" * 64 + ".jp", "identifier_not_domain"),
        ("192.0.2.1", "identifier_not_domain"),
        ("a\x00b.jp", "identifier_not_domain"),
        ("jp", "identifier_not_domain"),
        ("co.jp", "identifier_is_suffix"),
        ("github.io", "identifier_is_suffix"),
        ("公司.cn", "identifier_is_suffix"),
        ("gmail.com", "identifier_is_mail_service"),
        ("mailinator.com", "identifier_is_mail_service"),
        ("docomo.ne.jp", "identifier_is_mail_service"),
        ("tokyo.ocn.ne.jp", "identifier_is_mail_service"),
    ],
)
def test_what_no_company_owns_is_refused(entered: str, code: str) -> None:
    with pytest.raises(BusinessError) as refused:
        domains.parse_identifier(entered)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("email", "identifier", "expected"),
    [
        ("taro@example.co.jp", "example.co.jp", True),
        ("taro@tokyo.example.co.jp", "example.co.jp", True),
        ("taro@example.co.jp", "tokyo.example.co.jp", False),
        ("taro@notexample.co.jp", "example.co.jp", False),
        ("taro@EXAMPLE.co.jp", "example.co.jp", True),
        ("taro@日本語.jp", "xn--wgv71a119e.jp", True),
        ("taro@example.com", "example.co.jp", False),
    ],
)
def test_an_address_matches_its_own_domain_and_those_above(email: str, identifier: str, *, expected: bool) -> None:
    assert domains.matches(email, identifier) is expected


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("hana@gmail.com", "free_mail_domain"),
        ("hana@docomo.ne.jp", "free_mail_domain"),
        ("hana@abc.ocn.ne.jp", "free_mail_domain"),
        ("hana@mailinator.com", "throw_away_mail_domain"),
    ],
)
def test_free_and_throw_away_mail_cannot_open(email: str, code: str) -> None:
    with pytest.raises(BusinessError) as refused:
        domains.ensure_company_mail(email)
    assert refused.value.code == code


@pytest.mark.parametrize("domain", ["press.co.jp", "infomart.or.jp"])
def test_companies_that_the_lists_name_by_mistake_can_open(domain: str) -> None:
    domains.ensure_company_mail(f"hana@{domain}")
    assert domains.parse_identifier(domain) == domain


def lines(name: str) -> list[str]:
    rows = (REAL_DATA / "domains" / name).read_text("utf-8").splitlines()
    return [row.strip() for row in rows if row.strip() and not row.startswith("#")]


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["free_email_domains.txt", "disposable_email_domains.txt", "jp_personal_mail_domains.txt"]
)
def test_every_known_mail_service_is_refused(name: str) -> None:
    passed = [
        domain
        for domain in lines(name)
        if domains.mail_service(domains.mail_domain(f"a@{domain}")) is None and domain not in domains.NOT_MAIL_SERVICES
    ]
    assert passed == []


@pytest.mark.real_data
def test_every_sample_of_an_office_code_is_refused_with_an_offer() -> None:
    from daicho.domain.accounts.postal_codes import find_places

    with (REAL_DATA / "japan/office_codes_sample.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        with pytest.raises(BusinessError) as refused:
            find_places(row["postal_code"])
        data = refused.value.data
        assert refused.value.code == "office_postal_code"
        if data["ordinary"]:
            offered = {(place.region, place.city) for place in find_places(data["ordinary"])}
            assert (row["prefecture"], row["city"]) in offered, row
        else:
            assert data["candidates"], row
            assert all(one["place"].startswith(row["prefecture"] + row["city"]) for one in data["candidates"])


@pytest.mark.real_data
def test_every_sample_of_an_ordinary_code_is_found() -> None:
    from daicho.domain.accounts.postal_codes import find_places

    with (REAL_DATA / "japan/postal_codes_sample.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        places = find_places(row["postal_code"])
        assert (row["prefecture"], row["city"]) in {(place.region, place.city) for place in places}, row
