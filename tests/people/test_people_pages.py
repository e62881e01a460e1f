"""The pages of people, partners, invitations, requests and programs, by every role."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from daicho.domain.access.commands.access_requests import request_access
from daicho.domain.access.models import AccessRequest, ApiClient, Grant, HandOver, Invitation, PartnerCompany, User
from daicho.domain.access.queries import authenticate_api_client
from daicho.domain.access.queries_people import list_outsiders
from daicho.domain.access.rules import Role
from daicho.domain.mailbox.models import Mail
from tests.world import World, make_user

A = "/a/aozora.example.co.jp"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def post(world: World, who: User | None, path: str, **data: Any) -> Any:
    return world.client(who).post(path, {"request_id": str(uuid.uuid4())} | data)


def of(user: User) -> Grant:
    return Grant.objects.get(user=user, revoked_at=None, ended_at=None)


PAGES = ("people/", "people/invitations/", "partners/")


@pytest.mark.parametrize(
    ("who", "status"),
    [("admin", 200), ("viewer", 200), ("approver", 200), ("osaka_admin", 200), ("partner", 200), ("user", 404),
     ("stranger", 404), ("operator", 404), ("nobody", 404), (None, 302)],
)  # fmt: skip
def test_who_sees_the_pages_of_people(world: World, who: str | None, status: int) -> None:
    browser = world.client(getattr(world, who) if who else None)
    for page in PAGES:
        assert browser.get(f"{A}/{page}").status_code == status, page


@pytest.mark.parametrize("who", ["osaka_admin", "partner"])
def test_who_has_one_virtual_account_sees_its_people_only(world: World, who: str) -> None:
    browser = world.client(getattr(world, who))
    for page in (*PAGES, "people/invite/", "access-requests/", "virtual-accounts/"):
        shown = text(browser.get(f"{A}/{page}")).replace("AOZORA Manufacturing", "")
        for hidden in ("AOZORA", world.admin.email, world.viewer.email, "DEFAULT"):
            assert hidden not in shown, (page, hidden)
    assert browser.get(f"{A}/people/{world.viewer.uid}/").status_code == 404
    assert browser.get(f"{A}/people/{world.osaka_admin.uid}/").status_code == 200
    assert browser.get(f"{A}/va/{world.tokyo.uid}/people/").status_code == 404


def test_a_lonely_administrator_is_asked_to_invite_a_second(world: World) -> None:
    hint = "There is only one administrator."
    assert hint in text(world.client(world.admin).get(f"{A}/people/"))
    assert hint not in text(world.client(world.viewer).get(f"{A}/people/"))
    Grant.objects.filter(user=world.viewer).update(role=Role.ACCOUNT_ADMINISTRATOR)
    assert hint not in text(world.client(world.admin).get(f"{A}/people/"))


def test_a_viewer_sees_no_acts_and_may_do_none(world: World) -> None:
    shown = text(world.client(world.viewer).get(f"{A}/people/"))
    assert f"{A}/people/invite/" not in shown
    for page in ("people/invite/", "people/hand-overs/", f"people/{world.user.uid}/rights/new/"):
        assert world.client(world.viewer).get(f"{A}/{page}").status_code == 403, page
    assert post(world, world.viewer, f"{A}/people/rights/{of(world.user).uid}/revoke/").status_code == 403


def test_a_role_is_chosen_in_words_with_what_it_may(world: World) -> None:
    shown = text(world.client(world.admin).get(f"{A}/people/invite/"))
    assert "Virtual Account Administrator" in shown
    assert "see licenses, end dates and transfers" in shown
    partners = text(world.client(world.partner).get(f"{A}/people/invite/"))
    assert "Smart Account Administrator" not in partners


def test_an_invitation_is_sent_accepted_and_comes_back_after_sign_up(world: World) -> None:
    answer = post(
        world, world.admin, f"{A}/people/invite/", email="new@aozora.example.co.jp", name="Newcomer", language="en",
        scope=world.osaka.uid, kind="user",
    )  # fmt: skip
    assert answer.headers["Location"] == f"{A}/people/invitations/"
    secret = Mail.objects.get(template="invitation").context["secret"]
    link = f"/invitation/{secret}/"
    anonymous = world.client(None)
    offered = text(anonymous.get(link))
    assert f"/account/signup/?next=%2Finvitation%2F{secret}%2F" in offered
    assert Invitation.objects.get().state == "open"
    wrong = world.client(world.nobody)
    assert "another mail address" in text(wrong.get(link))
    assert wrong.post(link).status_code == 403
    newcomer = make_user("new@aozora.example.co.jp", "Newcomer")
    browser = world.client(newcomer)
    assert "Accept the invitation" in text(browser.get(link))
    assert browser.post(link).headers["Location"] == f"{A}/"
    assert of(newcomer).role == "va_user"
    assert browser.post(link).status_code == 409
    assert world.client(None).get("/invitation/no-such-secret/").status_code == 404


def test_a_form_sent_twice_acts_once(world: World) -> None:
    form = {
        "request_id": str(uuid.uuid4()), "email": "new@aozora.example.co.jp", "name": "", "language": "ja",
        "scope": "", "kind": "viewer",
    }  # fmt: skip
    first = world.client(world.admin).post(f"{A}/people/invite/", form)
    second = world.client(world.admin).post(f"{A}/people/invite/", form)
    assert (first.status_code, second.status_code) == (302, 302)
    assert Mail.objects.filter(template="invitation").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"email": "nonsense"}, "email"), ({"email": "viewer@aozora.example.co.jp"}, "email"), ({"kind": ""}, "kind"),
     ({"ends_on": "2001-01-01"}, "ends_on")],
)  # fmt: skip
def test_what_is_wrong_with_an_invitation_stands_at_its_field(world: World, change: dict[str, str], field: str) -> None:
    form = {"email": "new@aozora.example.co.jp", "language": "ja", "scope": "", "kind": "viewer"} | change
    answer = post(world, world.admin, f"{A}/people/invite/", **form)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Invitation.objects.exists()


def test_an_approver_belongs_to_the_whole_account(world: World) -> None:
    answer = post(
        world, world.admin, f"{A}/people/invite/", email="n@aozora.example.co.jp", language="ja",
        scope=world.osaka.uid, kind="approver",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "kind" in answer.context["form"].errors


def test_many_are_invited_after_a_look(world: World) -> None:
    rows = "メールアドレス,役割\na@aozora.example.co.jp,account_user\nb@aozora.example.co.jp,スマートアカウント閲覧者\n"
    upload = SimpleUploadedFile("people.csv", rows.encode("cp932"))
    look = post(world, world.admin, f"{A}/people/invite/file/", file=upload)
    assert look.status_code == 200
    assert not Invitation.objects.exists()
    done = post(world, world.admin, f"{A}/people/invite/file/", content=look.context["content"])
    assert done.headers["Location"] == f"{A}/people/invitations/"
    assert set(Invitation.objects.values_list("role", flat=True)) == {"account_user", "account_viewer"}


def test_wrong_rows_are_shown_and_nobody_is_invited(world: World) -> None:
    upload = SimpleUploadedFile("people.csv", b"mail,role\nnobody,account_user\n")
    look = post(world, world.admin, f"{A}/people/invite/file/", file=upload)
    assert look.status_code == 422
    assert "Enter a mail address" in text(look)
    assert text(world.client(world.admin).get(f"{A}/people/invite/sample.csv")).startswith("\ufeffemail,name,role")


def test_an_invitation_is_sent_again_and_withdrawn(world: World) -> None:
    post(
        world, world.admin, f"{A}/people/invite/", email="n@aozora.example.co.jp", language="ja", scope="", kind="user"
    )
    found = Invitation.objects.get()
    assert "n@aozora.example.co.jp" in text(world.client(world.admin).get(f"{A}/people/invitations/"))
    post(world, world.admin, f"{A}/people/invitations/{found.uid}/resend/")
    assert Mail.objects.filter(template="invitation").count() == 2
    post(world, world.admin, f"{A}/people/invitations/{found.uid}/withdraw/")
    found.refresh_from_db()
    assert found.state == "withdrawn"


def test_a_right_is_given_changed_and_revoked(world: World) -> None:
    person = f"{A}/people/{world.viewer.uid}/"
    post(world, world.admin, f"{person}rights/new/", scope=world.osaka.uid, kind="administrator")
    given = Grant.objects.get(user=world.viewer, virtual_account=world.osaka)
    change = f"{A}/people/rights/{given.uid}/"
    assert world.client(world.admin).get(change).status_code == 200
    post(world, world.admin, change, kind="viewer", ends_on="2099-03-31")
    given.refresh_from_db()
    assert (given.role, given.ends_at.isoformat()) == ("va_viewer", "2099-03-31T15:00:00+00:00")
    shown = text(world.client(world.admin).get(person))
    assert "Virtual Account Viewer" in shown
    post(world, world.admin, f"{change}revoke/", back=person)
    given.refresh_from_db()
    assert given.revoked_at is not None
    assert "Earlier rights" in text(world.client(world.admin).get(person))


def test_who_gives_up_his_own_last_right_is_led_out(world: World) -> None:
    answer = post(world, world.viewer, f"{A}/people/rights/{of(world.viewer).uid}/revoke/", back=f"{A}/people/")
    assert answer.headers["Location"] == "/"
    assert world.client(world.viewer).get(f"{A}/people/").status_code == 404


def test_the_last_administrator_is_told_at_the_form(world: World) -> None:
    own = of(world.admin)
    answer = post(world, world.admin, f"{A}/people/rights/{own.uid}/", kind="viewer")
    assert answer.status_code == 422
    assert "The last administrator cannot be removed" in text(answer)
    refused = post(world, world.admin, f"{A}/people/rights/{own.uid}/revoke/")
    assert refused.status_code == 409
    assert of(world.admin).role == "account_administrator"


def test_partners_are_listed_and_revoked_in_place(world: World) -> None:
    shown = text(world.client(world.admin).get(f"{A}/partners/"))
    assert "hoshu.example.jp" in shown
    assert world.osaka_admin.name not in shown
    back = f"{A}/partners/"
    answer = post(world, world.admin, f"{A}/people/rights/{of(world.partner).uid}/revoke/", back=back)
    assert answer.headers["Location"] == back
    assert "No partner has a right here" in text(world.client(world.admin).get(back))
    assert world.client(world.partner).get(f"{A}/people/").status_code == 404


def test_a_partners_last_act_is_told(world: World) -> None:
    form = {"email": "x@hoshu.example.jp", "language": "ja", "scope": world.osaka.uid, "kind": "viewer"}
    assert post(world, world.partner, f"{A}/people/invite/", **form).status_code == 302
    (row,) = list_outsiders(world.as_(world.admin), world.account).rows
    assert row.last_act is not None
    (other,) = list_outsiders(world.as_(world.admin), world.account, text="hoshu").rows
    assert other.uid == row.uid


def test_a_hand_over_is_planned_and_cancelled(world: World) -> None:
    successor = make_user("next@aozora.example.co.jp", "Next")
    url = f"{A}/people/hand-overs/new/"
    assert world.client(world.admin).get(url).status_code == 200
    post(world, world.admin, url, person=world.user.uid, email=successor.email, due_on="2099-04-01")
    plan = HandOver.objects.get()
    assert (plan.from_user, plan.to_user) == (world.user, successor)
    assert "Planned" in text(world.client(world.admin).get(f"{A}/people/hand-overs/"))
    past = post(world, world.admin, url, person=world.user.uid, email=successor.email, due_on="2001-04-01")
    assert past.status_code == 422
    unknown = post(world, world.admin, url, person=world.user.uid, email=world.nobody.email, due_on="2099-04-01")
    assert "email" in unknown.context["form"].errors
    post(world, world.admin, f"{A}/people/hand-overs/{plan.uid}/cancel/")
    plan.refresh_from_db()
    assert plan.cancelled_at is not None


def test_a_colleague_asks_and_an_administrator_answers(world: World) -> None:
    colleague = make_user("colleague@aozora.example.co.jp", "Colleague")
    assert "aozora.example.co.jp" in text(world.client(colleague).get("/me/access/"))
    ask = "/me/access/aozora.example.co.jp/"
    assert world.client(colleague).get(ask).status_code == 200
    post(world, colleague, ask, role="va_user", virtual_account_name="osaka", reason="I run the switches")
    wanted = AccessRequest.objects.get()
    detail = f"{A}/access-requests/{wanted.uid}/"
    page = world.client(world.admin).get(detail)
    assert page.context["approve"].initial["scope"] == world.osaka.uid
    assert "answers access requests" in text(world.client(world.viewer).get(detail))
    post(world, world.admin, detail, approve="1", scope=world.osaka.uid, kind="viewer")
    assert of(colleague).role == "va_viewer"
    assert "Approved" in text(world.client(colleague).get("/me/access/"))


def test_a_request_is_declined_with_a_reason_or_withdrawn(world: World) -> None:
    colleague = make_user("colleague@aozora.example.co.jp", "Colleague")
    actor = world.as_(colleague)
    wanted = request_access(actor, identifier=world.account.identifier, role=Role.ACCOUNT_USER, reason="x")
    detail = f"{A}/access-requests/{wanted.uid}/"
    without = post(world, world.admin, detail, **{"decline": "1", "decline-reason": ""})
    assert without.status_code == 422
    post(world, world.admin, detail, **{"decline": "1", "decline-reason": "Ask your manager"})
    assert "Ask your manager" in text(world.client(colleague).get("/me/access/"))
    again = request_access(actor, identifier=world.account.identifier, role=Role.ACCOUNT_USER, reason="y")
    post(world, colleague, f"/me/access/requests/{again.uid}/withdraw/")
    again.refresh_from_db()
    assert again.state == "withdrawn"


def test_nobody_asks_for_the_account_of_another_domain(world: World) -> None:
    assert "aozora" not in text(world.client(world.nobody).get("/me/access/"))
    answer = post(world, world.nobody, "/me/access/aozora.example.co.jp/", role="account_user", reason="x")
    unknown = post(world, world.nobody, "/me/access/never.example.co.jp/", role="account_user", reason="x")
    assert (answer.status_code, unknown.status_code) == (404, 404)


def test_the_secret_of_a_program_is_shown_once(world: World) -> None:
    url = f"{A}/api-clients/new/"
    assert world.client(world.admin).get(url).status_code == 200
    page = post(
        world, world.admin, url, name="nightly", scopes=["licenses.view", "devices.view"], scope="", kind="viewer"
    )
    uid, secret = re.findall(r"([0-9a-z]{13})\.([\w-]{43})", text(page))[0]
    assert "no-store" in page.headers["Cache-Control"]
    assert authenticate_api_client(uid, secret) is not None
    detail = f"{A}/api-clients/{uid}/"
    assert secret not in text(world.client(world.admin).get(detail))
    rotated = text(post(world, world.admin, f"{detail}secret/"))
    assert secret not in rotated
    assert authenticate_api_client(uid, secret) is None
    post(world, world.admin, detail, name="weekly", scopes=["devices.view"], until="2099-01-01")
    assert ApiClient.objects.get().name == "weekly"
    assert "weekly" in text(world.client(world.admin).get(f"{A}/api-clients/"))
    post(world, world.admin, f"{detail}revoke/")
    assert ApiClient.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    ("who", "status"), [("viewer", 403), ("osaka_admin", 403), ("partner", 403), ("stranger", 404)]
)
def test_nobody_else_sees_programs(world: World, who: str, status: int) -> None:
    for page in ("api-clients/", "api-clients/new/"):
        assert world.client(getattr(world, who)).get(f"{A}/{page}").status_code in (status, 404)


def test_own_settings_are_kept(world: World) -> None:
    form = {
        "name": "山田 太郎", "department": "情報システム部", "language": "ja", "time_zone": "Asia/Tokyo", "theme": "dark",
        "keyboard_shortcuts": "on",
    }  # fmt: skip
    assert post(world, world.viewer, "/me/", **form).status_code == 302
    world.viewer.refresh_from_db()
    assert (world.viewer.name, world.viewer.language, world.viewer.theme) == ("山田 太郎", "ja", "dark")
    page = text(world.client(world.viewer).get("/me/"))
    assert 'lang="ja"' in page
    wrong = post(world, world.viewer, "/me/", **form | {"name": " ", "time_zone": "Mars/Base"})
    assert set(wrong.context["form"].errors) == {"name", "time_zone"}


def test_the_operator_keeps_partner_companies(world: World) -> None:
    assert post(world, world.operator, "/operator/partners/new/", name="Hoshu K.K.").status_code == 302
    company = PartnerCompany.objects.get(name="Hoshu K.K.")
    detail = f"/operator/partners/{company.uid}/"
    post(world, world.operator, detail, email=world.partner.email)
    assert world.partner.email in text(world.client(world.operator).get(detail))
    unknown = post(world, world.operator, detail, email="unknown@hoshu.example.jp")
    assert unknown.status_code == 422
    post(world, world.operator, f"{detail}members/{world.partner.uid}/remove/")
    post(world, world.operator, detail, name="Hoshu Ltd.")
    company.refresh_from_db()
    assert (company.name, company.is_active, company.members.count()) == ("Hoshu Ltd.", False, 0)
    page = text(post(world, world.operator, f"{detail}api-clients/new/", name="orders"))
    client = ApiClient.objects.get()
    assert f"{client.uid}." in page
    post(world, world.operator, f"{detail}api-clients/{client.uid}/revoke/")
    client.refresh_from_db()
    assert client.revoked_at is not None
    assert "Hoshu" in text(world.client(world.operator).get("/operator/partners/"))


def test_the_operator_appoints_an_administrator(world: World) -> None:
    url = f"/operator/accounts/{world.account.identifier}/administrator/"
    assert world.client(world.operator).get(url).status_code == 200
    wrong = post(world, world.operator, url, email=world.partner.email, reason="x")
    assert "email" in wrong.context["form"].errors
    assert post(world, world.operator, url, email=world.viewer.email, reason="Left").status_code == 302
    assert of(world.viewer).role == "account_administrator"


@pytest.mark.parametrize("who", ["admin", "stranger", "reseller"])
def test_the_operators_pages_do_not_exist_for_others(world: World, who: str) -> None:
    company = world.reseller_company
    for page in (
        "partners/",
        "partners/new/",
        f"partners/{company.uid}/",
        f"accounts/{world.account.identifier}/administrator/",
    ):
        assert world.client(getattr(world, who)).get(f"/operator/{page}").status_code == 404
