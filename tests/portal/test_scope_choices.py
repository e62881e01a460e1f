"""The selector of virtual accounts: a few stand in the page, many are looked for."""

from __future__ import annotations

import pytest

from daicho.interfaces.portal import scope_choices
from tests.world import World, make_virtual_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowded(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(scope_choices, "FEW", 4)
    for number in range(5):
        make_virtual_account(world.account, f"営業所{number}")
    return world


def test_few_virtual_accounts_stand_in_every_page(world: World) -> None:
    page = world.client(world.admin).get(f"/a/{world.account.identifier}/devices/").content.decode()
    assert f'href="/a/{world.account.identifier}/va/{world.osaka.uid}/devices/"' in page
    assert "virtual-accounts/choose/" not in page


def test_many_are_looked_for_and_keep_the_page(crowded: World) -> None:
    client, at = crowded.client(crowded.admin), f"/a/{crowded.account.identifier}"
    page = client.get(f"{at}/devices/").content.decode()
    assert f"/va/{crowded.osaka.uid}/devices/" not in page
    assert f'hx-get="{at}/virtual-accounts/choose/?page=devices-list"' in page
    lines = client.get(
        f"{at}/virtual-accounts/choose/",
        {"page": "devices-list", "q": "営業所3"},
        headers={"HX-Target": "ul#va-menu-lines"},
    ).content.decode()
    assert lines.count("<li") == 1
    assert "/devices/" in lines
    assert "<html" not in lines


def test_a_page_of_one_thing_leads_to_the_licenses(crowded: World) -> None:
    client, at = crowded.client(crowded.admin), f"/a/{crowded.account.identifier}"
    for page in ("devices-detail", "no-such-page", "operator_openings-queue"):
        found = client.get(f"{at}/virtual-accounts/choose/", {"page": page}).content.decode()
        assert f"{at}/va/{crowded.osaka.uid}/licenses/" in found


def test_who_sees_one_place_finds_no_other(crowded: World) -> None:
    client, at = crowded.client(crowded.osaka_admin), f"/a/{crowded.account.identifier}"
    found = client.get(f"{at}/virtual-accounts/choose/", {"page": "devices-list"}).content.decode()
    assert crowded.osaka.uid in found
    assert crowded.tokyo.uid not in found
    assert crowded.tokyo.uid not in client.get(f"{at}/virtual-accounts/choose/", {"q": "o"}).content.decode()
