"""Who may do what: S3, S6, S22, S23, and the same list for all of them."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.core.clock import now
from daicho.domain.access.models import Grant
from daicho.domain.access.rules import Role
from daicho.domain.audit.models import Event
from tests.journeys.conftest import Town


def test_s22_others_are_invited_one_by_one_and_by_file(town: Town, tmp_path: Path) -> None:
    """S22: after opening, any number of others as administrators or users."""
    company = town.company()
    identifier = company.account.identifier
    admin = town.person(company.admin)
    admin.go(company.url)
    admin.click(_("Users"))
    admin.click(_("Invite"))
    admin.fill(_("Mail address"), f"second@{identifier}")
    admin.tick(_("Administrator"))
    admin.click(_("Invite"))
    admin.see(_("%(email)s is invited. The link works for 14 days.") % {"email": f"second@{identifier}"})

    letter = town.letter(f"second@{identifier}")
    second = town.person(town.user(None, "Jiro Second", email=f"second@{identifier}"))
    second.open_link(letter.link)
    assert not Grant.objects.filter(user__email=f"second@{identifier}").exists(), "looking accepts nothing"
    second.click(_("Accept the invitation"))
    second.go("/")
    assert second.path == company.url
    assert Grant.objects.get(user__email=f"second@{identifier}").role == Role.ACCOUNT_ADMINISTRATOR

    many = tmp_path / "invitations.csv"
    rows = [
        "メールアドレス,氏名,役割,バーチャルアカウント",
        f"a1@{identifier},佐藤 花子,スマートアカウントユーザー,",
        f"a2@{identifier},鈴木 次郎,バーチャルアカウント閲覧者,{company.osaka.name}",
    ]
    many.write_bytes("\r\n".join(rows).encode("cp932"))  # as Japanese Excel saves it
    admin.click(_("Users"))
    admin.go(f"{company.url}people/invite/file/")
    admin.give_file(many)
    admin.click(_("Check the content"))
    admin.see("佐藤 花子")
    assert not town.letters(f"a1@{identifier}"), "the check sends nothing"
    admin.click(ngettext("Invite %(counter)s person", "Invite %(counter)s people", 2) % {"counter": 2})
    admin.see(ngettext("%(count)d person is invited.", "%(count)d people are invited.", 2) % {"count": 2})
    assert company.account.name in town.letter(f"a2@{identifier}").text


def test_s23_a_partner_sees_one_virtual_account_and_no_other(town: Town) -> None:
    """S23, S6: a grant with an end date, listed and revocable in one place; of other virtual accounts nothing."""
    company = town.company()
    town.deposit(town.world.advantage, 7919, company.tokyo)
    town.deposit(town.world.advantage, 12, company.osaka)
    email = f"partner@{town.domain()}"
    admin = town.person(company.admin)
    admin.go(f"{company.url}partners/")
    admin.go(f"{company.url}people/invite/")
    admin.fill(_("Mail address"), email)
    admin.choose(_("Scope"), company.osaka.name)
    admin.tick(_("Administrator"))
    admin.click(_("Invite"))

    partner = town.person(town.user(None, "Makoto Takahashi", email=email))
    partner.open_link(town.letter(email).link)
    partner.click(_("Accept the invitation"))
    right = Grant.objects.get(user__email=email)
    assert right.ends_at is not None
    assert 360 < (right.ends_at - now()).days <= 366, "one year by default"
    partner.go("/")
    for page in ("", "licenses/", "virtual-accounts/", "people/", "transfers/", "events/", "ending/", "orders/card/"):
        partner.go(company.url + page)
        text = partner.page.locator("body").inner_text()
        assert company.tokyo.name not in text, f"{page} tells of another virtual account"
        assert "7,919" not in text, f"{page} counts what lies in another virtual account"
    partner.go(f"{company.url}licenses/")
    partner.see("NET-ADV")
    partner.go(f"{company.url}va/{company.tokyo.uid}/licenses/")
    assert company.tokyo.name not in partner.page.content()
    partner.see(_("There is nothing at this address"))

    admin.go(company.url)
    admin.click(_("Partners"))
    admin.see("Makoto Takahashi")
    admin.press(".row-menu button, td button[popovertarget]")
    admin.click(_("Revoke"))
    admin.click(_("Revoke"), within="dialog[open]")
    partner.go(f"{company.url}licenses/")
    partner.see(_("There is nothing at this address"))


def test_s03_all_administrators_see_the_same_at_once_and_read_each_others_acts(town: Town) -> None:
    """S3: several administrators share one list; everyone's acts stand in one event log, which is exported."""
    company = town.company()
    town.deposit(town.world.storage, 30, company.tokyo)
    other = town.user(company.account, "Jiro Second")
    one, two = town.person(company.admin), town.person(other)
    one.go(f"{company.url}devices/new/")
    one.fill(_("Device name"), "core-sw-01")
    one.choose(_("Virtual account"), company.tokyo.name)
    one.click(_("Register the device"))
    two.go(f"{company.url}devices/")
    two.see("core-sw-01")
    two.click(_("Event log"))
    two.see("core-sw-01")
    two.see("Hanako Sato")
    with two.page.expect_download() as download:
        two.click("CSV")
    content = Path(download.value.path()).read_text("utf-8-sig")
    assert "core-sw-01" in content
    assert "Hanako Sato" in content
    two.go(f"{company.url}events/")
    two.press(".page-acts button[popovertarget]")
    two.click(_("Check the seal"))
    count = Event.objects.filter(account=company.account).count()
    sealed = ngettext("%(count)s event is as it was sealed.", "%(count)s events are as they were sealed.", count)
    two.see(sealed % {"count": count}, within="body")


def test_s18_virtual_accounts_and_rights_are_added_and_taken_away(town: Town) -> None:
    """S18: add and remove virtual accounts and users' rights."""
    company = town.company()
    colleague = town.user(company.account, "Jiro Second", Role.VA_VIEWER, company.osaka)
    admin = town.person(company.admin)
    admin.go(f"{company.url}virtual-accounts/")
    admin.click(_("Create a virtual account"))
    admin.fill(_("Name"), "Nagoya")
    admin.click(_("Create"), within="main form")
    admin.see("Nagoya")
    admin.press(".page-acts button[popovertarget]")
    admin.click(_("Delete"))
    admin.page.locator("input[name=typed_name]").fill("Nagoya")
    admin.click(_("Delete the virtual account"))
    admin.go(f"{company.url}virtual-accounts/")
    assert not admin.sees("Nagoya")

    admin.go(f"{company.url}people/{colleague.uid}/")
    admin.see("Jiro Second")
    admin.click(_("Revoke"))
    admin.click(_("Revoke"), within="dialog[open]")
    assert not Grant.objects.filter(user=colleague, revoked_at=None).exists()
