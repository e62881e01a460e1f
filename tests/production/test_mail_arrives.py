"""S16 with the processes of an installation: what the portal posts is at the mail server within 30 s."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.support.mail_server import MailServer
from tests.support.serving import free_port, migrated, running, wait_for

pytestmark = pytest.mark.production
WITHIN = 30  # seconds, product.md S16
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def test_s16_a_mail_is_at_the_mail_server_within_30_seconds_of_its_cause(tmp_path: Path) -> None:
    mail_server, port = MailServer(), free_port()
    settings = migrated(
        tmp_path, port, DAICHO_DEBUG="1", DAICHO_SMTP_HOST="127.0.0.1", DAICHO_SMTP_PORT=str(mail_server.port)
    )
    mail_server.start()
    try:
        with running("serve", "--port", str(port), environment=settings), running("worker", environment=settings):
            wait_for(f"http://localhost:{port}/readyz")
            sign_up(f"http://localhost:{port}/account/signup/", "taro@aozora.example")
            deadline = time.monotonic() + WITHIN
            while not mail_server.messages and time.monotonic() < deadline:
                time.sleep(0.1)
    finally:
        mail_server.stop()
    assert [message["To"] for message in mail_server.messages] == ["Taro Yamada <taro@aozora.example>"]


def sign_up(address: str, email: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(address) as page:
        token = TOKEN.search(page.read().decode())
    assert token
    password = "correct horse battery staple"
    form = {"csrfmiddlewaretoken": token[1], "email": email, "name": "Taro Yamada", "language": "ja"}
    body = urllib.parse.urlencode(form | {"password1": password, "password2": password}).encode()
    with browser.open(urllib.request.Request(address, body, {"Referer": address})) as answer:
        assert answer.url != address, "the form was refused"
