"""A newcomer's way from sign-up to licenses: S5, S8–S17."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext as _

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Role
from daicho.domain.accounts.models import Opening
from daicho.domain.accounts.postal_codes import find_places
from daicho.domain.accounts.queries_openings import refusal_of
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.domain.tenancy.models import SmartAccount
from daicho.interfaces.jobs.periodic import JOBS
from tests.journeys.conftest import Town
from tests.journeys.person import Person
from tests.opening.cast import continued, drafted
from tests.world import actor

PASSWORD = "correct horse battery 42"


def sign_up(town: Town, email: str, name: str) -> Person:
    """From the first page to a confirmed, logged-in person."""
    one = town.person()
    one.go("/")
    one.click(_("Sign up"))
    one.fill(_("Company mail address"), email)
    one.fill(_("Full name"), name)
    one.page.locator("#id_password1").fill(PASSWORD)
    one.page.locator("#id_password2").fill(PASSWORD)
    one.acts += ["fill password", "fill password again"]
    one.click(_("Sign up"), within="main form")
    one.see(_("We have sent you a mail. Open it and press the link in it; then you can log in."))
    one.open_link(town.letter(email).link)
    one.click(_("Confirm the mail address"))
    return one


def fill_in(one: Person, *, postal_code: str = "100-0001", identifier: str = "", approver: str = "") -> None:
    """The wizard, from its first page to the check."""
    one.click(_("Next: authority"))
    if approver:
        one.tick(_("No. Somebody else in my company decides; I name that person."))
        one.fill(_("Name of the approver"), "Ichiro Abe")
        one.fill(_("Mail address of the approver"), approver)
    else:
        one.tick(_("Yes, I am authorized to represent my company and to accept the activation."))
    one.click(_("Next: account"))
    if identifier:
        one.fill(_("Domain identifier"), identifier)
    one.fill(_("Account name"), {"ja": "株式会社サンプル"}.get(one.language, "Sample Inc."))
    one.click(_("Next: head office address"))
    one.fill(_("Postal code"), postal_code)
    one.page.keyboard.press("Tab")
    one.until("document.getElementById('id_city').value === '千代田区'")
    one.fill(_("Street and number"), "千代田1-1")
    one.click(_("Next: check"))
    one.see("千代田1-1")


def test_s08_a_company_opens_its_account_alone_in_at_most_25_fields_and_clicks(town: Town) -> None:
    """S8, S10, S13, S14, S15, S16, S17: from sign-up to active without the operator; then the agreement."""
    email = f"taro@{town.domain()}"
    one = sign_up(town, email, "Taro Yamada")
    one.click(_("Find your company's account"))
    one.click(_("Open a new Smart Account"))
    fill_in(one)
    one.click(_("Continue: open the account"))
    opening = Opening.objects.get(requester__email=email)
    assert opening.state == "awaiting_activation"

    letter = town.letter(email)
    assert opening.identifier in letter.subject
    one.open_link(letter.link)
    one.see(_("Activate Smart Account"))
    assert SmartAccount.objects.get(identifier=opening.identifier).state == "provisional", "looking changes nothing"
    one.click(_("Activate Smart Account"))
    one.see(_("The account is active. Next, accept the account agreement."))
    assert SmartAccount.objects.get(identifier=opening.identifier).state == "active"
    one.counted("S8, from sign-up to active", at_most=25)

    one.click(_("Read and accept"))
    one.click(_("Accept the agreement"))
    account = SmartAccount.objects.get(identifier=opening.identifier)
    assert account.in_good_standing()
    one.go(f"/a/{account.identifier}/")
    one.see(_("First steps"))


def test_s05_s09_a_second_colleague_is_led_to_the_account_and_let_in(town: Town) -> None:
    """S5, S9: a confirmed, matching mail is told of the account, asks its administrators, and is let in."""
    company = town.company()
    two = town.person(town.user(None, "Ken Ito", email=f"ken@{company.account.identifier}"))
    two.go("/")
    two.click(_("Find your company's account"))
    two.see(company.account.name)
    two.see("Hanako Sato")
    two.see("support@vendor.example")
    two.click(_("Request access"))
    two.tick(str(Role.ACCOUNT_VIEWER.label))
    two.fill(_("Reason"), "&<b>监")
    two.click(_("Request access"))
    two.see(_("Your request was sent to the administrators. You get a mail with their answer."))

    admin = town.person(company.admin)
    admin.go(company.url)
    admin.click(_("Access requests"))
    admin.click("Ken Ito")
    admin.click(_("Approve"))
    admin.see(_("%(name)s now has access.") % {"name": "Ken Ito"})
    assert company.account.name in town.letter(f"ken@{company.account.identifier}").text
    two.go("/")
    assert two.path == company.url, "he has one account, and it is his first page now"


def test_s09_the_taken_identifier_is_not_opened_a_second_time(town: Town) -> None:
    """S5: the identifier is unique; the wizard's last page leads to the existing account."""
    company = town.company()
    identifier = company.account.identifier
    user = town.user(None, "Ken Ito", email=f"ken@{identifier}")
    opening = drafted(user, identifier=identifier)
    two = town.person(user)
    two.go(f"/opening/{opening.uid}/account/")
    two.see(_("%(identifier)s already has an account. Ask its administrators for access.") % {"identifier": identifier})
    two.go(f"/opening/{opening.uid}/check/")
    two.click(_("Continue: open the account"))
    two.click(_("Request access"))
    two.see("Hanako Sato")
    two.click(_("Request access"))
    two.see(_("Role wanted"))
    assert SmartAccount.objects.filter(identifier=identifier).count() == 1


def test_s10_the_language_is_chosen_before_log_in_and_a_free_mail_address_opens_nothing(
    town: Town, language: str
) -> None:
    """S10: a choice of language on every page; free-mail domains cannot open, with the reason."""
    other = {"ja": ("en", "English"), "en": ("ja", "日本語")}[language]
    one = town.person()
    one.go("/account/login/")
    assert one.page.locator("html").get_attribute("lang") == language
    one.press(f"header button[lang={other[0]}], button[lang={other[0]}]")
    assert one.page.locator("html").get_attribute("lang") == other[0]
    assert one.page.locator("html").get_attribute("lang") == other[0]

    user = town.user(None, "Free Mailer", email=f"somebody.{language}@gmail.com")
    free = town.person(user)
    free.go("/opening/find/")
    refusal = refusal_of(actor(user))
    assert refusal is not None
    free.see(refusal.text())
    assert not free.page.get_by_role("button", name=_("Open a new Smart Account")).count()


def test_s11_somebody_else_decides(town: Town) -> None:
    """S11: a named approver gets the mail and approves; then the requester gets the activation link."""
    domain = town.domain()
    user = town.user(None, "Taro Yamada", email=f"taro@{domain}")
    boss = town.user(None, "Ichiro Abe", email=f"abe@{domain}")
    one = town.person(user)
    one.go("/opening/find/")
    one.click(_("Open a new Smart Account"))
    fill_in(one, approver=boss.email)
    one.click(_("Continue: open the account"))
    opening = Opening.objects.get(requester=user)
    assert opening.state == "awaiting_approver"
    assert not SmartAccount.objects.filter(identifier=domain, state="active").exists()

    other = town.person(boss)
    other.open_link(town.letter(boss.email).link)
    other.see("Taro Yamada")
    opening.refresh_from_db()
    assert opening.state == "awaiting_approver", "looking decides nothing"
    other.click(_("Approve the opening"))
    other.see(_("You have approved the opening"))
    one.open_link(town.letter(user.email).link)
    one.click(_("Activate Smart Account"))
    one.see(_("The account is active. Next, accept the account agreement."))


def test_s11_the_approver_may_say_no(town: Town) -> None:
    """S11: declined with a reason, which the requester reads."""
    domain = town.domain()
    user = town.user(None, "Taro Yamada", email=f"taro@{domain}")
    boss = town.user(None, "Ichiro Abe", email=f"abe@{domain}")
    opening = continued(user, identifier=domain, approver=boss.email)
    other = town.person(boss)
    other.open_link(town.letter(boss.email).link)
    other.click(_("Decline the opening"))
    other.fill(_("Reason"), "The head office opens it.")
    other.click(_("Decline the opening"), within="form button[value=decline] >> xpath=..")
    other.see(_("You have declined the opening"))
    assert "The head office opens it." in town.letter(user.email).text
    opening.refresh_from_db()
    assert opening.state == "declined"


def test_s12_a_differing_domain_is_held_until_the_operator_has_decided(town: Town) -> None:
    """S12: held; the reason is asked by mail and given by its link; the operator approves; it goes on."""
    user = town.user(None, "Rin Abe")
    wanted = town.domain()
    opening = drafted(user, identifier=wanted)
    one = town.person(user)
    one.go(f"/opening/{opening.uid}/account/")
    one.see(wanted)
    one.go(f"/opening/{opening.uid}/check/")
    one.click(_("Continue: open the account"))
    one.see(_("Why it is on hold"))
    letter = town.letter(user.email)
    assert wanted in letter.subject
    one.open_link(next(link for link in letter.links if "/opening/reason/" in link))
    one.fill(_("Reason"), "The other one is our parent company's domain.")
    one.click(_("Give the reason"))
    one.see(_("Thank you, the operator checks your answer"))

    operator = town.person(town.world.operator)
    operator.go("/operator/")
    operator.click(wanted)
    operator.see("The other one is our parent company's domain.")
    operator.click(_("Approve the opening"))
    operator.click(_("Approve"), within="dialog[open]")
    opening.refresh_from_db()
    assert opening.state == "awaiting_activation"
    letter = town.letter(user.email)
    one.open_link(next(link for link in letter.links if "/opening/activate/" in link))
    one.click(_("Activate Smart Account"))
    assert SmartAccount.objects.get(identifier=wanted).state == "active"


def test_s14_the_postal_code_of_a_single_office_is_refused_with_an_offer(town: Town) -> None:
    """S14: an individual office code is refused and the ordinary one offered, which fills in the address."""
    user = town.user(None, "Taro Yamada")
    opening = drafted(user, identifier=user.email.partition("@")[2])
    with pytest.raises(BusinessError) as refused:
        find_places("100-8111")
    error = refused.value
    one = town.person(user)
    one.go(f"/opening/{opening.uid}/address/")
    one.fill(_("Postal code"), "100-8111")
    one.page.keyboard.press("Tab")
    one.see(error.text())
    assert error.data.get("ordinary"), "this code has one ordinary code"
    one.click(_("Use %(code)s") % {"code": error.data["ordinary"]})
    one.until("document.getElementById('id_city').value === '千代田区'")
    one.fill(_("Street and number"), "千代田1-1")
    one.click(_("Next: check"))
    one.see("千代田1-1")


def test_s16_the_mailed_link_changes_nothing_until_its_button_is_pressed_and_works_once(town: Town) -> None:
    """S16: a scanner that opens the link activates nothing; after the button the link has been used."""
    assert next(job.every.total_seconds() for job in JOBS if job.name == "send-mail") <= 30
    user = town.user(None, "Taro Yamada")
    opening = continued(user, identifier=user.email.partition("@")[2])
    link = town.letter(user.email).link
    scanner = town.person()
    for _again in range(2):
        scanner.go(link)
    account = SmartAccount.objects.get(identifier=opening.identifier)
    assert account.state == "provisional"
    one = town.person(user)
    one.open_link(link)
    one.click(_("Activate Smart Account"))
    account.refresh_from_db()
    assert account.state == "active"
    scanner.go(link)
    assert not scanner.page.get_by_role("button", name=_("Activate Smart Account")).count()
    assert scanner.page.title(), "a used link has a page that says so"


def test_s17_deposits_wait_for_the_agreement_and_land_within_a_minute_of_it(town: Town) -> None:
    """S17: before acceptance nothing is exchanged; the pending one is listed, opened and accepted."""
    user = town.user(None, "Taro Yamada")
    opening = continued(user, identifier=user.email.partition("@")[2])
    one = town.person(user)
    one.open_link(town.letter(user.email).link)
    one.click(_("Activate Smart Account"))
    line = LineInput(sku="NET-ADV", quantity="12", kind="perpetual", virtual_account="DEFAULT")
    order = OrderInput(identifier=opening.identifier, number=f"N-{opening.uid}", lines=[line])
    record_order(actor(town.world.operator), company=None, order=order)
    one.go(f"/a/{opening.identifier}/licenses/")
    one.see(_("No licenses yet"))
    one.click(_("Account agreement"))
    one.click(_("Read and accept"))
    one.click(_("Accept the agreement"))
    town.work("land-orders")
    one.go(f"/a/{opening.identifier}/licenses/")
    one.see("NET-ADV")
    one.see("12")
