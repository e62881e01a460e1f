"""One list of all licenses, moved where they are needed, watched over: S1, S2, S19, S25."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils.translation import gettext as _

from daicho.core.clock import now
from daicho.domain.ledger.models import Pool
from daicho.interfaces.portal import words
from tests.journeys.conftest import Company, Town
from tests.journeys.person import Person


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_s25_licenses_move_in_at_most_6_interactions_and_undo_is_one_more(town: Town, phone: bool) -> None:
    """S25: from the license table to done, no identifier typed, also on a phone; undo is one more."""
    company = town.company()
    town.deposit(town.world.advantage, 12, company.tokyo)
    one = town.person(company.admin, phone=phone)
    one.go(f"{company.url}licenses/")
    one.press("tbody input[name=row]")
    one.click(_("Transfer"), within=".bulk-bar")
    one.choose(_("Target %(number)s") % {"number": 1}, company.osaka.name)
    one.fill(_("Quantity of %(sku)s for target %(number)s") % {"sku": "NET-ADV", "number": 1}, "3")
    one.click(_("Check the content"))
    one.press("main .form-acts .btn-primary")
    one.see(_("Undo"))
    assert spare(town, company) == (9, 3)
    one.counted(f"S25, from the table to done on a {'phone' if phone else 'desk'}", at_most=6)
    one.click(_("Undo"))
    one.counted("S25, with the undo", at_most=7)
    one.settle()
    assert spare(town, company) == (12, 0)


def spare(town: Town, company: Company) -> tuple[int, ...]:
    found = {pool.virtual_account_id: pool.on_hand for pool in Pool.objects.filter(tag=town.world.advantage)}
    return tuple(found.get(place.pk, 0) for place in (company.tokyo, company.osaka))


def device(one: Person, company: Company, name: str, place: str) -> None:
    one.go(f"{company.url}devices/new/")
    one.fill(_("Device name"), name)
    one.fill(_("Serial number"), f"S-{name}")
    one.choose(_("Virtual account"), place)
    one.click(_("Register the device"))
    one.see(_("%(name)s was registered.") % {"name": name})


def test_s01_a_spare_license_is_found_moved_and_used_on_another_device(town: Town) -> None:
    """S1, S19: one list over all virtual accounts; a spare license goes to a device elsewhere in one flow."""
    company = town.company()
    town.deposit(town.world.advantage, 12, company.tokyo)
    town.deposit(town.world.storage, 5, company.osaka)
    one = town.person(company.admin)
    device(one, company, "osaka-sw-01", company.osaka.name)
    device(one, company, "tokyo-sw-01", company.tokyo.name)
    one.click(_("Assign licenses"))
    one.fill(_("Quantity of %(sku)s") % {"sku": "NET-ADV"}, "2")
    one.click(_("Assign licenses"), within="main form")
    one.see("NET-ADV")

    one.go(f"{company.url}licenses/")
    for words_of_head in (_("Purchased"), _("In use"), _("Reserved"), _("Balance")):
        one.see(words_of_head)
    one.see(company.tokyo.name)
    one.see(company.osaka.name)
    one.click("NET-ADV")
    one.press(".page-acts button[popovertarget]")
    one.click(_("Use on a device"))
    one.choose(_("Device"), "osaka-sw-01")
    one.click(_("Use on this device"))
    one.see(_("%(sku)s is now used on %(device)s.") % {"sku": "NET-ADV", "device": "osaka-sw-01"})
    pool = Pool.objects.get(virtual_account=company.osaka, tag=town.world.advantage)
    assert (pool.on_hand, pool.in_use) == (1, 1)

    one.go(f"{company.url}devices/")
    one.click("tokyo-sw-01")
    one.press(".page-acts button[popovertarget]")
    one.click(_("Re-use on another device"))
    one.choose(_("Use them on this device"), "osaka-sw-01")
    one.click(_("Re-use on another device"), within="main form")
    pool.refresh_from_db()
    assert (pool.on_hand, pool.in_use) == (3, 3)


def test_s02_what_ends_is_listed_and_mailed(town: Town) -> None:
    """S2: the list of ending licenses with the days left, and the mail of the next morning."""
    company = town.company()
    tomorrow = (now() + dt.timedelta(days=1)).replace(hour=0, minute=30)  # half past nine in Tokyo
    with time_machine.travel(now() - dt.timedelta(hours=1), tick=True):
        town.work("watch-alerts")
    town.deposit(town.world.security, 118, company.tokyo, end=now() + dt.timedelta(days=12))
    one = town.person(company.admin)
    one.go(company.url)
    one.click(_("End dates"))
    one.see("SEC-PLUS")
    one.see(words.state_text("ending", 12))
    with time_machine.travel(tomorrow, tick=True):
        town.work("watch-alerts")
        letter = town.letter(company.admin.email)
    assert "SEC-PLUS" in letter.text
    assert "118" in letter.text
    assert company.account.name in letter.subject
    assert f"{town.url}/a/{company.account.identifier}/" in letter.text


def test_s02_use_beyond_what_is_owned_is_shown_and_mailed_within_a_minute(town: Town) -> None:
    """S2: an ended license stops counting by itself; what is then short stands in the list, and the mail says who uses
    it and what would cover it."""
    company = town.company()
    town.deposit(town.world.advantage, 3, company.osaka, end=now() + dt.timedelta(minutes=10))
    town.deposit(town.world.advantage, 12, company.tokyo)
    one = town.person(company.admin)
    device(one, company, "osaka-sw-07", company.osaka.name)
    one.click(_("Assign licenses"))
    one.fill(_("Quantity of %(sku)s") % {"sku": "NET-ADV"}, "3")
    one.click(_("Assign licenses"), within="main form")
    with time_machine.travel(now() + dt.timedelta(minutes=11), tick=True):
        town.work("sweep-ledger", "watch-alerts")
        letter = town.letter(company.admin.email)
        one.go(f"{company.url}licenses/")
        one.see(str(words.STATES["short"].word))
        one.go(f"{company.url}alerts/")
        one.see("NET-ADV")
        one.go(f"{company.url}ended/")
        one.see("NET-ADV")
    assert "NET-ADV" in letter.subject
    for said in ("osaka-sw-07", company.osaka.name, company.tokyo.name):
        assert said in letter.text, f"{said} is not in the mail:\n{letter.text}"
