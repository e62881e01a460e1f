"""The same acts without JavaScript, and without a mouse."""

from __future__ import annotations

from django.utils.translation import gettext as _

from daicho.domain.access.models import Invitation
from daicho.domain.accounts.models import Acceptance
from daicho.domain.ledger.models import Pool
from daicho.domain.tenancy.models import SmartAccount
from tests.journeys.conftest import Town


def test_s17_s22_s25_work_without_javascript(town: Town) -> None:
    """S17, S22, S25: the agreement is accepted, somebody is invited and licenses move by plain forms."""
    company = town.company()
    town.deposit(town.world.advantage, 12, company.tokyo)
    SmartAccount.objects.filter(pk=company.account.pk).update(good_standing_until=None)
    one = town.person(company.admin, script=False)
    one.go(f"{company.url}agreements/")
    one.click(_("Read and accept"))
    one.click(_("Accept the agreement"))
    assert Acceptance.objects.filter(account=company.account).exists()

    one.go(f"{company.url}people/invite/")
    one.fill(_("Mail address"), f"second@{company.account.identifier}")
    one.tick(_("Viewer"))
    one.click(_("Invite"))
    assert Invitation.objects.filter(account=company.account).count() == 1

    one.go(f"{company.url}licenses/")
    one.press("tbody input[name=row]")
    one.click(_("Transfer"), within=".bulk-bar")
    one.choose(_("Target %(number)s") % {"number": 1}, company.osaka.name)
    one.fill(_("Quantity of %(sku)s for target %(number)s") % {"sku": "NET-ADV", "number": 1}, "3")
    one.click(_("Check the content"))
    one.press("main .form-acts .btn-primary")
    assert Pool.objects.get(virtual_account=company.osaka, tag=town.world.advantage).on_hand == 3
    one.click(_("Undo"))
    assert Pool.objects.get(virtual_account=company.osaka, tag=town.world.advantage).on_hand == 0


def test_s25_works_by_keyboard_alone(town: Town) -> None:
    """S25: from the license table to done with Tab, Space, Enter, arrows and digits."""
    company = town.company()
    town.deposit(town.world.advantage, 12, company.tokyo)
    one = town.person(company.admin)
    one.go(f"{company.url}licenses/")
    keys = one.page.keyboard

    def to(selector: str, most: int = 60, key: str = "Tab") -> None:
        """Tab until the focus stands there; it is always to be seen."""
        for _step in range(most):
            keys.press(key)
            found = one.page.evaluate(
                """selector => { const at = document.activeElement, box = at.getBoundingClientRect();
                return [at.matches(selector), box.width > 0 && box.bottom > 0 && box.top < innerHeight] }""",
                selector,
            )
            if found[0]:
                assert found[1], f"the focus on {selector} is out of sight"
                return
        raise AssertionError(f"Tab does not reach {selector} on {one.page.url}")

    keys.press("Tab")
    assert one.page.evaluate("document.activeElement.getAttribute('href')").startswith("#"), "the skip link comes first"
    keys.press("Enter")
    to("tbody input[name=row]")
    keys.press("Space")
    to(".bulk-bar button.btn-primary", key="Shift+Tab")
    keys.press("Enter")
    one.see(_("Target %(number)s") % {"number": 1})
    to("select[name=target], [role=combobox]")
    for _press in range(5):
        if one.page.evaluate("document.activeElement.selectedOptions[0].text") == company.osaka.name:
            break
        keys.press("ArrowDown")
    to("input[inputmode=numeric]")
    keys.type("3")
    to("button[value=check]")
    keys.press("Enter")
    one.page.wait_for_url("**/check/")
    to("main .form-acts .btn-primary")
    keys.press("Enter")
    one.see(_("Undo"))
    assert Pool.objects.get(virtual_account=company.osaka, tag=town.world.advantage).on_hand == 3
