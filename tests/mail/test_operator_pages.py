"""The operator sees whether all is well and sends failed mails again; the demonstration shows its mails."""

from __future__ import annotations

import pytest
from django.test import override_settings

from daicho.core.errors import NotFound
from daicho.domain.alerts.commands.outbox import retry_mail
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.commands import claim_next, mail_refused, mail_sent, post_mail
from daicho.domain.mailbox.models import Mail
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(world: World) -> Mail:
    mail = post_mail("extra_address_confirm", to="gone@aozora.example.co.jp", token="s3cret")
    claim = claim_next(domain="testserver")
    assert claim is not None
    mail_refused(claim, "550 5.1.1 no such user", for_good=True)
    return mail


def test_the_status_page_is_the_operators(world: World, failed: Mail) -> None:
    page = world.client(world.operator).get("/operator/status/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "550 5.1.1 no such user" in text
    assert "gone@aozora.example.co.jp" in text
    assert "s3cret" not in text
    assert world.client(world.admin).get("/operator/status/").status_code == 404


def test_a_failed_mail_is_sent_again_and_the_log_says_so(world: World, failed: Mail) -> None:
    world.client(world.operator).post(f"/operator/status/mails/{failed.uid}/retry/")
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (Mail.State.WAITING, 0)
    assert Event.objects.get(kind="mail.retried").subject == "gone@aozora.example.co.jp"


def test_all_failed_mails_are_sent_again(world: World, failed: Mail) -> None:
    answer = world.client(world.operator).post("/operator/status/mails/retry/", follow=True)
    assert "1 mail is sent again." in answer.content.decode()


def test_a_mail_that_a_sender_holds_or_that_was_sent_is_left_alone(world: World) -> None:
    mail = post_mail("extra_address_confirm", to="a@aozora.example.co.jp")
    claim = claim_next(domain="testserver")
    assert claim is not None
    for _ in range(2):
        with pytest.raises(NotFound):
            retry_mail(world.as_(world.operator), uid=mail.uid)
        mail_sent(claim)
    with pytest.raises(NotFound):
        retry_mail(world.as_(world.admin), uid=mail.uid)


def test_ledger_and_seal_are_checked_from_the_page(world: World) -> None:
    browser = world.client(world.operator)
    assert "The ledger is sound." in browser.post("/operator/status/check-ledger/", follow=True).content.decode()
    assert (
        "Every sealed event is unchanged." in browser.post("/operator/status/verify-log/", follow=True).content.decode()
    )


def test_the_demonstration_shows_its_mails_and_nothing_else_does(world: World) -> None:
    mail = post_mail("extra_address_confirm", to="a@aozora.example.co.jp")
    claim = claim_next(domain="testserver")
    assert claim is not None
    text = "Hello <b>\nhttp://testserver/notifications/confirm/x/\n"
    mail_sent(claim, rendered={"subject": "Action needed: x", "text": text, "html": ""})

    browser = world.client(None)
    assert "Action needed: x" in browser.get("/demo/mails/").content.decode()
    page = browser.get(f"/demo/mails/{mail.uid}/").content.decode()
    assert 'Hello &lt;b&gt;\n<a href="http://testserver/notifications/confirm/x/">' in page
    with override_settings(DEMO=False):
        assert browser.get("/demo/mails/").status_code == 404
        assert browser.get(f"/demo/mails/{mail.uid}/").status_code == 404
