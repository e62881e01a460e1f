"""From sign-up to active in at most 25 fields and clicks, without an operator and without scripts (S8)."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from daicho.domain.access.models import User
from daicho.domain.accounts.models import Opening
from daicho.domain.mailbox.models import Mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from tests.opening.cast import secret_for
from tests.opening.visitor import Visitor

pytestmark = pytest.mark.django_db
BUTTONS = {
    "sign_up": "Sign up",
    "confirm": "Confirm the mail address",
    "log_in": "Log in",
    "open": "Open a new Smart Account",
    "authority": "Next: authority",
    "account": "Next: account",
    "address": "Next: head office address",
    "check": "Next: check",
    "continue": "Continue: open the account",
    "activate": "Activate Smart Account",
}


def confirmation_link(email: str) -> str:
    """The link that confirms an address, whichever way it was mailed."""
    for found in Mail.objects.filter(to=email).order_by("-pk"):
        link = re.search(r"/account/confirm-email/[^\s\"']+/", str(found.context))
        if link:
            return link[0]
    return re.search(r"/account/confirm-email/\S+/", mail.outbox[-1].body)[0]  # type: ignore[index]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_company_opens_its_account_alone_in_at_most_25_fields_and_clicks(language: str) -> None:
    with translation.override(language):
        words = {key: translation.gettext(text) for key, text in BUTTONS.items()}
    visitor = Visitor(Client(HTTP_ACCEPT_LANGUAGE=language))
    email = "hana@sample.example.jp"
    visitor.open("/account/signup/")
    names = visitor.page.forms[-1].values if len(visitor.page.forms) == 1 else {}
    wanted = {
        "email": email,
        "name": "Hana Sato",
        "department": "IT",
        "password1": "correct horse 42",
        "password2": "correct horse 42",
    }
    on_page = {name for form in visitor.page.forms for name in form.values} | set(names)
    visitor.fill(**{name: value for name, value in wanted.items() if name in on_page})
    visitor.press(words["sign_up"])
    visitor.clicks += 1  # the link in the mail
    visitor.open(confirmation_link(email))
    if any(label == words["confirm"] for form in visitor.page.forms for label, _, _ in form.buttons):
        visitor.press(words["confirm"])
    if "_auth_user_id" not in visitor.client.session:
        visitor.open("/account/login/")
        visitor.fill(login=email, password="correct horse 42")
        visitor.press(words["log_in"])

    visitor.open("/opening/find/")
    visitor.press(words["open"])
    visitor.press(words["authority"])
    visitor.fill(is_representative="yes")
    visitor.press(words["account"])
    visitor.press(words["address"])
    visitor.fill(postal_code="１００－０００１", street="千代田1-1")
    visitor.press(words["check"])
    assert "〒100-0001 東京都千代田区千代田1-1" in visitor.words
    visitor.press(words["continue"])
    assert Opening.objects.get().state == "awaiting_activation"

    visitor.clicks += 1  # the link in the mail
    visitor.open(f"/opening/activate/{secret_for(email)}/")
    assert SmartAccount.objects.get().state == "provisional"
    visitor.press(words["activate"])

    account = SmartAccount.objects.get()
    assert (account.state, account.identifier, account.city) == ("active", "sample.example.jp", "千代田区")
    assert VirtualAccount.objects.get(account=account).name == "DEFAULT"
    assert not User.objects.filter(is_operator=True).exists()
    assert visitor.count <= 25, f"{visitor.fields} fields and {visitor.clicks} clicks"
