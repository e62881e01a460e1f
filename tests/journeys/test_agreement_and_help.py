"""What is signed and what is read: S21, S24, S27."""

from __future__ import annotations

import contextlib

from django.utils.translation import gettext as _

from daicho.core.clock import FOREVER, now
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Role
from daicho.domain.accounts.commands.agreements import accept_agreement
from daicho.domain.accounts.models import Acceptance, Agreement
from daicho.domain.devices.models import Device
from daicho.domain.tenancy.models import SmartAccount
from tests.journeys.conftest import Town
from tests.world import actor


def test_s21_a_new_version_warns_then_blocks_and_one_acceptance_is_enough(town: Town) -> None:
    """S21: published with a date, pending for everybody, accepted by any one approver; who, when and which is kept."""
    company = town.company()
    approver = town.user(company.account, "Ichiro Abe", Role.ACCOUNT_APPROVER)
    town.deposit(town.world.advantage, 5, company.tokyo)
    for earlier in Agreement.objects.order_by("version"):
        with contextlib.suppress(BusinessError):  # only the next one can be accepted
            accept_agreement(actor(company.admin), account=company.account, agreement_uid=earlier.uid, language="ja")
    operator = town.person(town.world.operator)
    operator.go("/operator/agreements/publish/")
    version = Agreement.objects.count() + 1
    for label, text in (
        (_("Title in Japanese"), f"合意書 第{version}版"), (_("Text in Japanese"), "# 目的\n\n新しい条件です。"),
        (_("Title in English"), f"Agreement {version}"), (_("Text in English"), "# Purpose\n\nThese are the new terms."),
    ):  # fmt: skip
        operator.fill(label, text)
    # Each version comes into force after the last one.
    operator.fill(_("In force from"), (town.in_days(30 + version)).date().isoformat())
    operator.click(_("Look at both languages"))
    operator.see("新しい条件です。")
    assert Agreement.objects.count() == version - 1, "a look publishes nothing"
    operator.click(_("Publish version %(next_version)s") % {"next_version": version})
    assert Agreement.objects.count() == version

    admin = town.person(company.admin)
    admin.go(company.url)
    admin.see(_("A new account agreement must be accepted by %(day)s.").partition("%")[0], within="body")
    admin.go(f"{company.url}transfers/new/")
    admin.see("NET-ADV")

    # Its day comes before somebody has accepted.
    SmartAccount.objects.filter(pk=company.account.pk).update(good_standing_until=now())
    admin.go(f"{company.url}devices/new/")
    admin.fill(_("Device name"), "sw-1")
    admin.click(_("Register the device"))
    refusal = _("An administrator or approver must first accept the account agreement of %(account)s.")
    admin.see(refusal % {"account": company.account.name})
    assert not Device.objects.filter(account=company.account).exists()
    admin.go(f"{company.url}licenses/")
    admin.see("NET-ADV")

    one = town.person(approver)
    one.go(f"{company.url}agreements/")
    one.click(_("Read and accept"))
    one.click(_("Accept the agreement"))
    kept = Acceptance.objects.filter(account=company.account).latest("pk")
    assert (kept.user, kept.agreement.version) == (approver, version)
    admin.go(f"{company.url}agreements/")
    admin.see("Ichiro Abe")
    assert SmartAccount.objects.get(pk=company.account.pk).in_good_standing()
    kept_text = admin.context.request.get(
        f"{town.url}{company.url}agreements/{kept.agreement.uid}/agreement.pdf", max_redirects=0
    )
    assert kept_text.body().startswith(b"%PDF")
    SmartAccount.objects.exclude(pk=company.account.pk).update(good_standing_until=FOREVER)


def test_s24_guides_help_beside_the_page_and_a_tour(town: Town) -> None:
    """S24: the operator's list with language, kind, minutes and log-in needed; help beside each page; a tour."""
    title = f"Video {town.domain()}"
    operator = town.person(town.world.operator)
    operator.go("/operator/guides/add/")
    operator.fill(_("Title"), title)
    operator.fill(_("Link"), "https://vendor.example/video")
    operator.choose(_("Kind"), _("Video"))
    operator.fill(_("Minutes"), "15")
    operator.tick(_("A log-in is needed"))
    operator.click(_("Save the guide"))
    operator.see(title)

    company = town.company()
    admin = town.person(company.admin)
    admin.go("/help/")
    admin.see(title)
    admin.see("15")
    admin.see(_("First steps"))
    admin.click(_("Tick off"))
    admin.see(_("Done"))
    admin.go(f"{company.url}licenses/")
    admin.press("header a[href*='help'], header button[popovertarget*='help'], header [commandfor*='help']")
    admin.see(_("Licenses"))
    admin.go(company.url)
    admin.see(_("First steps"))


def test_s27_everybody_reads_the_guide_as_page_and_as_pdf(town: Town, language: str) -> None:
    """S27: the standard flow of opening, public, with this installation's address, names and support desk."""
    one = town.person()
    one.go("/")
    one.click(_("How to open a Smart Account"))
    one.see("support@vendor.example")
    one.see(town.url)
    target = one.find("PDF").get_attribute("href") or ""
    assert target.endswith(f"smart-account-guide.{language}.pdf")
    assert one.context.request.get(town.url + target).body().startswith(b"%PDF")
