"""Mail reaches the server once, and is neither lost nor doubled when the server fails (product.md, Mail)."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine

from daicho.core.clock import now
from daicho.domain.mailbox import commands
from daicho.domain.mailbox.commands import claim_next, mail_sent, post_mail
from daicho.domain.mailbox.models import Mail
from daicho.interfaces.mail import render, sender
from tests.support.mail_server import MailServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text of the test's own, so that no change of a real one matters here."""
    for footer in render.TEMPLATES.glob("_footer.*"):
        (tmp_path / footer.name).write_text(footer.read_text())
    (tmp_path / "hello.ja.txt").write_text(
        "Subject: 【お知らせ】{{ what }}（例）\n\n{{ salutation }}\n{{ at|moment }}\n{{ site_url }}/x/{{ token }}\n"
    )
    (tmp_path / "hello.en.txt").write_text(
        "Subject: Notice: {{ what }} (example)\n\n{{ salutation }}\n{{ at|moment }}\n{{ site_url }}/x/{{ token }}\n"
    )
    (tmp_path / "broken.en.txt").write_text("Subject: Notice: x\n\n{% nonsense %}")
    monkeypatch.setattr(render, "TEMPLATES", tmp_path)
    render.engine.cache_clear()
    yield
    render.engine.cache_clear()


def post(**fields: object) -> Mail:
    given = {"to": "hanako@example.co.jp", "to_name": "佐藤 花子", "language": "ja", "what": "試し", "token": "s3cret"}
    return post_mail("hello", **{"at": "2026-12-01T05:05:00+00:00", **given, **fields})  # type: ignore[arg-type]


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_goes_out_in_the_recipients_language_and_zone(mail_server: MailServer) -> None:
    post()
    post(language="en", time_zone="Europe/Paris", to_name="Hanako Sato")

    assert sender.send_due() == 2

    japanese, english = mail_server.messages
    assert japanese["Subject"] == "【お知らせ】試し（例）"
    assert text_of(japanese).startswith("佐藤 花子 様\n2026/12/01(火)14:05 JST\nhttp://testserver/x/s3cret\n")
    assert "サポート窓口：support@vendor.example / 03-0000-0000" in text_of(japanese)
    assert '<a href="http://testserver/x/s3cret">' in text_of(japanese, "html")
    assert japanese["To"].addresses[0].display_name == "佐藤 花子"
    assert japanese["From"].addresses[0].display_name == "Daicho"
    assert text_of(english).startswith("Dear Hanako Sato,\n1 Dec 2026, 06:05 CET\n")
    assert mail_server.connections == 1


def test_a_sent_mail_keeps_no_secret(mail_server: MailServer) -> None:
    mail = post()
    sender.send_due()

    mail.refresh_from_db()
    assert mail.state == Mail.State.SENT
    assert mail.context == {}
    assert mail.sent_at is not None
    assert sender.send_due() == 0
    assert len(mail_server.messages) == 1


def test_rendered_mails_are_kept_in_the_demonstration_only(mail_server: MailServer, settings) -> None:
    shown = post()
    sender.send_due()
    settings.DEMO = False
    real = post()
    sender.send_due()

    shown.refresh_from_db()
    real.refresh_from_db()
    assert shown.rendered["subject"] == "【お知らせ】試し（例）"
    assert real.rendered is None


def test_a_temporary_refusal_is_tried_again_with_the_same_message_id(mail_server: MailServer) -> None:
    mail_server.replies = ["451 4.7.1 try again later"]
    mail = post()

    assert sender.send_due() == 0
    mail.refresh_from_db()
    assert mail.state == Mail.State.WAITING
    assert "451" in mail.last_error
    first_id = mail.message_id
    assert dt.timedelta(seconds=50) < mail.next_attempt_at - now() <= dt.timedelta(minutes=1)
    assert sender.send_due() == 0, "not before the pause is over"

    with time_machine.travel(now() + dt.timedelta(minutes=2)):
        assert sender.send_due() == 1
    assert mail_server.messages[0]["Message-ID"] == first_id == f"<{mail.uid}@testserver>"


def test_pauses_grow_until_the_mail_has_failed_and_is_the_operators(mail_server: MailServer) -> None:
    mail = post()
    pauses = []
    with time_machine.travel(now(), tick=False) as clock:
        while True:
            mail_server.replies = ["451 no"]
            sender.send_due()
            mail.refresh_from_db()
            if mail.state != Mail.State.WAITING:
                break
            pauses.append(mail.next_attempt_at - now())
            clock.move_to(mail.next_attempt_at)
    assert mail.state == Mail.State.FAILED
    assert pauses == sorted(pauses)
    assert pauses[0] == dt.timedelta(minutes=1)
    assert pauses[-1] == dt.timedelta(hours=12)
    assert mail.context["token"] == "s3cret", "kept, as the operator may try again"


def test_an_address_that_does_not_exist_fails_at_once(mail_server: MailServer) -> None:
    mail_server.recipient_replies = ["550 5.1.1 no such user"]
    mail = post()
    other = post()

    assert sender.send_due() == 1

    mail.refresh_from_db()
    other.refresh_from_db()
    assert (mail.state, other.state) == (Mail.State.FAILED, Mail.State.SENT)
    assert "550 5.1.1 no such user" in mail.last_error


def test_a_dead_server_loses_nothing_and_costs_one_mail_an_attempt(mail_server: MailServer) -> None:
    mails = [post() for _ in range(3)]
    mail_server.stop()

    assert sender.send_due() == 0
    assert Mail.objects.filter(attempts__gt=0).count() == 1

    mail_server.start()
    with time_machine.travel(now() + dt.timedelta(minutes=2)):
        assert sender.send_due() == 3
    assert {m["Message-ID"] for m in mail_server.messages} == {f"<{mail.uid}@testserver>" for mail in mails}


def test_while_the_server_is_away_a_mail_never_waits_long(mail_server: MailServer) -> None:
    mail = post()
    mail_server.stop()
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(30):
            sender.send_due()
            mail.refresh_from_db()
            assert mail.next_attempt_at - now() <= dt.timedelta(minutes=10)
            clock.move_to(mail.next_attempt_at)
        assert mail.state == Mail.State.WAITING


def test_a_server_that_hung_up_between_two_mails_is_called_again(mail_server: MailServer, monkeypatch) -> None:
    post()
    post()
    compose = sender.compose

    def restart_before_the_second(*args: object) -> object:
        if mail_server.messages:
            mail_server.stop()
            mail_server.start()
        return compose(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "compose", restart_before_the_second)
    assert sender.send_due() == 2
    assert len(mail_server.messages) == 2


def test_a_sender_that_dies_after_the_server_accepted_sends_again_with_the_same_id(
    mail_server: MailServer, monkeypatch
) -> None:
    post()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sender, "mail_sent", die)
        with pytest.raises(KeyboardInterrupt):
            sender.send_due()
    assert sender.send_due() == 0, "another sender leaves a held mail alone"
    with time_machine.travel(now() + dt.timedelta(minutes=11)):
        assert sender.send_due() == 1
    assert len({message["Message-ID"] for message in mail_server.messages}) == 1
    assert len(mail_server.messages) == 2


def test_two_senders_never_hold_the_same_mail() -> None:
    post()
    first = claim_next(domain="testserver")
    assert first is not None
    assert claim_next(domain="testserver") is None


def test_a_sender_that_was_taken_for_dead_does_not_overwrite_the_next_ones_note() -> None:
    mail = post()
    slow = claim_next(domain="testserver")
    assert slow is not None
    with time_machine.travel(now() + dt.timedelta(minutes=11)):
        quick = claim_next(domain="testserver")
        assert quick is not None
        mail_sent(quick)
        commands.mail_refused(slow, "too late")
    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == (Mail.State.SENT, "")


def test_a_text_that_cannot_be_rendered_fails_and_stops_no_other(mail_server: MailServer) -> None:
    broken = post_mail("broken", to="a@example.co.jp", language="en")
    missing = post_mail("never_written", to="a@example.co.jp", language="en")
    bad_name = post(to_name="a\r\nBcc: everyone@example.co.jp")
    post()

    assert sender.send_due() == 2

    for mail in (broken, missing):
        mail.refresh_from_db()
        assert mail.state == Mail.State.FAILED
    bad_name.refresh_from_db()
    assert all("Bcc" not in message for message in mail_server.messages)


def test_a_mail_with_a_once_key_is_posted_once() -> None:
    assert post(once="summary:1").pk == post(once="summary:1").pk
    assert Mail.objects.count() == 1
