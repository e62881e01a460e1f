"""Sign-up with a confirmed company address, log-in, passwords, two-step log-in, sessions (S10)."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from daicho.domain.access.models import Grant, User
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.world import PASSWORD, World

FIELDS = {
    "email": "Taro@Sample.CO.JP",
    "name": "山田 太郎",
    "department": "情報システム部",
    "language": "ja",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def browser(db: None) -> Client:
    cache.clear()
    return Client(HTTP_ACCEPT_LANGUAGE="en")


def link_of(template: str) -> str:
    """The path of the link in the last mail of a kind."""
    return str(Mail.objects.filter(template=template).latest("pk").context["link"]).removeprefix("http://testserver")


def log_in(browser: Client, email: str, password: str = PASSWORD) -> int:
    return browser.post("/account/login/", {"login": email, "password": password}).status_code


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_sign_up_confirm_and_be_in(browser: Client) -> None:
    browser.post("/account/signup/", FIELDS)
    person = User.objects.get()
    assert (person.email, person.name, person.department, person.language) == (
        "taro@sample.co.jp", "山田 太郎", "情報システム部", "ja",
    )  # fmt: skip
    assert person.email_confirmed_at is None
    mail = Mail.objects.get()
    assert (mail.template, mail.to, mail.language) == ("confirm_address", "taro@sample.co.jp", "ja")
    link = link_of("confirm_address")
    browser.get(link)
    person.refresh_from_db()
    assert person.email_confirmed_at is None, "a mail scanner follows the link and changes nothing"
    assert browser.post(link).status_code == 302
    person.refresh_from_db()
    assert person.email_confirmed_at is not None
    assert browser.session["_auth_user_id"] == str(person.pk)
    assert kinds() == ["user.registered", "user.edited", "user.logged_in"]


def test_where_one_was_going_survives_the_confirmation_in_another_browser(browser: Client) -> None:
    browser.post("/account/signup/?next=/invitation/abc/", FIELDS | {"next": "/invitation/abc/"})
    elsewhere = Client()
    link = link_of("confirm_address")
    page = elsewhere.get(link).content.decode()
    assert 'name="next"' in page
    assert elsewhere.post(link, {"next": "/invitation/abc/"}).headers["Location"] == "/invitation/abc/"
    assert "_auth_user_id" not in elsewhere.session, "only the browser that signed up is logged in"


def test_without_the_confirmation_nobody_gets_in(browser: Client) -> None:
    browser.post("/account/signup/", FIELDS)
    elsewhere = Client()
    log_in(elsewhere, "taro@sample.co.jp")
    assert "_auth_user_id" not in elsewhere.session


def test_a_second_sign_up_tells_only_the_owner_of_the_address(world: World, browser: Client) -> None:
    known = browser.post("/account/signup/", FIELDS | {"email": world.viewer.email})
    mail = Mail.objects.get()
    assert (mail.template, mail.to) == ("address_known", world.viewer.email)
    other = Client(HTTP_ACCEPT_LANGUAGE="en").post("/account/signup/", FIELDS)
    assert (known.status_code, known.headers["Location"]) == (other.status_code, other.headers["Location"])
    assert User.objects.filter(email=world.viewer.email).count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"email": "nobody"}, "email"), ({"password1": "short", "password2": "short"}, "password1"),
     ({"password2": "other than the first"}, "password2")],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_at_its_field(browser: Client, change: dict[str, str], field: str) -> None:
    page = browser.post("/account/signup/", FIELDS | change)
    assert field in page.context["form"].errors
    assert not User.objects.exists()


def test_log_in_and_out_are_in_the_log(world: World, browser: Client) -> None:
    assert log_in(browser, "ADMIN@aozora.example.co.jp") == 302
    browser.post("/account/logout/")
    assert "_auth_user_id" not in browser.session
    assert log_in(browser, world.admin.email, "wrong") == 200
    assert kinds() == ["user.logged_in", "user.logged_out", "user.log_in_failed"]
    assert set(Event.objects.values_list("subject", flat=True)) == {world.admin.email}


def test_somebody_created_at_the_console_need_not_confirm(world: World, browser: Client) -> None:
    EmailAddress.objects.filter(user=world.viewer).delete()
    log_in(browser, world.viewer.email)
    assert browser.session["_auth_user_id"] == str(world.viewer.pk)


def test_after_ten_wrong_log_ins_in_an_hour_one_waits(world: World, browser: Client) -> None:
    for _attempt in range(10):
        log_in(browser, world.viewer.email, "wrong")
    log_in(browser, world.viewer.email)
    assert "_auth_user_id" not in browser.session
    log_in(browser, world.user.email)
    assert browser.session["_auth_user_id"] == str(world.user.pk), "another person does not wait"


def test_a_forgotten_password_is_set_anew(world: World, browser: Client) -> None:
    browser.post("/account/password/reset/", {"email": world.viewer.email})
    page = browser.get(link_of("reset_password"), follow=True)
    address = page.redirect_chain[-1][0]
    browser.post(address, {"password1": "another good password", "password2": "another good password"})
    world.viewer.refresh_from_db()
    assert world.viewer.check_password("another good password")
    assert "user.password_changed" in kinds()


def test_a_forgotten_password_of_an_unknown_address_looks_the_same(world: World, browser: Client) -> None:
    known = browser.post("/account/password/reset/", {"email": world.viewer.email})
    unknown = browser.post("/account/password/reset/", {"email": "nobody@sample.co.jp"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert Mail.objects.filter(to="nobody@sample.co.jp").get().template == "unknown_address"


def test_two_steps_ask_for_the_code(world: World, browser: Client) -> None:
    log_in(browser, world.operator.email)
    assert "_auth_user_id" not in browser.session
    assert browser.get("/account/2fa/authenticate/").status_code == 200


def test_after_ten_wrong_codes_in_an_hour_one_waits(world: World, browser: Client) -> None:
    log_in(browser, world.operator.email)
    for _attempt in range(10):
        browser.post("/account/2fa/authenticate/", {"code": "000000"})
    secret = TOTP(Authenticator.objects.get(user=world.operator)).instance.data["secret"]
    code = format_hotp_value(hotp_value(get_mfa_adapter().decrypt(secret), list(yield_hotp_counters_from_time())[1]))
    browser.post("/account/2fa/authenticate/", {"code": code})
    assert "_auth_user_id" not in browser.session
    cache.clear()
    browser.post("/account/2fa/authenticate/", {"code": code})
    assert browser.session["_auth_user_id"] == str(world.operator.pk)
    assert "user.log_in_failed" in kinds()


def test_an_operator_without_two_steps_is_led_to_the_set_up_first(world: World) -> None:
    Authenticator.objects.all().delete()
    browser = world.client(world.operator)
    for path in ("/", "/me/", "/operator/partners/"):
        assert browser.get(path).headers["Location"] == "/account/2fa/totp/activate/"
    assert browser.get("/api/v1/accounts").status_code == 403
    assert world.client(world.admin).get("/me/").status_code == 200


def test_an_operator_cannot_turn_two_steps_off(world: World) -> None:
    browser = Client()
    browser.force_login(world.operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    browser.post("/account/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=world.operator, type="totp").exists()


def test_own_sessions_are_listed_and_ended(world: World, browser: Client) -> None:
    elsewhere = Client()
    log_in(browser, world.viewer.email)
    log_in(elsewhere, world.viewer.email)
    page = browser.get("/me/sessions/").content.decode()
    assert UserSession.objects.filter(user=world.viewer).count() == 2
    assert re.search(r"127\.0\.0\.1", page)
    browser.post("/me/sessions/", {"others": "1"})
    assert elsewhere.get("/me/").status_code == 302
    assert browser.get("/me/").status_code == 200
    assert "user.sessions_ended" in kinds()


def test_one_session_of_ones_own_is_ended_and_nobody_elses(world: World, browser: Client) -> None:
    stranger, elsewhere = Client(), Client()
    log_in(stranger, world.stranger.email)
    log_in(browser, world.viewer.email)
    log_in(elsewhere, world.viewer.email)
    foreign = UserSession.objects.get(user=world.stranger)
    assert browser.post("/me/sessions/", {"session": foreign.pk}).status_code == 404
    own = UserSession.objects.get(session_key=elsewhere.session.session_key)
    browser.post("/me/sessions/", {"session": own.pk})
    assert elsewhere.get("/me/").status_code == 302
    assert stranger.get("/me/").status_code == 200


def test_a_changed_address_that_makes_one_a_partner_gives_his_rights_an_end(world: World) -> None:
    from daicho.domain.access.commands.people import confirm_address

    confirm_address(world.as_(world.viewer), user=world.viewer, email="viewer@elsewhere.example.com")
    assert Grant.objects.get(user=world.viewer).ends_at is not None
    confirm_address(world.as_(world.admin), user=world.admin, email="admin@elsewhere.example.com")
    assert Grant.objects.get(user=world.admin).ends_at is None, "an account keeps its last administrator"
