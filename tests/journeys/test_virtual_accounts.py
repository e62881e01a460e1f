"""How a company is organized: S26, and where its orders go: S20, S19."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.domain.access.models import PartnerCompany, PartnerMember
from daicho.domain.ledger.models import Pool
from daicho.domain.orders.models import OrderLine
from daicho.domain.tenancy.models import VirtualAccount
from tests.journeys.conftest import Company, Town
from tests.journeys.person import Person


def test_s26_the_tree_comes_from_a_file_and_a_branch_moves_without_its_licenses(town: Town, tmp_path: Path) -> None:
    """S26: by hand or from a CSV of the organization; a branch is renamed or moved; totals per branch."""
    company = town.company()
    town.deposit(town.world.advantage, 20, company.osaka)
    chart = tmp_path / "organization.csv"
    rows = ["名称,親,タグ", "営業本部,,営業", f"{company.osaka.name},営業本部,", "サービス部,営業本部,営業;保守"]
    chart.write_bytes("\r\n".join(rows).encode("cp932"))
    admin = town.person(company.admin)
    admin.go(f"{company.url}virtual-accounts/import/")
    admin.give_file(chart)
    admin.click(_("Check the content"))
    admin.see("サービス部")
    assert not VirtualAccount.objects.filter(account=company.account, name="営業本部").exists(), (
        "a look changes nothing"
    )
    admin.click(_("Import"))
    osaka = VirtualAccount.objects.get(pk=company.osaka.pk)
    assert osaka.parent is not None
    assert osaka.parent.name == "営業本部"
    assert Pool.objects.get(virtual_account=osaka, tag=town.world.advantage).on_hand == 20

    branch = VirtualAccount.objects.get(account=company.account, name="営業本部")
    admin.go(f"{company.url}virtual-accounts/{branch.uid}/")
    admin.see("20")
    admin.click(_("Change"))
    admin.fill(_("Name"), "Sales")
    admin.click(_("Save"))
    admin.see("Sales")
    admin.go(f"{company.url}virtual-accounts/{osaka.uid}/parent/")
    admin.choose(_("Parent"), company.tokyo.name)
    admin.click(_("Change the parent"), within="main form")
    osaka.refresh_from_db()
    assert osaka.parent == company.tokyo
    admin.go(f"{company.url}licenses/branches/")
    admin.see("Sales")


def reseller(town: Town, allowance: bool = True) -> tuple[PartnerCompany, Person]:
    """A partner company's employee at his desk."""
    name = f"Reseller {town.domain()}"
    company = PartnerCompany.objects.create(name=name, name_key=name.lower())
    user = town.user(None, "Makoto Takahashi")
    PartnerMember.objects.create(company=company, user=user)
    if allowance:
        for tag in (town.world.advantage, town.world.storage):
            company.allowances.create(tag=tag, monthly_quantity=1000)
    return company, town.person(user)


def record(one: Person, company: PartnerCompany, identifier: str, number: str, place: str, quantity: str) -> None:
    """Record an order of one line, to the end."""
    enter(one, company, identifier, number, place, quantity)
    one.click(ngettext("Deposit %(count)s line", "Deposit %(count)s lines", 1) % {"count": 1})


def enter(one: Person, company: PartnerCompany, identifier: str, number: str, place: str, quantity: str) -> None:
    """The same, up to the check."""
    one.go(f"/partner/{company.uid}/record/")
    one.fill(_("Domain identifier of the customer"), identifier)
    one.page.locator("#id_number").fill(number)
    one.click(_("Next: lines"))
    one.page.locator("[name='lines.0.sku']").fill("NET-ADV")
    one.page.locator("[name='lines.0.quantity']").fill(quantity)
    one.page.locator("[name='lines.0.kind']").select_option("perpetual")
    one.page.locator("[name='lines.0.virtual_account']").fill(place)
    one.click(_("Check the content"))


def test_s20_a_partner_finds_the_destination_by_the_two_names_of_the_card(town: Town) -> None:
    """S20: the customer copies two names from a card; the partner's deposit lands there."""
    customer = town.company()
    admin = town.person(customer.admin)
    admin.go(f"{customer.url}va/{customer.osaka.uid}/orders/card/")
    admin.see(customer.account.identifier)
    admin.see(customer.osaka.name)
    company, partner = reseller(town)
    record(partner, company, customer.account.identifier, "PO-1", customer.osaka.name, "23")
    partner.see(ngettext("%(count)s line was deposited.", "%(count)s lines were deposited.", 1) % {"count": "1"})
    admin.go(f"{customer.url}licenses/")
    admin.see("NET-ADV")
    admin.see(customer.osaka.name)
    assert Pool.objects.get(virtual_account=customer.osaka, tag=town.world.advantage).on_hand == 23
    admin.click(_("Orders"))
    admin.click("PO-1")
    admin.see("23")

    enter(partner, company, customer.account.identifier, "PO-2", "No such place", "1")
    assert not OrderLine.objects.filter(order__number="PO-2", order__company=company).exists()
    assert partner.page.locator(".field-error").count(), "the wrong name is marked at its field"


def test_s20_without_an_allowance_the_order_waits_for_the_operator(town: Town) -> None:
    """S20: partner companies record within what the operator allows; the rest waits for him."""
    customer = town.company()
    company, partner = reseller(town, allowance=False)
    record(partner, company, customer.account.identifier, "PO-9", customer.tokyo.name, "5")
    partner.see(ngettext("%(count)s line waits for the operator.", "%(count)s lines wait for the operator.", 1) % {"count": "1"})  # fmt: skip
    operator = town.person(town.world.operator)
    operator.go("/operator/orders/waiting/")
    operator.see("PO-9")


def test_s19_an_unassigned_order_is_split_over_two_virtual_accounts(town: Town) -> None:
    """S19: activation of what was bought: an unassigned order is assigned, also in shares."""
    customer = town.company()
    company, partner = reseller(town)
    record(partner, company, customer.account.identifier, "PO-3", "", "10")
    admin = town.person(customer.admin)
    admin.go(f"{customer.url}orders/unassigned/")
    admin.press("input[name=row]")
    admin.click(_("Assign"))
    admin.click(_("Add a share"))
    split(admin, customer)
    admin.click(_("Assign"), within="main .form-acts")
    tag = town.world.advantage
    assert Pool.objects.get(virtual_account=customer.tokyo, tag=tag).on_hand == 7
    assert Pool.objects.get(virtual_account=customer.osaka, tag=tag).on_hand == 3


def split(admin: Person, customer: Company) -> None:
    for at, (place, quantity) in enumerate(((customer.tokyo, "7"), (customer.osaka, "3"))):
        admin.page.locator(f"select[name='parts.{at}.virtual_account']").select_option(place.uid)
        admin.page.locator(f"[name='parts.{at}.quantity']").fill(quantity)
