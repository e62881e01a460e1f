"""Every mail of an opening reads whole in both languages, with its link and its end, and names no one it must not."""

from __future__ import annotations

import pytest

from daicho.domain.mailbox.models import Mail
from daicho.interfaces.mail.render import render
from tests.opening import cast

pytestmark = pytest.mark.django_db
WORDS = {
    "opening_activation": (
        "スマートアカウントを有効化してください",
        "activate your Smart Account",
        "/opening/activate/",
    ),
    "opening_reason": ("理由をお知らせください", "tell us why", "/opening/reason/"),
    "opening_approver": ("開設を承認してください", "approve the opening", "/opening/approve/"),
}


@pytest.mark.parametrize("template", WORDS)
@pytest.mark.parametrize("reminder", [False, True])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_mail_with_a_link(template: str, language: str, *, reminder: bool) -> None:
    fields = {
        "opening_activation": {},
        "opening_reason": {"identifier": "other.example.com"},
        "opening_approver": {"approver": "boss@sample.example.jp"},
    }[template]
    cast.continued(cast.hana(), **fields)
    mail = Mail.objects.get(template=template)
    context = mail.context | {"reminder": reminder}
    made = render(template, context, to=mail.to, to_name=mail.to_name, language=language, time_zone="Asia/Tokyo")
    japanese, english, path = WORDS[template]
    assert (japanese if language == "ja" else english) in made.subject
    assert made.subject.startswith("【再送】" if language == "ja" else "Reminder: ") is reminder
    assert f"{path}{mail.context['secret']}/" in made.text
    assert "JST" in made.text or template == "opening_reason"
    assert "support@vendor.example" in made.text
    assert "{{" not in made.text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_mail_without_a_link_secret(language: str) -> None:
    facts = {
        "identifier": "sample.example.jp", "account_name": "Sample", "requester_name": "Hana", "opening_uid": "abc",
        "requester_domain": "sample.example.jp", "approver_email": "", "requested_at": "2026-11-24T00:00:00+00:00",
        "reason": "Because.", "by": "Ken", "by_approver": True, "state": "suspended", "upheld": True,
        "account_identifier": "example.jp",
    }  # fmt: skip
    for template in (
        "opening_declined", "opening_lapsed", "opening_taken_over", "opening_subdomain", "account_activated",
        "account_state", "contest_decided",
    ):  # fmt: skip
        made = render(
            template, facts, to="hana@sample.example.jp", to_name="Hana", language=language, time_zone="Asia/Tokyo"
        )
        assert made.subject
        assert "http://testserver/" in made.text
        assert "{{" not in made.text
