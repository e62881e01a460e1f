"""Every page of licenses and devices opens, for whoever may see it, full and empty, in both languages."""

from __future__ import annotations

import pytest

from tests.licenses.conftest import A, Stocked
from tests.world import RANDOM, World

LISTS = (
    "", "licenses/", "licenses/by-license/", "licenses/by-virtual-account/", "subscriptions/", "lots/", "ending/", "ended/",
    "transfers/", "transfers/requests/", "devices/", "search/", "search/?q=osaka",
)  # fmt: skip
WRITERS = ("transfers/new/", "transfers/csv/", "transfers/start/", "devices/new/", "devices/import/", "lots/import/")
TABS = ("", "devices/", "virtual-accounts/", "use-over-time/", "orders/", "history/")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("page", [*LISTS, *WRITERS, "licenses/branches/"])
def test_every_page_opens_on_a_full_account(stocked: Stocked, page: str, language: str) -> None:
    admin = stocked.world.client(stocked.world.admin)
    answer = admin.get(f"{A}/{page}", HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, page


@pytest.mark.parametrize("page", [*LISTS, *WRITERS, "licenses/branches/"])
def test_every_page_opens_on_an_empty_account(world: World, page: str) -> None:
    assert world.client(world.admin).get(f"{A}/{page}").status_code == 200, page


@pytest.mark.parametrize("page", [*LISTS, *WRITERS])
def test_every_page_opens_in_one_virtual_account(stocked: Stocked, page: str) -> None:
    world = stocked.world
    for person in (world.admin, world.osaka_admin, world.partner):
        assert world.client(person).get(f"{stocked.osaka}/{page}").status_code == 200, (page, person.name)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_license_opens(stocked: Stocked, tab: str) -> None:
    world = stocked.world
    for tag in (world.advantage, world.security, world.storage):
        assert world.client(world.admin).get(f"{A}/licenses/{tag.uid}/{tab}").status_code == 200
    for tag in (world.advantage, world.security):
        assert world.client(world.viewer).get(f"{stocked.osaka}/licenses/{tag.uid}/{tab}").status_code == 200


@pytest.mark.parametrize("page", ["", "edit/", "move/", "remove/", "assign/", "release/", "reuse/"])
def test_every_page_of_a_device_opens(stocked: Stocked, page: str) -> None:
    world = stocked.world
    for device in (stocked.router, stocked.switch):
        assert world.client(world.admin).get(f"{A}/devices/{device.uid}/{page}").status_code == 200


@pytest.mark.parametrize("page", LISTS)
def test_a_viewer_reads_and_is_offered_no_act(stocked: Stocked, page: str) -> None:
    world = stocked.world
    answer = world.client(world.viewer).get(f"{A}/{page}")
    assert answer.status_code == 200
    assert "transfers/start/" not in answer.content.decode()
    assert "transfers/new/" not in answer.content.decode()


@pytest.mark.parametrize("page", WRITERS)
def test_a_viewer_may_not_begin_to_write(stocked: Stocked, page: str) -> None:
    world = stocked.world
    assert world.client(world.viewer).get(f"{A}/{page}").status_code == 403


def test_an_approver_sees_no_license(stocked: Stocked) -> None:
    world = stocked.world
    approver = world.client(world.approver)
    assert approver.get(f"{A}/").status_code == 200
    assert "NET-ADV" not in approver.get(f"{A}/").content.decode()
    for page in ("licenses/", "ending/", "transfers/", "devices/", f"licenses/{world.advantage.uid}/"):
        assert approver.get(f"{A}/{page}").status_code == 404


@pytest.mark.parametrize("page", [*LISTS, *WRITERS])
def test_a_stranger_learns_nothing(stocked: Stocked, page: str) -> None:
    world = stocked.world
    for person in (world.stranger, world.nobody, world.operator):
        assert world.client(person).get(f"{A}/{page}").status_code == 404
        assert world.client(person).get(f"{stocked.osaka}/{page}").status_code == 404


@pytest.mark.parametrize("page", [*LISTS, *WRITERS])
def test_a_partner_sees_his_virtual_account_alone(stocked: Stocked, page: str) -> None:
    """Nothing of Tokyo: neither its name (AOZORA…), its quantity (7,919), its device, nor its storage license."""
    world = stocked.world
    partner = world.client(world.partner)
    for address in (f"{A}/{page}", f"{stocked.osaka}/{page}"):
        text = (
            RANDOM.sub("", partner.get(address).content.decode())
            .replace("AOZORA Manufacturing", "")
            .replace("AOZORA%20Manufacturing", "")
            .replace("AOZORA Admin", "")
        )
        for word in ("AOZORA", "7,919", "7919", "tokyo-switch", "STO-STD"):
            assert word not in text, (address, word)
    assert partner.get(f"{A}/va/{world.tokyo.uid}/{page}").status_code == 404
