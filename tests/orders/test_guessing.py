"""A partner gets ten names of virtual accounts wrong in an hour; then right ones are not told from wrong ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from daicho.core.clock import now
from daicho.core.outliving import outlive, outliving
from daicho.domain.orders.guessing import LIMIT
from daicho.domain.orders.models import OrderLine, WrongName
from tests.world import World, make_virtual_account

ORDER = {"identifier": "aozora.example.co.jp", "lines": [{"sku": "NET-ADV", "quantity": 1, "kind": "perpetual"}]}


def order(world: World, number: str, *names: str, who: str = "reseller") -> Any:
    lines = [{"line": at, **ORDER["lines"][0], "virtual_account": name} for at, name in enumerate(names, 1)]  # type: ignore[dict-item]
    url = f"/api/v1/partner/{world.reseller_company.uid}/orders" if who == "reseller" else "/api/v1/operator/orders"
    body = {"number": number, "identifier": "aozora.example.co.jp", "lines": lines}
    return world.client(getattr(world, who)).post(url, body, content_type="application/json")


def test_ten_wrong_names_and_the_count_survives_the_refused_order(world: World) -> None:
    assert order(world, "PO-0", world.osaka.name).status_code == 201
    for number in range(LIMIT):
        refused = order(world, f"PO-{number + 1}", f"Guess {number}")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert (WrongName.objects.count(), OrderLine.objects.count()) == (LIMIT, 1)
    for name in (f"{world.tokyo.name}", "Guess 99"):
        refused = order(world, "PO-20", name)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses"), name
    for known in (world.osaka.name, "DEFAULT", ""):
        assert order(world, f"PO-30-{known}", known).status_code == 201, known
    assert order(world, "PO-40", "Guess 3").status_code == 422
    assert order(world, "PO-50", world.tokyo.name, who="operator").status_code == 201
    with time_machine.travel(now() + dt.timedelta(minutes=61)):
        assert order(world, "PO-60", world.tokyo.name).status_code == 201


def test_one_order_cannot_try_out_more_than_ten_names(world: World) -> None:
    refused = order(world, "PO-1", *[f"Guess {number}" for number in range(LIMIT)], world.tokyo.name, "Guess 99")
    codes = [error["code"] for error in refused.json()["errors"]]
    assert (refused.status_code, codes) == (422, ["unknown_destination"] * LIMIT + ["too_many_guesses"] * 2)


def test_an_account_gives_away_ten_an_hour_to_all_companies_together(world: World) -> None:
    from daicho.domain.access.models import PartnerCompany

    other = PartnerCompany.objects.create(name="Other", name_key="other")
    for number in range(LIMIT):
        WrongName.objects.create(company=other, account=world.account, name_digest=f"{number}")
    assert order(world, "PO-1", world.tokyo.name).status_code == 429


def test_searching_counts_too_and_public_names_are_found_all_the_same(world: World) -> None:
    make_virtual_account(world.account, "Public hall", visibility="public")

    def search(text: str) -> Any:
        url = f"/api/v1/partner/{world.reseller_company.uid}/destinations"
        return world.client(world.reseller).get(url, {"identifier": "aozora.example.co.jp", "text": text})

    assert [one["virtual_account"] for one in search("osaka").json()] == ["Osaka"]
    for number in range(LIMIT):
        assert search(f"Guess {number}").json() == []
    assert [search(name).status_code for name in ("osaka", "Guess 99")] == [429, 429]
    assert [one["virtual_account"] for one in search("hall").json()] == ["Public hall"]


def test_a_note_is_written_at_the_end_of_a_request_whatever_happened() -> None:
    kept: list[str] = []

    def refused() -> None:
        with outliving():
            outlive(lambda: kept.append("late"))
            assert kept == []
            raise LookupError

    with pytest.raises(LookupError):
        refused()
    outlive(lambda: kept.append("at once"))
    assert kept == ["late", "at once"]
